"""How late the event loop is: what any chunk may have to wait until it is passed on.

The ticker's own timer is the measure: a tick that comes late came late for everybody. It is looked at while somebody
scrapes, and for IDLE seconds after; in a process that nobody watches the ticker may sleep.
"""

from collections.abc import Callable
from typing import Final

from proxy.relay.clocks import TICK, Ticker

IDLE: Final = 300.0
"""Seconds without a scrape: more than the slowest scraper's interval."""


class LoopLag:
    """note: takes a lag in seconds, at every tick."""

    def __init__(self, ticker: Ticker, note: Callable[[float], None]) -> None:
        self._ticker = ticker
        self._note = note
        self._wanted = 0.0
        self._last: float | None = None

    def want(self) -> None:
        """Somebody scrapes."""
        self._wanted = self._ticker.now()
        self._ticker.watch(self)

    def tick(self, now: float) -> None:
        if self._last is not None:
            self._note(max(now - self._last - TICK, 0.0))
        self._last = now
        if now - self._wanted > IDLE:
            self.close()

    def close(self) -> None:
        self._ticker.release(self)
        self._last = None
