"""A load that notices everything, run as a process of its own: `python load.py TARGET_PORT ORIGIN_PORT [KIND ...]`.

It speaks on plain sockets, shares no code with the proxy, and is both ends of it: the clients on one side, the upstream
on the other. It prints `flowing` once every kind of client is at work. On its standard input `calm` stops whoever opens
connections, `busy` lets them go on, and `end` lets all that runs come to its end; then it prints one line of JSON: for
each kind how much was done, the longest wait, and every failure, with its time. A client fails when it is refused,
reset, answered wrongly or late, or when its connection ends before an answer that nothing had announced as the last
(RFC 9112 9.3.2 and 9.6). tests/helpers/loaded.py starts it.
"""

import asyncio
import json
import random
import sys
import time
import zlib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field

SILENCE = 15.0  # seconds without a byte that are a failure: a swap takes less than one from any client's view
BEAT = 0.1  # seconds between two events of a stream
PIECE = 8192  # bytes of an upload sent at a time
PIECES = 12
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b"
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
LAST = b"data: last\n\n"

stopping = asyncio.Event()
busy = asyncio.Event()


class Failure(Exception):
    """What a client saw that it must not see."""


@dataclass
class Tally:
    """One kind of client. done: whole exchanges; longest: seconds waited for an answer, or between two events."""

    done: int = 0
    events: int = 0
    longest: float = 0.0
    failures: list[tuple[float, str]] = field(default_factory=list)


@dataclass
class Answer:
    status: int
    body: bytes
    is_last: bool


class Line:
    """One client connection to the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tally: Tally) -> None:
        self._reader, self._writer, self._tally = reader, writer, tally

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    def has_ended(self) -> bool:
        return self._reader.at_eof() or self._reader.exception() is not None

    async def read_head(self) -> tuple[int, dict[bytes, bytes]]:
        lines = (await self._wait(self._reader.readuntil(b"\r\n\r\n"))).split(b"\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in lines[1:] if line)
        return int(lines[0].split()[1]), fields

    async def read_answer(self) -> Answer:
        status, fields = await self.read_head()
        body = await self._wait(self._reader.readexactly(int(fields[b"content-length"])))
        return Answer(status, body, fields.get(b"connection") == b"close")

    async def read_chunk(self) -> bytes:
        size = int(await self._wait(self._reader.readuntil(b"\r\n")), 16)
        return (await self._wait(self._reader.readexactly(size + 2)))[:-2]

    async def _wait(self, reading: Coroutine[None, None, bytes]) -> bytes:
        began = time.monotonic()
        try:
            async with asyncio.timeout(SILENCE):
                return await reading
        except asyncio.IncompleteReadError as cut:
            raise Failure(f"cut after {cut.partial[-40:]!r}") from None
        except ConnectionError as error:
            raise Failure(f"reset: {type(error).__name__}") from None
        except TimeoutError:
            raise Failure(f"no answer within {SILENCE} s") from None
        finally:
            self._tally.longest = max(self._tally.longest, time.monotonic() - began)


@asynccontextmanager
async def connect(port: int, tally: Tally) -> AsyncIterator[Line]:
    try:
        async with asyncio.timeout(SILENCE):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except (OSError, TimeoutError) as error:
        raise Failure(f"refused: {type(error).__name__}") from None
    try:
        yield Line(reader, writer, tally)
    finally:
        writer.close()


def build_get(path: str) -> bytes:
    return f"GET /load/{path} HTTP/1.1\r\nHost: load\r\n\r\n".encode()


def build_post(body: bytes) -> bytes:
    return b"POST /load/sum HTTP/1.1\r\nHost: load\r\nContent-Length: %d\r\n\r\n" % len(body)


def check(answer: Answer, expected: bytes) -> None:
    if answer.status != 200 or answer.body != expected:
        raise Failure(f"wrong answer: {answer.status} {answer.body[:80]!r} instead of {expected!r}")


async def ask_once(port: int, tally: Tally) -> None:
    """A connection per request."""
    await busy.wait()
    number = random.randrange(10**9)
    async with connect(port, tally) as line:
        line.send(build_get(f"echo?{number}"))
        check(await line.read_answer(), b"%d" % number)
    tally.done += 1
    await asyncio.sleep(0.02)


async def keep_pipeline(port: int, tally: Tally) -> None:
    """One connection for as long as it lasts: requests in batches, the last of which arrives in two parts."""
    async with connect(port, tally) as line:
        while not stopping.is_set() and not line.has_ended():
            numbers = [random.randrange(10**9) for _ in range(random.randint(2, 6))]
            batch = b"".join(build_get(f"echo?{number}") for number in numbers)
            line.send(batch[:-20])
            await asyncio.sleep(random.uniform(0, 0.03))
            line.send(batch[-20:])
            for number in numbers:
                answer = await line.read_answer()
                check(answer, b"%d" % number)
                tally.done += 1
                if answer.is_last:  # those behind it were not begun: whoever sent them sends them again
                    return
            await asyncio.sleep(random.uniform(0, 0.05))


async def keep_posting(port: int, tally: Tally) -> None:
    """One connection for as long as it lasts, and requests on it that must not be sent twice, with pauses."""
    async with connect(port, tally) as line:
        while not stopping.is_set() and not line.has_ended():
            body = random.randbytes(200)
            line.send(build_post(body) + body)
            answer = await line.read_answer()
            check(answer, b"%d" % zlib.crc32(body))
            tally.done += 1
            if answer.is_last:
                return
            await asyncio.sleep(random.choice((0.0, 0.05, 0.3, 1.0)))


async def upload(port: int, tally: Tally) -> None:
    """A body that takes seconds."""
    await busy.wait()
    body = random.randbytes(PIECE * PIECES)
    async with connect(port, tally) as line:
        line.send(build_post(body))
        for at in range(0, len(body), PIECE):
            line.send(body[at : at + PIECE])
            await asyncio.sleep(random.uniform(0, 0.2))
        check(await line.read_answer(), b"%d" % zlib.crc32(body))
    tally.done += 1


async def read_stream(line: Line, tally: Tally, path: str) -> bool:
    """One stream, every event of it; True when the connection ends with it."""
    line.send(build_get(path))
    status, fields = await line.read_head()
    if status != 200:
        raise Failure(f"wrong answer: {status}")
    count = 0
    while (data := await line.read_chunk()) != b"":
        for event in data.splitlines()[::2]:
            expected = b"data: %d" % count
            if event not in (expected, LAST.strip()):
                raise Failure(f"{event!r} instead of {expected!r}")
            count += 1
            tally.events += 1
    if event != LAST.strip():
        raise Failure(f"the stream ended after {event!r}")
    tally.done += 1
    return fields.get(b"connection") == b"close"


async def stream_all_along(port: int, tally: Tally) -> None:
    async with connect(port, tally) as line:
        await read_stream(line, tally, "stream?0")


async def stream_again(port: int, tally: Tally) -> None:
    """One stream after the other, of a second or two each, on one connection for as long as it lasts."""
    async with connect(port, tally) as line:
        while not stopping.is_set() and not line.has_ended():
            if await read_stream(line, tally, f"stream?{random.randint(5, 20)}"):
                return


Client = Callable[[int, Tally], Coroutine[None, None, None]]

KINDS: dict[str, tuple[int, Client]] = {
    "streams": (50, stream_all_along),
    "short streams": (8, stream_again),
    "connections": (8, ask_once),
    "pipelines": (4, keep_pipeline),
    "kept posts": (8, keep_posting),
    "uploads": (4, upload),
}


async def repeat(client: Client, port: int, tally: Tally) -> None:
    while not stopping.is_set():
        try:
            await client(port, tally)
        except Failure as failure:
            tally.failures.append((time.time(), str(failure)))
            await asyncio.sleep(0.1)


async def answer_upstream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The upstream's side of a connection of the proxy's pool."""
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            line, *fields = head.lower().split(b"\r\n")
            path, _, number = line.split()[1].partition(b"?")
            if path == b"/stream":
                await write_stream(writer, int(number))
            elif path == b"/sum":
                length = next(int(each.split(b":")[1]) for each in fields if each.startswith(b"content-length:"))
                number = b"%d" % zlib.crc32(await reader.readexactly(length))
            if path != b"/stream":
                writer.write(ANSWER % (len(number), number))
    except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
        return  # the proxy has closed it, and what its client makes of that is counted there; or all is over
    finally:
        writer.close()


async def write_stream(writer: asyncio.StreamWriter, length: int) -> None:
    """Numbered events, `length` of them; for 0 until all stops."""
    writer.write(STREAM)
    count = 0
    while count < length if length else not stopping.is_set():
        event = b"data: %d\n\n" % count
        writer.write(b"%x\r\n%b\r\n" % (len(event), event))
        await writer.drain()
        count += 1
        await asyncio.sleep(BEAT)
    writer.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(LAST), LAST))


async def obey() -> None:
    """Commands, until the one that ends it."""
    commands = {"busy\n": busy.set, "calm\n": busy.clear}
    while (line := await asyncio.to_thread(sys.stdin.readline)) in commands:
        commands[line]()
    stopping.set()
    busy.set()


async def run(target: int, origin: int, kinds: list[str]) -> None:
    server = await asyncio.start_server(answer_upstream, "127.0.0.1", origin)
    tallies = {kind: Tally() for kind in kinds or KINDS}
    busy.set()
    clients = [
        asyncio.create_task(repeat(KINDS[kind][1], target, tally))
        for kind, tally in tallies.items()
        for _ in range(KINDS[kind][0])
    ]
    while not all(tally.events > 5 * KINDS[kind][0] or tally.done for kind, tally in tallies.items()):
        await asyncio.sleep(BEAT)
    print("flowing", flush=True)
    await obey()
    await asyncio.gather(*clients)
    server.close()
    print(json.dumps({kind: asdict(tally) for kind, tally in tallies.items()}), flush=True)


if __name__ == "__main__":
    asyncio.run(run(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))
