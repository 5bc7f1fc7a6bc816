"""An upstream that keeps what it was sent: every byte, and the requests in it by a strict reading of RFC 9112.

The second reading is the judge of a proxy in front: `requests` holds what a careful server would have understood,
`malformed` what it would have refused. Each whole request is answered with `answer(request)`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

from proxy.demo.http1 import Body, MalformedRequest, RequestHead, open_body, parse_head

WAIT = 10.0  # seconds; a hang fails instead of blocking the run
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_FRAMING = frozenset({b"host", b"content-length", b"transfer-encoding"})


@dataclass(slots=True)
class Seen:
    """One request. `fields` are in order, names in lower case, without those that frame and address; `framing` has
    these. `whole` turns true with the last byte of the body."""

    method: str
    target: bytes
    fields: list[tuple[bytes, bytes]]
    framing: dict[bytes, bytes]
    body: bytes = b""
    whole: bool = False


class Recorder:
    """`connections` counts all there were, `open` those there are; `received` is what came on each."""

    def __init__(self) -> None:
        self.base_url = ""
        self.authority = b""
        self.connections = 0
        self.open: set[_Conversation] = set()
        self.received: list[bytearray] = []
        self.requests: list[Seen] = []
        self.malformed: list[str] = []
        self.answer: Callable[[Seen], bytes] = lambda seen: OK
        self._waiters: set[asyncio.Future[None]] = set()

    async def wait(self, is_so: Callable[[], bool]) -> None:
        """Return once `is_so`, asked now and after everything that happens. Raises TimeoutError."""
        async with asyncio.timeout(WAIT):
            while not is_so():
                waiter = asyncio.get_running_loop().create_future()
                self._waiters.add(waiter)
                try:
                    await waiter
                finally:
                    self._waiters.discard(waiter)

    def send(self, data: bytes) -> None:
        """Send on the one connection that is open."""
        (conversation,) = self.open
        conversation.transport.write(data)

    def changed(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)


class _Conversation(asyncio.Protocol):
    transport: asyncio.Transport

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._received = bytearray()
        self._buffer = bytearray()
        self._seen: Seen | None = None
        self._body: Body | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        recorder = self._recorder
        recorder.connections += 1
        recorder.open.add(self)
        recorder.received.append(self._received)
        recorder.changed()

    def connection_lost(self, exc: Exception | None) -> None:
        self._recorder.open.discard(self)
        self._recorder.changed()

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._buffer += data
        try:
            while self._step():
                pass
        except MalformedRequest as bad:
            self._recorder.malformed.append(str(bad))
            self.transport.abort()
        self._recorder.changed()

    def _step(self) -> bool:
        """Take one head or some body from the buffer; False when more bytes are needed."""
        if self._seen is None or self._body is None:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return False
            head = parse_head(bytes(self._buffer[:end]))
            del self._buffer[: end + 4]
            self._body = open_body(head)
            self._seen = _note(head)
            self._recorder.requests.append(self._seen)
        self._seen.body += self._body.take(self._buffer)
        if not self._body.done:
            return False
        seen, self._seen = self._seen, None
        seen.whole = True
        self.transport.write(self._recorder.answer(seen))
        return True


def _note(head: RequestHead) -> Seen:
    pairs = [(name.lower(), value) for name, value in head.headers]
    return Seen(
        head.method,
        head.target,
        [pair for pair in pairs if pair[0] not in _FRAMING],
        {name: value for name, value in pairs if name in _FRAMING},
    )


@asynccontextmanager
async def recorder() -> AsyncIterator[Recorder]:
    """A listening Recorder; its connections are aborted at the end."""
    made = Recorder()
    server = await asyncio.get_running_loop().create_server(lambda: _Conversation(made), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    made.base_url, made.authority = f"http://127.0.0.1:{port}", b"127.0.0.1:%d" % port
    try:
        yield made
    finally:
        server.close()
        for conversation in list(made.open):
            conversation.transport.abort()
        await made.wait(lambda: not made.open)
