"""A service manager's part: what it listens to, and the sockets that it passes on.

`Notified` is the socket behind $NOTIFY_SOCKET; it waits for what it is told. `passing(...)` is the command of a process
that is handed listening sockets as systemd does it (sd_listen_fds(3)), and then becomes the proxy.
"""

import asyncio
import json
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

WAIT = 20.0  # seconds; a start takes half of one, on a busy machine several

_PASS = """
import json, os, socket, sys
passed = json.loads(sys.argv[1])
sockets = []
for where, name in passed:
    if where in ("file", "datagram"):
        sockets.append(open(os.devnull) if where == "file" else socket.socket(type=socket.SOCK_DGRAM))
        continue
    family = socket.AF_UNIX if where[0] in "/@" else socket.AF_INET6 if ":" in where else socket.AF_INET
    sock = socket.socket(family)
    sock.bind(where.replace("@", chr(0)) if family == socket.AF_UNIX else (where, 0))
    sock.listen()
    sockets.append(sock)
    print(sock.getsockname()[1] if family != socket.AF_UNIX else where, flush=True)
high = [os.dup2(sock.fileno(), 100 + index) for index, sock in enumerate(sockets)]
for index, number in enumerate(high):
    os.dup2(number, 3 + index)
    os.close(number)
os.environ.update(LISTEN_FDS=str(len(sockets)), LISTEN_PID=str(os.getpid()))
if any(name for _, name in passed):
    os.environ["LISTEN_FDNAMES"] = ":".join(name for _, name in passed)
os.execv(sys.executable, [sys.executable, "-m", "proxy", *sys.argv[2:]])
"""


def passing(*sockets: tuple[str, str]) -> Sequence[str]:
    """sockets: host, path or @abstract, and the name it is passed by, "" for none. The port of each, or its path, is
    printed before the proxy begins. "file" and "datagram" instead of a host are descriptors that nobody listens on."""
    return (sys.executable, "-c", _PASS, json.dumps(sockets))


class Notified:
    """address: for $NOTIFY_SOCKET. told: every message so far."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.told: list[str] = []
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._sock.bind(address)

    async def until(self, is_it: Callable[[str], bool]) -> str:
        """The next message that `is_it`."""
        async with asyncio.timeout(WAIT):
            while True:
                message = (await asyncio.get_running_loop().sock_recv(self._sock, 4096)).decode()
                self.told.append(message)
                if is_it(message):
                    return message

    async def wait(self, part: str) -> str:
        return await self.until(lambda message: part in message)

    def close(self) -> None:
        self._sock.close()


@contextmanager
def notified(folder: Path) -> Iterator[Notified]:
    made = Notified(str(folder / "notify"))
    try:
        yield made
    finally:
        made.close()
