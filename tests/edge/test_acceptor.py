"""Listeners: a few at a time, a seat each, a constant answer to who gets none, and patience without descriptors."""

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from proxy.config.load import build_config
from proxy.edge import acceptor, connections
from proxy.edge.acceptor import BURST, AcceptingSite
from proxy.edge.connections import Reason
from tests.helpers.bare import BareClient, bare, settle
from tests.helpers.origin import Origin, origin
from tests.helpers.rawhttp import connected
from tests.helpers.service import RunningProxy, mounted, running

ASK = b"GET /none HTTP/1.1\r\nHost: a\r\n\r\n"


def limited(upstream: Origin | str = "http://127.0.0.1:1", **limits: Any) -> dict[str, Any]:
    base_url = upstream if isinstance(upstream, str) else upstream.base_url
    return {**mounted(base_url), "limits": limits}


async def ask(client: BareClient) -> bytes:
    """The answer, of a connection that is kept."""
    client.received.clear()
    await client.send(ASK)
    return await client.read_until(b'"request_id"')


@pytest.mark.parametrize(
    ("limits", "reason"),
    [({"connections": 2}, Reason.TOTAL), ({"connections_per_address": 2}, Reason.ADDRESS)],
)
async def test_who_gets_no_seat_is_told_to_come_again(limits: dict[str, int], reason: Reason) -> None:
    async with running(limited(**limits)) as proxy, AsyncExitStack() as stack:
        first, second = [await stack.enter_async_context(bare(proxy.port)) for _ in range(2)]
        assert b" 404 " in await ask(first)
        assert b" 404 " in await ask(second)
        async with connected("127.0.0.1", proxy.port) as third:
            reply = await third.reply()  # without having asked
            assert (reply.status, reply.json["error"]["code"]) == (503, "too_many_connections")
            assert (reply.headers["retry-after"], reply.headers["connection"]) == ("1", "close")
            assert await third.rest() == b""
        assert b" 404 " in await ask(first)
        assert proxy.penstock.connections.refused == {reason: 1}
        second.leave()
        await settle(lambda: len(proxy.penstock.connections) == 1)
        async with bare(proxy.port) as fourth:
            assert b" 404 " in await ask(fourth)


async def test_who_sends_all_the_same_gets_the_answer_and_no_reset() -> None:
    async with running(limited(connections=1)) as proxy, bare(proxy.port) as first:
        await ask(first)
        async with bare(proxy.port) as refused:
            await refused.send(b"POST /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n" + bytes(60_000))
            assert b"too_many_connections" in await refused.read_to_end()
            assert not refused.was_reset


async def test_refused_connections_do_not_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acceptor, "_LINGERING", 2)
    monkeypatch.setattr(acceptor, "_LINGER", 0.1)
    async with running(limited(connections=1)) as proxy, bare(proxy.port) as first, AsyncExitStack() as stack:
        await ask(first)
        refused = [await stack.enter_async_context(bare(proxy.port)) for _ in range(6)]
        for client in refused:
            assert b"503" in await client.read_to_end()
        # Whoever writes to a socket that is closed whole learns it by a reset.
        for client in refused:
            await client.send(b"x")
        for client in refused:
            await settle(lambda client=client: bool(client.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)))


async def test_who_waits_gives_way_to_who_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "PATIENCE", 0.0)
    async with origin() as up, running(limited(up, connections=3)) as proxy, AsyncExitStack() as stack:
        enter = stack.enter_async_context
        busy, idle, slow = await enter(bare(proxy.port)), await enter(bare(proxy.port)), await enter(bare(proxy.port))
        await ask(idle)
        await busy.send(b"GET /up/x HTTP/1.1\r\nHost: a\r\n\r\n")
        peer = await up.peer()
        await peer.until(b"\r\n\r\n")
        await slow.send(b"GET / HTTP/1.1\r\nX")
        await settle(lambda: len(proxy.penstock.ticker) > 1)
        async with bare(proxy.port) as fourth:
            await ask(fourth)
            assert await slow.read_to_end() == b""  # a head that does not end goes before who has been served
            async with bare(proxy.port) as fifth:
                await ask(fifth)
                assert b"404" in await idle.read_to_end()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        assert (await busy.read_until(b"\r\n\r\nok")).startswith(b"HTTP/1.1 200")
        assert (proxy.penstock.connections.evicted, proxy.penstock.connections.refused) == (2, {})


async def test_a_request_that_has_come_is_not_lost_to_who_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "PATIENCE", 0.0)
    async with running(limited(connections=1)) as proxy, bare(proxy.port) as first:
        await ask(first)
        first.received.clear()
        with socket.create_connection(("127.0.0.1", proxy.port)):  # nothing of this is seen before the next turn
            first.sock.send(ASK)
            assert b" 404 " in await first.read_until(b'"request_id"')
        assert (proxy.penstock.connections.evicted, proxy.penstock.connections.refused) == (0, {Reason.TOTAL: 1})


async def test_the_operator_comes_in_whatever_happens() -> None:
    async with running(limited(connections=1)) as proxy, bare(proxy.port) as caller:
        await ask(caller)
        async with bare(proxy.admin_port) as operator:
            await operator.send(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            page = (await operator.read_to_end()).decode()
        assert "\npenstock_connections 1.0\n" in page
        assert '\npenstock_connections_refused_total{reason="connections_per_address"} 0.0\n' in page
        assert "\npenstock_memory_short 0.0\n" in page


@pytest.mark.parametrize("how", ["fin", "rst"])
@pytest.mark.parametrize(
    "said",
    [b"", b"GET / HTTP/1.1\r\nX", b"POST /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx", ASK],
    ids=["silent", "in a head", "in a body", "answered"],
)
async def test_every_seat_is_given_back(said: bytes, how: str) -> None:
    async with origin() as up, running(limited(up)) as proxy, bare(proxy.port) as client:
        await client.send(said)
        await settle(lambda: len(proxy.penstock.connections) == 1)
        client.leave(how)
        await settle(lambda: len(proxy.penstock.connections) == 0)


async def test_limits_change_with_the_configuration() -> None:
    async with running(limited(connections=1)) as proxy, bare(proxy.port) as first, bare(proxy.port) as refused:
        await ask(first)
        assert b"503" in await refused.read_to_end()
        proxy.penstock.reload(build_config([("test", limited(connections=2))], {}))
        async with bare(proxy.port) as second:
            assert b" 404 " in await ask(second)


class Listener(socket.socket):
    """A listener that fails with `errors` first, and counts how often it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.errors: list[int] = []
        self.accepts = 0
        self.bind(("127.0.0.1", 0))

    def accept(self) -> Any:
        self.accepts += 1
        if self.errors:
            raise OSError(self.errors.pop(0), "")
        return super().accept()


@asynccontextmanager
async def listening(proxy: RunningProxy, *, shared: bool = False) -> AsyncIterator[tuple[AcceptingSite, Listener, int]]:
    """One more listener of the proxy. shared: others accept from it too, as from one that a service manager made."""
    listener = Listener()
    if shared:
        listener.listen()
    site = AcceptingSite(proxy.penstock.runner, listener)
    await site.start()
    yield site, listener, listener.getsockname()[1]
    await site.stop()


async def test_without_descriptors_nobody_is_accepted_for_a_while(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(acceptor, "PAUSE", 0.05)
    async with running(limited()) as proxy, listening(proxy) as (_, listener, port):
        listener.errors = [errno.EMFILE, errno.ENFILE, errno.ENOBUFS]
        with caplog.at_level(logging.WARNING):
            async with bare(port) as client:
                assert b" 404 " in await ask(client)
        assert listener.accepts <= 6  # one for each pause, and those that found nobody
        assert [text for text in caplog.messages if "accept" in text] == ["cannot accept connections: EMFILE"]


async def test_a_listener_that_closes_without_descriptors_is_not_heard_of_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(acceptor, "PAUSE", 0.05)
    async with running(limited()) as proxy:
        async with listening(proxy) as (_, listener, port):
            listener.errors = [errno.EMFILE] * 2
            async with bare(port):
                await settle(lambda: len(listener.errors) == 1)
        later = asyncio.Event()
        asyncio.get_running_loop().call_later(0.1, later.set)
        await later.wait()
    assert [record for record in caplog.records if record.name == "asyncio"] == []


async def test_without_descriptors_who_waits_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "PATIENCE", 0.0)
    monkeypatch.setattr(acceptor, "PAUSE", 0.01)
    async with running(limited()) as proxy, bare(proxy.port) as idle, listening(proxy) as (_, listener, port):
        await ask(idle)
        listener.errors = [errno.EMFILE]
        async with bare(port) as client:
            assert b" 404 " in await ask(client)
            await idle.read_to_end()


async def test_a_connection_that_was_lost_in_the_queue_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acceptor, "PAUSE", 3600.0)
    async with running(limited()) as proxy, listening(proxy) as (_, listener, port):
        listener.errors = [errno.ECONNABORTED, errno.EPROTO]
        async with bare(port) as client:
            assert b" 404 " in await ask(client)


async def test_a_storm_is_taken_a_few_at_a_time() -> None:
    async with running(limited()) as proxy, listening(proxy) as (site, listener, port), AsyncExitStack() as stack:
        asyncio.get_running_loop().remove_reader(listener)
        for _ in range(2 * BURST + 1):
            await stack.enter_async_context(bare(port))
        taken = []
        for _ in range(3):
            site._accept()
            taken.append(len(proxy.penstock.connections))
        assert taken == [BURST, 2 * BURST, 2 * BURST + 1]
        asyncio.get_running_loop().add_reader(listener, site._accept)


async def test_a_listener_that_closes_serves_who_waits_in_its_queue() -> None:
    async with running(limited()) as proxy, AsyncExitStack() as stack:
        async with listening(proxy) as (_, listener, port):
            asyncio.get_running_loop().remove_reader(listener)
            clients = [await stack.enter_async_context(bare(port)) for _ in range(BURST + 1)]
        for client in clients:
            assert b" 404 " in await ask(client)


async def test_who_waits_in_a_queue_that_others_serve_is_left_to_them() -> None:
    async with running(limited()) as proxy, AsyncExitStack() as stack:
        async with listening(proxy, shared=True) as (_, listener, port):
            asyncio.get_running_loop().remove_reader(listener)
            await stack.enter_async_context(bare(port))
        assert len(proxy.penstock.connections) == 0


async def test_a_handshake_is_not_begun_with_who_gets_no_seat() -> None:
    asked = list[int]()

    def get_context() -> ssl.SSLContext:
        asked.append(1)
        return ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

    async with running(limited(connections=1)) as proxy, bare(proxy.port) as first:
        await ask(first)
        listener = Listener()
        site = AcceptingSite(proxy.penstock.runner, listener, get_context=get_context)
        await site.start()
        assert site.name.startswith("https:")
        async with bare(listener.getsockname()[1]) as client:
            assert await client.read_to_end() == b""
        assert asked == []


async def test_a_handshake_that_does_not_end_has_a_seat_and_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "PATIENCE", 0.0)
    async with running(limited(connections=1)) as proxy:
        listener, seats = Listener(), proxy.penstock.connections
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        await AcceptingSite(proxy.penstock.runner, listener, get_context=lambda: context).start()
        async with bare(listener.getsockname()[1]) as half:
            await half.send(b"\x16\x03\x01")
            await settle(lambda: len(seats) == 1)
            async with bare(proxy.port) as client:
                assert b" 404 " in await ask(client)
            await half.read_to_end()
        assert seats.evicted == 1
        async with bare(listener.getsockname()[1]) as garbage:
            await garbage.send(b"GET / HTTP/1.1\r\n\r\n")
            await garbage.read_to_end()
        assert seats.refused[Reason.HANDSHAKE] == 1
        await settle(lambda: len(seats) == 0)
