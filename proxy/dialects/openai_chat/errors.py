"""OpenAI's error form, which the whole OpenAI-compatible family reads (platform.openai.com/docs/guides/error-codes).

`parse_error` takes any error answer of a provider of the family; `build_error` writes a failure for its clients, whole,
`encode_error_event` the same within a stream. `build_refusal` puts the proxy's own refusals.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from proxy.dialects.events import Failure, FailureKind
from proxy.dialects.failures import FORMS, parse_failure, retry_fields
from proxy.dialects.json_text import encode_json
from proxy.dialects.parts import Json
from proxy.errors import Code
from proxy.wire.headers import Headers

NO_CODES: Final[Mapping[str, FailureKind]] = MappingProxyType({})


def parse_error(
    status: int, headers: Headers, body: bytes, codes: Mapping[str, FailureKind] = NO_CODES
) -> Failure:  # fmt: skip
    """codes: what the provider's own error codes mean."""
    return parse_failure(status, headers, body, codes)


def build_error(failure: Failure, request_id: str) -> tuple[int, dict[str, str], bytes]:
    """Status, header fields and body."""
    body = {**_build_body(failure), "request_id": request_id}
    return FORMS[failure.kind].status, retry_fields(failure), encode_json(body)


def encode_error_event(failure: Failure) -> bytes:
    """The event that ends a stream in failure: any object with a truthy `error` raises in OpenAI's SDKs. `[DONE]` never
    follows it, since that means complete."""
    return b"data: " + encode_json(_build_body(failure)) + b"\n\n"


def _build_body(failure: Failure) -> dict[str, Json]:
    form = FORMS[failure.kind]
    return {
        "error": {
            "message": failure.message,
            "type": form.openai_type,
            "param": failure.param or None,
            "code": form.openai_code,
        }
    }


_TYPES: Final = {
    403: "permission_error",
    429: "rate_limit_error",
    408: "timeout",
    504: "timeout",
    500: "server_error",
    502: "server_error",
    503: "server_error",
}
_CODES: Final = {Code.UNAUTHORIZED: "invalid_api_key", Code.BUSY: "overloaded"}


def build_refusal(code: Code, request_id: str) -> dict[str, object]:
    """`{"error": {"message", "type", "param", "code"}}`; the id stands beside it, as the SDKs allow."""
    return {
        "error": {
            "message": code.message,
            "type": _TYPES.get(code.status, "invalid_request_error"),
            "param": None,
            "code": _CODES.get(code, code.slug),
        },
        "request_id": request_id,
    }
