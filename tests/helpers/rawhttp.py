"""A raw HTTP/1.1 client on a bare socket for tests: sends exactly the bytes it is given and reads framing strictly."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from tests.helpers.over_tls import choose_context

WAIT = 10.0  # seconds; longer than any answer here takes, so that a hang fails instead of blocking the run


@dataclass
class Reply:
    """One answer: field names in lower case, `body` without framing, `raw` as it came."""

    status: int
    headers: dict[str, str]
    body: bytes = b""
    raw: bytes = b""
    chunks: list[bytes] = field(default_factory=list)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[dict[str, str]]:
        return parse_sse(self.body)

    @property
    def data(self) -> list[Any]:
        """The JSON of every event but `[DONE]`."""
        return [json.loads(event["data"]) for event in self.events if event["data"] != "[DONE]"]


class RawClient:
    """One connection. Reading fails after `WAIT` seconds instead of hanging."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def send_slowly(self, data: bytes, step: int) -> None:
        """Send `step` bytes at a time, and let a peer on the same loop read in between; 0 sends all at once."""
        for at in range(0, len(data), step or len(data)):
            await self.send(data[at : at + (step or len(data))])
            await asyncio.sleep(0)

    async def ask(self, target: str, *, body: bytes | None = None, method: str = "", headers: str = "") -> None:
        """Send one request; with a body it is a POST with its length unless `method` says otherwise."""
        method = method or ("GET" if body is None else "POST")
        length = "" if body is None else f"Content-Length: {len(body)}\r\n"
        head = f"{method} {target} HTTP/1.1\r\nHost: localhost\r\n{length}{headers}\r\n"
        await self.send(head.encode() + (body or b""))

    async def until(self, mark: bytes) -> bytes:
        async with asyncio.timeout(WAIT):
            return await self.reader.readuntil(mark)

    async def exactly(self, count: int) -> bytes:
        async with asyncio.timeout(WAIT):
            return await self.reader.readexactly(count)

    async def rest(self) -> bytes:
        """Everything until the end of the connection. Raises ConnectionResetError when that is a reset."""
        async with asyncio.timeout(WAIT):
            return await self.reader.read()

    async def head(self) -> Reply:
        return parse_head(await self.until(b"\r\n\r\n"))

    async def chunk(self) -> bytes:
        """The next chunk's data, empty for the last one. Raises ValueError on an invalid size line."""
        line = await self.until(b"\r\n")
        data = await self.exactly(int(line.strip(), 16) + 2)
        assert data.endswith(b"\r\n")
        return data[:-2]

    async def reply(self, *, bodiless: bool = False) -> Reply:
        """A whole answer by whatever framing it declares."""
        reply = await self.head()
        if bodiless or reply.status in (204, 304):
            return reply
        if "transfer-encoding" in reply.headers:
            while chunk := await self.chunk():
                reply.chunks.append(chunk)
            reply.body = b"".join(reply.chunks)
        elif "content-length" in reply.headers:
            reply.body = await self.exactly(int(reply.headers["content-length"]))
        else:
            reply.body = await self.rest()
        return reply

    async def close(self) -> None:
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()


def parse_head(raw: bytes) -> Reply:
    """An answer's head, with its blank line or without."""
    first, *lines = raw.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    fields = [line.split(": ", 1) for line in lines]
    return Reply(int(first.split(" ")[1]), {name.lower(): value for name, value in fields}, raw=raw)


@asynccontextmanager
async def connected(host: str, port: int, **options: Any) -> AsyncIterator[RawClient]:
    """A connection that is closed at the end, whatever happened to it; by TLS where that is spoken (`over_tls`)."""
    options.setdefault("ssl", choose_context(port))
    client = RawClient(*await asyncio.open_connection(host, port, limit=2**27, **options))
    try:
        yield client
    finally:
        await client.close()


async def fetch(port: int, target: str, *, body: Any = None, method: str = "", headers: str = "") -> Reply:
    """One request on a connection of its own; a body that is not bytes is sent as JSON."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    async with connected("127.0.0.1", port) as client:
        await client.ask(target, body=data, method=method, headers=headers)
        return await client.reply(bodiless=method == "HEAD")


def parse_sse(body: bytes) -> list[dict[str, str]]:
    """The events that have data, by the WHATWG rules as far as tests need them: LF, CRLF or CR line ends."""
    text = body.decode().replace("\r\n", "\n").replace("\r", "\n")
    events = []
    for block in text.split("\n\n"):
        event: dict[str, str] = {}
        for line in filter(None, block.split("\n")):
            name, _, value = line.partition(":")
            if name:
                event[name] = value.removeprefix(" ")
        if "data" in event:
            events.append(event)
    return events
