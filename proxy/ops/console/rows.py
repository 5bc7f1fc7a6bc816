"""A request in flight as a row of the console: what is fixed, which changes a few times in its life, and what is live.

A row's parts are kept encoded, each with the version at which it last changed: a viewer is sent what is newer than what
it has. Times are on the server's monotonic clock, so a row that stands still does not change.
"""

from collections import deque
from typing import Any, Final

import msgspec

from proxy.edge.scope import Scope
from proxy.ops.console.part import encode
from proxy.ops.trail import Try, build_trail, to_ms
from proxy.relay.outcome import Record

WINDOW: Final = 2.0
"""Seconds over which a rate is taken: long enough to be read, short enough to show a stream that slows down."""


class Fixed(msgspec.Struct, frozen=True):
    started: float
    method: str
    remote: str
    client: str | None
    route: str
    dialect: str
    model_asked: str
    model: str
    provider: str | None
    account: str | None
    bytes_up: int
    ttft_ms: float | None
    rescues: int
    hedges: int
    trail: list[Try]


class Live(msgspec.Struct, frozen=True):
    """substance: pieces of the answer, on a mount events. per_second: of those. moved: when the last one came."""

    phase: str
    bytes_down: int
    events: int
    substance: int
    per_second: float
    moved: float | None


class Row:
    """One request. seen: the version at which it was last in flight. streams: an answer is on its way. gap: seconds
    between two of its pieces since the sample before, None where there was none. grown: events and bytes since then."""

    __slots__ = (
        "_fixed",
        "_fixed_at",
        "_live",
        "_live_at",
        "_marks",
        "_readings",
        "gap",
        "grown",
        "name",
        "seen",
        "streams",
    )

    def __init__(self, record: Record) -> None:
        self.name = encode(record.id)
        self.seen = 0
        self.streams = False
        self.gap: float | None = None
        self.grown = (0, 0)
        self._marks: Any = None
        self._fixed = b""
        self._live = Live("", 0, 0, 0, 0.0, None)
        self._fixed_at = self._live_at = 0
        self._readings: deque[tuple[float, int]] = deque()  # when, and how many pieces there were

    def update(self, scope: Scope, now: float, version: int, *, shown: bool = True) -> None:
        """shown: somebody may be sent it; else it is only counted."""
        self.seen = version
        live = self._look(scope, now)
        self.grown = (max(0, live.events - self._live.events), max(0, live.bytes_down - self._live.bytes_down))
        if live != self._live:
            self._live, self._live_at = live, version
        if not shown:
            return
        marks = _list_marks(scope.record)
        if marks != self._marks:
            if self._marks is None:  # nobody has been sent anything of it
                self._live_at = version
            self._marks = marks
            self._fixed = encode(_build_fixed(scope.record))[1:-1]
            self._fixed_at = version

    def find_rest(self, record: Record) -> tuple[int, int]:
        """Events and bytes that came between the last sample and the request's end."""
        return max(0, record.events - self._live.events), max(0, record.bytes_down - self._live.bytes_down)

    def encode(self, since: int) -> bytes:
        """What a viewer at version `since` does not have; b"" when that is nothing."""
        parts = []
        if self._fixed_at > since:
            parts.append(self._fixed)
        if self._live_at > since:
            parts.append(encode(self._live)[1:-1])
        return b'{"id":%b,%b}' % (self.name, b",".join(parts)) if parts else b""

    def _look(self, scope: Scope, now: float) -> Live:
        record, look = scope.record, scope.look() if scope.look is not None else None
        self.streams, self.gap = look is not None, None
        if look is None:
            self._readings.clear()
            pieces = self._live.substance
            return Live(record.phase.value, record.bytes_down, record.events, pieces, 0.0, self._live.moved)
        pieces = look.events if scope.mount is not None else look.substance
        rate = self._note(now, pieces, look.still)
        return Live(record.phase.value, look.bytes, look.events, pieces, rate, round(now - look.still, 2))

    def _note(self, now: float, pieces: int, still: float) -> float:
        """Set `gap`, and return the pieces per second."""
        readings = self._readings
        if readings and pieces < readings[-1][1]:  # somebody else answers now, and is counted anew
            readings.clear()
        if readings:
            grown = pieces - readings[-1][1]
            self.gap = (now - readings[-1][0]) / grown if grown else still
        readings.append((now, pieces))
        while len(readings) > 2 and readings[1][0] <= now - WINDOW:
            readings.popleft()
        seconds = now - readings[0][0]
        return round((pieces - readings[0][1]) / seconds, 1) if seconds else 0.0


def _list_marks(record: Record) -> tuple[Any, ...]:
    """What tells that something fixed has changed."""
    tries = tuple((attempt.status, attempt.error, attempt.outcome, attempt.seconds) for attempt in record.attempts)
    return (
        record.ttft, record.client, record.mount, record.model_asked, record.model, record.provider, record.account,
        record.bytes_up, record.rescues, record.hedges, tries,
    )  # fmt: skip


def _build_fixed(record: Record) -> Fixed:
    last = record.attempts[-1] if record.attempts else None
    return Fixed(
        started=round(record.started, 3),
        method=record.method,
        remote=record.remote,
        client=record.client,
        route=record.mount,
        dialect=record.dialect,
        model_asked=record.model_asked,
        model=record.model,
        provider=record.provider or (last.provider if last else None),
        account=record.account or (last.account if last else None),
        bytes_up=record.bytes_up,
        ttft_ms=None if record.ttft is None else to_ms(record.ttft),
        rescues=record.rescues,
        hedges=record.hedges,
        trail=build_trail(record.attempts),
    )
