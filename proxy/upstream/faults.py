"""aiohttp's client exceptions, mapped once to ours.

`map_fault(exception) -> UpstreamFault`: the first row of `_FAULTS` that fits gives the code. Only the exception's class
and errno are kept: its text holds the URL and its repr the headers. `map_proxy_fault` is for the way through a proxy.
"""

import errno
import ssl
from typing import Final

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from proxy.errors import Code, UpstreamFault
from proxy.upstream.guard import AddressRefused

_FAULTS: Final[tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], Code], ...]] = (
    (aiohttp.ConnectionTimeoutError, Code.CONNECT_TIMEOUT),
    (aiohttp.ClientConnectorDNSError, Code.DNS),
    ((aiohttp.ClientConnectorCertificateError, aiohttp.ClientSSLError, ssl.SSLError), Code.TLS),
    (aiohttp.ClientConnectorError, Code.UNREACHABLE),
    ((aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError), Code.CUT),
    ((aiohttp.ClientResponseError, HttpProcessingError), Code.PROTOCOL),
    ((aiohttp.ClientOSError, ConnectionError), Code.CUT),
    (TimeoutError, Code.CONNECT_TIMEOUT),
    (OSError, Code.UNREACHABLE),
)

FOREIGN: Final = (aiohttp.ClientError, HttpProcessingError, OSError, TimeoutError)
"""What aiohttp raises for an upstream that misbehaves; anything else is a fault of ours."""


_THROUGH_PROXIES: Final = frozenset({Code.TLS, Code.CONNECT_TIMEOUT})
"""What the origin may be to blame for before a tunnel to it serves."""


_EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


def is_exhausted(error: BaseException) -> bool:
    """Whether this process, or its machine, has no more of what a connection or a file takes."""
    return getattr(error, "errno", None) in _EXHAUSTED


def map_fault(error: BaseException) -> UpstreamFault:
    """The fault that `error`, raised by aiohttp's client, stands for."""
    if is_exhausted(error):
        return UpstreamFault(Code.DESCRIPTORS, describe(error))
    if isinstance(error, aiohttp.ClientConnectorError) and error.errno == errno.ECONNREFUSED:
        return UpstreamFault(Code.REFUSED, describe(error))
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, AddressRefused):
        return UpstreamFault(Code.GUARDED, describe(error.os_error))
    for classes, code in _FAULTS:
        if isinstance(error, classes):
            return UpstreamFault(code, describe(error))
    return UpstreamFault(Code.PROTOCOL, describe(error))


def map_proxy_fault(error: BaseException, proxy: URL, *, connecting: bool) -> UpstreamFault:
    """The same on the way through `proxy`: what it refuses, and whatever keeps us from it, is its own fault.
    connecting: there is no tunnel yet, so that an end of the connection is the proxy's doing as well."""
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return UpstreamFault(Code.PROXY, f"status {error.status}")
    fault = map_fault(error)
    if fault.code is Code.DESCRIPTORS:
        return fault
    at_proxy = isinstance(error, aiohttp.ClientConnectorError) and (error.host, error.port) == (proxy.host, proxy.port)
    if at_proxy or (connecting and fault.code not in _THROUGH_PROXIES):
        return UpstreamFault(Code.PROXY, fault.detail)
    return fault


def describe(error: BaseException) -> str:
    """The class of an exception and its errno's name, if any."""
    number = getattr(error, "errno", None)
    name = errno.errorcode.get(number) if isinstance(number, int) else None
    return f"{type(error).__name__} {name}" if name else type(error).__name__
