"""One accepted socket: reads requests from it, writes to it with back pressure, and can end it in every way
a fault needs.

A `Protocol` rather than a stream pair, because `connection_lost` must end the running answer at once and
because a reset, a bare FIN and silence are acts on the transport. Works on asyncio and uvloop, plain and
TLS. Knows HTTP only as far as where a request ends.
"""

import asyncio
import os
import socket
import struct
import sys
from collections.abc import AsyncIterator
from typing import Final, Protocol, cast

from proxy.demo.http1 import MAX_HEAD, Body, MalformedRequest, RequestHead, parse_head

READ_MARK: Final = 256 * 1024  # bytes buffered and not yet asked for, above which the socket is no longer read
SETTLE: Final = 2.0  # seconds for the kernel to deliver what was written before a reset throws the rest away
SETTLE_STEP: Final = 0.001  # seconds; the kernel has no event for "all acknowledged", so it is asked
LINGER: Final = 5.0  # seconds of reading on after a FIN: closing with unread bytes would turn the FIN into a reset


class Owner(Protocol):
    """Who keeps the connections."""

    def joined(self, connection: "Connection") -> None: ...
    def left(self, connection: "Connection") -> None: ...
    async def serve(self, connection: "Connection") -> None: ...


class Connection(asyncio.Protocol):
    """One connection and the task that serves it. `closed_by` is "demo" from the moment we end it, else "peer"."""

    def __init__(self, owner: Owner, number: int) -> None:
        self.number = number
        self.peer = ""
        self.closed_by = "peer"
        self.task: asyncio.Task[None] | None = None
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._more: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self._paused = False

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's transports are no subclasses of asyncio's
        self.peer = _name_of(transport.get_extra_info("peername"))
        self.task = self._loop.create_task(self._owner.serve(self))
        self.task.add_done_callback(self._served)
        self._owner.joined(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) > READ_MARK and not self._paused:
            self._paused = True
            self._open_transport().pause_reading()
        _wake(self._more)

    def eof_received(self) -> None:
        """A peer that half-closes counts as gone: returning nothing closes the transport."""

    def pause_writing(self) -> None:
        self._room = self._loop.create_future()

    def resume_writing(self) -> None:
        _wake(self._room)
        self._room = None

    def connection_lost(self, exc: Exception | None) -> None:
        self._owner.left(self)
        if self.task is not None:
            self.task.cancel()

    def _served(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._loop.call_exception_handler({"message": "demo: an answer failed", "exception": error})
            self.abort()

    # Reading.

    async def read_head(self) -> RequestHead:
        """The next request head. Raises `MalformedRequest`. When the peer leaves, the task that waits is cancelled."""
        while True:
            while self._buffer.startswith(b"\r\n"):  # RFC 9112 section 2.2
                del self._buffer[:2]
            end = self._buffer.find(b"\r\n\r\n")
            if end >= 0:
                block = bytes(self._buffer[:end])
                del self._buffer[: end + 4]
                return parse_head(block)
            if len(self._buffer) > MAX_HEAD:
                raise MalformedRequest("request head too long", 431)
            await self._wait_more()

    async def read_body(self, body: Body) -> AsyncIterator[bytes]:
        """The body's bytes as they come. Raises `MalformedRequest`."""
        while not body.done:
            if piece := body.take(self._buffer):
                yield piece
            elif not body.done:
                await self._wait_more()

    async def _wait_more(self) -> None:
        if self._paused:
            self._paused = False
            self._open_transport().resume_reading()
        self._more = self._loop.create_future()
        await self._more

    # Writing.

    async def write(self, data: bytes) -> None:
        """Hand bytes to the kernel, and wait while it takes no more."""
        transport = self._open_transport()
        if transport.is_closing():
            raise ConnectionResetError
        transport.write(data)
        if self._room is not None:
            await self._room

    async def settle(self) -> None:
        """Wait until the peer's kernel has what was written, as far as ours can tell; `SETTLE` seconds at most."""
        deadline = self._loop.time() + SETTLE
        while self._unsent() and self._loop.time() < deadline:  # noqa: ASYNC110 - see SETTLE_STEP
            await asyncio.sleep(SETTLE_STEP)

    def _unsent(self) -> int:
        transport = self._open_transport()
        waiting = transport.get_write_buffer_size()
        if sys.platform == "linux":
            import fcntl
            import termios

            handle = transport.get_extra_info("socket").fileno()
            if handle >= 0:  # on Linux TIOCOUTQ is SIOCOUTQ: bytes sent and not yet acknowledged
                waiting += int.from_bytes(fcntl.ioctl(handle, termios.TIOCOUTQ, bytes(4)), sys.byteorder)
        return waiting

    # Ending.

    def close(self) -> None:
        """FIN after what was written (TLS: close_notify first)."""
        self.closed_by = "demo"
        self._open_transport().close()

    async def linger_close(self, body: Body) -> None:
        """FIN at once, but read on for a while, so that the answer survives what the peer is still sending."""
        self.closed_by = "demo"
        transport = self._open_transport()
        if not body.done and transport.can_write_eof():
            transport.write_eof()
        try:
            async with asyncio.timeout(LINGER):
                async for _ in self.read_body(body):
                    pass
        except (TimeoutError, MalformedRequest):
            pass
        transport.close()

    async def reset(self) -> None:
        """RST after what was written has arrived."""
        self.closed_by = "demo"
        await self.settle()
        handle = self._open_transport().get_extra_info("socket").fileno()
        if handle >= 0:
            # On a duplicate, since uvloop's transport socket cannot set options; both are the same kernel socket.
            with socket.socket(fileno=os.dup(handle)) as twin:
                twin.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._open_transport().abort()

    def abort(self) -> None:
        """Drop the connection now, whatever is still to be written."""
        self.closed_by = "demo"
        self._open_transport().abort()

    async def hold(self) -> None:
        """Silence until the connection ends: the task is cancelled then."""
        await self._loop.create_future()

    def _open_transport(self) -> asyncio.Transport:
        if self._transport is None:
            raise RuntimeError("not connected")
        return self._transport


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


def _name_of(address: object) -> str:
    return f"{address[0]}:{address[1]}" if isinstance(address, tuple) else ""
