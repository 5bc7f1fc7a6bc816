"""What aiohttp's client raises, in words for people. The texts of foreign exceptions quote addresses and data; ours
do not. `explain` takes an exception of `TROUBLES` and tells whether trying again could help.
"""

import os
from dataclasses import dataclass
from typing import Final

import aiohttp
from aiohttp.http_exceptions import LineTooLong

CONNECT: Final = 30.0
"""Seconds for a TCP connection: after that somebody who watches wants to hear about it."""

LONGEST_LINE: Final = 64 * 1024 * 1024
"""Bytes of one line. aiohttp's reader cuts lines at twice `read_bufsize`, 128 KiB by default: images and long answers
are larger. Twice the largest event that the proxy itself looks into."""

TROUBLES: Final = (aiohttp.ClientError, LineTooLong, OSError, UnicodeDecodeError, OverflowError)
CUT: Final = "the connection broke off"


@dataclass(frozen=True, slots=True)
class Trouble:
    """text: what happened. final: no retry mends it."""

    text: str
    final: bool = False


_ROWS: Final[tuple[tuple[type[Exception] | tuple[type[Exception], ...], Trouble], ...]] = (
    (LineTooLong, Trouble(f"a line is longer than {LONGEST_LINE} bytes", final=True)),
    (UnicodeDecodeError, Trouble("the stream is not UTF-8", final=True)),
    (OverflowError, Trouble("the stream asks for an impossible time to reconnect", final=True)),
    (
        (aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch),
        Trouble("no trusted TLS connection could be made", final=True),
    ),
    (aiohttp.ClientConnectorDNSError, Trouble("the name of the server is not known")),
    (TimeoutError, Trouble(f"no connection within {CONNECT:g} s")),
    (aiohttp.ClientResponseError, Trouble("the answer is not valid HTTP", final=True)),
)


def explain(error: Exception) -> Trouble:
    """The trouble that a foreign exception stands for."""
    for shape, trouble in _ROWS:
        if isinstance(error, shape):
            return trouble
    if isinstance(error, aiohttp.ClientConnectorError):
        return Trouble(f"cannot connect: {os.strerror(error.os_error.errno or 0).lower()}")
    return Trouble(CUT)
