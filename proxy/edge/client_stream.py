"""A client's side of a stream: the relay's Sink on an aiohttp response.

The head is made by `StreamResponse.prepare` and goes out with the first bytes of the body. Each chunk is framed here
and written to the transport in one call, which is what the public writer does with three calls and a coroutine. The
end is aiohttp's again, so that the connection can serve the next request.

An answer that broke off must not look complete. Where chunks frame it, the missing last one tells; a body with a
length or up to the close ends with a reset, sent only after the kernel has delivered what was read before.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Any, Final

from aiohttp import ClientConnectionResetError, web

from proxy.edge.downstream import Downstream
from proxy.edge.insides import Connection
from proxy.edge.scope import SCOPE
from proxy.edge.sockets import count_unsent, count_unwritten

_RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER on with zero seconds: closing sends RST."""

_POLL: Final = (0.001, 0.05)
"""Seconds between two looks at the kernel's send queue, and at that below TLS, doubling from the first to the second;
nothing announces that they ran empty."""


class ClientStream:
    """Sink for one response. Make it with `open_stream`. watch: is told of every byte of the body."""

    __slots__ = ("_chunked", "_head", "_protocol", "_response", "_transport", "_wire", "_writer", "watch")

    def __init__(self, request: web.BaseRequest, response: Downstream, transport: asyncio.Transport) -> None:
        self._response = response
        self._protocol = request.protocol
        self._writer = request.writer
        self._transport = transport
        self._wire = request.protocol.wire if isinstance(request.protocol, Connection) else None
        self._chunked = response.can_be_cut
        self._head = response.waiting_head
        self.watch: Callable[[bytes], None] | None = None

    def write(self, data: bytes) -> bool:
        if self.watch is not None:
            self.watch(data)
        if self._chunked:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        if self._head:
            data, self._head = self._head + data, b""
        try:
            self._transport.write(data)
        except RuntimeError:  # uvloop's, when the client has left within this very turn of the loop
            raise ClientConnectionResetError("the client is gone") from None
        return not self._protocol.writing_paused

    def keep_alive(self, data: bytes) -> bool:
        return self.write(data)

    def flush(self) -> None:
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head)

    async def drain(self) -> None:
        await self._writer.drain()

    def count_unsent(self) -> int:
        # With what the kernel still holds: it takes more in steps of megabytes, and a slow client's reading has to
        # count in between.
        return count_unsent(self._transport, self._wire)

    async def finish(self) -> None:
        self.flush()
        await self._response.write_eof()

    async def abort(self) -> None:
        self._response.mark_cut()
        if self._transport.is_closing():
            return
        self.flush()
        self._transport.set_write_buffer_limits(high=1)  # at 0 TLS would take an empty buffer for a full one
        await self._writer.drain()
        if self._chunked:
            await self._wait_until_none(self._count_unwritten)
            self._transport.abort()  # the kernel still delivers what it has, then FIN: no last chunk, no close_notify
        else:
            await self._wait_until_none(self.count_unsent)
            self.kill()

    def kill(self) -> None:
        self._response.mark_cut()
        if not self._transport.is_closing():
            _set_reset(self._transport.get_extra_info("socket"))
            self._transport.abort()

    def _count_unwritten(self) -> int:
        return count_unwritten(self._transport, self._wire)

    async def _wait_until_none(self, count: Callable[[], int]) -> None:
        pause, longest = _POLL
        while not self._transport.is_closing() and count():
            await asyncio.sleep(pause)
            pause = min(2 * pause, longest)


async def open_stream(request: web.BaseRequest, response: Downstream) -> ClientStream:
    """Prepare `response` and return its Sink, the request's watchers at it. Raises ConnectionError when the client is
    gone."""
    await response.prepare(request)
    transport = request.transport
    if transport is None:
        raise ClientConnectionResetError("the client is gone")
    stream = ClientStream(request, response, transport)
    request[SCOPE].watchers.attach(stream)
    return stream


def _set_reset(sock: Any) -> None:
    if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        except OSError:
            return  # closed meanwhile: nothing left to reset
