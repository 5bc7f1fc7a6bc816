"""One ticker for the process; no timer per chunk or per stream.

Whoever has a limit in time is `Watched`: the ticker calls its `tick(now)` every TICK seconds, and it compares a
reading (bytes received, bytes unsent) with the one before. So a clock is exact to one tick and the path of a byte
pays nothing for it. With nobody to watch the ticker sleeps without a timer.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import Final, Protocol, TypeVar

TICK: Final = 0.25
"""Seconds. A limit may be overrun by this much; ten thousand streams cost about one percent of a core."""

T = TypeVar("T")


class Watched(Protocol):
    def tick(self, now: float) -> None:
        """Called every TICK. Must not raise."""


class Ticker:
    """Calls everything that it watches, once per tick. Bound to the loop it is made in."""

    def __init__(self, tick: float = TICK) -> None:
        self.loop = asyncio.get_running_loop()
        self._tick = tick
        self._watched: dict[Watched, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._epoch = time.time() - time.monotonic()

    def now(self) -> float:
        """Seconds on the monotonic clock; finer than uvloop's, which stands still between two turns of the loop."""
        return time.monotonic()

    def wall(self) -> float:
        """Seconds since the epoch, on the same clock: it is set once and never jumps."""
        return self._epoch + self.now()

    def watch(self, watched: Watched) -> None:
        self._watched[watched] = None
        if self._timer is None:
            self._timer = self.loop.call_later(self._tick, self._run)

    def release(self, watched: Watched) -> None:
        self._watched.pop(watched, None)

    def __len__(self) -> int:
        return len(self._watched)

    def _run(self) -> None:
        now = self.now()
        for watched in list(self._watched):
            try:
                watched.tick(now)
            except Exception as error:  # one that raises after all must not stop the clocks of those behind it
                self.loop.call_exception_handler({"message": "Exception in a clock", "exception": error})
        self._timer = self.loop.call_later(self._tick, self._run) if self._watched else None


class Stillness:
    """Tells when a reading has stood still for `limit` seconds; a limit of 0 is off."""

    __slots__ = ("_limit", "_reading", "_since")

    def __init__(self, limit: float, now: float, reading: int = 0) -> None:
        self._limit = limit
        self._since = now
        self._reading = reading

    @property
    def since(self) -> float:
        """When the reading was last seen to move, or the clock was restarted."""
        return self._since

    def restart(self, now: float) -> None:
        self._since = now

    def count_left(self, now: float) -> float:
        """Seconds until the limit, if nothing moves; infinitely many where it is off."""
        return self._since + self._limit - now if self._limit else math.inf

    def expired(self, reading: int, now: float) -> bool:
        if reading != self._reading:
            self._reading = reading
            self._since = now
            return False
        return 0 < self._limit <= now - self._since


class _Deadline:
    """Cancels a task when a reading stands still, and knows that it did."""

    __slots__ = ("_read", "_still", "_task", "fired")

    def __init__(self, task: asyncio.Task[object], still: Stillness, read: Callable[[], int]) -> None:
        self._task = task
        self._still = still
        self._read = read
        self.fired = False

    def tick(self, now: float) -> None:
        if not self.fired and self._still.expired(self._read(), now):
            self.fired = True
            self._task.cancel()


async def wait_while_moving(ticker: Ticker, limit: float, read: Callable[[], int], awaitable: Awaitable[T]) -> T:
    """Await `awaitable`; raise TimeoutError once `read()` has given the same number for `limit` seconds.

    What asyncio.timeout does, on the ticker instead of a timer of its own: a cancellation from elsewhere passes.
    """
    task = asyncio.current_task(ticker.loop)
    if task is None:
        raise RuntimeError("wait_while_moving needs a task")
    cancelling = task.cancelling()
    deadline = _Deadline(task, Stillness(limit, ticker.now(), read()), read)
    ticker.watch(deadline)
    try:
        return await awaitable
    except asyncio.CancelledError:
        if deadline.fired and task.uncancel() <= cancelling:
            raise TimeoutError from None
        raise
    finally:
        ticker.release(deadline)
