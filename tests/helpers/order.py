"""What every decoder promises (proxy/dialects/events.py), checked; and streams fed to decoders, cut anywhere."""

from collections.abc import Iterable

from proxy.dialects.chat import Decoder
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
from proxy.wire.sse import Parser

_WITH_TEXT = {Kind.TEXT, Kind.THINKING, Kind.TOOL, Kind.REFUSAL}
_SIGNED = {Kind.TEXT, Kind.THINKING, Kind.TOOL}


def check_order(events: Iterable[Event]) -> None:
    """Raise AssertionError, naming what is wrong and where, unless `events` are one whole answer.

    A failure may come before the start, and within a block: what was cut is not completed.
    """
    checker = _Checker()
    for place, event in enumerate(events):
        checker.place = place
        checker.take(event)
    checker.end()


def whole(decoder: Decoder, data: bytes) -> list[Event]:
    """The events of a stream that comes in one piece, their order checked, merged like those of `decode_stream`."""
    events = _decode(decoder, [data])
    check_order(events)
    return merge_deltas(events)


def decode_stream(decoder: Decoder, data: bytes, pieces: Iterable[bytes] | None = None) -> list[Event]:
    """The events of the stream `data`, cut into `pieces`, up to and with its clean end; adjacent deltas and usages are
    merged, so that differently cut streams compare equal."""
    return merge_deltas(_decode(decoder, [data] if pieces is None else pieces))


def _decode(decoder: Decoder, pieces: Iterable[bytes]) -> list[Event]:
    parser = Parser()
    events: list[Event] = []
    for piece in pieces:
        for block in parser.feed(piece):
            events += decoder.feed(block)
    tail = parser.tail
    parser.end()
    return events + decoder.end(tail)


def merge_deltas(events: Iterable[Event]) -> list[Event]:
    """`events` with deltas that follow each other joined and usages that do merged."""
    merged: list[Event] = []
    for event in events:
        before = merged[-1] if merged else None
        if isinstance(event, Delta) and isinstance(before, Delta):
            merged[-1] = Delta(before.text + event.text)
        elif isinstance(event, Usage) and isinstance(before, Usage):
            merged[-1] = before.merge(event)
        else:
            merged.append(event)
    return merged


class _Checker:
    def __init__(self) -> None:
        self.place = 0
        self._started = False
        self._ended = False
        self._open: BlockStart | None = None
        self._text = ""
        self._signed = False

    def take(self, event: Event) -> None:
        self._demand(not self._ended, f"{type(event).__name__} after the end")
        if not isinstance(event, Failure):
            self._demand(self._started != isinstance(event, Start), "a Start is first, and there is one")
        match event:
            case Start():
                self._started = True
            case BlockStart():
                self._open_block(event)
            case Delta() | Sign():
                self._fill_block(event)
            case BlockEnd():
                self._close_block()
            case Usage():
                self._check_usage(event)
            case Finish():
                self._demand(self._open is None, "a Finish within a block")
                self._ended = True
            case Failure():
                self._demand(event.message != "", "a Failure that says nothing")
                self._ended = True

    def end(self) -> None:
        assert self._ended, "neither a Finish nor a Failure at the end"

    def _open_block(self, event: BlockStart) -> None:
        self._demand(self._open is None, "a block within a block")
        self._open, self._text, self._signed = event, "", event.signature is not None
        match event.kind:
            case Kind.TOOL:
                self._demand(event.id != "" and event.name != "", "a call without its id and name")
            case Kind.REDACTED | Kind.SIGNATURE:
                self._demand(event.signature is not None, f"{event.kind.value} without its signature")
            case Kind.IMAGE:
                self._demand(event.name != "" and bool(event.data), "an image without its type and data")
            case Kind.OPAQUE:
                self._demand(event.name != "" and event.data is not None, "an opaque block without dialect and JSON")
            case _:
                self._demand(event.id == event.name == "", f"{event.kind.value} with the id or name of a call")

    def _fill_block(self, event: Delta | Sign) -> None:
        self._demand(self._open is not None, f"{type(event).__name__} outside of blocks")
        kind = self._open.kind if self._open else Kind.TEXT
        if isinstance(event, Delta):
            self._demand(kind in _WITH_TEXT, f"text in a block of kind {kind.value}")
            self._demand(event.text != "", "an empty Delta")
            self._text += event.text
        else:
            self._demand(kind in _SIGNED, f"a Sign in a block of kind {kind.value}")
            self._demand(not self._signed, "a block signed twice")
            self._demand(event.signature.value != "", "an empty signature")
            self._signed = True

    def _close_block(self) -> None:
        self._demand(self._open is not None, "a BlockEnd outside of blocks")
        kind = self._open.kind if self._open else Kind.TEXT
        if kind is Kind.TOOL:
            self._demand(self._text != "", "a call without arguments: at least {}")
        elif kind in _WITH_TEXT:
            self._demand(self._text != "" or self._signed, f"an empty block of kind {kind.value}")
        self._open = None

    def _check_usage(self, usage: Usage) -> None:
        counts = (usage.input, usage.cache_read, usage.cache_write, usage.output, usage.reasoning)
        self._demand(all(count is None or count >= 0 for count in counts), f"negative tokens: {usage}")

    def _demand(self, holds: bool, what: str) -> None:
        assert holds, f"event {self.place}: {what}"
