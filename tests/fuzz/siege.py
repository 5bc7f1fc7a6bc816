"""A real process of the proxy with everything on, in front of an upstream that answers whatever a test wants, and what
must never be seen of it: a 500, a line about an exception, a tap that failed, a polite request without its answer,
descriptors and memory that do not come back.
"""

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from proxy.dialects.registry import PROVIDERS
from tests.helpers.command import Running, started
from tests.helpers.rawhttp import fetch
from tests.helpers.recorder import Recorder, recorder

KEY: Final = "sk-fuzz"
QUIET: Final = 0.12
"""Seconds without a byte after which nothing more is expected: the limits of the process are longer than that, but who
leaves in the middle is a client too."""

BOUND: Final = 10.0
"""Seconds within which everything has an end: several times the longest limit below, for a busy machine."""

_LIMITS: Final = """
head_timeout = "1s"
first_byte = "400ms"
ttft = "400ms"
idle = "400ms"
write_stall = "1s"
deadline = "1s"
attempts = 2
drain = "100ms"
"""
_INTERNAL: Final = frozenset({"internal"})


_NUMBER: Final = re.compile(rb"fuzz-(\d+)-").search


@dataclass(frozen=True, slots=True)
class Script:
    """What the hostile upstream says, and how it ends: "fin", "rst" or "stay"."""

    pieces: Sequence[bytes]
    fate: str


_SILENCE: Final = Script((), "fin")


class Hostile(asyncio.Protocol):
    """The upstream's side of a connection. Who asks names its Script by a number in the model or the path."""

    def __init__(self, siege: "Siege") -> None:
        self._siege = siege
        self._transport: asyncio.Transport
        self._received = b""
        self._said = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._siege.hostiles.add(self)

    def data_received(self, data: bytes) -> None:
        self._received = (self._received + data)[-65536:]
        named = _NUMBER(self._received)
        if not self._said and named is not None and b"\r\n\r\n" in self._received:
            self._said = True
            script = self._siege.scripts.get(int(named[1]), _SILENCE)
            self._say(script.pieces, script.fate)

    def connection_lost(self, exc: Exception | None) -> None:
        self._siege.hostiles.discard(self)

    def abort(self) -> None:
        self._transport.abort()

    def _say(self, pieces: Sequence[bytes], fate: str) -> None:
        if self._transport.is_closing():
            return
        if pieces:
            self._transport.write(pieces[0])
            asyncio.get_running_loop().call_soon(self._say, pieces[1:], fate)
        elif fate == "fin":
            self._transport.close()
        elif fate == "rst":
            self._transport.abort()
        else:  # the next request on this connection is answered too
            self._said, self._received = False, b""


class Siege:
    """scripts: of the hostile upstream, by number."""

    def __init__(self, running: Running, port: int, admin: int, friend: Recorder) -> None:
        self.running = running
        self.port = port
        self.admin = admin
        self.friend = friend
        self.scripts: dict[int, Script] = {}
        self.hostiles: set[Hostile] = set()
        self._lines: list[str] = []
        self._reading = asyncio.create_task(self._read_log())

    async def poke(self, pieces: Sequence[bytes], port: int) -> bytes:
        """Send `pieces`, and give back what comes until the end, or until nothing does any more."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        received = b""
        try:
            for piece in pieces:
                if piece and not writer.is_closing():
                    writer.write(piece)
                    await asyncio.sleep(0)
            with suppress(TimeoutError, ConnectionError):
                while data := await asyncio.wait_for(reader.read(65536), QUIET):
                    received += data
                    assert len(received) < 1 << 24
        finally:
            writer.transport.abort()
        assert b"HTTP/1.1 500 " not in received
        return received

    async def be_polite(self) -> None:
        """Somebody who asks as one should has a whole answer."""
        body = {"model": "good/m", "messages": [{"role": "user", "content": "hi"}], "stream": True}
        async with asyncio.timeout(BOUND):
            reply = await fetch(self.port, "/v1/chat/completions", body=body, headers=f"x-api-key: {KEY}\r\n")
            health = await fetch(self.admin, "/healthz")
        assert (reply.status, health.status) == (200, 200), reply.body
        assert b"[DONE]" in reply.body

    async def forgive(self) -> None:
        """No account is left alone for what has been."""
        for name in ("good", *map(_name, PROVIDERS)):
            await fetch(
                self.admin, "/accounts/clear", body={"name": name}, headers="Content-Type: application/json\r\n"
            )

    def check_log(self) -> None:
        """Raise AssertionError for a line that tells of a bug."""
        lines, self._lines = self._lines, []
        assert self.running.process.returncode is None, "the process has ended: " + "".join(lines[-20:])
        wrong = [line for line in lines if _tells_of_a_bug(line)]
        assert wrong == [], "".join(wrong)

    async def settle(self) -> tuple[int, int, int]:
        """Requests in flight, descriptors and resident bytes, once nothing more goes away."""
        seen: list[tuple[int, int]] = []
        async with asyncio.timeout(60):
            while len(seen) < 4 or len(set(seen[-4:])) > 1 or seen[-1][0]:
                ready = await fetch(self.admin, "/readyz")
                flying = re.search(rb"(\d+) streams", ready.body)
                descriptors = len(os.listdir(f"/proc/{self.running.process.pid}/fd"))
                seen.append((int(flying[1]) if flying else 0, descriptors))
                await asyncio.sleep(0.25)
        resident = Path(f"/proc/{self.running.process.pid}/statm").read_text().split()[1]
        return (*seen[-1], int(resident) * os.sysconf("SC_PAGESIZE"))

    async def _read_log(self) -> None:
        assert self.running.process.stderr is not None
        while line := await self.running.process.stderr.readline():
            self._lines.append(line.decode("utf-8", "replace"))

    async def close(self) -> None:
        self._reading.cancel()
        for hostile in list(self.hostiles):
            hostile.abort()


def _tells_of_a_bug(line: str) -> bool:
    try:
        fields: dict[str, Any] = json.loads(line)
    except ValueError:
        return True  # a log in JSON, and something that wrote past it
    if fields.get("error") in _INTERNAL or fields.get("tap_failed") or "exception" in fields:
        return True
    return "request_id" not in fields and fields.get("level") == "error"


def _name(dialect: str) -> str:
    return f"bad-{dialect}"


def _build_tables(folder: Path, good: str, bad: str) -> dict[str, str]:
    account = 'accounts.main.key = "sk-upstream-1234"'
    providers = {
        f"providers.{_name(dialect)}": f'dialect = "{dialect}"\nbase_url = "{bad}"\n{account}'
        + ('\nproject = "p"' if dialect == "code-assist" else "")
        for dialect in PROVIDERS
    }
    return {
        "server": 'listen = ["127.0.0.1:0"]\nadmin = "127.0.0.1:0"\ntrusted_proxies = ["127.0.0.1"]\nvia = "penstock"',
        "limits": _LIMITS,
        "log": 'format = "json"',
        "state": f'path = "{folder}/state.db"',
        "ledger": f'path = "{folder}/ledger.db"',
        "console": "content = true",
        "chat": "enabled = true",
        "record": f'when = ["all"]\ndirectory = "{folder}/cassettes"\nbodies = true\nmax_bytes = "2MiB"\nring = 5',
        "clients.fuzz": f'key = "{KEY}"\nmax_streams = 1000',
        "providers.good": f'dialect = "openai-chat"\nbase_url = "{good}"\naccounts.main.key = "sk-upstream-5678"',
        **providers,
        'models."good/*"': 'targets = ["good/*"]',
        **{f'models."{_name(dialect)}/*"': f'targets = ["{_name(dialect)}/*"]' for dialect in PROVIDERS},
        **{f'models."both-{dialect}/*"': f'targets = ["{_name(dialect)}/*", "good/*"]' for dialect in PROVIDERS},
        'mounts."/up"': 'provider = "good"\nauth = "none"',
        'mounts."/bad"': 'provider = "bad-openai-chat"\nauth = "none"\nheartbeat = "100ms"',
        'prices."*/*"': "input = 1.0\noutput = 2.0",
    }


ANSWER: Final = (
    b'data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":'
    b'"assistant","content":"Hello"},"finish_reason":null}]}\n\n'
    b'data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},'
    b'"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
)
_FRIENDLY: Final = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n%b" % (
    len(ANSWER),
    ANSWER,
)


@asynccontextmanager
async def besieged(folder: Path) -> AsyncIterator[Siege]:
    """A Siege whose log is checked at the end."""
    loop = asyncio.get_running_loop()
    made: list[Siege] = []
    server = await loop.create_server(lambda: Hostile(made[0]), "127.0.0.1", 0)
    bad = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with recorder() as friend:
        friend.answer = lambda _: _FRIENDLY
        tables = _build_tables(folder, friend.base_url, bad)
        file = folder / "penstock.toml"
        file.write_text("\n".join(f"[{name}]\n{rows}" for name, rows in tables.items()))
        loop_name = os.environ.get("PENSTOCK_TEST_LOOP", "uvloop")
        async with started("serve", "--config", str(file), "--loop", loop_name) as running:
            await running.err_line("listening on")
            admin, public = re.findall(r" on http://127\.0\.0\.1:(\d+)", "".join(running.err))
            made.append(Siege(running, int(public), int(admin), friend))
            try:
                yield made[0]
            finally:
                await made[0].close()
                server.close()
