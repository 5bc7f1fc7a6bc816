"""Bytes and events, those of streams that are still running among them: a stream may run for an hour, and a graph that
hears of it at its end shows a mountain where there was a river.
"""

from collections.abc import Iterable
from typing import NamedTuple

from proxy.edge.scope import Scope
from proxy.relay.outcome import Record


class Totals(NamedTuple):
    """up: bytes of request bodies. down: bytes of the upstreams' bodies. events: of streams."""

    up: int = 0
    down: int = 0
    events: int = 0


class Traffic:
    """Counts that never go back, as a counter must not: a scraper would take it for a restart."""

    __slots__ = ("_finished", "_told")

    def __init__(self) -> None:
        self._finished = Totals()
        self._told = Totals()

    def add(self, record: Record) -> None:
        """A request is over, and in flight no more."""
        up, down, events = self._finished
        self._finished = Totals(up + record.bytes_up, down + record.bytes_down, events + record.events)

    def read(self, scopes: Iterable[Scope]) -> Totals:
        """scopes: the requests in flight."""
        up, down, events = self._finished
        for scope in scopes:
            record, look = scope.record, scope.look() if scope.look is not None else None
            up += record.bytes_up
            down += look.bytes if look else record.bytes_down
            events += look.events if look else record.events
        old = self._told
        self._told = Totals(max(up, old.up), max(down, old.down), max(events, old.events))
        return self._told
