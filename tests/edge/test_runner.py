"""The runner: its server is ours, and only there once it is set up."""

import asyncio

import pytest
from aiohttp import web

from proxy.config.model import Limits
from proxy.edge.connections import Connections
from proxy.edge.downstream import WholeAnswer
from proxy.edge.runner import Runner
from proxy.errors import Code
from proxy.relay.clocks import Ticker
from tests.helpers.origin import origin
from tests.helpers.rawhttp import connected
from tests.helpers.service import mounted, running


def build() -> Runner:
    ticker = Ticker()
    return Runner(web.Application(), ticker, 1.0, refuse, Connections(Limits(), ticker))


def refuse(code: Code, transport: object) -> WholeAnswer:
    raise AssertionError


async def test_there_is_no_server_before_it_is_set_up() -> None:
    runner = build()
    with pytest.raises(RuntimeError):
        runner.get_server()
    runner.set_draining()
    assert runner.close_idle(0.0)
    await runner.setup()
    assert runner.get_server() is runner.server
    await runner.cleanup()


async def test_a_drain_is_over_when_all_that_is_left_is_being_answered() -> None:
    async with (
        origin() as up,
        running(mounted(up.base_url)) as proxy,
        connected("127.0.0.1", proxy.port) as idle,
        connected("127.0.0.1", proxy.port) as busy,
    ):
        runner = proxy.penstock.runner
        await idle.ask("/none")
        await idle.reply()
        await busy.ask("/up/a")
        peer = await up.peer()
        await peer.until(b"\r\n\r\n")
        runner.set_draining()
        assert not runner.close_idle(60.0)
        assert not runner.close_idle(0.0)  # the idle one is being closed
        assert await idle.rest() == b""
        await idle.close()
        async with asyncio.timeout(5):
            while not runner.close_idle(0.0):
                await asyncio.sleep(0)
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        assert (await busy.reply()).headers["connection"] == "close"
