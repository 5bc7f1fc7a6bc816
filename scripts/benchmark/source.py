"""The event source of a benchmark: `python -m scripts.benchmark.source PORT`.

POST or GET `/x?n=EVENTS&size=BYTES&us=MICROSECONDS` answers with n events, one HTTP chunk and one write each, `us`
apart; n=0 answers with `size` bytes and a length. `/v1/messages` answers as Anthropic does, and reads the same
parameters from the name of the model (`"model":"n=500&us=2000"`), which alone survives a translation. Each event
carries `T=<monotonic nanoseconds>;`, taken when it is written. Paces below a millisecond are not for it: uvloop's
timers count whole ones.
"""

import asyncio
import re
import sys
import time
from dataclasses import dataclass

import uvloop

_ASKED = re.compile(rb'[?&"](n|size|us)=(\d+)')
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_EVENT = (
    b'data: {"id":"bench","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"T=%d; %b"}}]}\n\n'
)
_BEGIN = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_bench","type":"message",'
    b'"role":"assistant","model":"bench","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}}'
    b"\n\nevent: content_block_start\n"
    b'data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n'
)
_DELTA = (
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
    b'"delta":{"type":"text_delta","text":"T=%d; %b"}}\n\n'
)
_FINISH = (
    b'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n'
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},'
    b'"usage":{"output_tokens":9}}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n'
)


@dataclass(frozen=True)
class Form:
    """What a stream begins with, an event of it with two places (stamp and padding), and what it ends with."""

    begin: bytes
    event: bytes
    end: bytes


_PLAIN = Form(b"", _EVENT, b"")
_MESSAGES = Form(_BEGIN, _DELTA, _FINISH)


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
        line = head.split(b"\r\n", 1)[0]
        messages = b" /v1/messages" in line
        asked = {name.decode(): int(value) for name, value in _ASKED.findall(rest[:body] if messages else line)}
        n, size, pause = asked.get("n", 0), asked.get("size", 150), asked.get("us", 0) / 1e6
        if not n:
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (size, b"x" * size))
        else:
            self._task = asyncio.get_running_loop().create_task(
                self._stream(_MESSAGES if messages else _PLAIN, n, b"a" * max(0, size - 120), pause)
            )

    async def _stream(self, form: Form, n: int, padding: bytes, pause: float) -> None:
        write = self._transport.write
        write(_HEAD + _chunk(form.begin))
        due = time.monotonic()
        for _ in range(n):
            due += pause
            await asyncio.sleep(due - time.monotonic())
            write(_chunk(form.event % (time.monotonic_ns(), padding)))
        write(_chunk(form.end) + b"0\r\n\r\n")


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Source, "127.0.0.1", port, backlog=4096)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
