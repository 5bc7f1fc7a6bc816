"""Serves takes of a cassette as the provider that they were recorded from: one request, one take, in turn.

Status, head fields and bytes are the recorded ones; each read becomes a write, at its moment on one schedule from the
request's last byte on, so that errors of the timer do not add up. An answer ends as it did: complete, cut, or reset.
One that the proxy had ended itself falls silent, and is cut somewhat after the moment when that happened.

HTTP is read, and connections are ended in every way, by the demo's own server parts.
"""

import asyncio
import itertools
import json
import time
from collections.abc import Callable, Sequence
from typing import Final

from proxy.demo.connection import Connection
from proxy.demo.http1 import MalformedRequest, RequestHead, open_body
from proxy.wire.cassette import End, Take
from proxy.wire.framing import LAST_CHUNK, encode_chunk

LEFT_OPEN: Final = 2.0
"""Seconds that an answer which the proxy gave up stays open beyond that moment: whoever asks now may give up first."""

_WITHOUT_BODY: Final = frozenset({204, 304})
_CODINGS: Final = ("transfer-encoding", "content-length")

Admit = Callable[[str, str], bool]
"""(method, path): whether a take answers it."""


class ReplayServer:
    """speed: 2 is twice as fast, 0 at once. models: what `GET /models` lists. told: called with a line per request."""

    def __init__(
        self, takes: Sequence[Take], speed: float, admit: Admit, models: Sequence[str], told: Callable[[str], None]
    ) -> None:
        self._takes = itertools.cycle(takes)
        self._speed = speed
        self._admit = admit
        self._models = models
        self._told = told
        self._server: asyncio.Server | None = None
        self._connections: set[Connection] = set()
        self._numbers = itertools.count(1)
        self.port = 0

    async def start(self, host: str, port: int) -> None:
        """Raises OSError."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self, 0), host, port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        tasks = [connection.task for connection in self._connections if connection.task is not None]
        for connection in list(self._connections):
            connection.abort()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # What a connection calls.

    def joined(self, connection: Connection) -> None:
        self._connections.add(connection)

    def left(self, connection: Connection) -> None:
        self._connections.discard(connection)

    async def serve(self, connection: Connection) -> None:
        try:
            while await self._exchange(connection):
                pass
            connection.close()
        except MalformedRequest:
            connection.abort()
        except ConnectionError:
            return

    async def _exchange(self, connection: Connection) -> bool:
        """One request and its answer. Returns whether another may follow."""
        head = await connection.read_head()
        body = open_body(head)
        if not body.done and b"100-continue" in map(bytes.lower, head.values(b"expect")):
            await connection.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        async for _ in connection.read_body(body):
            pass
        asked = time.monotonic()
        if not self._admit(head.method, head.path):
            return await self._answer_itself(connection, head)
        take = next(self._takes)
        self._told(f"{next(self._numbers)}: {head.method} {head.path}: take {take.number}, {describe(take)}")
        return await _Answer(connection, head, take, self._speed, asked).give()

    async def _answer_itself(self, connection: Connection, head: RequestHead) -> bool:
        status, text = b"404 Not Found", {"error": {"message": "this path is none of the recorded dialect's"}}
        answer: object = text
        if head.method == "GET" and head.path.endswith("/models"):
            status, answer = b"200 OK", {"object": "list", "data": [{"id": m, "object": "model"} for m in self._models]}
        body = json.dumps(answer).encode()
        fields = b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        await connection.write(b"HTTP/1.1 %b\r\n%b%b" % (status, fields, body if head.method != "HEAD" else b""))
        return head.keep_alive


class _Answer:
    """One take to one request. asked: when that was read, by a clock finer than uvloop's."""

    def __init__(self, connection: Connection, head: RequestHead, take: Take, speed: float, asked: float) -> None:
        self._connection = connection
        self._head = head
        self._take = take
        self._speed = speed
        self._asked = asked
        self._chunked = False

    async def give(self) -> bool:
        take, connection = self._take, self._connection
        if take.head is None or take.answered is None:
            return await self._end()
        await self._wait(take.answered)
        await connection.write(self._build_head(take.head.status, take.head.reason, take.head.headers))
        if self._head.method != "HEAD" and take.head.status not in _WITHOUT_BODY:
            for at, data in take.list_reads():
                await self._wait(at)
                await connection.write(encode_chunk(data) if self._chunked else data)
        return await self._end()

    async def _wait(self, at: float) -> None:
        """Until that moment of the recording; at least until what was written before has left on its own."""
        delay = 0.0
        if self._speed:
            delay = self._asked + (at - self._take.begun) / self._speed - time.monotonic()
        await asyncio.sleep(max(0.0, delay))

    async def _end(self) -> bool:
        take, connection = self._take, self._connection
        end = take.end or End("failed")
        await self._wait((take.ended or take.begun) + (LEFT_OPEN if end.how == "aborted" else 0.0))
        if end.how == "complete":
            if self._chunked and self._head.method != "HEAD":
                await connection.write(LAST_CHUNK)
            return self._head.keep_alive and not self._closes()
        if is_reset(end):
            await connection.reset()
        return False

    def _closes(self) -> bool:
        """Whether the recorded connection was closed after the answer, or the answer ends with it."""
        names = {name.lower(): value.lower() for name, value in (self._take.head.headers if self._take.head else ())}
        framed = self._chunked or "content-length" in names or self._is_bodiless()
        return not framed or "close" in names.get("connection", "")

    def _is_bodiless(self) -> bool:
        status = self._take.head.status if self._take.head else 0
        return self._head.method == "HEAD" or status in _WITHOUT_BODY

    def _build_head(self, status: int, reason: str, fields: Sequence[tuple[str, str]]) -> bytes:
        names = {name.lower() for name, _ in fields}
        kept = list(fields)
        self._chunked = "transfer-encoding" in names
        if self._take.lost or self._head.old:  # a length would not be kept, and HTTP/1.0 knows no chunks
            kept = [pair for pair in fields if pair[0].lower() not in _CODINGS]
            self._chunked = not self._head.old
            kept += [("Transfer-Encoding", "chunked")] * self._chunked
        lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in kept)]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


def is_reset(end: End) -> bool:
    return end.how == "failed" and ("ECONNRESET" in end.detail or "ResetError" in end.detail)


def describe(take: Take) -> str:
    """`200, 57 reads, 12345 bytes, complete`."""
    end = take.end or End("failed")
    how = {"complete": "complete", "aborted": "ended by the proxy"}.get(end.how, "reset" if is_reset(end) else "cut")
    if take.head is None:
        return f"no head, {end.code or how}"
    count = len(take.list_reads())
    lost = f", {take.lost} bytes of it not kept" if take.lost else ""
    return f"status {take.head.status}, {count} reads, {len(take.answer)} bytes{lost}, {how}"
