"""An answer that breaks off, stalls or dawdles behind its head: every byte is delivered, and the loss shows.

Chunks: no last one. A length, and a body up to the close: a reset behind the last byte, never a clean FIN.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from proxy.relay.outcome import EndReason, Phase
from tests.helpers.bare import BareClient, bare
from tests.helpers.origin import Origin, Peer, origin
from tests.helpers.service import RunningProxy, demo_upstream, mounted, running

GET = b"GET /up/x HTTP/1.%d\r\nHost: a\r\n\r\n"
SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = SSE + b"Transfer-Encoding: chunked\r\n\r\n"
LENGTH = SSE + b"Content-Length: 100000\r\n\r\n"
CLOSE = SSE + b"Connection: close\r\n\r\n"
EVENT = b"data: 1\n\n"
PART = EVENT * 3 + b"data: half an ev"

Rig = tuple[RunningProxy, Origin, BareClient]
Fault = Callable[[Peer], object]


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


@asynccontextmanager
async def rig(*, pull: bool, **limits: Any) -> AsyncIterator[Rig]:
    async with (
        origin() as upstream,
        running({**mounted(upstream.base_url), "limits": limits}, pull=pull) as proxy,
        bare(proxy.port) as client,
    ):
        yield proxy, upstream, client


async def begin(rigged: Rig, answer: bytes, *, minor: int = 1) -> tuple[Peer, bytes]:
    """One request and the beginning of its answer; returns what of it is the head on the client's side."""
    _, upstream, client = rigged
    await client.send(GET % minor)
    peer = await upstream.peer()
    await peer.until(b"\r\n\r\n")
    peer.send(answer)
    head, _, _ = (await client.read_until(b"half an ev")).partition(b"\r\n\r\n")
    return peer, head


ENDS: list[tuple[str, Fault]] = [("fin", Peer.fin), ("reset", Peer.reset)]


@pytest.mark.parametrize("end", [act for _, act in ENDS], ids=[name for name, _ in ENDS])
async def test_chunks_that_break_off_have_no_last_chunk(end: Fault, pull: bool) -> None:
    async with rig(pull=pull) as rigged:
        proxy, _, client = rigged
        peer, head = await begin(rigged, CHUNKED + chunk(PART))
        assert b"Transfer-Encoding: chunked" in head
        end(peer)
        body = (await client.read_to_end()).partition(b"\r\n\r\n")[2]
        assert body == chunk(PART)
        record = await proxy.wait_record()
        assert (record.end, record.error, record.status) == (EndReason.UPSTREAM_CUT, "upstream_cut", 200)
        assert (record.phase, record.bytes_down, record.events) == (Phase.STREAMING, len(PART), 3)


@pytest.mark.parametrize("end", [act for _, act in ENDS], ids=[name for name, _ in ENDS])
async def test_a_length_that_is_not_reached_ends_with_a_reset_behind_every_byte(end: Fault, pull: bool) -> None:
    async with rig(pull=pull) as rigged:
        proxy, _, client = rigged
        peer, head = await begin(rigged, LENGTH + PART)
        assert b"Content-Length: 100000" in head
        end(peer)
        assert (await client.read_to_end()).partition(b"\r\n\r\n")[2] == PART
        assert client.was_reset
        assert (await proxy.wait_record()).end is EndReason.UPSTREAM_CUT


@pytest.mark.parametrize("answer", [CHUNKED + chunk(PART), LENGTH + PART], ids=["chunked", "length"])
async def test_an_answer_to_http_1_0_that_breaks_off_ends_with_a_reset(answer: bytes, pull: bool) -> None:
    async with rig(pull=pull) as rigged:
        proxy, _, client = rigged
        peer, head = await begin(rigged, answer, minor=0)
        assert b"Transfer-Encoding" not in head
        peer.fin()
        assert (await client.read_to_end()).partition(b"\r\n\r\n")[2] == PART
        assert client.was_reset
        assert (await proxy.wait_record()).end is EndReason.UPSTREAM_CUT


async def test_a_reset_behind_a_body_up_to_the_close_is_no_end_of_it(pull: bool) -> None:
    async with rig(pull=pull) as rigged:
        proxy, _, client = rigged
        peer, _ = await begin(rigged, CLOSE + PART)
        peer.reset()
        assert (await client.read_to_end()).partition(b"\r\n\r\n")[2] == chunk(PART)
        assert (await proxy.wait_record()).end is EndReason.UPSTREAM_CUT


async def test_the_close_is_the_end_of_a_body_without_framing(pull: bool) -> None:
    async with rig(pull=pull) as rigged:
        proxy, _, client = rigged
        peer, _ = await begin(rigged, CLOSE + PART)
        peer.fin()
        body = (await client.read_until(b"0\r\n\r\n")).partition(b"\r\n\r\n")[2]
        assert body == chunk(PART) + b"0\r\n\r\n"
        assert (await proxy.wait_record()).end is EndReason.DONE


async def test_a_bad_chunk_size_is_a_cut_and_closes_upstream(pull: bool) -> None:
    async with rig(pull=pull) as rigged:
        proxy, _, client = rigged
        peer, _ = await begin(rigged, CHUNKED + chunk(PART))
        peer.send(b"no-size\r\n")
        assert (await client.read_to_end()).partition(b"\r\n\r\n")[2] == chunk(PART)
        await peer.wait_closed(1.0)
        assert (await proxy.wait_record()).end is EndReason.UPSTREAM_CUT


@pytest.mark.parametrize("query", ["", "&length=short"], ids=["chunked", "length"])
async def test_a_cut_at_an_exact_byte_delivers_exactly_so_many(query: str, pull: bool) -> None:
    async with demo_upstream() as upstream, running(mounted(upstream), pull=pull) as proxy, bare(proxy.port) as client:
        target = f"/up/clock?every=0&size=9000&n=20&cut_bytes=65536{query}"
        await client.send(f"GET {target} HTTP/1.0\r\nHost: a\r\n\r\n".encode())
        body = (await client.read_to_end()).partition(b"\r\n\r\n")[2]
        assert len(body) == 65536
        assert client.was_reset
        assert (await proxy.wait_record()).bytes_down == 65536


async def test_an_answer_in_slices_of_one_byte_arrives_whole(pull: bool) -> None:
    async with demo_upstream() as upstream, running(mounted(upstream), pull=pull) as proxy, bare(proxy.port) as client:
        await client.send(b"GET /up/clock?every=0&n=5&slice=1 HTTP/1.0\r\nHost: a\r\n\r\n")
        body = (await client.read_to_end()).partition(b"\r\n\r\n")[2]
        assert not client.was_reset
        assert body.count(b"event: tick") == 5
        record = await proxy.wait_record()
        assert (record.end, record.events, record.bytes_down) == (EndReason.DONE, 5, len(body))


async def test_an_upstream_that_is_slow_to_close_delays_nothing(pull: bool) -> None:
    async with rig(pull=pull) as rigged:
        proxy, upstream, client = rigged
        await client.send(GET % 1)
        peer = await upstream.peer()
        await peer.until(b"\r\n\r\n")
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")  # and no FIN
        await client.read_until(b"\r\n\r\nok")
        assert (await proxy.wait_record(within=1.0)).end is EndReason.DONE
        await peer.wait_closed(1.0)


@pytest.mark.parametrize("answer", [CHUNKED + chunk(PART), LENGTH + PART], ids=["chunked", "length"])
async def test_silence_in_a_stream_ends_it_after_idle(answer: bytes, pull: bool) -> None:
    async with rig(pull=pull, idle="1s") as rigged:
        proxy, _, client = rigged
        begun = time.monotonic()
        peer, _ = await begin(rigged, answer)
        await client.read_to_end()
        assert client.was_reset is (answer != CHUNKED + chunk(PART))
        assert not client.received.endswith(b"0\r\n\r\n")
        assert 1.0 <= await peer.wait_closed() - begun < 2.0
        assert (await proxy.wait_record()).end is EndReason.IDLE


async def test_an_upstream_that_dawdles_is_not_idle(pull: bool) -> None:
    async with rig(pull=pull, idle="500ms") as rigged:
        proxy, _, client = rigged
        peer, _ = await begin(rigged, CHUNKED + chunk(PART))
        for _ in range(8):
            await asyncio.sleep(0.2)  # the pace of this upstream is what is tried
            peer.send(chunk(b"x"))
        peer.send(b"0\r\n\r\n")
        await client.read_until(b"0\r\n\r\n")
        assert (await proxy.wait_record()).end is EndReason.DONE


async def test_a_heartbeat_fills_silence_at_event_boundaries_only(pull: bool) -> None:
    async with origin() as upstream:
        config = mounted(upstream.base_url, heartbeat="250ms")
        async with running({**config, "limits": {"idle": "30s"}}, pull=pull) as proxy, bare(proxy.port) as client:
            await client.send(GET % 1)
            peer = await upstream.peer()
            await peer.until(b"\r\n\r\n")
            peer.send(CHUNKED + chunk(EVENT))
            await client.read_until(chunk(b": keepalive\n"))
            peer.send(chunk(b"data: ha"))
            await client.read_until(chunk(b"data: ha"))
            seen = len(client.received)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.read_some(), 0.8)  # silence within an event stays silence
            assert len(client.received) == seen
            peer.send(chunk(b"lf\n\n") + b"0\r\n\r\n")
            await client.read_until(b"0\r\n\r\n")
            record = await proxy.wait_record()
            assert record.heartbeats >= 1
            assert (record.end, record.events, record.bytes_down) == (EndReason.DONE, 2, len(EVENT + b"data: half\n\n"))


async def test_an_error_event_within_a_stream_passes_untouched(pull: bool) -> None:
    events = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error"}}\n\n'
    async with rig(pull=pull) as rigged:
        proxy, _, client = rigged
        await begin(rigged, CHUNKED + chunk(PART))
        (await rigged[1].peer()).send(chunk(events) + b"0\r\n\r\n")
        received = await client.read_until(b"0\r\n\r\n")
        assert received.endswith(chunk(events) + b"0\r\n\r\n")
        assert (await proxy.wait_record()).end is EndReason.DONE
