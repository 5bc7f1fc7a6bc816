"""OpenAI's error form, which the whole OpenAI-compatible family reads (platform.openai.com/docs/guides/error-codes)."""

from typing import Final

from proxy.errors import Code

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


def build_error(code: Code, request_id: str) -> dict[str, object]:
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
