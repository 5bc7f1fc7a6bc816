"""The load of a benchmark: `connections` clients, each asking `requests` times over one kept connection.

Returns delays (from the source's write to this client's read, microseconds) and times to the response head. It parses
no more than it must: the end of an answer and the stamps in it.
"""

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

_STAMP = re.compile(rb"T=(\d+);")
OnHead = Callable[[bytes], None]
BODY = '{"model":"%s","stream":true,"max_tokens":100,"messages":[{"role":"user","content":"hi"}]}'


@dataclass
class Load:
    """events: stamps seen. answers: ended ones. failed: answers that did not end. In microseconds: delays, heads."""

    events: int = 0
    answers: int = 0
    failed: int = 0
    delays: list[float] = field(default_factory=list)
    heads: list[float] = field(default_factory=list)


class _Client(asyncio.Protocol):
    def __init__(self, request: bytes, requests: int, load: Load, done: asyncio.Event, on_head: OnHead | None) -> None:
        self._request, self._left, self._load, self._done, self._on_head = request, requests, load, done, on_head

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.is_set():
            self._load.failed += self._left
            self._done.set()

    def _ask(self) -> None:
        self._head = b""
        self._in_head = True
        self._tail = b""
        self._missing = -1  # bytes to come of a body with a length; -1 for chunks
        self._asked = time.monotonic_ns()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        if self._in_head:
            self._head += data
            head, blank, data = self._head.partition(b"\r\n\r\n")
            if not blank:
                return
            self._in_head = False
            self._load.heads.append((now - self._asked) / 1000)
            if self._on_head is not None:
                self._on_head(head)
            if not head.startswith(b"HTTP/1.1 200"):
                self._load.failed += 1
            length = re.search(rb"(?i)content-length: *(\d+)", head)
            self._missing = int(length[1]) if length else -1
        for stamp in _STAMP.findall(data):
            self._load.delays.append((now - int(stamp)) / 1000)
            self._load.events += 1
        if self._is_over(data):
            self._load.answers += 1
            self._left -= 1
            if self._left:
                self._ask()
            else:
                self._done.set()
                self._transport.close()

    def _is_over(self, data: bytes) -> bool:
        if self._missing >= 0:
            self._missing -= len(data)
            return self._missing <= 0
        self._tail = (self._tail + data)[-7:]
        return self._tail == b"\r\n0\r\n\r\n" or self._tail.endswith(b"\n\r\n0\r\n\r\n")


async def run_load(
    port: int,
    path: str,
    header: str,
    connections: int,
    requests: int,
    limit: float,
    model: str = "bench",
    on_head: OnHead | None = None,
) -> Load:
    """Run it, for at most `limit` seconds. on_head: is given the head of every answer."""
    body = (BODY % model).encode()
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    request = "\r\n".join([*lines, *([header] if header else [])]).encode() + b"\r\n\r\n" + body
    load, loop = Load(), asyncio.get_running_loop()
    events = [asyncio.Event() for _ in range(connections)]
    transports = []
    for done in events:
        transport, _ = await loop.create_connection(
            lambda d=done: _Client(request, requests, load, d, on_head), "127.0.0.1", port
        )
        transports.append(transport)
    try:
        async with asyncio.timeout(limit):
            await asyncio.gather(*(done.wait() for done in events))
    except TimeoutError:
        load.failed += sum(not done.is_set() for done in events)
    finally:
        for transport in transports:
            transport.abort()
    return load
