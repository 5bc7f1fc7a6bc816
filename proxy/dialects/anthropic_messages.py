"""Anthropic's error form (docs.anthropic.com/en/api/errors)."""

from typing import Final

from proxy.errors import Code

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


def build_error(code: Code, request_id: str) -> dict[str, object]:
    """`{"type": "error", "error": {"type", "message"}, "request_id"}`; our code stands inside as `code`."""
    kind = _TYPES.get(code.status, "invalid_request_error")
    return {
        "type": "error",
        "error": {"type": kind, "message": code.message, "code": code.slug},
        "request_id": request_id,
    }
