"""Providers that fail at random, and many clients that talk to them through one proxy, for a while.

`Chaos` is a provider that plays a fault or a sound answer for each request, as its dice fall. `run_clients` has every
client ask, read to the end, think and ask again, in the four dialects in turn, and notes what each has heard. The text
of every sound answer is the same, so that an answer that is short, or holds anything twice, cannot pass.
"""

import asyncio
import itertools
import random
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from tests.failover.asking import build_request
from tests.failover.documents import read_document
from tests.failover.errors import build_error
from tests.failover.heard import Heard
from tests.failover.listening import listen
from tests.failover.server import SSE_HEAD, USAGE
from tests.failover.voices import TEXT, TOKENS, VOICES, build_event, encode
from tests.failover.wanted import Wanted, read_request
from tests.helpers.rawhttp import RawClient

DIALECTS: Final = ("openai-chat", "openai-responses", "anthropic", "gemini")
FAULTS: Final[Mapping[str, float]] = {
    "limited": 0.006,
    "limited for a second": 0.006,
    "broken": 0.01,
    "reset": 0.01,
    "cut": 0.03,
    "reset within": 0.02,
    "error within": 0.015,
}
"""Shares of all requests."""

OUTAGES: Final = ("overloaded", "silent")
"""What is held against all of a provider: one of them every few seconds, whatever the load."""

BETWEEN: Final = (4.0, 8.0)
"""Seconds from one to the next."""

PIECES: Final = 6
"""An answer is written in so many."""

ANSWER: Final = 2.5
"""Seconds that it takes: most clients are in the middle of a stream at any time."""

THOUGHT: Final = 2.0
"""The longest time between two questions of a client."""

STREAMED: Final = 0.9
LONGEST: Final = 45.0
"""Seconds after which a request that has not ended is stuck: the deadline, an answer, and a rescue of it."""


class Chaos:
    """`played` counts faults and sound answers."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.played: Counter[str] = Counter()
        self.port = 0
        self.open: set[asyncio.StreamWriter] = set()
        self._outages = itertools.cycle(OUTAGES)
        self._next_outage = 0.0

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open.add(writer)
        stash = bytearray()
        try:
            while (wanted := await read_request(reader, stash)) is not None:
                fault = self._throw()
                self.played[fault] += 1
                if not await self._answer(wanted, fault, reader, writer):
                    break
        except ConnectionError:
            pass
        finally:
            self.open.discard(writer)
            writer.close()

    async def hang_up(self) -> None:
        """Close every connection."""
        for writer in self.open:
            writer.transport.abort()
        while self.open:
            await asyncio.sleep(0.01)

    def _throw(self) -> str:
        now = time.monotonic()
        if now >= self._next_outage:
            self._next_outage = now + self.dice.uniform(*BETWEEN)
            return next(self._outages)
        number = self.dice.random()
        for fault, share in FAULTS.items():
            number -= share
            if number < 0:
                return fault
        return "sound"

    async def _answer(
        self, wanted: Wanted, fault: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Whether the connection can be used again."""
        if fault == "silent":
            await reader.read(1)  # until the other side has had enough
            return False
        if fault == "reset":
            writer.transport.abort()
            return False
        if fault in _REFUSALS:
            kind, fields = _REFUSALS[fault]
            writer.write(_build_refusal(wanted.dialect, kind, fields))
            return True
        if not wanted.stream:
            return await self._send_whole(wanted, fault, writer)
        return await self._stream(wanted, fault, writer)

    async def _send_whole(self, wanted: Wanted, fault: str, writer: asyncio.StreamWriter) -> bool:
        data = _frame(200, encode(VOICES[wanted.dialect](wanted.model, USAGE).whole(TEXT)).encode())
        await asyncio.sleep(self.dice.random() * ANSWER / 2)
        if fault == "sound":
            writer.write(data)
            return True
        writer.write(data[: self.dice.randrange(len(data))])
        return False

    async def _stream(self, wanted: Wanted, fault: str, writer: asyncio.StreamWriter) -> bool:
        voice = VOICES[wanted.dialect](wanted.model, USAGE)
        events = [voice.opening(), *(voice.say(token) for token in TOKENS), voice.finish() + voice.mark]
        if fault == "error within":
            _, error = build_error(wanted.dialect, "overloaded" if self.dice.random() < 0.1 else "server")
            at = self.dice.choice([1, self.dice.randrange(1, len(TOKENS))])
            events[at:] = [build_event(error, "error" if wanted.dialect == "anthropic" else "")]
        size = sum(map(len, events))
        data = b"".join(b"%x\r\n%b\r\n" % (len(event), event) for event in events if event) + b"0\r\n\r\n"
        step = len(data) // PIECES + 1
        if fault in ("cut", "reset within"):
            data = data[: self.dice.randrange(size)]
        writer.write(SSE_HEAD)
        for at in range(0, len(data), step):
            if writer.transport.is_closing():
                return False
            writer.write(data[at : at + step])
            await asyncio.sleep(ANSWER / PIECES * 2 * self.dice.random())
        if fault == "reset within":
            writer.transport.abort()
        return fault in ("sound", "error within")


_REFUSALS: Final[Mapping[str, tuple[str, str]]] = {
    "limited": ("rate", ""),
    "limited for a second": ("rate", "Retry-After: 1\r\n"),
    "broken": ("server", ""),
    "overloaded": ("overloaded", ""),
}


def _build_refusal(dialect: str, kind: str, fields: str) -> bytes:
    status, value = build_error(dialect, kind)
    return _frame(status, encode(value).encode(), fields)


def _frame(status: int, body: bytes, fields: str = "") -> bytes:
    head = f"HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{fields}\r\n"
    return head.encode() + body


@asynccontextmanager
async def chaos(seed: int) -> AsyncIterator[Chaos]:
    made = Chaos(random.Random(seed))
    server = await asyncio.start_server(made.converse, "127.0.0.1", 0, backlog=1024)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await made.hang_up()


def build_config(port: int, accounts: int) -> dict[str, Any]:
    """Half of the accounts at each of two providers, which share the model by weight."""

    def build_provider(dialect: str, base: str, first: int) -> dict[str, Any]:
        keys = {f"a{number}": {"key": f"key-of-account-{number}"} for number in range(first, first + accounts // 2)}
        return {"dialect": dialect, "base_url": f"http://127.0.0.1:{port}{base}", "accounts": keys}

    return {
        "state": {"path": ":memory:"},
        "limits": {
            "first_byte": "3s", "ttft": "3s", "progress": "3s", "idle": "4s", "hold_status": "2s", "heartbeat": "1s",
            "deadline": "20s", "cooldown_max": "5s",
        },
        "providers": {
            "one": build_provider("openai-chat", "/v1", 0),
            "two": build_provider("anthropic", "", accounts // 2),
        },
        "models": {
            "tested": {
                "targets": ["one/main", "two/main"],
                "overrides": {"one/main": {"tier": 1}, "two/main": {"tier": 1}},
                "rescue": "restart",
            }
        },
    }  # fmt: skip


@dataclass(slots=True)
class Tally:
    """What the clients have heard. verdicts: by word. wrong: what must not be. homes: by client, who answered it and
    how often. longest: seconds of the longest request."""

    verdicts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    homes: defaultdict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    longest: float = 0.0

    @property
    def hit_rate(self) -> float:
        """The share of answers that came from the account that answers this client most."""
        answers = sum(homes.total() for homes in self.homes.values())
        return sum(max(homes.values()) for homes in self.homes.values()) / answers

    def note(self, client: int, heard: Heard) -> None:
        verdict = heard.verdict
        self.verdicts[verdict] += 1
        self.longest = max(self.longest, heard.wall)
        if verdict in ("short", "broken"):
            self.wrong.append(heard.describe())
        if account := heard.headers.get("x-penstock-account"):
            self.homes[client][account] += 1


async def run_clients(port: int, count: int, seconds: float, dice: random.Random) -> Tally:
    """Returns when all have ended; nobody begins a request after `seconds`."""
    tally, until = Tally(), time.monotonic() + seconds

    async def live(client: int) -> None:
        await asyncio.sleep(dice.random() * min(ANSWER + THOUGHT, seconds / 2))
        while time.monotonic() < until:
            dialect = DIALECTS[client % len(DIALECTS)]
            tally.note(client, await _ask(port, client, dialect, stream=dice.random() < STREAMED))
            await asyncio.sleep(dice.random() * THOUGHT)

    async with asyncio.TaskGroup() as group:
        for client in range(count):
            group.create_task(live(client))
    return tally


class Patient(RawClient):
    """Waits as long as whoever waits for it."""

    async def until(self, mark: bytes) -> bytes:
        return await self.reader.readuntil(mark)

    async def exactly(self, count: int) -> bytes:
        return await self.reader.readexactly(count)


async def _ask(port: int, client: int, dialect: str, *, stream: bool) -> Heard:
    heard, begun = Heard(dialect), time.monotonic()
    request = build_request(dialect, "tested", stream=stream)
    session = f"Host: x\r\nx-session-id: session-{client}\r\n".encode()
    connection = Patient(*await asyncio.open_connection("127.0.0.1", port))
    try:
        async with asyncio.timeout(LONGEST):
            await connection.send(request.replace(b"Host: x\r\n", session, 1))
            await _read(connection, heard, stream=stream)
    except TimeoutError:
        heard.faults.append("stuck")
    except (ConnectionError, asyncio.IncompleteReadError):
        heard.faults.append("cut off")
    finally:
        await connection.close()
    heard.wall = time.monotonic() - begun
    return heard


async def _read(connection: RawClient, heard: Heard, *, stream: bool) -> None:
    reply = await connection.reply()
    heard.status, heard.headers, heard.clean = reply.status, reply.headers, True
    if stream and reply.status == 200:
        listen(heard.dialect, reply.body, heard)
    else:
        read_document(heard.dialect, reply.body, heard)
