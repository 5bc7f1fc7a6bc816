"""Clients of four dialects on bare sockets, with a clock: `ask` sends one request and reads its answer to the end.

They are pointed at the proxy and at a provider alike: paths and bodies are the vendors' own.
"""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.failover.documents import read_document
from tests.failover.heard import Heard
from tests.failover.listening import listen

QUESTION: Final = "Describe the power house."
LONGEST: Final = 120.0
"""Seconds after which an answer that does not end is a hang: longer than any scenario allows."""

_MESSAGES = {"messages": [{"role": "user", "content": QUESTION}]}


@dataclass(frozen=True, slots=True)
class Form:
    """How a dialect asks: `body` always, `streamed` as well for a stream. Gemini's path says it instead."""

    path: str
    body: Mapping[str, Any]
    streamed: Mapping[str, Any]
    texts: bytes
    """What a piece of the answer's text has in it, and nothing without text."""


FORMS: Final[Mapping[str, Form]] = {
    "openai-chat": Form(
        "/v1/chat/completions",
        _MESSAGES,
        {"stream": True, "stream_options": {"include_usage": True}},
        b'"content":"W',
    ),
    "openai-responses": Form("/v1/responses", {"input": QUESTION}, {"stream": True}, b"output_text.delta"),
    "anthropic": Form("/v1/messages", {**_MESSAGES, "max_tokens": 1000}, {"stream": True}, b"text_delta"),
    "gemini": Form("", {"contents": [{"role": "user", "parts": [{"text": QUESTION}]}]}, {}, b'"text":"W'),
}


def build_request(dialect: str, model: str, *, stream: bool) -> bytes:
    form = FORMS[dialect]
    path, body = form.path, {**form.body, **(form.streamed if stream else {})}
    if dialect == "gemini":
        path = f"/v1beta/models/{model}:{'streamGenerateContent?alt=sse' if stream else 'generateContent'}"
    else:
        body = {"model": model, **body}
    data = json.dumps(body).encode()
    version = "anthropic-version: 2023-06-01\r\n" if dialect == "anthropic" else ""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{version}"
    return head.encode() + b"Content-Length: %d\r\n\r\n" % len(data) + data


class _Clocked:
    """Reads a connection and notes the longest wait for a byte."""

    def __init__(self, reader: asyncio.StreamReader, heard: Heard, text: bytes) -> None:
        self._reader = reader
        self._heard = heard
        self._text = text
        self._buffer = bytearray()
        self.started = self._last = time.monotonic()
        self.body = bytearray()

    async def _more(self) -> bool:
        try:
            data = await self._reader.read(65536)
        except ConnectionError:
            data = b""
        now = time.monotonic()
        self._heard.gap = max(self._heard.gap, now - self._last)
        self._last = now
        self._heard.wall = now - self.started
        self._buffer += data
        return bool(data)

    async def head(self) -> bool:
        while b"\r\n\r\n" not in self._buffer:
            if not await self._more():
                return False
        raw, _, rest = self._buffer.partition(b"\r\n\r\n")
        self._buffer = bytearray(rest)
        first, *lines = raw.decode("latin-1").split("\r\n")
        self._heard.status = int(first.split(" ")[1])
        self._heard.headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        return True

    async def take(self, length: int) -> bool:
        """Move so many bytes to the body, or what there is before a cut."""
        while len(self._buffer) < length:
            if not await self._more():
                break
        self.body += self._buffer[:length]
        whole = len(self._buffer) >= length
        del self._buffer[:length]
        return whole

    async def chunks(self) -> bool:
        """Read to the last chunk; whether there was one."""
        while True:
            while b"\r\n" not in self._buffer:
                if not await self._more():
                    return False
            line, _, rest = self._buffer.partition(b"\r\n")
            self._buffer = bytearray(rest)
            size = int(line, 16)
            if not await self.take(size) or not await self._end_chunk():
                return False
            if self._heard.first is None and self._text in self.body:
                self._heard.first = self._heard.wall
            if size == 0:
                return True

    async def _end_chunk(self) -> bool:
        while len(self._buffer) < 2:
            if not await self._more():
                return False
        del self._buffer[:2]
        return True


async def ask(port: int, dialect: str, model: str, *, stream: bool) -> Heard:
    """One request on a connection of its own. Never raises: an answer that does not come is a Heard, too."""
    heard = Heard(dialect)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    clocked = _Clocked(reader, heard, FORMS[dialect].texts)
    try:
        async with asyncio.timeout(LONGEST):
            writer.write(build_request(dialect, model, stream=stream))
            if await clocked.head():
                await _read_body(clocked, heard, dialect, stream=stream)
    except TimeoutError:
        heard.faults.append(f"no end within {LONGEST:.0f} s")
    finally:
        writer.transport.abort()
    return heard


async def _read_body(clocked: _Clocked, heard: Heard, dialect: str, *, stream: bool) -> None:
    if "content-length" in heard.headers:
        heard.clean = await clocked.take(int(heard.headers["content-length"]))
    else:
        heard.clean = await clocked.chunks()
    body = bytes(clocked.body)
    kind = heard.headers.get("content-type", "").partition(";")[0]
    if stream and heard.status == 200:
        heard.expect(kind == "text/event-stream", f"a stream of type {kind!r}")
        listen(dialect, body, heard)
    else:
        heard.expect(kind == "application/json", f"a document of type {kind!r}")
        read_document(dialect, body, heard)
