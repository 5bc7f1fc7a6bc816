"""Anthropic's error form."""

import pytest

from proxy.dialects.anthropic_messages import build_error
from proxy.errors import Code


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (Code.BAD_REQUEST, "invalid_request_error"),
        (Code.UNAUTHORIZED, "authentication_error"),
        (Code.FORBIDDEN, "permission_error"),
        (Code.NOT_FOUND, "not_found_error"),
        (Code.REQUEST_TIMEOUT, "timeout_error"),
        (Code.BODY_TOO_LARGE, "request_too_large"),
        (Code.INTERNAL, "api_error"),
        (Code.CUT, "api_error"),
        (Code.DRAINING, "overloaded_error"),
        (Code.CONNECT_TIMEOUT, "timeout_error"),
    ],
)
def test_the_error_form(code: Code, kind: str) -> None:
    assert build_error(code, "req_1") == {
        "type": "error",
        "error": {"type": kind, "message": code.message, "code": code.slug},
        "request_id": "req_1",
    }
