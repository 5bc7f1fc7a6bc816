"""`penstock top`: in a terminal of its own, against a running proxy; and where there is none."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from tests.helpers.command import ran, started
from tests.helpers.rawhttp import connected
from tests.helpers.recorder import recorder
from tests.helpers.service import RunningProxy, mounted, running
from tests.helpers.terminal import terminal

CLOSED = "\x1b[?25h\x1b[?1049l"


@pytest.fixture
async def proxy() -> AsyncIterator[RunningProxy]:
    async with recorder() as upstream, running(mounted(upstream.base_url)) as made:
        yield made


def admin(proxy: RunningProxy) -> tuple[str, ...]:
    return ("--admin", f"127.0.0.1:{proxy.admin_port}", "--every", "0.1")


async def test_streams_come_and_go_on_the_screen_until_q(proxy: RunningProxy) -> None:
    async with terminal("top", *admin(proxy)) as shown:
        await shown.wait_for("no streams")
        async with connected("127.0.0.1", proxy.port) as client:
            await client.send(b"POST /up/next HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
            screen = await shown.wait_for("1 in flight")
            assert "uploading" in screen
            assert "events/s" in screen
        await shown.wait_for("no streams")
        shown.press("q")
    assert shown.code == 0
    assert shown.told.endswith(CLOSED)


async def test_keys_sort_and_turn(proxy: RunningProxy) -> None:
    async with terminal("top", *admin(proxy)) as shown:
        assert "[a]age" in await shown.wait_for("sort:")
        shown.press("s")
        await shown.wait_for("[s]still")
        shown.press("/")
        shown.press("?")
        await shown.wait_for("[s]still")
        shown.press("q")
    assert shown.code == 0


async def test_it_follows_the_size_of_its_terminal(proxy: RunningProxy) -> None:
    async with terminal("top", *admin(proxy), columns=100, rows=20) as shown:
        assert (await shown.wait_for("no streams")).count("\r\n") == 19
        shown.resize(30, 10)
        while True:
            screen = await shown.wait_for("penstock at")
            if screen.count("\r\n") == 9:
                break
        lines = [line.partition("\x1b[K")[0] for line in screen.split("\r\n")]
        assert max(map(len, lines)) <= 30
        shown.press("q")


async def test_a_proxy_that_goes_away_is_asked_again(tmp_path: Path) -> None:
    file, port = tmp_path / "penstock.toml", _find_port()
    file.write_text(f'[server]\nlisten = ["127.0.0.1:0"]\nadmin = "127.0.0.1:{port}"\n[state]\npath = ":memory:"\n')
    async with started("serve", "--config", str(file)) as first:
        await first.err_line("listening")
        async with terminal("top", "--admin", f"127.0.0.1:{port}", "--every", "0.1") as shown:
            await shown.wait_for("sort:")
            first.interrupt()
            await shown.wait_for("connection refused")
            async with started("serve", "--config", str(file)):
                await shown.wait_for("sort:")
            shown.press("q")
    assert shown.code == 0


async def test_an_interrupt_gives_the_terminal_back(proxy: RunningProxy) -> None:
    async with terminal("top", *admin(proxy)) as shown:
        await shown.wait_for("no streams")
        shown.press("\x03")
    assert shown.code == 130
    assert CLOSED in shown.told


async def test_without_a_terminal_the_table_is_printed_once(proxy: RunningProxy) -> None:
    for arguments in (("--once",), ()):
        done = await ran("top", *admin(proxy), *arguments)
        assert (done.code, done.err) == (0, "")
        assert done.out == f"penstock at 127.0.0.1:{proxy.admin_port}   0 in flight, 0 streaming\n\nno streams\n"


async def test_nobody_there_is_a_fault_before_anything_is_drawn() -> None:
    done = await asyncio.wait_for(ran("top", "--admin", "127.0.0.1:1"), 20)
    assert (done.code, done.out) == (1, "")
    assert done.err == "penstock: cannot reach the admin listener at 127.0.0.1:1: connection refused\n"


@pytest.mark.parametrize("answer", [{}, [], {"streams": [{}], "providers": []}, {"streams": 1, "providers": [1]}])
async def test_an_answer_of_another_form_is_a_fault(answer: object, unused_tcp_port: int) -> None:
    async def handle(request: web.Request) -> web.Response:
        return web.json_response(answer)

    app = web.Application()
    app.router.add_get("/{any}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", unused_tcp_port).start()
    try:
        done = await ran("top", "--admin", f"127.0.0.1:{unused_tcp_port}")
    finally:
        await runner.cleanup()
    assert (done.code, done.out) == (1, "")
    assert done.err.endswith("is no admin listener of this version\n")


@pytest.mark.parametrize("text", ["0", "x", "-1", "nan"])
async def test_a_pace_that_makes_no_sense_is_wrong_usage(text: str) -> None:
    assert (await ran("top", f"--every={text}")).code == 2


def _find_port() -> int:
    """One that is free, since a second proxy shall come to where the first one was."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
