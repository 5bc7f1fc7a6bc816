"""aiohttp's client exceptions, mapped once to ours.

`map_fault(exception) -> UpstreamFault`: the first row of `_FAULTS` that fits gives the code. Only the exception's class
and errno are kept: its text holds the URL and its repr the headers.
"""

import errno
import ssl
from typing import Final

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from proxy.errors import Code, UpstreamFault

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


def map_fault(error: BaseException) -> UpstreamFault:
    """The fault that `error`, raised by aiohttp's client, stands for."""
    if isinstance(error, aiohttp.ClientConnectorError) and error.errno == errno.ECONNREFUSED:
        return UpstreamFault(Code.REFUSED, describe(error))
    for classes, code in _FAULTS:
        if isinstance(error, classes):
            return UpstreamFault(code, describe(error))
    return UpstreamFault(Code.PROTOCOL, describe(error))


def describe(error: BaseException) -> str:
    """The class of an exception and its errno's name, if any."""
    number = getattr(error, "errno", None)
    name = errno.errorcode.get(number) if isinstance(number, int) else None
    return f"{type(error).__name__} {name}" if name else type(error).__name__
