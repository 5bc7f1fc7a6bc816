"""Back pressure, both ways: who does not read pauses who sends, nothing is lost, and nobody is waited for for ever."""

import asyncio
import hashlib
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from proxy.relay.outcome import EndReason
from tests.helpers.bare import BareClient, bare, settle, stand_still
from tests.helpers.command import started
from tests.helpers.origin import Origin, Peer, origin
from tests.helpers.prompt import assert_within, timed
from tests.helpers.service import RunningProxy, mounted, running

SIZE = 48 * 1024 * 1024  # bytes; several times what the kernel's buffers on both hops can hold
UPLOAD = 31 * 1024 * 1024  # bytes; just below the default of `max_body`
KERNEL = 24 * 1024 * 1024  # bytes that four socket buffers may take (net.ipv4.tcp_rmem and tcp_wmem, twice)
BODY = hashlib.shake_128(b"penstock").digest(1021) * (SIZE // 1021 + 1)  # no period that a buffer's size divides

GET = b"GET /up/x HTTP/1.1\r\nHost: a\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n"
STALL = 1.0  # seconds
SLACK = 1.0  # seconds: ticks of 0.25 s, and a busy machine


@asynccontextmanager
async def in_front_of(upstream: Origin, *, pull: bool, **limits: Any) -> AsyncIterator[RunningProxy]:
    async with running({**mounted(upstream.base_url), "limits": limits}, pull=pull) as proxy:
        yield proxy


@dataclass(frozen=True)
class Flood:
    """A whole answer of SIZE bytes, sent by `peer` as fast as it is taken, to a client that has asked and not read."""

    proxy: RunningProxy
    client: BareClient
    peer: Peer
    pouring: "asyncio.Task[None]"


@asynccontextmanager
async def flooded(*, pull: bool, receive_buffer: int = 65536, **limits: Any) -> AsyncIterator[Flood]:
    async with (
        origin() as upstream,
        in_front_of(upstream, pull=pull, **limits) as proxy,
        bare(proxy.port, receive_buffer=receive_buffer) as client,
    ):
        await client.send(GET)
        peer = await upstream.peer()
        await peer.until(b"\r\n\r\n")
        peer.send(HEAD % SIZE)
        yield Flood(proxy, client, peer, asyncio.create_task(peer.pour(BODY[:SIZE])))


async def test_a_client_that_stops_reading_pauses_upstream_and_then_gets_every_byte(pull: bool) -> None:
    async with flooded(pull=pull) as flood:
        taken = await stand_still(flood.peer.count_taken)
        assert taken < KERNEL < SIZE
        await flood.client.read_until(b"\r\n\r\n")
        head, _, _ = bytes(flood.client.received).partition(b"\r\n\r\n")
        length = len(head) + 4 + SIZE
        async with asyncio.timeout(30):
            while len(flood.client.received) < length:
                assert await flood.client.read_some(1 << 20)
        assert flood.client.received[len(head) + 4 :] == BODY[:SIZE]
        await flood.pouring
        assert (await flood.proxy.wait_record()).end is EndReason.DONE


async def test_what_a_client_does_not_read_is_left_to_its_upstream_but_for_little(pull: bool) -> None:
    """The kernel would take megabytes, in one go: of hundreds of such clients everybody else would notice."""
    async with flooded(pull=pull) as flood:
        (scope,) = flood.proxy.penstock.streams.list_scopes()
        await settle(lambda: scope.look is not None and scope.look().bytes > 0)
        assert scope.look is not None
        assert await stand_still(lambda: scope.look().bytes) < 2**20  # type: ignore[misc]
        flood.pouring.cancel()


@timed
async def test_a_client_that_reads_nothing_is_cut_after_write_stall(pull: bool) -> None:
    async with flooded(pull=pull, write_stall="1s") as flood:
        await stand_still(flood.peer.count_taken, 0.3)
        record = await flood.proxy.wait_record(within=STALL + SLACK)
        ended = time.monotonic()
        assert record.end is EndReason.WRITE_STALL
        assert_within(0.1, await flood.peer.wait_closed() - ended)
        await flood.client.read_to_end()
        assert flood.client.was_reset, "a body with a length that broke off must not end with a FIN"
        assert len(flood.client.received) < SIZE
        await asyncio.wait([flood.pouring])
        assert isinstance(flood.pouring.exception(), ConnectionResetError)


async def test_a_client_that_reads_slowly_but_steadily_is_not_cut() -> None:
    """Its kernel takes data in large steps: between two of them it still reads, and that has to count."""
    async with flooded(pull=False, write_stall="1s", receive_buffer=262144) as flood:
        await stand_still(flood.peer.count_taken, 0.2)
        until = time.monotonic() + 3 * STALL
        while time.monotonic() < until:
            assert await flood.client.read_some(32768), "the connection ended while its client was reading"
            await asyncio.sleep(0.05)  # the pace of this client is what is tried
        assert flood.proxy.records == []
        flood.client.leave("rst")
        await asyncio.wait([flood.pouring])
        assert isinstance(flood.pouring.exception(), ConnectionResetError)


async def test_a_paused_upstream_is_not_taken_for_a_silent_one(pull: bool) -> None:
    async with flooded(pull=pull, idle="500ms", write_stall="20s") as flood:
        await stand_still(flood.peer.count_taken, 1.2)
        assert flood.proxy.records == []
        flood.client.leave("rst")
        await asyncio.wait([flood.pouring])
        assert isinstance(flood.pouring.exception(), ConnectionResetError)


async def test_an_upstream_that_stops_reading_pauses_the_client_and_then_gets_every_byte(pull: bool) -> None:
    async with (
        origin(receive_buffer=65536) as upstream,
        in_front_of(upstream, pull=pull) as proxy,
        bare(proxy.port) as client,
    ):
        await client.send(b"POST /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % UPLOAD + BODY[:100])
        peer = await upstream.peer()
        begun = (await peer.until(BODY[:100])).index(BODY[:100])
        peer.transport.pause_reading()
        sent = 100

        async def upload() -> None:
            nonlocal sent
            while sent < UPLOAD:
                await client.send(BODY[sent : sent + 65536][: UPLOAD - sent])
                sent = min(sent + 65536, UPLOAD)

        uploading = asyncio.create_task(upload())
        assert await stand_still(lambda: sent) < KERNEL
        peer.transport.resume_reading()
        await uploading
        await peer.wait_length(begun + UPLOAD)
        assert peer.received[begun:] == BODY[:UPLOAD]
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await client.read_until(b"\r\n\r\nok")
        record = await proxy.wait_record()
        assert (record.end, record.bytes_up) == (EndReason.DONE, UPLOAD)


async def test_an_upstream_that_reads_nothing_is_given_up_after_first_byte(pull: bool) -> None:
    async with (
        origin(receive_buffer=65536) as upstream,
        in_front_of(upstream, pull=pull, first_byte="500ms") as proxy,
        bare(proxy.port) as client,
    ):
        await client.send(b"POST /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % UPLOAD)
        peer = await upstream.peer()
        peer.transport.pause_reading()
        uploading = asyncio.create_task(client.send(BODY[:UPLOAD]))
        await client.read_until(b"\r\n\r\n")
        assert client.received.startswith(b"HTTP/1.1 504 ")
        assert (await proxy.wait_record()).end is EndReason.FIRST_BYTE
        uploading.cancel()
        await asyncio.wait([uploading])
        peer.transport.resume_reading()
        await peer.wait_closed(1.0)


STREAMS = 30
LAUNCH = (
    "import sys; from proxy.upstream import handler; from proxy.cli import main\n"
    "if sys.argv.pop(1) == 'pull': handler.is_supported = lambda: False\n"
    "sys.exit(main(sys.argv[1:]))"
)


@pytest.mark.long
@pytest.mark.parametrize("way", ["push", "pull"])
async def test_a_stalled_stream_costs_at_most_a_megabyte(way: str, tmp_path: Path) -> None:
    """In a process of its own: what test and upstream hold is none of the proxy's."""
    async with origin() as upstream:
        file = tmp_path / "penstock.toml"
        file.write_text(
            '[server]\nlisten = ["127.0.0.1:0"]\nadmin = "off"\n[log]\nformat = "text"\n'
            f'[providers.up]\ndialect = "raw"\nbase_url = "{upstream.base_url}"\n'
            '[mounts."/up"]\nprovider = "up"\nauth = "none"\n'
        )
        loop = os.environ.get("PENSTOCK_TEST_LOOP", "uvloop")
        command = (sys.executable, "-c", LAUNCH, way)
        async with started("serve", "--config", str(file), "--loop", loop, command=command) as process:
            port = int((await process.err_line("listening on")).rpartition(":")[2])
            await stall(upstream, port, 2)
            before = read_memory(process.process.pid)
            await stall(upstream, port, STREAMS, process.process.pid, before)


async def stall(upstream: Origin, port: int, count: int, pid: int = 0, before: int = 0) -> None:
    """Open streams that nobody reads until nothing moves; with a `pid`, look at what they cost it."""
    clients, pouring, known = [], [], len(upstream.peers)
    contexts = [bare(port, receive_buffer=65536) for _ in range(count)]
    try:
        for context in contexts:
            client = await context.__aenter__()
            clients.append(client)
            await client.send(GET)
        peers = [await upstream.peer(known + number + 1) for number in range(count)]
        for peer in peers:
            await peer.until(b"\r\n\r\n")
            peer.send(HEAD % SIZE)
            pouring.append(asyncio.create_task(peer.pour(BODY[:SIZE], 1 << 18)))
        await stand_still(lambda: sum(peer.count_taken() for peer in peers), within=30)
        if pid:
            per_stream = (read_memory(pid) - before) / count
            assert per_stream < 1 << 20
    finally:
        for context in contexts[: len(clients)]:
            await context.__aexit__(None, None, None)
        for peer in upstream.open:
            peer.transport.abort()
        await asyncio.gather(*pouring, return_exceptions=True)
        await settle(lambda: not upstream.open)


def read_memory(pid: int) -> int:
    """Resident bytes of a process."""
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * 4096
