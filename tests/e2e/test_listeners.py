"""Where the process listens: TCP, a Unix socket, a socket that was passed to it; and how it ends when it cannot."""

import os
import signal
import socket
import sys
from pathlib import Path

from tests.helpers.bare import bare
from tests.helpers.command import ran, started
from tests.helpers.origin import Origin, origin

LOOP = os.environ.get("PENSTOCK_TEST_LOOP", "uvloop")

PASS_SOCKET = """
import os, socket, sys
sock = socket.socket()
sock.bind(("127.0.0.1", 0))
sock.listen()
print(sock.getsockname()[1], flush=True)
os.dup2(os.dup(sock.detach()), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.executable, [sys.executable, "-m", "proxy", *sys.argv[1:]])
"""
"""What systemd does (sd_listen_fds(3)): the socket at descriptor 3, and the process that it is meant for by its id."""


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


async def test_a_socket_passed_by_the_service_manager_is_used_instead_of_the_listeners(tmp_path: Path) -> None:
    async with origin() as upstream:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            file = write_config(tmp_path, upstream, f"127.0.0.1:{taken.getsockname()[1]}")
            command = (sys.executable, "-c", PASS_SOCKET)
            async with started("serve", "--config", file, "--loop", LOOP, command=command) as running:
                port = int(await running.out_line())
                assert f":{port}" in await running.err_line("listening on")
                assert (await get(port)).startswith(b"HTTP/1.1 200 ")
                running.interrupt(signal.SIGTERM)
                assert (await running.finish()).code == 0


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
