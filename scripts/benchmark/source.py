"""The event source of a benchmark: `python -m scripts.benchmark.source PORT`.

POST or GET `/x?n=EVENTS&size=BYTES&us=MICROSECONDS` answers with n events, one HTTP chunk and one write each, `us`
apart; n=0 answers with `size` bytes and a length. Each event carries `T=<monotonic nanoseconds>;`, taken when it is
written. Paces below a millisecond are not for it: uvloop's timers count whole ones.
"""

import asyncio
import re
import sys
import time

import uvloop

_ASKED = re.compile(rb"[?&](n|size|us)=(\d+)")
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_EVENT = (
    b'data: {"id":"bench","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"T=%d; %b"}}]}\n\n'
)


class Source(asyncio.Protocol):
    """One connection: requests in turn, each with its own pace."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._unread = b""
        self._task: asyncio.Task[None] | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        if self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        self._unread += data
        head, blank, rest = self._unread.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        body = int(length[1]) if length else 0
        if not blank or len(rest) < body:
            return
        self._unread = rest[body:]
        asked = {name.decode(): int(value) for name, value in _ASKED.findall(head.split(b"\r\n", 1)[0])}
        n, size, pause = asked.get("n", 0), asked.get("size", 150), asked.get("us", 0) / 1e6
        if not n:
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (size, b"x" * size))
        else:
            self._task = asyncio.get_running_loop().create_task(self._stream(n, b"a" * max(0, size - 120), pause))

    async def _stream(self, n: int, padding: bytes, pause: float) -> None:
        write = self._transport.write
        write(_HEAD)
        due = time.monotonic()
        for _ in range(n):
            due += pause
            await asyncio.sleep(due - time.monotonic())
            event = _EVENT % (time.monotonic_ns(), padding)
            write(b"%x\r\n%b\r\n" % (len(event), event))
        write(b"0\r\n\r\n")


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Source, "127.0.0.1", port, backlog=4096)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
