"""The proxy's own error form."""

from proxy.dialects.raw import build_error
from proxy.errors import Code


def test_the_error_form() -> None:
    assert build_error(Code.DNS, "req_1") == {
        "error": {"code": "upstream_dns", "message": Code.DNS.message},
        "request_id": "req_1",
    }
