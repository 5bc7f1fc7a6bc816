"""How a connection to a TLS listener begins.

A handshake costs a thousand times what accepting does, and a client may never end it: so the connection has taken its
seat before, and has `HANDSHAKE_LIMIT` from then on. The TCP transport stays in reach as `Connection.wire`: what is
still unsent is known there only.

The loops' own TLS servers make neither possible. `loop.start_tls` does, but for two gaps that this file closes: uvloop
begins to read as soon as a connection is made, whatever it is told, so TLS has to begin within that very turn of the
loop; and a client of TLS 1.3 sends its request along with the last message of the handshake, so bytes, and the end, may
come before `start_tls` has returned.
"""

import asyncio
import socket
import ssl
from typing import Final, cast

from proxy.edge.insides import Connection

HANDSHAKE_LIMIT: Final = 10.0
"""Seconds: as long as a request's head may take by default, on the slowest of lines three round trips."""

FAREWELL_LIMIT: Final = 5.0
"""Seconds to wait for the client's close_notify after ours. Most never send one; the loops' default is 30."""


class _Waiting(asyncio.Protocol):
    """Stands in for a Connection until `start_tls` has returned, and keeps what it would have missed."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.wire: asyncio.Transport | None = None
        self.early: list[bytes] = []
        self.lost = False
        self._handed_over = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.wire = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.early.append(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        self.lost = True
        if self._handed_over:  # the loop had decided whom to tell before it knew of the connection
            self.connection.connection_lost(exc)

    def close(self, sock: socket.socket) -> None:
        if self.wire is not None:
            self.wire.abort()
        else:
            sock.close()

    def hand_over(self, transport: asyncio.Transport) -> None:
        self._handed_over = True
        self.connection.wire = self.wire
        transport.set_protocol(self.connection)
        self.connection.connection_made(transport)
        for data in self.early:
            self.connection.data_received(data)


async def begin_tls(connection: Connection, sock: socket.socket, context: ssl.SSLContext) -> bool:
    """Let `connection` serve an accepted socket by TLS. False when they have not come to terms: `sock` is closed, and
    the connection has been left."""
    waiting = _Waiting(connection)
    transport = None
    try:
        transport = await _shake_hands(waiting, sock, context)
    finally:
        if transport is None:
            waiting.close(sock)
            connection.leave()
    if transport is not None:
        waiting.hand_over(transport)
    return transport is not None


async def _shake_hands(waiting: _Waiting, sock: socket.socket, context: ssl.SSLContext) -> asyncio.Transport | None:
    loop = asyncio.get_running_loop()
    made = loop.create_task(loop.connect_accepted_socket(lambda: waiting, sock))
    while waiting.wire is None and not made.done():  # noqa: ASYNC110 - a turn of the loop, which nothing announces
        await asyncio.sleep(0)
    try:
        # uvloop has begun to read within this turn, and what comes in the next has to find TLS there.
        transport = await loop.start_tls(
            waiting.wire or (await made)[0],
            waiting,
            context,
            server_side=True,
            ssl_handshake_timeout=HANDSHAKE_LIMIT,
            ssl_shutdown_timeout=FAREWELL_LIMIT,
        )
    except OSError:  # an ssl.SSLError is one, and so is what the loops raise at the limit
        return None
    return None if waiting.lost else transport
