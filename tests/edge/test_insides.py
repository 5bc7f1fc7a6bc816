"""Heads that never reach an application, the clock on a head, and a server that is told it will end."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from proxy.edge.insides import Connection, Server
from proxy.errors import Code
from tests.helpers.bare import bare
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
        assert runner.has_connections()
        runner.set_draining()
        runner.close_idle()
        assert await idle.rest() == b""
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        reply = await busy.reply()
        assert (reply.body, reply.headers["connection"]) == (b"ok", "close")
        assert await busy.rest() == b""


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


def connections(proxy: RunningProxy) -> list[Connection]:
    server = proxy.penstock.runner.server
    assert server is not None
    return [connection for connection in server.connections if isinstance(connection, Connection)]
