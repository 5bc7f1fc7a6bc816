"""A small HTTP forward proxy for tests: tunnels by CONNECT, and requests in absolute form passed on."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from ssl import SSLContext
from typing import Any

from yarl import URL

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


class ForwardProxy:
    """heads: every request head that came. answer: given instead of any service when set, b"" being none; then the
    connection is closed. silent: nothing is answered, the connection stays."""

    def __init__(self) -> None:
        self.heads: list[bytes] = []
        self.answer: bytes | None = None
        self.silent = False
        self.port = 0
        self.url = ""
        self._tasks: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has left
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await self._read_head(reader)
        if self.silent:
            await reader.read()
            return
        if self.answer is not None:
            writer.write(self.answer)
            writer.close()
            await writer.wait_closed()
            return
        method, target, _ = head.split(b" ", 2)
        url = URL(f"//{target.decode()}" if method == b"CONNECT" else target.decode(), encoded=True)
        inner_reader, inner_writer = await asyncio.open_connection(url.host, url.port)
        try:
            if method == b"CONNECT":
                writer.write(ESTABLISHED)
                await _join(_pipe(reader, inner_writer), _pipe(inner_reader, writer))
            else:
                inner_writer.write(_shorten(head, url))
                await _join(self._forward(reader, inner_writer), _pipe(inner_reader, writer))
        finally:
            inner_writer.transport.abort()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Further requests, without bodies, of a connection that is kept."""
        while True:
            head = await self._read_head(reader)
            writer.write(_shorten(head, URL(head.split(b" ", 2)[1].decode(), encoded=True)))

    async def _read_head(self, reader: asyncio.StreamReader) -> bytes:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        return head


def _shorten(head: bytes, url: URL) -> bytes:
    """The request in origin form."""
    method, _, rest = head.split(b" ", 2)
    return b"%b %b %b" % (method, url.raw_path_qs.encode(), rest)


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


async def _join(*ways: Coroutine[Any, Any, None]) -> None:
    """Until one of them ends."""
    tasks = [asyncio.create_task(way) for way in ways]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def forward_proxy(ssl: SSLContext | None = None) -> AsyncIterator[ForwardProxy]:
    """A listening ForwardProxy; ssl: it is one that is spoken to by TLS."""
    made = ForwardProxy()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=ssl)
    made.port = server.sockets[0].getsockname()[1]
    made.url = f"http{'s' if ssl else ''}://127.0.0.1:{made.port}"
    try:
        yield made
    finally:
        server.close()
        await made.close()
