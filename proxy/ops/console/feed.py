"""Keeps the console's state up to date while somebody looks, and wakes who does.

A sample is taken every PERIOD on the process's ticker, and what was used today is asked for now and then. With nobody
there neither happens: what is left is one look at each request that ends.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final

from proxy.ops.console.state import State
from proxy.relay.clocks import TICK, Ticker
from proxy.relay.outcome import Record

PERIOD: Final = 0.5
"""Seconds between two samples: numbers that change faster are not read."""

REST: Final = 20
"""What took long is followed by a rest of this many times as long: looking costs at most a twentieth of the process,
however many streams or rows there are."""

PAUSE: Final = 30.0
"""Seconds without samples after one that failed."""

EVERY: Final = 5.0
"""Seconds from one reading of the books to the next."""

_LOG = logging.getLogger("penstock.console")

ReadUsage = Callable[[], Awaitable[object]]
"""What was used today; None when nobody keeps books. Must not raise."""


async def read_nothing() -> None:
    return None


class Feed:
    """viewers: how many look."""

    def __init__(self, state: State, ticker: Ticker, read_usage: ReadUsage = read_nothing) -> None:
        self.state = state
        self.viewers = 0
        self._ticker = ticker
        self._read_usage = read_usage
        self._turn = asyncio.Event()
        self._due = float("-inf")
        self._usage_due = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    def note(self, record: Record) -> None:
        """A request is over."""
        if record.door != "admin":
            self.state.note(record, watched=bool(self.viewers))

    @contextmanager
    def watch(self) -> Iterator[None]:
        """While somebody looks."""
        self.viewers += 1
        try:
            if self.viewers == 1:
                self._ticker.watch(self)
                self.tick(self._ticker.now())
            yield
        finally:
            self.viewers -= 1
            if not self.viewers:
                self._stop()

    def tick(self, now: float) -> None:
        if now < self._due:
            return
        try:
            self.state.sample(now, self._ticker.wall())
        except Exception as error:  # the ticker, and every clock with it, would stop
            _LOG.error("unexpected %s", type(error).__name__, exc_info=error)
            self._due = now + PAUSE
            return
        took = self._ticker.now() - now
        self._due = now + max(PERIOD - TICK / 2, took * REST)  # ticks are not exact
        if now >= self._usage_due and self._reading is None:
            self._reading = asyncio.get_running_loop().create_task(self._read())
        self.wake()

    def build(self, since: int | None) -> bytes:
        """A frame for who has version `since`, all there is for None."""
        return self.state.build(since, self._ticker.now(), self._ticker.wall())

    async def wait(self) -> None:
        """Return after the next sample, or when woken."""
        await self._turn.wait()

    def wake(self) -> None:
        turn, self._turn = self._turn, asyncio.Event()
        turn.set()

    async def _read(self) -> None:
        begun = self._ticker.now()
        try:
            self.state.put("usage", await self._read_usage())
        finally:
            now = self._ticker.now()
            self._usage_due = now + max(EVERY, (now - begun) * REST)
            self._reading = None

    def _stop(self) -> None:
        self._ticker.release(self)
        self.state.forget_ended()
        if self._reading is not None:
            self._reading.cancel()
