"""A cassette: one request's attempts at its providers, every byte of them and when it came. Without I/O.

A file is a first line, MAGIC, and pieces. A piece is one line of ASCII, its bytes, and a line end behind them:

    <take> <microseconds> <kind> <length>\\n<bytes>\\n

take: the attempt that it belongs to, from 1 on; 0 for the request as a whole. microseconds: after the request's start,
on the monotonic clock. kind: `about` and `outcome` (take 0, first and last), and for a take `request`, `body` (of that
request), `answer`, `data` (what one read brought), `lost` (bytes that are missing here), `end`. All but `body` and
`data` are JSON objects; header fields in them are Latin-1, so that every byte has its place. Pieces of one take are in
order; those of takes that ran at a time may stand in any. A kind that is not known is to be skipped.

So a text stream can be read with a pager, a file that broke off is good up to its last whole piece, and writing needs
no look at the bytes. `encode_piece` writes, `parse_cassette` reads and raises NoCassette.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar

import msgspec

from proxy.errors import PenstockError

MAGIC: Final = b"penstock-cassette 1\n"
SUFFIX: Final = ".cassette"

ABOUT: Final = b"about"
REQUEST: Final = b"request"
BODY: Final = b"body"
ANSWER: Final = b"answer"
DATA: Final = b"data"
LOST: Final = b"lost"
END: Final = b"end"
OUTCOME: Final = b"outcome"

_LINE: Final = re.compile(rb"([0-9]{1,6}) ([0-9]{1,18}) ([a-z]{1,16}) ([0-9]{1,18})\n")

LONGEST_LINE: Final = 64
"""Bytes of a piece's own line: four fields of the lengths above, and what stands between them."""

Fields = tuple[tuple[str, str], ...]
"""Header fields, as Latin-1."""

T = TypeVar("T", bound=msgspec.Struct)


class NoCassette(PenstockError):
    """The bytes are no cassette, or one of a later version."""

    def __init__(self, what: str) -> None:
        super().__init__(what)


class Piece(NamedTuple):
    """at: seconds after the request's start."""

    take: int
    at: float
    kind: bytes
    data: bytes


class About(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who asked. started: seconds since the epoch. dialect: the client's. model: as it was asked for."""

    request_id: str = ""
    started: float = 0.0
    client: str = ""
    route: str = ""
    dialect: str = ""
    model: str = ""


class Asked(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a provider was asked, keys taken out. dialect: the provider's. body: its length, None when unknown; the
    bytes are a piece of their own, where they are kept."""

    provider: str
    account: str = ""
    model: str = ""
    dialect: str = ""
    method: str = ""
    target: str = ""
    headers: Fields = ()
    body: int | None = None


class Head(msgspec.Struct, frozen=True, omit_defaults=True):
    """The head of an answer."""

    status: int
    reason: str = ""
    headers: Fields = ()


class Lost(msgspec.Struct, frozen=True):
    bytes: int


class End(msgspec.Struct, frozen=True, omit_defaults=True):
    """how: `complete` by its own framing, `failed` on the provider's side, `aborted` on ours. code, detail: of the
    fault."""

    how: str
    code: str = ""
    detail: str = ""


@dataclass(slots=True)
class Take:
    """One attempt. begun, answered, ended: seconds after the request's start. data: when each read came, and what it
    brought; a number is of bytes that are missing."""

    number: int
    begun: float = 0.0
    asked: Asked = field(default_factory=lambda: Asked(""))
    body: bytes | None = None
    answered: float | None = None
    head: Head | None = None
    data: list[tuple[float, bytes | int]] = field(default_factory=list)
    ended: float | None = None
    end: End | None = None

    @property
    def answer(self) -> bytes:
        """The answer's body, as far as it is here."""
        return b"".join(data for _, data in self.list_reads())

    @property
    def lost(self) -> int:
        """Bytes that are missing."""
        return sum(data for _, data in self.data if isinstance(data, int))

    def list_reads(self) -> list[tuple[float, bytes]]:
        return [(at, data) for at, data in self.data if isinstance(data, bytes)]


@dataclass(slots=True)
class Cassette:
    """outcome: what became of the request, as its log line says it; None in a file that broke off."""

    about: About = field(default_factory=About)
    takes: list[Take] = field(default_factory=list)
    outcome: dict[str, object] | None = None


def encode_piece(piece: Piece) -> bytes:
    take, at, kind, data = piece
    return b"%d %d %b %d\n%b\n" % (take, max(0.0, at) * 1e6 + 0.5, kind, len(data), data)


def encode_pieces(pieces: Iterable[Piece]) -> bytes:
    return b"".join(map(encode_piece, pieces))


def build_lost(take: int, at: float, size: int) -> Piece:
    """What says that `size` bytes are missing."""
    return Piece(take, at, LOST, msgspec.json.encode(Lost(size)))


def hide_content(pieces: Iterable[Piece]) -> list[Piece]:
    """The same without what was said: of every read its moment and its length, and no query."""
    return [_hide(piece) for piece in pieces if piece.kind != BODY]


def _hide(piece: Piece) -> Piece:
    if piece.kind == DATA:
        return build_lost(piece.take, piece.at, len(piece.data))
    if piece.kind == REQUEST:
        asked = _read(piece, Asked)
        path, mark, _ = asked.target.partition("?")
        hidden = msgspec.structs.replace(asked, target=f"{path}?***" if mark else path)
        return piece._replace(data=msgspec.json.encode(hidden))
    return piece


def encode_fields(pairs: Iterable[tuple[bytes, bytes]]) -> Fields:
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in pairs)


def parse_pieces(data: bytes) -> list[Piece]:
    """The whole pieces of a file. Raises NoCassette unless it begins as one."""
    if not data.startswith(MAGIC):
        raise NoCassette("a cassette of another version" if data.startswith(MAGIC[:-2]) else "no cassette")
    pieces, at = [], len(MAGIC)
    while match := _LINE.match(data, at, at + LONGEST_LINE):
        start, length = match.end(), int(match[4])
        if data[start + length : start + length + 1] != b"\n":
            break
        pieces.append(Piece(int(match[1]), int(match[2]) / 1e6, match[3], data[start : start + length]))
        at = start + length + 1
    return pieces


def parse_cassette(data: bytes) -> Cassette:
    """Raises NoCassette."""
    cassette = Cassette()
    takes: dict[int, Take] = {}
    for piece in parse_pieces(data):
        if piece.kind == ABOUT:
            cassette.about = _read(piece, About)
        elif piece.kind == OUTCOME:
            cassette.outcome = _read_object(piece)
        elif piece.take:
            take = takes.setdefault(piece.take, Take(piece.take, piece.at))
            _note(take, piece)
    cassette.takes = [takes[number] for number in sorted(takes)]
    return cassette


def build_cassette(cassette: Cassette) -> bytes:
    """The file of a cassette: what `parse_cassette` reads."""
    pieces = [Piece(0, 0.0, ABOUT, msgspec.json.encode(cassette.about))]
    for take in cassette.takes:
        pieces += _list_pieces(take)
    if cassette.outcome is not None:
        pieces.append(Piece(0, 0.0, OUTCOME, msgspec.json.encode(cassette.outcome)))
    return MAGIC + encode_pieces(pieces)


def _list_pieces(take: Take) -> list[Piece]:
    number = take.number
    pieces = [Piece(number, take.begun, REQUEST, msgspec.json.encode(take.asked))]
    if take.body is not None:
        pieces.append(Piece(number, take.begun, BODY, take.body))
    if take.head is not None:
        answered = take.begun if take.answered is None else take.answered
        pieces.append(Piece(number, answered, ANSWER, msgspec.json.encode(take.head)))
    for at, data in take.data:
        if isinstance(data, bytes):
            pieces.append(Piece(number, at, DATA, data))
        else:
            pieces.append(build_lost(number, at, data))
    if take.end is not None:
        pieces.append(Piece(number, take.ended or 0.0, END, msgspec.json.encode(take.end)))
    return pieces


def _note(take: Take, piece: Piece) -> None:
    kind = piece.kind
    if kind == DATA:
        take.data.append((piece.at, piece.data))
    elif kind == REQUEST:
        take.begun, take.asked = piece.at, _read(piece, Asked)
    elif kind == BODY:
        take.body = piece.data
    elif kind == ANSWER:
        take.answered, take.head = piece.at, _read(piece, Head)
    elif kind == LOST:
        take.data.append((piece.at, _read(piece, Lost).bytes))
    elif kind == END:
        take.ended, take.end = piece.at, _read(piece, End)


def _read(piece: Piece, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(piece.data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise NoCassette(f"a cassette whose {piece.kind.decode()!r} cannot be read") from None


def _read_object(piece: Piece) -> dict[str, object]:
    try:
        return msgspec.json.decode(piece.data, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise NoCassette("a cassette whose outcome cannot be read") from None
