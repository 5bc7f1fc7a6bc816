"""A client that leaves, in every phase: its upstream connection is closed within 100 ms, and nothing stays behind."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from proxy.relay.outcome import EndReason, Phase
from tests.helpers.bare import (
    BareClient,
    bare,
    black_hole,
    count_connecting,
    count_descriptors,
    no_new_tasks,
    settle,
)
from tests.helpers.certificates import Authority
from tests.helpers.origin import Origin, Peer, origin
from tests.helpers.prompt import assert_within, timed
from tests.helpers.rawhttp import fetch
from tests.helpers.service import RunningProxy, mounted, running

PROMISE = 0.1  # seconds

GET = b"GET /up/x HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n123"
CHUNKED_POST = b"POST /up/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n123\r\n"
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n"
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture(params=["fin", "rst"])
def how(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@asynccontextmanager
async def in_front_of(upstream: Origin, authority: Authority, *, pull: bool) -> AsyncIterator[RunningProxy]:
    config = mounted(upstream.base_url)
    if upstream.base_url.startswith("https"):
        config["providers"]["up"]["ca_file"] = authority.ca_file
    async with running(config, pull=pull) as proxy:
        yield proxy


async def reach(phase: Phase, client: BareClient, upstream: Origin) -> Peer:
    """Bring one request to `phase`."""
    if phase is Phase.UPLOADING:
        await client.send(CHUNKED_POST)
        peer = await upstream.peer()
        await peer.until(b"123")
        return peer
    await client.send(GET)
    peer = await upstream.peer()
    await peer.until(b"\r\n\r\n")
    if phase is Phase.STREAMING:
        peer.send(STREAM)
        await client.read_until(b"data: 1\n\n")
    return peer


def assert_calm(caplog: pytest.LogCaptureFixture) -> None:
    assert [record.getMessage() for record in caplog.records if record.levelno > logging.INFO] == []


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("phase", [Phase.UPLOADING, Phase.WAITING, Phase.STREAMING], ids=lambda phase: phase.value)
@timed
async def test_upstream_is_closed_at_once_when_the_client_leaves(
    phase: Phase, tls: bool, how: str, pull: bool, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        origin(authority.context() if tls else None) as upstream,
        in_front_of(upstream, authority, pull=pull) as proxy,
        bare(proxy.port) as client,
    ):
        before = asyncio.all_tasks()
        peer = await reach(phase, client, upstream)
        left = client.leave(how)
        assert_within(PROMISE, await peer.wait_closed() - left)
        record = await proxy.wait_record()
        assert (record.end, record.phase) == (EndReason.CLIENT_GONE, phase)
        await no_new_tasks(before)
        assert len(proxy.penstock.ticker) == 0
        assert len(upstream.peers) == 1
    assert_calm(caplog)


@timed
async def test_upload_of_known_length_is_cut_when_the_client_leaves(
    how: str, pull: bool, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        origin() as upstream,
        in_front_of(upstream, authority, pull=pull) as proxy,
        bare(proxy.port) as client,
    ):
        await client.send(POST)
        peer = await upstream.peer()
        await peer.until(b"\r\n\r\n123")
        left = client.leave(how)
        assert_within(PROMISE, await peer.wait_closed() - left)
        record = await proxy.wait_record()
        assert (record.end, record.phase, record.bytes_up) == (EndReason.CLIENT_GONE, Phase.UPLOADING, 3)
    assert_calm(caplog)


@timed
async def test_a_connection_attempt_is_given_up_when_the_client_leaves(
    how: str, pull: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        black_hole() as port,
        running(mounted(f"http://127.0.0.1:{port}"), pull=pull) as proxy,
    ):
        await fetch(proxy.port, "/none")  # libuv opens a descriptor of its own with a loop's first stream
        await proxy.wait_unconnected()
        others, descriptors, before = count_connecting(port), count_descriptors(), asyncio.all_tasks()
        async with bare(proxy.port) as client:
            await client.send(GET)
            await settle(lambda: count_connecting(port) > others)
            left = client.leave(how)
            # The client's socket, the accepted one and the one that connects; cheaper to count than the kernel's table.
            await settle(lambda: count_descriptors() <= descriptors)
            assert_within(PROMISE, time.monotonic() - left)
        assert count_connecting(port) == others
        record = await proxy.wait_record(2)
        assert (record.end, record.phase) == (EndReason.CLIENT_GONE, Phase.WAITING)
        await no_new_tasks(before)
    assert_calm(caplog)


@timed
async def test_a_tls_handshake_that_stalls_is_given_up_when_the_client_leaves(
    how: str, pull: bool, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    async with origin() as upstream:
        upstream.base_url = upstream.base_url.replace("http:", "https:")
        async with in_front_of(upstream, authority, pull=pull) as proxy, bare(proxy.port) as client:
            before = asyncio.all_tasks()
            await client.send(GET)
            peer = await upstream.peer()
            await peer.until(b"\x16\x03")  # the ClientHello, which stays without an answer
            left = client.leave(how)
            assert_within(PROMISE, await peer.wait_closed() - left)
            record = await proxy.wait_record()
            assert (record.end, record.phase) == (EndReason.CLIENT_GONE, Phase.WAITING)
            await no_new_tasks(before)
    assert_calm(caplog)


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
async def test_a_client_that_leaves_after_the_end_takes_nothing_away(
    tls: bool, how: str, pull: bool, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        origin(authority.context() if tls else None) as upstream,
        in_front_of(upstream, authority, pull=pull) as proxy,
    ):
        upstream.answer = WHOLE
        before = asyncio.all_tasks()
        for _ in range(3):
            async with bare(proxy.port) as client:
                await client.send(GET)
                await client.read_until(b"\r\n\r\nok")
                client.leave(how)
        assert [(await proxy.wait_record(number)).end for number in (1, 2, 3)] == [EndReason.DONE] * 3
        await no_new_tasks(before)
        assert len(upstream.peers) == 1, "the connection was sound and has to be used again"
    assert_calm(caplog)


@timed
async def test_a_client_that_leaves_behind_unread_data_is_noticed(
    how: str, pull: bool, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    """The upstream is paused then, so nothing that it does can give the client away."""
    async with (
        origin() as upstream,
        in_front_of(upstream, authority, pull=pull) as proxy,
        bare(proxy.port, receive_buffer=16384) as client,
    ):
        before = asyncio.all_tasks()
        peer = await reach(Phase.STREAMING, client, upstream)
        peer.send(b"%x\r\n" % 2**25)
        pouring = asyncio.ensure_future(peer.pour(bytes(2**25)))
        await settle(lambda: next(iter(proxy.penstock.ticker._watched))._holding)  # type: ignore[attr-defined]
        left = client.leave(how)
        assert_within(PROMISE, await peer.wait_closed() - left)
        assert (await proxy.wait_record()).end is EndReason.CLIENT_GONE
        await asyncio.wait([pouring])
        assert isinstance(pouring.exception(), ConnectionResetError)
        await no_new_tasks(before)
    assert_calm(caplog)


async def test_an_upload_that_upstream_does_not_read_ends_with_the_client(
    how: str, pull: bool, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    """The client's socket is paused then, so its end has to be looked for: at the next tick, not within the promise."""
    async with (
        origin(receive_buffer=16384) as upstream,
        in_front_of(upstream, authority, pull=pull) as proxy,
        bare(proxy.port) as client,
    ):
        before = asyncio.all_tasks()
        await client.send(b"POST /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: 33554432\r\n\r\n")
        peer = await upstream.peer()
        peer.transport.pause_reading()
        (connection,) = proxy.penstock.runner.server.connections
        while not connection._reading_paused:
            await client.send(bytes(16384))
            await settle(lambda: not client.count_undelivered())
        await client.send(bytes(16384))  # and this waits in the kernel, in front of the FIN
        client.leave(how)
        record = await proxy.wait_record(within=1.0)
        assert (record.end, record.phase) == (EndReason.CLIENT_GONE, Phase.UPLOADING)
        await no_new_tasks(before)
    assert_calm(caplog)
