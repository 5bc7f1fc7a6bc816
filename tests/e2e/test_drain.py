"""The process and its end, from outside: signals, running streams, exit codes."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.helpers.bare import bare, settle
from tests.helpers.command import Running, started
from tests.helpers.origin import Origin, Peer, origin

LOOP = os.environ.get("PENSTOCK_TEST_LOOP", "uvloop")
GET = b"GET /up/x HTTP/1.1\r\nHost: a\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
EVENT = b"9\r\ndata: 1\n\n\r\n"


@dataclass
class Served:
    """A proxy in a process of its own, its upstream, and the file that it was started with."""

    running: Running
    upstream: Origin
    file: Path
    port: int


def write_config(
    file: Path, base_url: str, *, limits: str = "", prefix: str = "/up", listen: str = "127.0.0.1:0"
) -> None:
    file.write_text(
        f'[server]\nlisten = ["{listen}"]\nadmin = "off"\n[limits]\n{limits}\n'
        f'[providers.up]\ndialect = "raw"\nbase_url = "{base_url}"\n'
        f'[mounts."{prefix}"]\nprovider = "up"\nauth = "none"\n'
    )


@asynccontextmanager
async def served(folder: Path, limits: str = "") -> AsyncIterator[Served]:
    async with origin() as upstream:
        file = folder / "penstock.toml"
        write_config(file, upstream.base_url, limits=limits)
        async with started("serve", "--config", str(file), "--loop", LOOP, "--log-format", "logfmt") as running:
            line = await running.err_line("listening on")
            yield Served(running, upstream, file, int(line.rstrip('"').rpartition(":")[2]))


async def take_stream(upstream: Origin, number: int, head: bytes) -> Peer:
    peer = await upstream.peer(number)
    await peer.until(b"\r\n\r\n")
    peer.send(head + (EVENT if head is CHUNKED else b"123"))
    return peer


async def refuses(port: int) -> bool:
    try:
        async with bare(port):
            return False
    except ConnectionRefusedError:
        return True


async def wait_refusal(port: int) -> None:
    async with asyncio.timeout(5):
        while not await refuses(port):
            await asyncio.sleep(0.01)


async def test_a_running_stream_is_finished_while_new_connections_are_refused(tmp_path: Path) -> None:
    async with served(tmp_path) as here, bare(here.port) as client:
        await client.send(GET)
        peer = await take_stream(here.upstream, 1, CHUNKED)
        await client.read_until(EVENT)
        here.running.interrupt(signal.SIGTERM)
        await here.running.err_line("draining, 1 streams")
        await wait_refusal(here.port)
        for _ in range(3):
            peer.send(EVENT)
        peer.send(b"0\r\n\r\n")
        body = (await client.read_to_end()).partition(b"\r\n\r\n")[2]
        assert body.count(b"data: 1\n\n") == 4
        assert body.endswith(b"\r\n0\r\n\r\n")
        assert not client.was_reset
        finished = await here.running.finish()
        assert finished.code == 0
        assert "end_reason=done" in finished.err


async def test_an_upload_that_runs_is_finished(tmp_path: Path) -> None:
    async with served(tmp_path) as here, bare(here.port) as client:
        await client.send(b"POST /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n123")
        peer = await here.upstream.peer()
        await peer.until(b"123")
        here.running.interrupt(signal.SIGTERM)
        await here.running.err_line("draining, 1 streams")
        await wait_refusal(here.port)
        await client.send(b"456")
        await peer.until(b"123456")
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        answer = await client.read_to_end()
        assert answer.endswith(b"\r\n\r\nok")
        assert b"\r\nConnection: close\r\n" in answer
        assert (await here.running.finish()).code == 0


async def test_a_kept_connection_gets_one_more_answer_and_is_told_to_close(tmp_path: Path) -> None:
    async with served(tmp_path) as here, bare(here.port) as busy, bare(here.port) as kept, bare(here.port) as idle:
        await busy.send(GET)
        peer = await take_stream(here.upstream, 1, CHUNKED)
        for client in (kept, idle):
            await client.send(b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n")
            assert b"Connection: close" not in await client.read_until(b"}")
        kept.received.clear()
        here.running.interrupt(signal.SIGTERM)
        await here.running.err_line("draining")
        await kept.send(b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = await kept.read_to_end()
        assert answer.startswith(b"HTTP/1.1 404 ")
        assert b"\r\nConnection: close\r\n" in answer
        await idle.read_to_end(2.5)
        assert not idle.was_reset
        peer.send(b"0\r\n\r\n")
        assert (await busy.read_to_end()).endswith(b"0\r\n\r\n")
        assert (await here.running.finish()).code == 0


async def test_what_is_left_at_the_deadline_is_aborted_visibly(tmp_path: Path) -> None:
    async with served(tmp_path, 'drain = "1s"') as here, bare(here.port) as chunked, bare(here.port) as length:
        await chunked.send(GET)
        first = await take_stream(here.upstream, 1, CHUNKED)
        await length.send(GET)
        second = await take_stream(here.upstream, 2, LENGTH)
        await chunked.read_until(EVENT)
        await length.read_until(b"\r\n\r\n123")
        here.running.interrupt(signal.SIGTERM)
        assert (await chunked.read_to_end()).endswith(EVENT)
        assert (await length.read_to_end()).endswith(b"\r\n\r\n123")
        assert length.was_reset
        await first.wait_closed(1.0)
        await second.wait_closed(1.0)
        finished = await here.running.finish()
        assert finished.code == 0
        assert finished.err.count("end_reason=drain") == 2


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 130)], ids=["int", "term"])
async def test_a_second_signal_ends_at_once(number: signal.Signals, code: int, tmp_path: Path) -> None:
    async with served(tmp_path) as here, bare(here.port) as client:
        await client.send(GET)
        peer = await take_stream(here.upstream, 1, CHUNKED)
        await client.read_until(EVENT)
        here.running.interrupt(number)
        await here.running.err_line("draining")
        here.running.interrupt(number)
        async with asyncio.timeout(5):
            assert (await here.running.finish()).code == code
        assert (await client.read_to_end()).endswith(EVENT)
        await peer.wait_closed(1.0)


async def test_ctrl_c_drains_like_sigterm(tmp_path: Path) -> None:
    async with served(tmp_path) as here, bare(here.port) as client:
        await client.send(GET)
        peer = await take_stream(here.upstream, 1, CHUNKED)
        here.running.interrupt(signal.SIGINT)
        await here.running.err_line("draining")
        peer.send(b"0\r\n\r\n")
        assert (await client.read_to_end()).endswith(b"0\r\n\r\n")
        assert (await here.running.finish()).code == 0


async def test_sighup_swaps_a_good_file_in_while_streams_go_on(tmp_path: Path) -> None:
    async with served(tmp_path) as here, bare(here.port) as stream:
        await stream.send(GET)
        peer = await take_stream(here.upstream, 1, CHUNKED)
        await stream.read_until(EVENT)
        write_config(here.file, here.upstream.base_url, prefix="/new")
        here.running.interrupt(signal.SIGHUP)
        await here.running.err_line("reloaded")
        assert await ask_status(here.port, "/up/x") == 404
        here.upstream.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        assert await ask_status(here.port, "/new/x") == 200
        peer.send(EVENT + b"0\r\n\r\n")
        assert (await stream.read_until(b"\r\n0\r\n\r\n")).count(b"data: 1\n\n") == 2


async def test_sighup_keeps_the_old_configuration_when_the_file_is_bad(tmp_path: Path) -> None:
    async with served(tmp_path) as here, bare(here.port) as stream:
        await stream.send(GET)
        peer = await take_stream(here.upstream, 1, CHUNKED)
        await stream.read_until(EVENT)
        here.file.write_text('[mounts."/new"]\nprovider = "nobody"\nsurprise = 1\n')
        here.running.interrupt(signal.SIGHUP)
        line = await here.running.err_line("reload refused")
        assert "surprise" in line
        assert "nobody" in line
        here.upstream.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        assert await ask_status(here.port, "/up/x") == 200
        peer.send(EVENT + b"0\r\n\r\n")
        assert (await stream.read_until(b"\r\n0\r\n\r\n")).count(b"data: 1\n\n") == 2


async def ask_status(port: int, target: str) -> int:
    async with bare(port) as client:
        await client.send(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        return int((await client.read_until(b"\r\n\r\n")).split(b" ")[1])


async def test_the_process_leaves_no_connection_behind(tmp_path: Path) -> None:
    async with served(tmp_path) as here:
        here.upstream.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        assert await ask_status(here.port, "/up/x") == 200
        here.running.interrupt(signal.SIGTERM)
        assert (await here.running.finish()).code == 0
        await settle(lambda: not here.upstream.open)
