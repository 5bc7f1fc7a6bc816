"""An upstream that does nothing by itself: a test sees what arrives on each connection and sends what it likes.

It notes on the monotonic clock when a peer left, which is what a promise in milliseconds is measured by.
"""

import asyncio
import os
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from ssl import SSLContext
from typing import cast

WAIT = 10.0  # seconds; a hang fails instead of blocking the run


class Peer(asyncio.Protocol):
    """One accepted connection. `received` is what came; `closed_at` is when the other side ended it."""

    transport: asyncio.Transport

    def __init__(self, origin: "Origin") -> None:
        self._origin = origin
        self._room: asyncio.Future[None] | None = None
        self.received = bytearray()
        self.written = 0
        self.closed_at: float | None = None
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._origin.joined(self)

    def data_received(self, data: bytes) -> None:
        self.received += data
        self._origin.changed()
        if self._origin.answer is not None and self.received.endswith(b"\r\n\r\n"):
            self.received.clear()
            self.send(self._origin.answer)

    def eof_received(self) -> None:
        self._note_close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._note_close()
        self.lost = True
        self._origin.left(self)
        if self._room is not None and not self._room.done():
            self._room.set_exception(ConnectionResetError())
            self._room.exception()

    def pause_writing(self) -> None:
        self._room = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
        self._room = None

    def send(self, data: bytes) -> None:
        self.transport.write(data)
        self.written += len(data)

    async def pour(self, data: bytes, piece: int = 65536) -> None:
        """Send as fast as the peer takes it. Raises ConnectionResetError when it leaves."""
        for at in range(0, len(data), piece):
            if self.lost or self.transport.is_closing():
                raise ConnectionResetError
            self.send(data[at : at + piece])
            if self._room is not None:
                await self._room

    def count_taken(self) -> int:
        """Bytes sent that the kernel has taken."""
        return self.written - (0 if self.lost else self.transport.get_write_buffer_size())

    def fin(self) -> None:
        self.transport.close()

    def reset(self) -> None:
        """RST after what was written."""
        handle = self.transport.get_extra_info("socket").fileno()
        with socket.socket(fileno=os.dup(handle)) as twin:  # uvloop's own cannot set options
            twin.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    async def until(self, mark: bytes) -> bytes:
        """Everything received, as soon as `mark` is in it."""
        await self._origin.wait(lambda: mark in self.received)
        return bytes(self.received)

    async def wait_length(self, length: int) -> None:
        await self._origin.wait(lambda: len(self.received) >= length)

    async def wait_closed(self, within: float = WAIT) -> float:
        """When the other side closed, on the monotonic clock."""
        await self._origin.wait(lambda: self.closed_at is not None, within)
        assert self.closed_at is not None
        return self.closed_at

    def _note_close(self) -> None:
        if self.closed_at is None:
            self.closed_at = time.monotonic()
        self._origin.changed()


class Origin:
    """`peers`: every connection so far, in order. `answer`: sent after each request head when it is set."""

    def __init__(self) -> None:
        self.peers: list[Peer] = []
        self.open: set[Peer] = set()
        self.answer: bytes | None = None
        self.base_url = ""
        self.port = 0
        self._waiters: set[asyncio.Future[None]] = set()

    async def peer(self, number: int = 1) -> Peer:
        """The `number`-th connection, from 1."""
        await self.wait(lambda: len(self.peers) >= number)
        return self.peers[number - 1]

    async def wait(self, is_so: Callable[[], bool], within: float = WAIT) -> None:
        async with asyncio.timeout(within):
            while not is_so():
                waiter = asyncio.get_running_loop().create_future()
                self._waiters.add(waiter)
                try:
                    await waiter
                finally:
                    self._waiters.discard(waiter)

    def joined(self, peer: Peer) -> None:
        self.peers.append(peer)
        self.open.add(peer)
        self.changed()

    def left(self, peer: Peer) -> None:
        self.open.discard(peer)
        self.changed()

    def changed(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)


@asynccontextmanager
async def origin(ssl: SSLContext | None = None, *, receive_buffer: int = 0) -> AsyncIterator[Origin]:
    """A listening Origin; its connections are aborted at the end."""
    made = Origin()
    sock = socket.socket()
    # Both before listening: accepted connections inherit them. asyncio leaves Nagle on for a socket that it is handed.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.bind(("127.0.0.1", 0))
    server = await asyncio.get_running_loop().create_server(lambda: Peer(made), sock=sock, ssl=ssl)
    made.port = sock.getsockname()[1]
    made.base_url = f"http{'s' if ssl else ''}://127.0.0.1:{made.port}"
    try:
        yield made
    finally:
        server.close()
        for peer in list(made.open):
            peer.transport.abort()
        await made.wait(lambda: not made.open)
