"""Kept connections of a process that ends: whoever asks on one has an answer, and is told that it is the last."""

import asyncio
import signal
from pathlib import Path

from tests.e2e.test_drain import CHUNKED, EVENT, GET, LOOP, served, take_stream, wait_refusal, write_config
from tests.helpers.bare import bare
from tests.helpers.command import started
from tests.helpers.managed import passing

ASK = b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n"  # answered by the proxy itself
LAST = b"\r\nConnection: close\r\n"


async def test_a_connection_whose_stream_outlived_the_signal_has_one_more_answer(tmp_path: Path) -> None:
    async with served(tmp_path) as here, bare(here.port) as other, bare(here.port) as client:
        await other.send(GET)
        still = await take_stream(here.upstream, 1, CHUNKED)
        await client.send(GET)
        peer = await take_stream(here.upstream, 2, CHUNKED)
        await client.read_until(EVENT)
        here.running.interrupt(signal.SIGTERM)
        await here.running.err_line("draining, 2 streams")
        await asyncio.sleep(1.5)  # what a drain once gave to those that were late
        peer.send(b"0\r\n\r\n")
        assert LAST not in await client.read_until(b"\r\n0\r\n\r\n")
        client.received.clear()
        await client.send(ASK)
        answer = await client.read_to_end()
        assert answer.startswith(b"HTTP/1.1 404 ")
        assert LAST in answer
        assert not client.was_reset
        still.send(b"0\r\n\r\n")
        assert (await here.running.finish()).code == 0


async def test_a_pipeline_is_answered_as_far_as_it_had_come_and_not_reset(tmp_path: Path) -> None:
    async with served(tmp_path) as here, bare(here.port) as client:
        await client.send(GET + ASK + ASK)
        peer = await take_stream(here.upstream, 1, CHUNKED)
        await client.read_until(EVENT)
        here.running.interrupt(signal.SIGTERM)
        await here.running.err_line("draining, 1 streams")
        await client.send(ASK * 50)  # nobody will answer these
        peer.send(b"0\r\n\r\n")
        await client.read_until(LAST)
        for _ in range(20):
            await client.send(ASK * 50)
        answers = await client.read_to_end()
        assert answers.count(b"HTTP/1.1 404 ") == 2
        assert answers.count(LAST) == 1
        assert answers.rpartition(b"HTTP/1.1 ")[2].count(LAST) == 1
        assert not client.was_reset
        client.leave()
        assert (await here.running.finish()).code == 0


async def test_an_idle_connection_is_kept_for_a_while_and_then_closed_without_a_reset(tmp_path: Path) -> None:
    async with (
        served(tmp_path) as here,
        bare(here.port) as silent,
        bare(here.port) as idle,
        bare(here.port) as late,
        bare(here.port) as begun,
    ):
        for client in (idle, late):
            await client.send(ASK)
            await client.read_until(b"}")
            client.received.clear()
        await begun.send(ASK[:-10])
        here.running.interrupt(signal.SIGTERM)
        await here.running.err_line("draining")
        await wait_refusal(here.port)
        await asyncio.sleep(0.5)
        await late.send(ASK)
        answer = await late.read_to_end()
        assert answer.startswith(b"HTTP/1.1 404 ")
        assert LAST in answer
        for client in (idle, silent):
            assert await client.read_to_end() == b""
            await client.send(ASK)  # it crossed the close, for all that this client knows
            assert not client.was_reset
        await begun.send(ASK[-10:])
        assert (await begun.read_to_end()).startswith(b"HTTP/1.1 404 ")
        for client in (silent, idle, late, begun):
            client.leave()
        assert (await here.running.finish()).code == 0


async def test_where_others_serve_on_the_same_socket_it_is_kept_for_as_long_as_clients_use_one(tmp_path: Path) -> None:
    file = tmp_path / "penstock.toml"
    write_config(file, "http://127.0.0.1:1", limits='drain = "6s"')  # half of it is the longest grace
    command = passing(("127.0.0.1", "http"))
    async with started("serve", "--config", str(file), "--loop", LOOP, command=command) as running:
        port = int(await running.out_line())
        await running.err_line("listening on")
        async with bare(port) as client:
            await client.send(ASK)
            await client.read_until(b"}")
            client.received.clear()
            running.interrupt(signal.SIGTERM)
            await running.err_line("draining")
            await asyncio.sleep(1.8)
            await client.send(ASK)
            answer = await client.read_to_end()
            assert answer.startswith(b"HTTP/1.1 404 ")
            assert LAST in answer
        assert (await running.finish()).code == 0
