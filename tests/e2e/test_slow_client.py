"""A client that dawdles over its request: 408, a closed connection, and of a head that never ends nothing goes up."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from proxy.edge import upload
from proxy.relay.outcome import EndReason
from tests.helpers.bare import BareClient, bare
from tests.helpers.origin import Origin, origin
from tests.helpers.service import RunningProxy, mounted, running


@asynccontextmanager
async def rig(*, pull: bool = False, **limits: Any) -> AsyncIterator[tuple[RunningProxy, Origin, BareClient]]:
    async with (
        origin() as upstream,
        running({**mounted(upstream.base_url), "limits": limits}, pull=pull) as proxy,
        bare(proxy.port) as client,
    ):
        yield proxy, upstream, client


@pytest.mark.parametrize("dripping", [False, True], ids=["silent", "dripping"])
async def test_a_head_that_does_not_end_in_time_is_408(dripping: bool) -> None:
    async with rig(head_timeout="1s") as (proxy, upstream, client):
        begun = time.monotonic()
        await client.send(b"GET /up/x HTTP/1.1\r\nHost: a\r\nX-Slow: ")

        async def drip() -> None:
            while True:
                await client.send(b"x")
                await asyncio.sleep(0.1)  # an attacker's pace is what is tried

        dripper = asyncio.create_task(drip()) if dripping else None
        answer = await client.read_until(b"\r\n\r\n")
        assert 1.0 <= time.monotonic() - begun < 2.0
        if dripper is not None:
            dripper.cancel()
            await asyncio.wait([dripper])
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"Connection: close" in answer
        assert b'"request_timeout"' in await client.read_to_end()
        record = await proxy.wait_record()
        assert (record.end, record.status, record.error) == (EndReason.REFUSED, 408, "request_timeout")
        assert upstream.peers == []


async def test_an_idle_connection_is_no_slow_head() -> None:
    async with rig(head_timeout="500ms") as (proxy, upstream, client):
        upstream.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.read_some(), 0.9)
        for number in (1, 2):
            await client.send(b"GET /up/x HTTP/1.1\r\nHost: a\r\n\r\n")
            await client.read_until(b"\r\n\r\nok")
            client.received.clear()
            assert (await proxy.wait_record(number)).end is EndReason.DONE
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.read_some(), 0.9)


@pytest.mark.parametrize("framing", ["Content-Length: 9", "Transfer-Encoding: chunked"])
async def test_a_body_that_pauses_too_long_is_408_and_closes_upstream(framing: str, pull: bool) -> None:
    async with rig(pull=pull, body_idle="1s") as (proxy, upstream, client):
        begun = time.monotonic()
        part = "123" if "Length" in framing else "3\r\n123\r\n"
        await client.send(f"POST /up/x HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n{part}".encode())
        peer = await upstream.peer()
        await peer.until(b"123")
        answer = await client.read_until(b"\r\n\r\n")
        assert 1.0 <= time.monotonic() - begun < 2.0
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"Connection: close" in answer
        await peer.wait_closed(1.0)
        assert not peer.received.endswith(b"0\r\n\r\n"), "upstream must not take the part for the whole"
        record = await proxy.wait_record()
        assert (record.end, record.status, record.error) == (EndReason.REFUSED, 408, "request_timeout")


async def test_a_body_below_the_minimum_rate_is_408(pull: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "RATE_GRACE", 0.5)
    monkeypatch.setattr(upload, "RATE_WINDOW", 0.5)
    async with rig(pull=pull, body_rate="64B") as (proxy, upstream, client):
        await client.send(b"POST /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: 999\r\n\r\n")

        async def drip() -> None:
            while True:
                await client.send(b"x")
                await asyncio.sleep(0.1)  # 10 bytes a second, never silent for long

        dripper = asyncio.create_task(drip())
        answer = await client.read_until(b"\r\n\r\n")
        dripper.cancel()
        await asyncio.wait([dripper])
        assert answer.startswith(b"HTTP/1.1 408 ")
        await (await upstream.peer()).wait_closed(1.0)
        assert (await proxy.wait_record()).error == "request_timeout"


async def test_a_slow_body_above_the_minimum_rate_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "RATE_GRACE", 0.3)
    monkeypatch.setattr(upload, "RATE_WINDOW", 0.5)
    async with rig(body_rate="64B") as (proxy, upstream, client):
        await client.send(b"POST /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: 320\r\n\r\n")
        for _ in range(20):
            await client.send(b"x" * 16)
            await asyncio.sleep(0.1)  # 160 bytes a second
        peer = await upstream.peer()
        await peer.until(b"x" * 320)
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await client.read_until(b"\r\n\r\nok")
        assert (await proxy.wait_record()).end is EndReason.DONE
