"""Google's error form (google.rpc.Status as JSON, cloud.google.com/apis/design/errors)."""

from typing import Final

from proxy.errors import Code

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


def build_error(code: Code, request_id: str) -> dict[str, object]:
    """`{"error": {"code", "message", "status", "details": [ErrorInfo, RequestInfo]}}`."""
    return {
        "error": {
            "code": code.status,
            "message": code.message,
            "status": _STATUSES.get(code.status, "INVALID_ARGUMENT"),
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": code.slug.upper(),
                    "domain": "penstock",
                },
                {"@type": "type.googleapis.com/google.rpc.RequestInfo", "requestId": request_id},
            ],
        }
    }
