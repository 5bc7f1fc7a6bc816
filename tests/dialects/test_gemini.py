"""Google's error form: `code` is the status, `status` the name of a gRPC code, the rest stands in `details`."""

import pytest

from proxy.dialects.gemini import build_error
from proxy.errors import Code


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (Code.BAD_REQUEST, "INVALID_ARGUMENT"),
        (Code.UNAUTHORIZED, "UNAUTHENTICATED"),
        (Code.FORBIDDEN, "PERMISSION_DENIED"),
        (Code.NOT_FOUND, "NOT_FOUND"),
        (Code.REQUEST_TIMEOUT, "DEADLINE_EXCEEDED"),
        (Code.INTERNAL, "INTERNAL"),
        (Code.NOT_IMPLEMENTED, "UNIMPLEMENTED"),
        (Code.CUT, "UNAVAILABLE"),
        (Code.BUSY, "UNAVAILABLE"),
        (Code.FIRST_BYTE_TIMEOUT, "DEADLINE_EXCEEDED"),
    ],
)
def test_the_error_form(code: Code, status: str) -> None:
    error = build_error(code, "req_1")["error"]
    assert isinstance(error, dict)
    info, request = error.pop("details")
    assert error == {"code": code.status, "message": code.message, "status": status}
    assert info == {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": code.slug.upper(),
        "domain": "penstock",
    }
    assert request == {"@type": "type.googleapis.com/google.rpc.RequestInfo", "requestId": "req_1"}
