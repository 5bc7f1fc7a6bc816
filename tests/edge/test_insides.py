"""Heads that never reach an application, the clock on a head, and a server that is told it will end."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientConnectionResetError, web

from proxy.edge.insides import WRITE_HIGH, Connection, Server
from proxy.errors import Code
from proxy.relay.outcome import EndReason
from tests.helpers.bare import BareClient, bare, settle, stand_still
from tests.helpers.origin import origin
from tests.helpers.rawhttp import connected
from tests.helpers.service import RunningProxy, mounted, running

LIMITS = {"request_target": "1KiB", "request_head_field": "2KiB", "request_head_fields": 10}
CONFIG = {**mounted("http://127.0.0.1:1"), "limits": LIMITS}


@pytest.fixture
async def proxy() -> AsyncIterator[RunningProxy]:
    async with running(CONFIG) as made:
        yield made


@pytest.mark.parametrize(
    ("head", "code"),
    [
        (b"GARBAGE secret\r\n\r\n", Code.BAD_REQUEST),
        (b"GET / HTTP/1.1\r\nHost: a\r\nsecret : b\r\n\r\n", Code.BAD_REQUEST),
        (b"GET /secret" + b"a" * 2000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", Code.TARGET_TOO_LONG),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: secret" + b"y" * 3000 + b"\r\n\r\n", Code.HEADERS_TOO_LARGE),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: secret\r\n" * 20 + b"\r\n", Code.HEADERS_TOO_LARGE),
    ],
    ids=["garbage", "a bad field", "a long target", "a long field", "many fields"],
)
async def test_a_head_that_cannot_be_read_is_answered_and_written_down_without_a_word_of_it(
    proxy: RunningProxy, head: bytes, code: Code, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        async with connected("127.0.0.1", proxy.port) as client:
            await client.send(head)
            reply = await client.reply()
            assert await client.rest() == b""
    assert (reply.status, reply.json["error"]["code"]) == (code.status, code.slug)
    assert reply.headers["connection"] == "close"
    assert "server" not in reply.headers
    assert b"secret" not in reply.raw + reply.body
    assert "secret" not in caplog.text
    record = await proxy.wait_record()
    assert (record.status, record.error, record.remote) == (code.status, code.slug, "127.0.0.1")
    assert record.id == reply.json["request_id"]


async def test_a_limit_on_targets_equal_to_that_on_fields_is_told_apart_all_the_same() -> None:
    limits = {"request_target": "1KiB", "request_head_field": "1KiB"}
    async with running({**CONFIG, "limits": limits}) as proxy:
        for head, status in (
            (b"GET /" + b"a" * 2000 + b" HTTP/1.1\r\n\r\n", 414),
            (b"GET / HTTP/1.1\r\nX: " + b"a" * 2000 + b"\r\n\r\n", 431),
        ):
            async with connected("127.0.0.1", proxy.port) as client:
                await client.send(head)
                assert (await client.reply()).status == status


@pytest.mark.parametrize("before", [b"", b"GET /none HTTP/1.1\r\nHost: a\r\n\r\n"], ids=["first", "second"])
async def test_a_head_that_does_not_end_is_a_408(before: bytes) -> None:
    async with (
        running({**CONFIG, "limits": {"head_timeout": "300ms"}}) as proxy,
        connected("127.0.0.1", proxy.port) as client,
    ):
        if before:
            await client.send(before)
            assert (await client.reply()).status == 404
        await client.send(b"GET / HTTP/1.1\r\nX")
        reply = await client.reply()
        assert (reply.status, reply.json["error"]["code"]) == (408, "request_timeout")
        assert await client.rest() == b""
        assert len(proxy.penstock.ticker) == 0


async def test_a_connection_on_which_nothing_began_waits() -> None:
    async with running({**CONFIG, "limits": {"head_timeout": "10ms"}}) as proxy, bare(proxy.port) as client:
        await client.send(b"GET /none HTTP/1.1\r\nHost: a\r\n\r\n")
        await client.read_until(b'"request_id"')
        assert len(proxy.penstock.ticker) == 0


async def test_a_connection_counts_what_it_sends(proxy: RunningProxy) -> None:
    async with connected("127.0.0.1", proxy.port) as client:
        await client.ask("/none")
        await client.reply()
        (connection,) = connections(proxy)
        first = connection.received
        assert first > 20
        await client.ask("/none")
        await client.reply()
        assert connection.received == 2 * first


async def test_a_draining_server_closes_idle_connections_and_ends_the_others_with_their_answer() -> None:
    async with (
        origin() as up,
        running(mounted(up.base_url)) as proxy,
        connected("127.0.0.1", proxy.port) as idle,
        connected("127.0.0.1", proxy.port) as busy,
    ):
        await idle.ask("/none")
        await idle.reply()
        await busy.ask("/up/a")
        peer = await up.peer()
        await peer.until(b"\r\n\r\n")
        runner = proxy.penstock.runner
        assert not runner.close_idle(60)
        runner.set_draining()
        assert not runner.close_idle(0)
        assert await idle.rest() == b""
        idle.writer.close()
        await settle(lambda: runner.close_idle(0))
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        reply = await busy.reply()
        assert (reply.body, reply.headers["connection"]) == (b"ok", "close")
        assert await busy.rest() == b""


async def test_a_connection_is_idle_only_after_a_while_and_when_nothing_has_begun(proxy: RunningProxy) -> None:
    runner = proxy.penstock.runner
    runner.set_draining()
    async with connected("127.0.0.1", proxy.port) as fresh, connected("127.0.0.1", proxy.port) as begun:
        await begun.send(b"GET /none HTTP/1.1\r\nHo")
        await settle(lambda: sum(connection.received for connection in connections(proxy)) > 0)
        assert not runner.close_idle(60)
        assert not runner.close_idle(0)  # closes the one that never asked
        assert await fresh.rest() == b""
        await begun.send(b"st: a\r\n\r\n")
        reply = await begun.reply()
        assert (reply.status, reply.headers["connection"]) == (404, "close")
        assert await begun.rest() == b""
        begun.writer.close()
        fresh.writer.close()
        await settle(lambda: runner.close_idle(60))


async def test_a_drain_answers_a_request_that_has_come_and_was_not_read_yet(proxy: RunningProxy) -> None:
    runner = proxy.penstock.runner
    async with bare(proxy.port) as client:
        await client.send(b"GET /none HTTP/1.1\r\nHost: a\r\n\r\n")
        await client.read_until(b'"request_id"')
        runner.set_draining()
        client.sock.send(b"GET /none HTTP/1.1\r\nHost: a\r\n\r\n")
        assert not runner.close_idle(0)
        assert (await client.read_to_end()).count(b"HTTP/1.1 404") == 2
        assert not client.was_reset


async def test_in_a_drain_the_requests_that_had_come_are_answered_and_the_last_answer_says_so() -> None:
    async with origin() as up, running(mounted(up.base_url)) as proxy, connected("127.0.0.1", proxy.port) as client:
        get = b"GET /up/a HTTP/1.1\r\nHost: a\r\n\r\n"
        await client.send(get * 3)
        peer = await up.peer()
        await peer.until(b"\r\n\r\n")
        proxy.penstock.runner.set_draining()
        assert not proxy.penstock.runner.close_idle(0)
        await client.send(get)
        up.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        peer.send(up.answer)
        replies = [await client.reply() for _ in range(3)]
        assert [reply.headers.get("connection") for reply in replies] == [None, None, "close"]
        for _ in range(20):
            await client.send(get)
        assert await client.rest() == b""  # neither an answer nor a reset


async def test_an_unknown_setting_is_no_reason_to_serve_without_limits() -> None:
    async with running(CONFIG) as proxy:
        server = proxy.penstock.runner.server
        assert isinstance(server, Server)
        server._kwargs["nonsense"] = 1
        with pytest.raises(TypeError):
            server()
        del server._kwargs["nonsense"]


async def test_a_body_that_breaks_off_within_its_framing_fails_the_upload() -> None:
    async with origin() as up, running(mounted(up.base_url)) as proxy, connected("127.0.0.1", proxy.port) as client:
        await client.send(b"POST /up/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        peer = await up.peer()
        await peer.until(b"\r\n1\r\na\r\n")
        await client.send(b"nonsense\r\n")
        reply = await client.reply()
        assert (reply.status, reply.json["error"]["code"]) == (400, "bad_body")
        await peer.wait_closed()


async def test_who_has_left_is_known_though_nothing_is_read(proxy: RunningProxy) -> None:
    async with bare(proxy.port) as client:
        await client.send(b"GET /none HTTP/1.1\r\nHost: a\r\n\r\n")
        await client.read_until(b"request_id")
        (connection,) = connections(proxy)
        assert not connection.has_left()
        assert connection.transport is not None
        connection.transport.pause_reading()
        client.leave()
        async with asyncio.timeout(5):
            while not connection.has_left():
                await asyncio.sleep(0.001)


PIPELINE = 3000
"""Requests: their answers are a megabyte."""


async def begin_to_ask(proxy: RunningProxy, client: BareClient) -> tuple[Connection, asyncio.Task[None]]:
    """A connection with small buffers, and whoever asks on and on; the first answer is the client's."""
    ask = b"GET /none HTTP/1.1\r\nHost: a\r\n\r\n"
    await client.send(ask)
    await client.read_until(b"request_id")
    (connection,) = connections(proxy)
    assert connection.transport is not None
    connection.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    return connection, asyncio.create_task(client.send(PIPELINE * ask))


async def test_who_asks_on_and_on_and_reads_nothing_fills_no_memory_and_is_cut_off() -> None:
    limits = {"write_stall": "500ms"}
    async with running({**CONFIG, "limits": limits}) as proxy, bare(proxy.port, receive_buffer=4096) as client:
        connection, asking = await begin_to_ask(proxy, client)
        await settle(lambda: connection.writing_paused)
        seen = await stand_still(lambda: len(proxy.records), 0.2)
        assert seen < PIPELINE
        assert connection.transport is not None
        assert connection.transport.get_write_buffer_size() < 2 * WRITE_HIGH
        await settle(lambda: len(proxy.penstock.connections) == 0)
        assert len(proxy.records) == seen
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


async def test_who_asks_on_and_on_and_reads_slowly_gets_every_answer() -> None:
    limits = {"write_stall": "500ms"}
    async with running({**CONFIG, "limits": limits}) as proxy, bare(proxy.port, receive_buffer=4096) as client:
        connection, asking = await begin_to_ask(proxy, client)
        await settle(lambda: connection.writing_paused)
        while len(proxy.records) < PIPELINE + 1:
            assert await client.read_some(8192)
        await asking
        while client.received.count(b"HTTP/1.1 404 ") < PIPELINE + 1:
            assert await client.read_some()


def connections(proxy: RunningProxy) -> list[Connection]:
    server = proxy.penstock.runner.server
    assert server is not None
    return [connection for connection in server.connections if isinstance(connection, Connection)]


async def test_a_client_that_is_found_gone_is_no_error_of_ours(
    proxy: RunningProxy, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is answered, and there is one line for the request, not two."""

    async def find_gone(request: web.BaseRequest, ticker: object) -> web.StreamResponse:
        raise ClientConnectionResetError("the client is gone")

    monkeypatch.setattr("proxy.app.penstock.handle_mount", find_gone)
    async with bare(proxy.port) as client:
        await client.send(b"GET /up/x HTTP/1.1\r\nHost: a\r\n\r\n")
        assert await client.read_to_end() == b""
    assert [(record.end, record.error) for record in proxy.records] == [(EndReason.CLIENT_GONE, "")]
    assert caplog.records == []
