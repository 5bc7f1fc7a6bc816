"""How long a drain takes, and what those have whose time is up; the last of a stream that is read slowly."""

import json
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.test_drain import CHUNKED, EVENT, GET, LOOP, served, take_stream, write_config
from tests.helpers.bare import bare
from tests.helpers.command import started
from tests.helpers.models import SSE, chat_chunk
from tests.helpers.origin import origin

MODEL = '[models."m"]\ntargets = ["chat/m"]\n[providers.chat]\ndialect = "openai-chat"\nbase_url = "{}"\n'
TAIL = 16 * 1024
"""Bytes that the process itself holds for a client: less than what makes it stop reading from the upstream."""


def count_taken() -> int:
    """Bytes that the kernel takes on a Unix socket whose other end does not read."""
    taken, (near, far) = 0, socket.socketpair()
    near.setblocking(False)
    with near, far, suppress(BlockingIOError):
        while True:
            taken += near.send(bytes(65536))
    return taken


def build_ask(path: str, **body: object) -> bytes:
    data = json.dumps({"model": "m", "stream": True, **body}).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    return head.encode() + data


@pytest.mark.parametrize(
    ("ask", "mark"),
    [
        (build_ask("/v1/chat/completions", messages=[{"role": "user", "content": "a"}]), b'data: {"error":'),
        (build_ask("/v1/messages", max_tokens=9, messages=[{"role": "user", "content": "a"}]), b"event: error\n"),
        (build_ask("/v1/responses", input="a"), b"event: response.failed\n"),
    ],
    ids=["chat", "messages", "responses"],
)
async def test_at_the_deadline_a_models_stream_is_told_and_closed_in_good_order(
    tmp_path: Path, ask: bytes, mark: bytes
) -> None:
    async with served(tmp_path, 'drain = "500ms"') as here:
        here.file.write_text(here.file.read_text() + MODEL.format(here.upstream.base_url))
        here.running.interrupt(signal.SIGHUP)
        await here.running.err_line("reloaded")
        async with bare(here.port) as client:
            await client.send(ask)
            peer = await here.upstream.peer()
            await peer.until(b"\r\n\r\n")
            event = chat_chunk({"role": "assistant", "content": "Hel"})
            peer.send(SSE + b"%x\r\n%b\r\n" % (len(event), event))
            await client.read_until(b"Hel")
            here.running.interrupt(signal.SIGTERM)
            body = (await client.read_to_end()).partition(b"\r\n\r\n")[2]
            assert mark in body
            assert body.endswith(b"\r\n0\r\n\r\n")
            assert b"[DONE]" not in body
            assert not client.was_reset
            await peer.wait_closed(2.0)
        finished = await here.running.finish()
        assert finished.code == 0
        assert finished.err.count("end_reason=drain") == 1


async def test_the_time_is_that_of_the_last_reload_and_is_counted_from_the_signal(tmp_path: Path) -> None:
    async with served(tmp_path, 'drain = "1h"') as here, bare(here.port) as client:
        write_config(here.file, here.upstream.base_url, limits='drain = "1s"')
        here.running.interrupt(signal.SIGHUP)
        line = await here.running.err_line("reloaded")
        assert "wait for the next start" not in line
        await client.send(GET)
        await take_stream(here.upstream, 1, CHUNKED)
        await client.read_until(EVENT)
        begun = time.monotonic()
        here.running.interrupt(signal.SIGTERM)
        assert (await client.read_to_end()).endswith(EVENT)
        assert 1.0 <= time.monotonic() - begun < 1.9
        assert (await here.running.finish()).code == 0


async def test_without_any_time_streams_are_aborted_at_once(tmp_path: Path) -> None:
    async with served(tmp_path, "drain = 0") as here, bare(here.port) as client, bare(here.port) as idle:
        await client.send(GET)
        await take_stream(here.upstream, 1, CHUNKED)
        await client.read_until(EVENT)
        begun = time.monotonic()
        here.running.interrupt(signal.SIGTERM)
        assert (await client.read_to_end()).endswith(EVENT)
        assert await idle.read_to_end() == b""
        assert time.monotonic() - begun < 1.0
        client.leave()
        idle.leave()
        assert (await here.running.finish()).code == 0


async def test_the_process_stays_until_a_slow_client_has_the_last_of_its_stream(tmp_path: Path) -> None:
    """What the kernel has not taken is gone with the process. The client reads only when its connection would have been
    closed for being idle, which another, idle one shows."""
    path = str(tmp_path / "proxy.sock")
    async with origin() as upstream:
        file = tmp_path / "penstock.toml"
        write_config(file, upstream.base_url, listen=f"unix:{path}", limits='drain = "8s"')
        async with started("serve", "--config", str(file), "--loop", LOOP, "--log-format", "logfmt") as running:
            await running.err_line("listening on")
            async with bare(path) as slow, bare(path) as idle:
                await slow.send(GET)
                peer = await take_stream(upstream, 1, CHUNKED)
                await slow.read_until(EVENT)
                body = bytes(count_taken() + TAIL)
                await peer.pour(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
                await running.err_line("end_reason=done")
                running.interrupt(signal.SIGTERM)
                await running.err_line("draining, 0 streams")
                await idle.read_to_end()
                received = await slow.read_to_end()
                assert received.count(0) == len(body)
                assert received.endswith(b"0\r\n\r\n")
                slow.leave()
                idle.leave()
                assert (await running.finish()).code == 0


async def test_who_had_connected_and_not_asked_yet_is_answered(tmp_path: Path) -> None:
    async with served(tmp_path) as here, bare(here.port) as busy, bare(here.port) as early:
        await busy.send(GET)
        peer = await take_stream(here.upstream, 1, CHUNKED)
        here.running.interrupt(signal.SIGTERM)
        await here.running.err_line("draining, 1 streams")
        await early.send(b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = await early.read_to_end()
        assert answer.startswith(b"HTTP/1.1 404 ")
        assert b"\r\nConnection: close\r\n" in answer
        assert not early.was_reset
        peer.send(b"0\r\n\r\n")
        assert (await busy.read_until(b"\r\n0\r\n\r\n")).endswith(b"0\r\n\r\n")
        for client in (early, busy):
            client.leave()
        assert (await here.running.finish()).code == 0
