"""Errors before the head: `DefaultChatTransport` throws the text of an answer that is not 2xx, whole.

So the page's error message is this JSON; `error` is for people, `code` for programs. An error within a stream is a
chunk of its own (encode.py).
"""

from proxy.dialects.events import Failure
from proxy.dialects.failures import FORMS, retry_fields
from proxy.dialects.json_text import encode_json
from proxy.dialects.parts import Json
from proxy.errors import Code


def build_error(failure: Failure, request_id: str) -> tuple[int, dict[str, str], bytes]:
    """Status, header fields and `{"error", "code", "param"?, "request_id"}`."""
    body: dict[str, Json] = {"error": failure.message, "code": failure.kind.value}
    if failure.param:
        body["param"] = failure.param
    body["request_id"] = request_id
    return FORMS[failure.kind].status, retry_fields(failure), encode_json(body)


def build_refusal(code: Code, request_id: str) -> dict[str, object]:
    """The same form for what the proxy refuses before it has read a request."""
    return {"error": code.message, "code": code.slug, "request_id": request_id}
