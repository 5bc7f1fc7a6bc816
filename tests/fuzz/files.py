"""What is read byte by byte, spoiled: bodies' framing, event streams, cassettes, and keys in what a provider quotes."""

import json
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from random import Random
from typing import Final

from proxy.dialects.registry import PROVIDERS
from proxy.tools.gap_plot import plot_gaps
from proxy.tools.show import format_about, format_json, format_take
from proxy.wire.cassette import NoCassette, build_cassette, hide_content, parse_cassette, parse_pieces
from proxy.wire.framing import ChunkedBody, FramingError
from proxy.wire.masking import Mask
from proxy.wire.sse import EventCounter, Parser, encode_event
from tests.fuzz.bend import cut, maybe, some, spoil
from tests.fuzz.seeds import list_streams
from tests.helpers.cassettes import SSE, build_take

ROOT: Final = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Pieces:
    pieces: list[bytes]

    @property
    def data(self) -> bytes:
        return b"".join(self.pieces)


# Chunked bodies.

_CHUNKS: Final = (
    b"3\r\nabc\r\n", b"0003\r\nabc\r\n", b"3;a=b\r\nabc\r\n", b"3 \r\nabc\r\n", b"3\nabc\n", b"3\r\nabc\n",
    b"A\r\n0123456789\r\n", b"fffffffffffffff\r\n", b"3;" + b"x" * 5000 + b"\r\nabc\r\n", b"-1\r\n", b"+3\r\nabc\r\n",
    b"0x3\r\nabc\r\n", b"10000000000000000\r\n", b"3\r\nab\r\n\r\n", b"3\r\r\nabc\r\n",
)  # fmt: skip
_LAST: Final = (b"0\r\n\r\n", b"0\r\nX: 1\r\n\r\n", b"0\n\n", b"0;a\r\nX: 1\r\nY: 2\r\n\r\nrest", b"", b"0\r\n")


def draw_chunks(random: Random) -> Pieces:
    data = b"".join(random.choice(_CHUNKS[:3] if maybe(random, 0.8) else _CHUNKS) for _ in range(some(random, 8)))
    data += random.choice(_LAST)
    return Pieces(cut(random, spoil(random, data) if maybe(random, 0.4) else data))


def check_chunks(body: Pieces) -> None:
    """Payload, what is behind the end, and the fault, are the same however the bytes are cut."""
    whole = _read_chunks([body.data])
    assert _read_chunks(body.pieces) == whole
    assert _read_chunks([body.data[at : at + 1] for at in range(len(body.data))]) == whole


def _read_chunks(pieces: list[bytes]) -> tuple[bytes, bytes, bool, str]:
    decoder, payload, excess = ChunkedBody(), b"", b""
    for piece in pieces:
        if decoder.done:
            excess += piece
            continue
        try:
            payload += decoder.feed(piece)
        except FramingError as error:
            return payload + error.payload, b"", False, str(error)
    return payload, decoder.excess + excess, decoder.done, ""


# Event streams.

_LINES: Final = (
    b"data: x", b"data:x", b"data", b"data:", b"event: e", b"event", b"id: 1", b"id: \0", b"retry: 5", b"retry: 5x",
    b": c", b":", b"", b"", b"", b"\xef\xbb\xbfdata: b", b"data: \xff", b"da", b"datab: 1", b" data: 1",
)  # fmt: skip
_ENDS: Final = (b"\n", b"\r\n", b"\r")


def draw_events(random: Random) -> Pieces:
    data = b"".join(random.choice(_LINES) + random.choice(_ENDS) for _ in range(some(random, 40)))
    if maybe(random, 0.2):
        data = b"\xef\xbb\xbf" + data
    return Pieces(cut(random, spoil(random, data) if maybe(random, 0.3) else data))


def check_events(stream: Pieces) -> None:
    whole, first = _read_events([stream.data])
    split, second = _read_events(stream.pieces)
    assert split == whole
    assert (first.retry_ms, first.comments, first.last_event_id) == (
        second.retry_ms,
        second.comments,
        second.last_event_id,
    )
    assert first.tail.strip(b"\r\n") == second.tail.strip(b"\r\n")
    counter = EventCounter()
    for piece in stream.pieces:
        counter.feed(piece)
    assert counter.events == len(whole)
    for _, data, _ in whole:
        (again,) = Parser().feed(encode_event(data))
        assert again.data == data


def _read_events(pieces: list[bytes]) -> tuple[list[tuple[str, bytes, str]], Parser]:
    parser = Parser()
    blocks = [block for piece in pieces for block in parser.feed(piece)]
    return [(block.type, block.data, block.last_event_id) for block in blocks if block.data is not None], parser


# Cassettes.


@cache
def _list_cassettes() -> tuple[bytes, ...]:
    from proxy.wire.cassette import About, Cassette

    made = []
    for name in PROVIDERS:
        blocks = list_streams(name)[0].blocks[:12]
        take = build_take(*((0.1 * number, block) for number, block in enumerate(blocks, 1)))
        take.asked = type(take.asked)("up", dialect=name, model="m", target="/v1?key=1", headers=SSE)
        made.append(
            build_cassette(
                Cassette(About("req_1", 1.7e9, "c", "/r", name, "m"), [take, build_take(number=2)], {"a": 1})
            )
        )
    return tuple(made)


def draw_cassette(random: Random) -> Pieces:
    data = random.choice(_list_cassettes())
    if maybe(random, 0.6):  # within a piece, its length kept right
        pieces = data.split(b"\n")
        at = random.randrange(len(pieces))
        pieces[at] = spoil(random, pieces[at])
        data = b"\n".join(pieces)
    else:
        data = spoil(random, data)
    return Pieces([data])


def check_cassette(file: Pieces) -> None:
    """A cassette or NoCassette; what is shown of one is lines that drive no terminal."""
    try:
        cassette = parse_cassette(file.data)
        hidden = hide_content(parse_pieces(file.data))
    except NoCassette:
        return
    assert len(hidden) <= len(parse_pieces(file.data))
    again = parse_cassette(build_cassette(cassette))
    assert [take.answer for take in again.takes] == [take.answer for take in cassette.takes]
    lines = list(format_about(cassette))
    for take, raw in product(cassette.takes, (False, True)):
        dialect = take.asked.dialect
        lines += format_take(take, dialect, raw=raw)
        for line in format_json(take, dialect):
            json.loads(line)
    assert all(line.replace("\n", "").isprintable() for line in lines if not _is_plot(line))
    for take in cassette.takes:
        plot_gaps([at for at, _ in take.data], 80, plain=True)


def _is_plot(line: str) -> bool:
    return not line.isascii()


# Keys masked in what a provider quotes.


@dataclass(frozen=True, slots=True)
class Quoted:
    secrets: tuple[bytes, ...]
    pieces: list[bytes]


def draw_quoted(random: Random) -> Quoted:
    letters = (b"ab", b"abc")[random.randrange(2)]
    secrets = tuple(
        bytes(random.choice(letters) for _ in range(random.randrange(1, 7))) for _ in range(random.randrange(1, 4))
    )
    data = b"".join(random.choice((b"a", b"b", b"x", *secrets)) for _ in range(some(random, 60)))
    return Quoted(secrets, cut(random, data))


def check_quoted(quoted: Quoted) -> None:
    data = b"".join(quoted.pieces)
    out = _mask(quoted.secrets, [data])
    assert _mask(quoted.secrets, quoted.pieces) == out
    assert len(out) == len(data)
    assert not any(secret in out for secret in quoted.secrets)


def _mask(secrets: tuple[bytes, ...], pieces: list[bytes]) -> bytes:
    masked = Mask(secrets)
    return b"".join([masked.feed(piece) for piece in pieces]) + masked.end()
