"""What a take says, event by event and by its dialect: values for the lines of `penstock show`, and no I/O.

A moment is one event of a stream, timed by the read that completed it; or a read that completed none; or the body of an
answer that is no stream. Where the dialect has no room, or the bytes are none of its, a moment has the event as it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from proxy.dialects.chat import Decoder, Outgoing, Turn
from proxy.dialects.events import (
    BlockEnd,
    BlockStart,
    Delta,
    Event,
    Failure,
    Finish,
    Kind,
    Sign,
    Start,
    Usage,
)
from proxy.dialects.registry import PROVIDERS
from proxy.tools.chat import build_request
from proxy.wire.cassette import Take
from proxy.wire.headers import Headers
from proxy.wire.sse import Block, Parser

_SEED: Final = "show"


@dataclass(frozen=True, slots=True)
class Moment:
    """at: seconds after the request. gap: since the read before, 0 for a further event of one read. size: bytes of the
    read. type, data: of the event, None for none. means: what it says."""

    at: float
    gap: float
    size: int
    type: str | None
    data: str | None
    means: tuple[str, ...] = ()


def list_moments(take: Take, dialect: str) -> list[Moment]:
    return list(_read_stream(take, dialect)) if _is_stream(take) else list(_read_body(take, dialect))


def is_readable(take: Take, dialect: str) -> bool:
    """Whether anything of the dialect stands in an answer; an error is one's in any dialect."""
    if take.head is None or take.head.status >= 400:
        return True
    return any(_is_substance(word) for moment in list_moments(take, dialect) for word in moment.means)


def _is_substance(word: str) -> bool:
    return word.partition(" ")[0] in ("text", "thinking", "tool", "refusal", "finish", "arguments", "image")


def _is_stream(take: Take) -> bool:
    kinds = [value for name, value in (take.head.headers if take.head else ()) if name.lower() == "content-type"]
    return bool(kinds) and kinds[0].partition(";")[0].strip().lower() == "text/event-stream"


def _open_turn(dialect: str, model: str) -> Turn:
    return Turn(build_request(dialect, model, "", None, ()), Outgoing("", b""), _SEED, 0)


def _read_stream(take: Take, dialect: str) -> Iterator[Moment]:
    room = PROVIDERS.get(dialect)
    decoder = room.open_decoder(_open_turn(dialect, take.asked.model)) if room else None
    parser, meaning = Parser(), _Meaning()
    before = take.begun
    for at, data in take.data:
        gap, before = at - before, at
        if isinstance(data, int):
            yield Moment(at - take.begun, gap, data, None, None, (f"{data} bytes are not kept",))
            continue
        blocks = parser.feed(data)
        if not blocks:
            yield Moment(at - take.begun, gap, len(data), None, None, ("part of an event",))
        for number, block in enumerate(blocks):
            means = tuple(meaning.tell(decoder, block))
            found = None if block.data is None else block.text
            yield Moment(at - take.begun, 0.0 if number else gap, len(data), block.type, found, means)
    if decoder is not None and take.end is not None and take.end.how == "complete":
        at = (take.ended or before) - take.begun
        means = tuple(word for event in decoder.end(parser.tail) for word in meaning.name(event))
        if means:
            yield Moment(at, 0.0, 0, None, None, means)


def _read_body(take: Take, dialect: str) -> Iterator[Moment]:
    """One moment per read; the last one says what the whole means."""
    room, before = PROVIDERS.get(dialect), take.begun
    if take.lost:
        yield from (
            Moment(at - take.begun, 0.0, 0, None, None, (f"{take.lost} bytes are not kept",))
            for at, data in take.data[:1]
        )
    reads = take.list_reads()
    means: tuple[str, ...] = ()
    if room is not None and take.head is not None and reads and not take.lost:
        meaning, body = _Meaning(), take.answer
        if take.head.status >= 400:
            fields = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in take.head.headers)
            events: list[Event] = [room.parse_error(take.head.status, Headers(fields), body)]
        else:
            events = room.parse_answer(body, _open_turn(dialect, take.asked.model))
        means = tuple(word for event in events for word in meaning.name(event))
    for number, (at, data) in enumerate(reads, 1):
        last = number == len(reads)
        text = data.decode("utf-8", "replace")
        yield Moment(at - take.begun, at - before, len(data), None, text, means if last else ())
        before = at


class _Meaning:
    """Names events in words; remembers the block that deltas belong to."""

    def __init__(self) -> None:
        self._kind = Kind.TEXT

    def tell(self, decoder: Decoder | None, block: Block) -> Iterator[str]:
        if decoder is None or decoder.ended:
            return
        for event in decoder.feed(block):
            yield from self.name(event)

    def name(self, event: Event) -> Iterator[str]:
        match event:
            case Start():
                yield " ".join(filter(None, ("start", event.model, event.id)))
            case BlockStart():
                self._kind = event.kind
                if event.kind is not Kind.TEXT:
                    yield " ".join(filter(None, (event.kind.value, event.name, event.id)))
            case Delta():
                word = "arguments" if self._kind is Kind.TOOL else self._kind.value
                yield f"{word} {event.text!r}"
            case Sign():
                yield "signature"
            case BlockEnd():
                return
            case Usage():
                yield f"usage {_count(event.input)} in, {_count(event.output)} out"
            case Finish():
                yield f"finish {event.reason.value}" + (f" ({event.raw})" if event.raw else "")
            case Failure():
                yield f"failure {event.kind.value}: {event.message}"


def _count(tokens: int | None) -> str:
    return "?" if tokens is None else str(tokens)
