"""OpenAI's error form: type and code are what its SDKs choose their exceptions and retries by."""

import pytest

from proxy.dialects.openai_chat import build_error
from proxy.errors import Code


@pytest.mark.parametrize(
    ("code", "kind", "slug"),
    [
        (Code.UNAUTHORIZED, "invalid_request_error", "invalid_api_key"),
        (Code.FORBIDDEN, "permission_error", "forbidden"),
        (Code.NOT_FOUND, "invalid_request_error", "not_found"),
        (Code.REQUEST_TIMEOUT, "timeout", "request_timeout"),
        (Code.INTERNAL, "server_error", "internal"),
        (Code.CUT, "server_error", "upstream_cut"),
        (Code.BUSY, "server_error", "overloaded"),
        (Code.FIRST_BYTE_TIMEOUT, "timeout", "first_byte_timeout"),
    ],
)
def test_the_error_form(code: Code, kind: str, slug: str) -> None:
    assert build_error(code, "req_1") == {
        "error": {"message": code.message, "type": kind, "param": None, "code": slug},
        "request_id": "req_1",
    }
