"""Clients that mean harm, thousands of them, in one process of plain sockets: `python -m tests.helpers.storm PLAN`.

PLAN is JSON: a list of `[kind, port, count]`, kinds as in KINDS. The connections come from many loopback addresses,
ADDRESSES to each kind. Who is turned away or cut comes again, a second later. It says `standing` once every connection
has been tried, goes on until its standard input ends, and then says in JSON what became of them: statuses and errors,
and how many stood at the end.
"""

import asyncio
import errno
import json
import selectors
import socket
import sys
import time
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

ADDRESSES: Final = 60
"""Addresses of each kind of harm."""

RATE: Final = 1000
"""Connections begun in a second."""

TURN: Final = 0.002
"""Seconds for which it may wait: thousands of machines would not send in step."""

PAUSE: Final = 1.0
"""Seconds between two bytes of who is slow, and until who was turned away comes again."""

SMALL: Final = 4096
"""Receive buffer of who never reads: the kernel's own would take megabytes."""

NO_PORT: Final = 24
"""IP_BIND_ADDRESS_NO_PORT (linux/in.h): the port is chosen when connecting, so that it need only be free for a pair."""


@dataclass(frozen=True)
class Kind:
    """first: sent at once. drip: sent every PAUSE. reads: what it is told. again: comes again when it is over."""

    first: bytes = b""
    drip: bytes = b""
    reads: bool = True
    again: bool = True


_GET: Final = b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n"

KINDS: Final = {
    "silent": Kind(),
    "head": Kind(b"GET /nothing HTTP/1.1\r\nHost: a\r\nX-Slow: ", b"a"),
    "hello": Kind(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),  # the beginning of a TLS ClientHello
    "body": Kind(b"POST /loud/v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n{", b" "),
    "pipeline": Kind(1000 * _GET),
    "blind": Kind(20_000 * _GET, reads=False, again=False),
    "deaf": Kind(b"GET /loud/clock?every=0&size=10000 HTTP/1.1\r\nHost: a\r\n\r\n", reads=False, again=False),
}


@dataclass(eq=False)
class Attacker:
    kind: Kind
    port: int
    address: str
    sock: socket.socket | None = None
    unsent: bytes = b""
    answered: bytes = b""
    due: float = 0.0  # when it acts next, 0 for never


@dataclass
class Storm:
    attackers: list[Attacker]
    seen: Counter[str] = field(default_factory=Counter)
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    acting: deque[tuple[float, Attacker]] = field(default_factory=deque)  # by time, since every pause is as long

    def run(self) -> None:
        self.selector.register(sys.stdin, selectors.EVENT_READ)
        waiting, began = list(reversed(self.attackers)), time.monotonic()
        while True:
            now = time.monotonic()
            while waiting and len(self.attackers) - len(waiting) < RATE * (now - began):
                self._begin(waiting.pop())
                if not waiting:
                    print("standing", flush=True)
            for key, mask in self.selector.select(TURN):
                if key.data is None:
                    return
                self._serve(key.data, mask)
            while self.acting and now >= self.acting[0][0]:
                due, attacker = self.acting.popleft()
                if due == attacker.due:
                    self._act(attacker)

    def _pause(self, attacker: Attacker, *, wanted: bool = True) -> None:
        attacker.due = time.monotonic() + PAUSE if wanted else 0.0
        if wanted:
            self.acting.append((attacker.due, attacker))

    def _begin(self, attacker: Attacker) -> None:
        sock = attacker.sock = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_IP, NO_PORT, 1)
        if not attacker.kind.reads:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
        sock.bind((attacker.address, 0))
        attacker.unsent, attacker.answered, attacker.due = attacker.kind.first, b"", 0.0
        code = sock.connect_ex(("127.0.0.1", attacker.port))
        if code not in (0, errno.EINPROGRESS):
            self._end(attacker, errno.errorcode[code])
            return
        self.seen["begun"] += 1
        self.selector.register(sock, selectors.EVENT_READ | selectors.EVENT_WRITE, attacker)

    def _serve(self, attacker: Attacker, mask: int) -> None:
        if attacker.sock is None:
            return
        try:
            if mask & selectors.EVENT_WRITE:
                self._send(attacker, attacker.sock)
            if mask & selectors.EVENT_READ and attacker.kind.reads:
                data = attacker.sock.recv(65536)
                attacker.answered = (attacker.answered + data)[:64]
                if not data:
                    self._end(attacker, attacker.answered[9:12].decode("ascii", "replace") or "closed")
        except OSError as error:
            self._end(attacker, attacker.answered[9:12].decode("ascii", "replace") or _name(error))

    def _send(self, attacker: Attacker, sock: socket.socket) -> None:
        if attacker.unsent:
            attacker.unsent = attacker.unsent[sock.send(attacker.unsent) :]
        if not attacker.unsent:
            if attacker.kind.reads:
                self.selector.modify(sock, selectors.EVENT_READ, attacker)
            else:
                self.selector.unregister(sock)
            self._pause(attacker, wanted=bool(attacker.kind.drip))

    def _act(self, attacker: Attacker) -> None:
        """Send the next byte, or come again."""
        if attacker.sock is None:
            self._begin(attacker)
            return
        self._pause(attacker)
        try:
            attacker.sock.send(attacker.kind.drip)
        except OSError:
            return  # what there is to read says why

    def _end(self, attacker: Attacker, how: str) -> None:
        assert attacker.sock is not None
        self.seen[how] += 1
        if attacker.sock.fileno() in self.selector.get_map():
            self.selector.unregister(attacker.sock)
        attacker.sock.close()
        attacker.sock = None
        self._pause(attacker, wanted=attacker.kind.again)


def _name(error: OSError) -> str:
    return errno.errorcode.get(error.errno or 0, "error")


class Raging:
    """A storm that goes on. `ended`: what became of it."""

    def __init__(self) -> None:
        self.ended: dict[str, int] = {}


@asynccontextmanager
async def raging(*plan: tuple[str, int, int], within: float = 30.0) -> AsyncIterator[Raging]:
    """A storm of its own process, begun but not yet standing; it ends with the block."""
    command = (sys.executable, "-m", "tests.helpers.storm", json.dumps(plan))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    assert process.stdin is not None
    assert process.stdout is not None
    storm = Raging()
    try:
        yield storm
        async with asyncio.timeout(within):
            assert await process.stdout.readline() == b"standing\n"
            process.stdin.close()
            storm.ended = json.loads(await process.stdout.read())
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def main(plan: list[tuple[str, int, int]]) -> None:
    attackers = []
    for row, (kind, port, count) in enumerate(plan):
        addresses = [f"127.0.{row + 1}.{number + 1}" for number in range(ADDRESSES)]
        attackers += [Attacker(KINDS[kind], port, addresses[number % ADDRESSES]) for number in range(count)]
    storm = Storm(attackers)
    storm.run()
    ended: dict[str, Any] = {"standing": sum(attacker.sock is not None for attacker in attackers), **storm.seen}
    print(json.dumps(ended), flush=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
