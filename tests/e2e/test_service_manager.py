"""The process and its service manager: when it is ready, that it lives, how many streams it has, that it stops."""

import os
import signal
import time
from pathlib import Path

from tests.e2e.test_drain import CHUNKED, EVENT, GET, take_stream, write_config
from tests.helpers.bare import bare
from tests.helpers.command import Running, started
from tests.helpers.managed import Notified, notified
from tests.helpers.origin import Origin, origin

LOOP = os.environ.get("PENSTOCK_TEST_LOOP", "uvloop")


def configure(folder: Path, upstream: Origin, limits: str = "") -> tuple[str, ...]:
    write_config(folder / "penstock.toml", upstream.base_url, limits=limits)
    return "serve", "--config", str(folder / "penstock.toml"), "--loop", LOOP, "--log-format", "logfmt"


async def find_port(running: Running) -> int:
    return int((await running.err_line("listening on")).rstrip('"').rpartition(":")[2])


async def test_it_says_when_it_is_ready_and_when_it_stops_and_what_it_has(tmp_path: Path) -> None:
    async with origin() as upstream:
        arguments = configure(tmp_path, upstream)
        with notified(tmp_path) as manager:
            async with started(*arguments, env={"NOTIFY_SOCKET": manager.address}) as running:
                await manager.wait("READY=1")
                port = await find_port(running)  # whoever is told may connect at once
                async with bare(port) as client:
                    await client.send(GET)
                    peer = await take_stream(upstream, 1, CHUNKED)
                    await client.read_until(EVENT)
                    running.interrupt(signal.SIGTERM)
                    await manager.wait("STOPPING=1")
                    await manager.wait("STATUS=draining, 1 streams")
                    peer.send(b"0\r\n\r\n")
                    assert (await client.read_to_end()).endswith(b"0\r\n\r\n")
                assert (await running.finish()).code == 0
            assert manager.told[0] == "STATUS=serving, 0 streams"
            assert [manager.told.count(word) for word in ("READY=1", "STOPPING=1")] == [1, 1]


async def test_signs_of_life_come_while_it_serves_and_while_it_drains(tmp_path: Path) -> None:
    async with origin() as upstream:
        arguments = configure(tmp_path, upstream)
        with notified(tmp_path) as manager:
            env = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "300000"}
            async with started(*arguments, env=env) as running:
                await manager.wait("READY=1")
                begun = time.monotonic()
                for _ in range(4):
                    await manager.wait("WATCHDOG=1")
                assert time.monotonic() - begun < 2.0
                async with bare(await find_port(running)) as client:
                    await client.send(GET)
                    peer = await take_stream(upstream, 1, CHUNKED)
                    running.interrupt(signal.SIGTERM)
                    await manager.wait("STOPPING=1")
                    for _ in range(4):
                        await manager.wait("WATCHDOG=1")
                    peer.send(b"0\r\n\r\n")
                    await client.read_to_end()
                assert (await running.finish()).code == 0


async def test_a_loop_that_hangs_gives_no_sign_and_leaves_its_stack_when_it_is_killed(tmp_path: Path) -> None:
    """What the manager sees of it is silence; then it sends WatchdogSignal."""
    async with origin() as upstream:
        arguments = configure(tmp_path, upstream)
        with notified(tmp_path) as manager:
            env = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "60000000"}
            async with started(*arguments, env=env) as running:
                await manager.wait("READY=1")
                running.interrupt(signal.SIGABRT)
                finished = await running.finish()
            assert finished.code == -signal.SIGABRT
            assert "Fatal Python error: Aborted" in finished.err
            assert "most recent call first" in finished.err
            assert "loop.py" in finished.err


async def test_every_reload_is_begun_and_ended_and_a_refused_one_shows(tmp_path: Path) -> None:
    async with origin() as upstream:
        arguments = configure(tmp_path, upstream)
        with notified(tmp_path) as manager:
            async with started(*arguments, env={"NOTIFY_SOCKET": manager.address}) as running:
                await manager.wait("READY=1")
                good = (tmp_path / "penstock.toml").read_text()
                (tmp_path / "penstock.toml").write_text("surprise = 1\n")
                before = time.monotonic_ns() // 1000
                await reload(running, manager, before)
                status = await manager.wait("STATUS=serving, 0 streams; reload refused: invalid configuration: ")
                assert "surprise" in status
                assert "\n" not in status
                (tmp_path / "penstock.toml").write_text(good)
                await reload(running, manager, before)
                await manager.until(lambda message: message == "STATUS=serving, 0 streams")
                running.interrupt(signal.SIGTERM)
                assert (await running.finish()).code == 0


async def reload(running: Running, manager: Notified, before: int) -> None:
    running.interrupt(signal.SIGHUP)
    word, _, stamp = (await manager.wait("RELOADING=1")).partition("\nMONOTONIC_USEC=")
    assert word == "RELOADING=1"
    assert before <= int(stamp) <= time.monotonic_ns() // 1000
    await manager.wait("READY=1")


async def test_a_start_that_fails_says_why(tmp_path: Path) -> None:
    (tmp_path / "penstock.toml").write_text("surprise = 1\n")
    with notified(tmp_path) as manager:
        env = {"NOTIFY_SOCKET": manager.address}
        async with started("serve", "--config", str(tmp_path / "penstock.toml"), env=env) as running:
            assert "surprise" in await manager.wait("STATUS=not started: invalid configuration: ")
            assert (await running.finish()).code == 78


async def test_the_admin_listener_stays_while_a_managed_process_drains(tmp_path: Path) -> None:
    async with origin() as upstream:
        arguments = configure(tmp_path, upstream)
        admin = str(tmp_path / "admin.sock")
        with notified(tmp_path) as manager:
            env = {"NOTIFY_SOCKET": manager.address, "PENSTOCK_ADMIN": f"unix:{admin}"}
            async with started(*arguments, env=env) as running:
                await manager.wait("READY=1")
                async with bare(await find_port(running)) as client:
                    await client.send(GET)
                    peer = await take_stream(upstream, 1, CHUNKED)
                    running.interrupt(signal.SIGTERM)
                    await manager.wait("STOPPING=1")
                    async with bare(admin) as operator:
                        await operator.send(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                        answer = await operator.read_to_end()
                        assert answer.startswith(b"HTTP/1.1 503 ")
                        assert b"\r\nConnection: close\r\n" in answer
                    peer.send(b"0\r\n\r\n")
                    await client.read_to_end()
                assert (await running.finish()).code == 0
