"""aiohttp's exceptions in words, without what they quote."""

import errno
from typing import Any

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.http_exceptions import LineTooLong

from proxy.tools.troubles import LONGEST_LINE, TROUBLES, Trouble, explain

KEY: Any = ConnectionKey("canary.example", 443, True, True, None, None, None)
REFUSED = OSError(errno.ECONNREFUSED, "canary")


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (LineTooLong(b"canary", 1), Trouble(f"a line is longer than {LONGEST_LINE} bytes", final=True)),
        (UnicodeDecodeError("utf-8", b"canary", 0, 1, "x"), Trouble("the stream is not UTF-8", final=True)),
        (OverflowError("canary"), Trouble("the stream asks for an impossible time to reconnect", final=True)),
        (
            aiohttp.ClientConnectorSSLError(KEY, REFUSED),
            Trouble("no trusted TLS connection could be made", final=True),
        ),
        (aiohttp.ClientConnectorDNSError(KEY, REFUSED), Trouble("the name of the server is not known")),
        (aiohttp.ConnectionTimeoutError("canary"), Trouble("no connection within 30 s")),
        (aiohttp.ClientConnectorError(KEY, REFUSED), Trouble("cannot connect: connection refused")),
        (aiohttp.ClientResponseError(KEY, ()), Trouble("the answer is not valid HTTP", final=True)),
        (aiohttp.ServerDisconnectedError("canary"), Trouble("the connection broke off")),
        (aiohttp.ClientPayloadError("canary"), Trouble("the connection broke off")),
        (ConnectionResetError("canary"), Trouble("the connection broke off")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_has_its_words(error: Exception, trouble: Trouble) -> None:
    assert isinstance(error, TROUBLES)
    assert explain(error) == trouble
