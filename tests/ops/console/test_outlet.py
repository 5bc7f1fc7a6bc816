"""A viewer's side of an event stream: frames as they are written, and the end of viewers that do not read."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from proxy.ops.console import outlet as module
from proxy.ops.console.outlet import Outlet, open_outlet
from tests.helpers.bare import bare
from tests.helpers.edge import build_house, serving
from tests.helpers.rawhttp import connected

Script = Callable[[Outlet], Awaitable[None]]


@asynccontextmanager
async def giving(script: Script) -> AsyncIterator[int]:
    async def handle(request: web.Request) -> web.StreamResponse:
        outlet = await open_outlet(request)
        await script(outlet)
        return outlet.response

    async with serving(build_house(), [], handle) as port:
        yield port


async def test_frames_are_written_as_events() -> None:
    async def script(outlet: Outlet) -> None:
        outlet.send_retry(1000)
        outlet.send(b"changes", b'{"a":1}', b"boot.2")
        outlet.beat()
        outlet.send(b"end", b"{}")
        await outlet.flush()
        await outlet.close()

    async with giving(script) as port, connected("127.0.0.1", port) as client:
        await client.ask("/")
        reply = await client.reply()
    assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert reply.headers["cache-control"] == "no-store, no-transform"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.body == (
        b'retry: 1000\n\nevent: changes\nid: boot.2\ndata: {"a":1}\n\n: beat\nevent: end\ndata: {}\n\n'
    )


async def test_a_viewer_that_reads_slowly_is_waited_for() -> None:
    written = asyncio.Event()
    frames = 40

    async def script(outlet: Outlet) -> None:
        for _ in range(frames):
            outlet.send(b"x", b"y" * 500_000)
            written.set()
            await outlet.flush()
        await outlet.close()

    async with giving(script) as port, connected("127.0.0.1", port) as client:
        await client.ask("/")
        await written.wait()
        reply = await client.reply()
    assert reply.body.count(b"event: x\n") == frames


async def test_a_viewer_that_reads_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.1)
    over: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    async def script(outlet: Outlet) -> None:
        try:
            while True:
                outlet.send(b"x", b"y" * 500_000)
                await outlet.flush()
        except ConnectionError as error:
            over.set_result(error)
            raise

    async with giving(script) as port, bare(port) as client:
        await client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        async with asyncio.timeout(10):
            assert "does not read" in str(await over)
        await client.read_to_end()
        assert client.was_reset
