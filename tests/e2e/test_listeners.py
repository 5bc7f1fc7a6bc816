"""Where the process listens: TCP, a Unix socket, a socket that was passed to it; and how it ends when it cannot."""

import os
import signal
import socket
from pathlib import Path

import pytest

from tests.helpers.bare import bare
from tests.helpers.command import ran, started
from tests.helpers.managed import notified, passing
from tests.helpers.origin import Origin, origin

LOOP = os.environ.get("PENSTOCK_TEST_LOOP", "uvloop")


def write_config(folder: Path, upstream: Origin, listen: str) -> str:
    file = folder / "penstock.toml"
    file.write_text(
        f'[server]\nlisten = ["{listen}"]\nadmin = "off"\n'
        f'[providers.up]\ndialect = "raw"\nbase_url = "{upstream.base_url}"\n'
        '[mounts."/up"]\nprovider = "up"\nauth = "none"\n'
    )
    upstream.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    return str(file)


async def get(where: int | str) -> bytes:
    async with bare(where) as client:
        await client.send(b"GET /up/x HTTP/1.1\r\nHost: a\r\n\r\n")
        return await client.read_until(b"\r\n\r\nok")


async def test_a_unix_socket_serves_and_is_not_open_to_everybody(tmp_path: Path) -> None:
    path = str(tmp_path / "penstock.sock")
    async with origin() as upstream:
        file = write_config(tmp_path, upstream, f"unix:{path}")
        async with started("serve", "--config", file, "--loop", LOOP) as running:
            assert f"unix:{path}" in await running.err_line("listening on")
            assert (await get(path)).startswith(b"HTTP/1.1 200 ")
            assert os.stat(path).st_mode & 0o007 == 0
            running.interrupt(signal.SIGTERM)
            finished = await running.finish()
            assert finished.code == 0
            assert '"remote":"unix"' in finished.err


async def test_a_unix_socket_that_outlived_its_process_is_taken_over(tmp_path: Path) -> None:
    path = str(tmp_path / "penstock.sock")
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(path)
    async with origin() as upstream:
        file = write_config(tmp_path, upstream, f"unix:{path}")
        async with started("serve", "--config", file, "--loop", LOOP) as running:
            await running.err_line("listening on")
            assert (await get(path)).endswith(b"ok")


async def test_a_unix_socket_in_use_is_exit_69(tmp_path: Path) -> None:
    path = str(tmp_path / "penstock.sock")
    async with origin() as upstream:
        file = write_config(tmp_path, upstream, f"unix:{path}")
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(path)
            other.listen()
            finished = await ran("serve", "--config", file, "--loop", LOOP)
        assert finished.code == 69
        assert os.path.exists(path)


@pytest.mark.parametrize("name", ["http", "", "unknown", "penstock.socket"])
async def test_a_socket_passed_by_the_service_manager_is_used_instead_of_the_listeners(
    tmp_path: Path, name: str
) -> None:
    async with origin() as upstream:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            file = write_config(tmp_path, upstream, f"127.0.0.1:{taken.getsockname()[1]}")
            command = passing(("127.0.0.1", name))
            async with started("serve", "--config", file, "--loop", LOOP, command=command) as running:
                port = int(await running.out_line())
                assert f":{port}" in await running.err_line("listening on")
                assert "".join(running.err).count("[server] listen is left aside") == 1
                assert (await get(port)).startswith(b"HTTP/1.1 200 ")
                running.interrupt(signal.SIGTERM)
                assert (await running.finish()).code == 0


async def test_several_sockets_are_served_and_a_unix_one_too(tmp_path: Path) -> None:
    path, abstract = str(tmp_path / "passed.sock"), f"@penstock-test-{os.getpid()}"
    command = passing(("127.0.0.1", "http"), ("::1", "http"), (path, "http"), (abstract, "http"))
    async with origin() as upstream:
        file = write_config(tmp_path, upstream, "127.0.0.1:8088")  # as shipped: nobody wrote it
        async with started("serve", "--config", file, "--loop", LOOP, command=command) as running:
            port, port6 = int(await running.out_line()), int(await running.out_line())
            line = await running.err_line("listening on")
            assert f"http://127.0.0.1:{port}, http://[::1]:{port6}, unix:{path}, unix:{abstract}" in line
            assert "left aside" not in "".join(running.err)
            for where in (port, path, abstract.replace("@", "\0")):
                assert (await get(where)).startswith(b"HTTP/1.1 200 ")
            running.interrupt(signal.SIGTERM)
            assert (await running.finish()).code == 0
        assert os.path.exists(path)  # whoever made it has it still


@pytest.mark.parametrize(
    ("where", "name", "reason"),
    [
        ("127.0.0.1", "metrics", "its name is none of ours"),
        ("datagram", "http", "it is no stream socket that listens"),
        ("file", "http", "it is no socket"),
    ],
)
async def test_a_descriptor_that_is_no_listener_of_ours_is_exit_69(
    tmp_path: Path, where: str, name: str, reason: str
) -> None:
    async with origin() as upstream:
        file = write_config(tmp_path, upstream, "127.0.0.1:0")
        finished = await ran("serve", "--config", file, "--loop", LOOP, command=passing((where, name)))
        assert finished.code == 69
        assert f"penstock: cannot listen on descriptor 3 of the service manager: {reason}" in finished.err


@pytest.mark.parametrize(
    ("extra", "complaint"),
    [
        ("", "is not loopback, and without any [clients] anyone could call"),
        ('[clients.a]\nkey = "0123456789abcdef"\n[providers.up.accounts.m]\nkey = "k"\n', "could spend the keys of"),
    ],
    ids=["no clients", "open mount"],
)
async def test_a_passed_socket_that_would_open_too_much_is_exit_78(tmp_path: Path, extra: str, complaint: str) -> None:
    async with origin() as upstream:
        file = write_config(tmp_path, upstream, "127.0.0.1:0")
        with open(file, "a") as more:
            more.write(extra)
        with notified(tmp_path) as manager:
            env = {"NOTIFY_SOCKET": manager.address}
            command = passing(("127.0.0.1", "http"), ("0.0.0.0", "http"))
            finished = await ran("serve", "--config", file, "--loop", LOOP, command=command, env=env)
            assert finished.code == 78
            assert complaint in finished.err
            assert "Traceback" not in finished.err
            assert complaint in await manager.wait("STATUS=not started: invalid configuration: ")
            assert "READY=1" not in manager.told


async def test_a_socket_meant_for_another_process_is_left_alone(tmp_path: Path) -> None:
    async with origin() as upstream:
        file = write_config(tmp_path, upstream, "127.0.0.1:0")
        env = {"LISTEN_FDS": "1", "LISTEN_PID": "1"}
        async with started("serve", "--config", file, "--loop", LOOP, env=env) as running:
            port = int((await running.err_line("listening on")).rstrip('"}').rpartition(":")[2])
            assert (await get(port)).startswith(b"HTTP/1.1 200 ")


async def test_a_port_in_use_is_exit_69_and_says_which(tmp_path: Path) -> None:
    async with origin() as upstream:
        file = write_config(tmp_path, upstream, f"127.0.0.1:{upstream.port}")
        finished = await ran("serve", "--config", file, "--loop", LOOP)
        assert finished.code == 69
        assert f"127.0.0.1:{upstream.port}" in finished.err
        assert "Traceback" not in finished.err


async def test_a_bad_configuration_is_exit_78_with_every_fault(tmp_path: Path) -> None:
    file = tmp_path / "penstock.toml"
    file.write_text('[server]\nlisten = ["nowhere"]\n[limits]\nidle = "soon"\nsurprise = 1\n')
    finished = await ran("serve", "--config", str(file))
    assert finished.code == 78
    for place in ("server.listen", "limits.idle", "limits.surprise"):
        assert place in finished.err


async def test_wrong_usage_is_exit_2() -> None:
    assert (await ran("serve", "--surprise")).code == 2
    assert (await ran()).code == 2
