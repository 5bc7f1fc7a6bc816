"""Google's error form (google.rpc.Status as JSON, cloud.google.com/apis/design/errors), read and written.

`parse_error` takes any bytes of any status, `build_error` and `build_status` what went wrong with a request or within
its answer, `build_refusal` one of the proxy's own constant refusals. None of them raises.
"""

from typing import Final

from proxy.dialects.events import Failure
from proxy.dialects.failures import FORMS, parse_error_value, parse_failure, retry_fields
from proxy.dialects.json_text import encode_json
from proxy.dialects.parts import Json
from proxy.errors import Code
from proxy.wire.headers import Headers

_STATUSES: Final = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_RPC: Final = "type.googleapis.com/google.rpc."


def parse_error(status: int, headers: Headers, body: bytes) -> Failure:
    """An error answer; a stream without `alt=sse` wraps it in an array."""
    return parse_failure(status, headers, body)


def parse_stream_error(value: Json) -> Failure:
    """An object with `error` in it out of a stream."""
    return parse_error_value(value)


def build_error(failure: Failure, request_id: str) -> tuple[int, dict[str, str], bytes]:
    """Status, header fields and body."""
    error = build_status(failure)
    error["details"].append({"@type": _RPC + "RequestInfo", "requestId": request_id})
    return FORMS[failure.kind].gemini_status, retry_fields(failure), encode_json({"error": error})


def build_status(failure: Failure) -> dict[str, Json]:
    """What stands under `error`, also in a stream."""
    form = FORMS[failure.kind]
    error: dict[str, Json] = {"code": form.gemini_status, "message": failure.message, "status": form.gemini_name}
    details: list[Json] = [{"@type": _RPC + "ErrorInfo", "reason": failure.kind.value.upper(), "domain": "penstock"}]
    if failure.param:
        violation = {"field": failure.param, "description": failure.message}
        details.append({"@type": _RPC + "BadRequest", "fieldViolations": [violation]})
    if failure.retry_after is not None:
        # google-genai and gemini-cli read the delay here; Google sends no retry-after.
        details.append({"@type": _RPC + "RetryInfo", "retryDelay": f"{failure.retry_after:.9g}s"})
    error["details"] = details
    return error


def build_refusal(code: Code, request_id: str) -> dict[str, object]:
    """`{"error": {"code", "message", "status", "details": [ErrorInfo, RequestInfo]}}`."""
    return {
        "error": {
            "code": code.status,
            "message": code.message,
            "status": _STATUSES.get(code.status, "INVALID_ARGUMENT"),
            "details": [
                {"@type": _RPC + "ErrorInfo", "reason": code.slug.upper(), "domain": "penstock"},
                {"@type": _RPC + "RequestInfo", "requestId": request_id},
            ],
        }
    }
