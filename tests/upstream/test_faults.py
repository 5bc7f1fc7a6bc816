"""aiohttp's exceptions, each to the fault it stands for; nothing of their texts goes on."""

import errno
import ssl
from typing import Any

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.http_exceptions import BadHttpMessage, LineTooLong
from yarl import URL

from proxy.errors import Code
from proxy.upstream.faults import FOREIGN, describe, map_fault, map_proxy_fault
from proxy.upstream.guard import AddressRefused

KEY: Any = ConnectionKey("secret.example", 443, True, True, None, None, None)


def refuse(number: int) -> OSError:
    return OSError(number, "secret")


@pytest.mark.parametrize(
    ("error", "code", "detail"),
    [
        (aiohttp.ConnectionTimeoutError("secret"), Code.CONNECT_TIMEOUT, "ConnectionTimeoutError"),
        (TimeoutError("secret"), Code.CONNECT_TIMEOUT, "TimeoutError"),
        (
            aiohttp.ClientConnectorError(KEY, refuse(errno.ECONNREFUSED)),
            Code.REFUSED,
            "ClientConnectorError ECONNREFUSED",
        ),
        (
            aiohttp.ClientConnectorError(KEY, refuse(errno.EHOSTUNREACH)),
            Code.UNREACHABLE,
            "ClientConnectorError EHOSTUNREACH",
        ),
        (aiohttp.ClientConnectorError(KEY, AddressRefused()), Code.GUARDED, "AddressRefused"),
        (aiohttp.ClientConnectorDNSError(KEY, refuse(-2)), Code.DNS, "ClientConnectorDNSError"),
        (
            aiohttp.ClientConnectorCertificateError(KEY, ssl.SSLError("secret")),
            Code.TLS,
            "ClientConnectorCertificateError",
        ),
        (aiohttp.ClientConnectorSSLError(KEY, refuse(1)), Code.TLS, "ClientConnectorSSLError EPERM"),
        (ssl.SSLError("secret"), Code.TLS, "SSLError"),
        (aiohttp.ServerDisconnectedError("secret"), Code.CUT, "ServerDisconnectedError"),
        (aiohttp.ClientPayloadError("secret"), Code.CUT, "ClientPayloadError"),
        (aiohttp.ClientOSError(errno.ECONNRESET, "secret"), Code.CUT, "ClientOSError ECONNRESET"),
        (ConnectionResetError(errno.ECONNRESET, "secret"), Code.CUT, "ConnectionResetError ECONNRESET"),
        (BadHttpMessage("secret"), Code.PROTOCOL, "BadHttpMessage"),
        (LineTooLong(b"secret"), Code.PROTOCOL, "LineTooLong"),
        (aiohttp.ClientError("secret"), Code.PROTOCOL, "ClientError"),
        (refuse(errno.EIO), Code.UNREACHABLE, "OSError EIO"),
        (refuse(errno.EMFILE), Code.DESCRIPTORS, "OSError EMFILE"),
        (
            aiohttp.ClientConnectorError(KEY, refuse(errno.ENFILE)),
            Code.DESCRIPTORS,
            "ClientConnectorError ENFILE",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_an_exception_is_mapped_to_its_fault(error: Exception, code: Code, detail: str) -> None:
    fault = map_fault(error)
    assert (fault.code, fault.detail) == (code, detail)
    assert "secret" not in f"{fault} {fault!r}"
    assert isinstance(error, FOREIGN)


def test_a_fault_of_ours_is_not_taken_for_the_upstreams() -> None:
    for error in (RuntimeError(), KeyError(), AssertionError()):
        assert not isinstance(error, FOREIGN)


def test_an_errno_that_has_no_name_is_left_out() -> None:
    assert describe(OSError(99_999, "x")) == "OSError"
    assert describe(ValueError("x")) == "ValueError"


PROXY = URL("http://secret.example:443")
ELSEWHERE = URL("http://proxy.example:443")
REFUSED_TUNNEL: Any = aiohttp.ClientHttpProxyError(KEY, (), status=407, message="secret")


@pytest.mark.parametrize(
    ("error", "proxy", "connecting", "code", "detail"),
    [
        (REFUSED_TUNNEL, ELSEWHERE, False, Code.PROXY, "status 407"),
        # the proxy is where the connection failed
        (aiohttp.ClientConnectorDNSError(KEY, refuse(-2)), PROXY, False, Code.PROXY, "ClientConnectorDNSError"),
        (aiohttp.ClientProxyConnectionError(KEY, AddressRefused()), PROXY, False, Code.PROXY, "AddressRefused"),
        (aiohttp.ClientProxyConnectionError(KEY, refuse(errno.ECONNREFUSED)), PROXY, False, Code.PROXY,
         "ClientProxyConnectionError ECONNREFUSED"),
        (aiohttp.ClientConnectorCertificateError(KEY, ssl.SSLError("secret")), PROXY, True, Code.PROXY,
         "ClientConnectorCertificateError"),
        # the origin is
        (aiohttp.ClientConnectorCertificateError(KEY, ssl.SSLError("secret")), ELSEWHERE, True, Code.TLS,
         "ClientConnectorCertificateError"),
        (TimeoutError("secret"), ELSEWHERE, True, Code.CONNECT_TIMEOUT, "TimeoutError"),
        # nobody but the proxy is there yet
        (aiohttp.ServerDisconnectedError("secret"), ELSEWHERE, True, Code.PROXY, "ServerDisconnectedError"),
        (BadHttpMessage("secret"), ELSEWHERE, True, Code.PROXY, "BadHttpMessage"),
        # the tunnel stood
        (aiohttp.ServerDisconnectedError("secret"), ELSEWHERE, False, Code.CUT, "ServerDisconnectedError"),
        (BadHttpMessage("secret"), ELSEWHERE, False, Code.PROTOCOL, "BadHttpMessage"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)  # fmt: skip
def test_on_the_way_through_a_proxy(error: Exception, proxy: URL, connecting: bool, code: Code, detail: str) -> None:
    fault = map_proxy_fault(error, proxy, connecting=connecting)
    assert (fault.code, fault.detail) == (code, detail)
    assert "secret" not in f"{fault} {fault!r}"
    assert isinstance(error, FOREIGN)
