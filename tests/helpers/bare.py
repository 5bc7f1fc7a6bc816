"""A client on a bare socket: it tells a FIN from a reset, leaves by either, and reads only when it is told to.

`rawhttp` reads answers; this is for what happens to the connection under them. `settle` waits for what announces itself
to nobody: tasks, descriptors, memory. A BareTlsClient also tells whether the peer has said that it is done.
"""

import asyncio
import fcntl
import os
import socket
import ssl
import struct
import sys
import termios
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from tests.helpers.over_tls import choose_context

WAIT = 10.0  # seconds; a hang fails instead of blocking the run
LOOK = 0.005  # seconds between two looks at what has no event


class BareClient:
    """One connection. `received` holds every byte that was read; `was_reset` is known after `read_to_end`."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.received = bytearray()
        self.was_reset = False
        self._loop = asyncio.get_running_loop()

    async def send(self, data: bytes) -> None:
        async with asyncio.timeout(WAIT):
            await self._loop.sock_sendall(self.sock, data)

    async def read_until(self, mark: bytes) -> bytes:
        """Everything read so far, as soon as `mark` is in it."""
        async with asyncio.timeout(WAIT):
            while mark not in self.received:
                assert await self._read(), f"the connection ended before {mark!r}: {bytes(self.received)!r}"
        return bytes(self.received)

    async def read_some(self, size: int = 65536) -> bytes:
        async with asyncio.timeout(WAIT):
            return await self._read(size)

    async def read_to_end(self, within: float = WAIT) -> bytes:
        """Everything, until the peer's FIN or its reset."""
        async with asyncio.timeout(within):
            try:
                while await self._read():
                    pass
            except ConnectionResetError:
                self.was_reset = True
        return bytes(self.received)

    async def _read(self, size: int = 65536) -> bytes:
        data = await self._loop.sock_recv(self.sock, size)
        self.received += data
        return data

    def count_undelivered(self) -> int:
        """Bytes sent that the peer's kernel does not have yet (SIOCOUTQ, tcp(7))."""
        return int.from_bytes(fcntl.ioctl(self.sock, termios.TIOCOUTQ, bytes(4)), sys.byteorder)

    def leave(self, how: str = "fin") -> float:
        """End the connection by "fin" or "rst"; returns when, on the monotonic clock."""
        if how == "rst":
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        left = time.monotonic()
        self.sock.close()
        return left


class BareTlsClient(BareClient):
    """The same by TLS; `received` is what was said, without records. `said_goodbye`: close_notify has come."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext) -> None:
        super().__init__(sock)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._in, self._out, server_hostname="127.0.0.1")
        self.said_goodbye = False

    async def shake_hands(self, *, flush: bool = True) -> None:
        """flush: else the last message of the handshake waits for the first bytes that are sent."""
        async with asyncio.timeout(WAIT):
            while True:
                try:
                    self.tls.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    await self._flush()
                    assert await self._receive(), "the connection ended within the handshake"
            if flush:
                await self._flush()

    async def send(self, data: bytes) -> None:
        self.tls.write(data)
        async with asyncio.timeout(WAIT):
            await self._flush()

    async def say_goodbye(self) -> None:
        with suppress(ssl.SSLWantReadError):  # there is no answer yet
            self.tls.unwrap()
        await self._flush()

    async def _read(self, size: int = 65536) -> bytes:
        while True:
            try:
                data = self.tls.read(size)
                self.said_goodbye = not data
                self.received += data
                return data
            except ssl.SSLWantReadError:
                if not await self._receive():
                    self._in.write_eof()
            except ssl.SSLEOFError:
                return b""

    async def _receive(self) -> bytes:
        data = await self._loop.sock_recv(self.sock, 65536)
        self._in.write(data)
        return data

    async def _flush(self) -> None:
        await self._loop.sock_sendall(self.sock, self._out.read())


@asynccontextmanager
async def bare(
    where: int | str, *, receive_buffer: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[BareClient]:
    """A connection to a loopback port or to the path of a Unix socket; by TLS where that is spoken (`over_tls`)."""
    family, address = (socket.AF_INET, ("127.0.0.1", where)) if isinstance(where, int) else (socket.AF_UNIX, where)
    sock = socket.socket(family)
    sock.setblocking(False)
    if receive_buffer:  # before the handshake, which announces the window
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    context = tls or choose_context(where)
    client = BareClient(sock) if context is None else BareTlsClient(sock, context)
    try:
        await client._loop.sock_connect(sock, address)
        if isinstance(client, BareTlsClient):
            await client.shake_hands()
        yield client
    finally:
        sock.close()


async def settle(is_so: Callable[[], bool], within: float = WAIT, every: float = LOOK) -> None:
    """Return once `is_so`, asked `every` so many seconds. Raises TimeoutError."""
    async with asyncio.timeout(within):
        while not is_so():
            await asyncio.sleep(every)


async def stand_still(read: Callable[[], int], seconds: float = 0.5, within: float = WAIT) -> int:
    """What `read` gives once it has given the same for so long."""
    reading, since = read(), time.monotonic()
    async with asyncio.timeout(within):
        while time.monotonic() - since < seconds:
            await asyncio.sleep(LOOK)
            if read() != reading:
                reading, since = read(), time.monotonic()
    return reading


async def no_new_tasks(before: set[asyncio.Task[object]]) -> None:
    """Every task that was not there `before` is gone, or goes in the next turns of the loop."""
    try:
        await settle(lambda: not asyncio.all_tasks() - before, 1.0)
    except TimeoutError:
        raise AssertionError(f"left over: {asyncio.all_tasks() - before}") from None


def count_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def count_connecting(port: int) -> int:
    """Connections of this machine to a loopback port whose SYN nobody has answered (/proc/net/tcp, state 02)."""
    target = f"0100007F:{port:04X}"
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table.readlines()[1:]]
    return sum(row[2] == target and row[3] == "02" for row in rows)


@asynccontextmanager
async def black_hole() -> AsyncIterator[int]:
    """A port that completes no connection: its backlog is full, so the kernel drops every further SYN."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    port = listener.getsockname()[1]
    fillers = []
    try:
        for _ in range(8):
            filler = socket.socket()
            fillers.append(filler)
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        await settle(lambda: count_connecting(port) > 0)
        yield port
    finally:
        for sock in (*fillers, listener):
            sock.close()
