"""A gigabyte of zeros in a megabyte: nobody inflates it, whichever side it comes from."""

import asyncio
import re
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.helpers.besieged import besieged
from tests.helpers.rawhttp import fetch

GROWTH = 64 * 2**20
"""Bytes by which the process may have grown at most; inflated, it would be a thousand million."""

GZIP = 31  # wbits of zlib: with gzip's head
ASK = b'{"model":"m","stream":%b,"messages":[{"role":"user","content":"hi"}]}'
FAILED_EARLY = 'attempts = 1\ndeadline = "1s"\n'


@pytest.fixture(scope="module")
def zeros() -> bytes:
    block, press = bytes(2**20), zlib.compressobj(9, zlib.DEFLATED, GZIP)
    pressed = b"".join(press.compress(block) for _ in range(2**10)) + press.flush()
    assert len(pressed) < 2 * 2**20
    return pressed


@asynccontextmanager
async def answering(status: int, kind: str, body: bytes, coding: str) -> AsyncIterator[str]:
    """An upstream that reads each request whole and says the same to all; its URL."""
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\n{coding}Content-Length: {len(body)}\r\n\r\n".encode()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        length = re.findall(rb"(?i)content-length: (\d+)", asked)
        await reader.readexactly(int(length[0]) if length else 0)
        writer.write(head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1) + body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0, limit=2**24) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_as_a_request(tmp_path: Path, zeros: bytes) -> None:
    async with answering(200, "text/plain", b"ok", "") as loud, besieged(tmp_path, loud=loud) as here:
        await fetch(here.port, "/loud/x")
        before = here.read_peak()
        for path, status in (("/v1/chat/completions", 400), ("/v1/messages", 400), ("/loud/x", 200)):
            reply = await fetch(here.port, path, body=zeros, headers="Content-Encoding: gzip\r\n")
            assert reply.status == status, reply.body
        assert here.read_peak() - before < GROWTH


@pytest.mark.parametrize(
    ("status", "kind"), [(200, "application/json"), (200, "text/event-stream"), (429, "application/json")]
)
async def test_as_an_answer(tmp_path: Path, zeros: bytes, kind: str, status: int) -> None:
    coding = "Content-Encoding: gzip\r\n"
    async with (
        answering(status, kind, zeros, coding) as loud,
        besieged(tmp_path, FAILED_EARLY, loud=loud) as here,
    ):
        before = here.read_peak()
        reply = await fetch(here.port, "/loud/x")
        assert (reply.status, reply.body) == (status, zeros)
        for streamed in (b"true", b"false"):
            reply = await fetch(here.port, "/v1/chat/completions", body=ASK % streamed)
            assert reply.status >= 400 or b'"error"' in reply.body
            assert len(reply.body) < 10_000
        assert here.read_peak() - before < GROWTH
