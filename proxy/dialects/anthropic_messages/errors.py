"""Errors in Anthropic's form (docs.anthropic.com/en/api/errors), read from providers and written to clients.

`parse_error` takes any bytes and never raises; `build_error` puts a failure of a model route, `build_refusal` a refusal
of the proxy's own, `encode_failure` the event that ends a stream.
"""

from typing import Final

from proxy.dialects.events import Failure, FailureKind
from proxy.dialects.failures import FORMS, parse_failure, retry_fields
from proxy.dialects.json_text import encode_json
from proxy.dialects.parts import Json
from proxy.errors import Code
from proxy.wire.headers import Headers

# GLM's endpoint of this dialect answers with Zhipu's codes too (docs.bigmodel.cn, error codes).
CODES: Final = {
    "1113": FailureKind.QUOTA,
    "1261": FailureKind.CONTEXT_LENGTH,
    "1301": FailureKind.CONTENT_FILTER,
    "1302": FailureKind.RATE_LIMIT,
    "1303": FailureKind.RATE_LIMIT,
    "1304": FailureKind.QUOTA,
    "1305": FailureKind.OVERLOADED,
    "1308": FailureKind.QUOTA,
    "1310": FailureKind.QUOTA,
    "1312": FailureKind.OVERLOADED,
}
"""What codes mean that are not Anthropic's own words."""

_TYPES: Final = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    408: "timeout_error",
    504: "timeout_error",
    500: "api_error",
    502: "api_error",
    503: "overloaded_error",
}


def parse_error(status: int, headers: Headers, body: bytes) -> Failure:
    """An error answer, or an error body under 200."""
    return parse_failure(status, headers, body, CODES)


def build_error(failure: Failure, request_id: str) -> tuple[int, dict[str, str], bytes]:
    """Status, fields for the SDK's retries, and body."""
    body = {"type": "error", "error": _build_fields(failure), "request_id": request_id}
    return FORMS[failure.kind].anthropic_status, retry_fields(failure), encode_json(body)


def encode_failure(failure: Failure) -> bytes:
    """The last event of a stream that failed: nothing may follow it."""
    return b"event: error\ndata: " + encode_json({"type": "error", "error": _build_fields(failure)}) + b"\n\n"


def build_refusal(code: Code, request_id: str) -> dict[str, object]:
    """`{"type": "error", "error": {"type", "message"}, "request_id"}`; our code stands inside as `code`."""
    kind = _TYPES.get(code.status, "invalid_request_error")
    return {
        "type": "error",
        "error": {"type": kind, "message": code.message, "code": code.slug},
        "request_id": request_id,
    }


def _build_fields(failure: Failure) -> dict[str, Json]:
    """There is no member for the field that is blamed: Anthropic's own messages begin with its path."""
    message = failure.message
    if failure.param and not message.startswith(failure.param):
        message = f"{failure.param}: {message}"
    return {"type": FORMS[failure.kind].anthropic_type, "message": message}
