"""How TLS connections begin: with what a client sends along, within a limit, and without a trace of those that fail."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from proxy.edge import handshake
from proxy.edge.connections import Reason
from proxy.edge.insides import Connection
from tests.helpers.bare import BareClient, BareTlsClient, bare, no_new_tasks, settle
from tests.helpers.certificates import Authority, make_authority
from tests.helpers.over_tls import build_strict
from tests.helpers.rawhttp import connected
from tests.helpers.service import RunningProxy, mounted, running

GET = b"GET /none HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def proxy(authority: Authority) -> AsyncIterator[RunningProxy]:
    pair = authority.pair()
    tls = {"certificate": pair.certificate, "key": pair.key}
    async with running({**mounted("http://127.0.0.1:1"), "server": {"tls": tls}}) as made:
        yield made


@asynccontextmanager
async def greeting(proxy: RunningProxy, authority: Authority) -> AsyncIterator[BareTlsClient]:
    """A connection whose handshake is done but for the client's last message, which has yet to be sent."""
    async with bare(proxy.port) as plain:
        client = BareTlsClient(plain.sock, build_strict(authority))
        await client.shake_hands(flush=False)
        yield client


def count_handshakes(proxy: RunningProxy) -> int:
    return len(proxy.penstock.runner.get_server().handshakes)


def count_bad(proxy: RunningProxy) -> int:
    return proxy.penstock.connections.refused[Reason.HANDSHAKE]


async def wait_until_gone(proxy: RunningProxy, client: BareClient) -> None:
    await client.read_to_end()
    await settle(lambda: not count_handshakes(proxy) and len(proxy.penstock.connections) == 0)


async def test_a_request_along_with_the_last_message_of_the_handshake(
    proxy: RunningProxy, authority: Authority
) -> None:
    async with greeting(proxy, authority) as client:
        assert client.tls.version() == "TLSv1.3"
        await client.send(GET + GET)
        while client.received.count(b"HTTP/1.1 404 ") < 2:
            assert await client.read_some()
    assert (await proxy.wait_record(2)).status == 404


async def test_a_client_that_greets_asks_and_leaves_in_one_breath(
    proxy: RunningProxy, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    before = asyncio.all_tasks()
    for goodbye in (True, False):
        async with greeting(proxy, authority) as client:
            client.tls.write(GET)
            if goodbye:
                await client.say_goodbye()
            else:
                await client.send(b"")
            client.leave("rst" if goodbye else "fin")
    await settle(lambda: not count_handshakes(proxy) and len(proxy.penstock.connections) == 0)
    await no_new_tasks(before)
    assert [record.getMessage() for record in caplog.records if record.levelno > logging.INFO] == []


async def test_a_greeting_that_waited_in_the_queue_is_read_as_one(proxy: RunningProxy, authority: Authority) -> None:
    """Its first bytes are there before the connection is accepted."""

    async def ask() -> int:
        async with connected("127.0.0.1", proxy.port, ssl=authority.trust()) as client:
            await client.ask("/none")
            return (await client.reply()).status

    assert await asyncio.gather(*(ask() for _ in range(50))) == [404] * 50
    assert count_bad(proxy) == 0


async def test_tls_1_2_is_spoken_too(proxy: RunningProxy, authority: Authority) -> None:
    context = authority.trust()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with connected("127.0.0.1", proxy.port, ssl=context) as client:
        await client.ask("/none")
        assert (await client.reply()).status == 404
        await client.ask("/none")
        assert (await client.reply()).status == 404


async def test_the_tcp_transport_stays_in_reach(proxy: RunningProxy, authority: Authority) -> None:
    async with bare(proxy.port, tls=build_strict(authority)) as client:
        await client.send(GET)
        await client.read_until(b"request_id")
        (connection,) = proxy.penstock.runner.get_server().connections
        assert isinstance(connection, Connection)
        assert connection.wire is not None
        assert connection.transport is not None
        assert connection.wire is not connection.transport
        assert connection.wire.get_extra_info("sslcontext") is None
        assert connection.transport.get_extra_info("sslcontext") is not None


@pytest.mark.parametrize(
    "first", [b"GET / HTTP/1.1\r\nHost: secret\r\n\r\n", b"\x16\x03\x01\x00\x05secret", b"\0" * 200]
)
async def test_what_is_no_greeting_ends_the_connection(
    proxy: RunningProxy, first: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        async with bare(proxy.port) as client:
            await client.send(first)
            await wait_until_gone(proxy, client)
    assert b"secret" not in client.received
    assert "secret" not in caplog.text
    assert [record.getMessage() for record in caplog.records if record.levelno > logging.INFO] == []
    assert (count_bad(proxy), proxy.records) == (1, [])


async def test_a_greeting_that_never_comes_is_waited_for_so_long(
    proxy: RunningProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handshake, "HANDSHAKE_LIMIT", 0.2)
    async with bare(proxy.port) as client:
        await settle(lambda: count_handshakes(proxy) == 1)
        assert len(proxy.penstock.connections) == 1
        await wait_until_gone(proxy, client)
    assert count_bad(proxy) == 1


@pytest.mark.parametrize("how", ["fin", "rst"])
async def test_a_client_that_leaves_within_the_handshake_is_forgotten(
    proxy: RunningProxy, authority: Authority, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with greeting(proxy, authority) as client:
        client.leave(how)
        await settle(lambda: not count_handshakes(proxy) and len(proxy.penstock.connections) == 0)
    assert [record.getMessage() for record in caplog.records if record.levelno > logging.INFO] == []


async def test_a_server_that_ends_takes_its_handshakes_along(authority: Authority) -> None:
    pair = authority.pair()
    tls = {"certificate": pair.certificate, "key": pair.key}
    before = asyncio.all_tasks()
    async with running({**mounted("http://127.0.0.1:1"), "server": {"tls": tls}}) as proxy, bare(proxy.port) as client:
        await settle(lambda: count_handshakes(proxy) == 1)
        await proxy.penstock.runner.cleanup()
        assert await client.read_to_end() == b""
    await no_new_tasks(before)
