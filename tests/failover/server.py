"""A provider that fails by script: real sockets, four dialects at their vendors' paths, a note of every request.

`Faulty.scripts` has a Script per model; a model without one does not exist. `attempts` are the requests in the order
in which they came, with times on the monotonic clock: when it came, when the other side closed, whether all was said.
"""

import asyncio
import os
import socket
import struct
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tests.failover.errors import build_error
from tests.failover.plays import Cut, Play, Script
from tests.failover.voices import TEXT, TOKENS, VOICES, Voice, encode
from tests.failover.wanted import Wanted, read_prefill, read_request

USAGE = (11, 60)
"""Tokens of the first model; every other model's prompt is one longer, so that it shows whose usage was told."""

SSE_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


class Left(Exception):
    """The other side has closed."""


@dataclass(slots=True)
class Attempt:
    """number: of this model, from 0. done: the play came to its end. prefill: the assistant's text it was to go on
    from. closed_at: when the other side left; None while it has not."""

    model: str
    dialect: str
    number: int
    at: float
    stream: bool
    play: Play
    prefill: str = ""
    done: bool = False
    closed_at: float | None = None
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    def close(self) -> None:
        if self.closed_at is None:
            self.closed_at = time.monotonic()
            self.gone.set()

    @property
    def over(self) -> bool:
        return self.done or self.closed_at is not None


class Faulty:
    def __init__(self, scripts: Mapping[str, Script], pace: float) -> None:
        self.scripts = scripts
        self.pace = pace
        self.attempts: list[Attempt] = []
        self.port = 0
        self.tasks: set[asyncio.Task[None]] = set()

    def list_attempts(self, model: str) -> list[Attempt]:
        return [attempt for attempt in self.attempts if attempt.model == model]

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        stash = bytearray()
        try:
            while (wanted := await read_request(reader, stash)) is not None:
                if not await self._answer(wanted, reader, writer, stash):
                    break
        except (ConnectionError, Left):
            pass
        finally:
            self.tasks.discard(task)
            writer.close()

    async def _answer(
        self, wanted: Wanted, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, stash: bytearray
    ) -> bool:
        """Whether the connection can be used again."""
        attempt = self._note(wanted)
        watch = asyncio.create_task(_watch(reader, stash, attempt))
        try:
            return await Performance(attempt, wanted, writer, self._open_voice(wanted), self.pace).run()
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch

    def _note(self, wanted: Wanted) -> Attempt:
        before = self.list_attempts(wanted.model)
        now = time.monotonic()
        number = len(before)
        play = self.scripts[wanted.model].choose(number, now - before[0].at if before else 0.0)
        prefill = read_prefill(wanted.dialect, wanted.body)
        attempt = Attempt(wanted.model, wanted.dialect, number, now, wanted.stream, play, prefill)
        self.attempts.append(attempt)
        return attempt

    def _open_voice(self, wanted: Wanted) -> Voice:
        asked, said = USAGE
        return VOICES[wanted.dialect](wanted.model, (asked + list(self.scripts).index(wanted.model), said))


class Performance:
    """One play. Raises Left as soon as the other side has."""

    def __init__(self, attempt: Attempt, wanted: Wanted, writer: asyncio.StreamWriter, voice: Voice, pace: float):
        self._attempt = attempt
        self._play = attempt.play
        self._wanted = wanted
        self._writer = writer
        self._voice = voice
        self._pace = pace

    async def run(self) -> bool:
        """Whether the connection can be used again."""
        play, attempt = self._play, self._attempt
        if play.reset:
            self._reset()
            attempt.done = True
            return False
        if play.silent:
            await attempt.gone.wait()
            return False
        refused = attempt.prefill and play.prefill is False
        if play.error or refused:
            self._refuse("prefill" if refused else play.error)
            keeps = True
        else:
            keeps = await (self._stream() if self._wanted.stream else self._send_whole())
        attempt.done = True
        return keeps

    async def _stream(self) -> bool:
        play = self._play
        self._send(SSE_HEAD)
        self._chunk(self._voice.opening())
        await self._keep_quiet(self._play.late)
        for at, token in enumerate(self._choose_tokens()):
            if at == play.stop_after and not await self._stop():
                return False
            if at == play.bad_after:
                self._chunk(self._voice.bad)
            self._chunk(self._voice.say(token))
            await self._pause(self._pace if play.pace is None else play.pace)
        self._chunk(self._voice.finish() + (self._voice.mark if play.mark else b""))
        await self._pause(play.open_for)
        self._send(b"0\r\n\r\n")
        return True

    async def _send_whole(self) -> bool:
        play = self._play
        body = encode(self._voice.whole("".join(self._choose_tokens()))).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        await self._pause(play.late)
        self._send(head.encode())
        half = len(body) if play.stop_after is None else len(body) * play.stop_after // len(TOKENS)
        self._send(body[:half])
        if half < len(body) and not await self._stop():
            return False
        self._send(body[half:])
        return True

    def _choose_tokens(self) -> tuple[str, ...]:
        """All of them, or what is left after the turn that is to be continued."""
        done = self._attempt.prefill
        if self._play.differs:
            return TOKENS[:10] + TOKENS[:9:-1]
        if not done or self._play.prefill is None:
            return TOKENS
        assert TEXT.startswith(done), "asked to go on from what was never said"
        return (TEXT[len(done) :],)

    def _refuse(self, kind: str) -> None:
        status, value = build_error(self._wanted.dialect, kind)
        body = encode(value).encode()
        delay = f"Retry-After: {self._play.retry_after}\r\n" if self._play.retry_after else ""
        head = (
            f"HTTP/1.1 {status} Refused\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{delay}\r\n"
        )
        self._send(head.encode() + body)

    async def _keep_quiet(self, seconds: float) -> None:
        """Nothing of the answer, but for pings."""
        pings = self._play.pings or seconds
        while seconds > 0:
            await self._pause(min(pings, seconds))
            seconds -= pings
            if self._play.pings:
                self._chunk(self._voice.ping)

    async def _stop(self) -> bool:
        """The stall, or the cut; whether the answer goes on."""
        await self._keep_quiet(self._play.stall)
        if self._play.cut is Cut.RESET:
            await self._writer.drain()
            self._reset()
        elif self._play.cut is Cut.CLEAN:
            self._send(b"0\r\n\r\n")
        return self._play.cut is None

    async def _pause(self, seconds: float) -> None:
        """Raises Left when the other side leaves meanwhile."""
        if self._attempt.gone.is_set():
            raise Left
        if seconds <= 0:
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self._attempt.gone.wait(), seconds)
            raise Left

    def _chunk(self, data: bytes) -> None:
        if data:
            self._send(b"%x\r\n%b\r\n" % (len(data), data))

    def _send(self, data: bytes) -> None:
        if self._writer.transport.is_closing():  # uvloop's raises RuntimeError
            raise Left
        self._writer.write(data)

    def _reset(self) -> None:
        transport = self._writer.transport
        handle = transport.get_extra_info("socket").fileno()
        with socket.socket(fileno=os.dup(handle)) as twin:  # uvloop's own cannot set options
            twin.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()


async def _watch(reader: asyncio.StreamReader, stash: bytearray, attempt: Attempt) -> None:
    """Note when the other side leaves; what else comes is the next request's."""
    try:
        while data := await reader.read(65536):
            stash += data
    except ConnectionError:
        pass
    attempt.close()


@asynccontextmanager
async def faulty(scripts: Mapping[str, Script], pace: float = 0.0) -> AsyncIterator[Faulty]:
    """A listening Faulty; pace: seconds between tokens. Its connections are cut at the end."""
    made = Faulty(scripts, pace)
    server = await asyncio.start_server(made.converse, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for task in list(made.tasks):
            task.cancel()
        await asyncio.gather(*made.tasks, return_exceptions=True)
