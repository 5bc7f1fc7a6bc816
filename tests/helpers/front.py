"""Front proxies for tests: nginx, Caddy and HAProxy, with the configurations of docs/front-proxies.md as they stand
there, but for addresses and the paths of certificates.

`in_front(program, backend, authority, folder)` runs one before `backend`, which is `127.0.0.1:PORT` or the path of a
Unix socket, and yields the port on which it speaks TLS.
"""

import asyncio
import os
import re
import shutil
import signal
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.helpers.certificates import Authority

PAGE = Path(__file__).parents[2] / "docs/front-proxies.md"
WAIT = 20.0  # seconds; Caddy takes one on a busy machine

_NGINX = (
    "user root; daemon off; worker_processes 1; pid {folder}/pid; error_log stderr;\n"
    "events {{}}\nhttp {{ access_log off;\n{text}\n}}\n"
)  # where the test is nobody's but root's, its folder is
_CADDY = "{{\n admin off\n auto_https disable_redirects\n skip_install_trust\n}}\n{text}\n"


@dataclass(frozen=True)
class Program:
    """language: of its block on the page. frame: what its configuration stands in. unix: its form of a Unix socket."""

    language: str
    frame: str
    unix: str
    arguments: tuple[str, ...]

    @property
    def path(self) -> str | None:
        return shutil.which(self.arguments[0], path=f"{os.environ['PATH']}:/usr/sbin")


PROGRAMS: Mapping[str, Program] = {
    "nginx": Program("nginx", _NGINX, "unix:", ("nginx", "-p", "{folder}", "-e", "stderr", "-c", "{file}")),
    "caddy": Program("caddyfile", _CADDY, "unix/", ("caddy", "run", "--adapter", "caddyfile", "--config", "{file}")),
    "haproxy": Program("haproxy", "{text}", "unix@", ("haproxy", "-db", "-f", "{file}")),
}


def read_snippet(name: str) -> str:
    """The configuration on the page."""
    (text,) = re.findall(rf"```{PROGRAMS[name].language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return str(text)


def write_configuration(
    name: str, backend: str, port: int, authority: Authority, folder: Path, changes: Mapping[str, str]
) -> Path:
    program, pair, text = PROGRAMS[name], authority.pair(), read_snippet(name)
    both = folder / "both.pem"
    both.write_text(Path(pair.certificate).read_text() + Path(pair.key).read_text())
    for old, new in {
        **changes,
        "127.0.0.1:8088": program.unix + backend if backend.startswith("/") else backend,
        "/etc/ssl/ai.example.com.pem": pair.certificate,
        "/etc/ssl/ai.example.com.key": pair.key,
        "/etc/haproxy/ai.example.com.pem": str(both),
        "listen 443": f"listen 127.0.0.1:{port}",
        "bind :443": f"bind 127.0.0.1:{port}",
        "\nai.example.com {": f"\nhttps://127.0.0.1:{port} {{",
    }.items():
        assert old in text or old not in changes, f"{old} is not on the page"
        text = text.replace(old, new)
    file = folder / "configuration"
    file.write_text(program.frame.format(text=text, folder=folder))
    return file


@asynccontextmanager
async def in_front(
    name: str, backend: str, authority: Authority, folder: Path, changes: Mapping[str, str] | None = None
) -> AsyncIterator[int]:
    """changes: of the page's text, old to new."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    file = write_configuration(name, backend, port, authority, folder, changes or {})
    program, log = PROGRAMS[name], folder / "log"
    assert program.path is not None
    arguments = [part.format(file=file, folder=folder) for part in program.arguments[1:]]
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            program.path, *arguments, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
            env={"PATH": os.environ["PATH"], "HOME": str(folder)}, start_new_session=True,
        )  # fmt: skip
    try:
        await _wait_until_open(port, process, log)
        yield port
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def _wait_until_open(port: int, process: asyncio.subprocess.Process, log: Path) -> None:
    async with asyncio.timeout(WAIT):
        while True:
            assert process.returncode is None, log.read_text()
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.02)
                continue
            writer.close()
            await writer.wait_closed()
            return
