"""Asks one candidate of a route after the other until one answers: the loop around `accounts/rotation.py`.

What is asked, and what counts as an answer, is the caller's affair: `ask` returns it, or raises AttemptFailed (told to
the accounts, then the next one) or Unfit (this candidate cannot take the request, nobody is to blame). With hedging a
second attempt is begun next to a slow one; whoever answers first wins, and the other is cancelled at once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from msgspec.structs import replace

from proxy.accounts.budget import HedgeBudget
from proxy.accounts.rotation import End, Go, Rotation, Wait
from proxy.accounts.trouble import Trouble
from proxy.dialects.events import Failure, FailureKind
from proxy.errors import PenstockError
from proxy.relay.clocks import Ticker
from proxy.relay.outcome import Attempt

T = TypeVar("T")

NOBODY: Final = Failure(FailureKind.OVERLOADED, "no provider could be asked in time", 503)
"""What is said when the time was over before anybody was."""


class AttemptFailed(PenstockError):
    """error: what the caller is told if nobody does better. attempt: as it stands in the record."""

    def __init__(self, trouble: Trouble, error: PenstockError, attempt: Attempt) -> None:
        super().__init__(trouble.failure.kind.value)
        self.trouble = trouble
        self.error = error
        self.attempt = attempt


class Unfit(PenstockError):
    """This candidate cannot take the request; `error` says why."""

    def __init__(self, error: PenstockError) -> None:
        super().__init__(str(error))
        self.error = error


class Exhausted(PenstockError):
    """Nobody answered. error: of the last one that was asked, None when nobody could be: then `failure` says why.
    retry_after: seconds until somebody may, None when nobody knows."""

    def __init__(self, error: PenstockError | None, failure: Failure, retry_after: float | None) -> None:
        super().__init__(failure.kind.value)
        self.error = error
        self.failure = failure
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Hedging:
    """after: seconds an attempt has, by its Go; None for no hedge. note: called for each one begun."""

    after: Callable[[Go], float | None]
    budget: HedgeBudget
    note: Callable[[], None]


class Failover(Generic[T]):
    """One request's attempts. Run it once. drop: lets go of an answer that came too late to win."""

    def __init__(
        self,
        rotation: Rotation,
        ask: Callable[[Go], Awaitable[T]],
        drop: Callable[[T], None],
        ticker: Ticker,
        hedging: Hedging | None = None,
    ) -> None:
        self._rotation = rotation
        self._ask = ask
        self._drop = drop
        self._ticker = ticker
        self._hedging = hedging
        self._last: AttemptFailed | None = None
        self._unfit: Unfit | None = None

    async def run(self) -> T:
        """The first good answer. Raises Exhausted, or what made every candidate unfit."""
        while True:
            now = self._ticker.wall()
            move = self._rotation.next(now)
            if isinstance(move, Wait):
                await asyncio.sleep(max(move.until - now, 0.0))
            elif isinstance(move, End):
                raise self._build_end(move)
            else:
                try:
                    return await (self._try(move) if self._hedging is None else self._race(move, self._hedging))
                except AttemptFailed as failed:
                    self._last = failed
                except Unfit as unfit:
                    self._unfit = self._unfit or unfit

    def _build_end(self, end: End) -> PenstockError:
        if self._last is not None:
            failure = self._last.trouble.failure
            wait = failure.retry_after if end.retry_after is None else end.retry_after
            return Exhausted(self._last.error, replace(failure, retry_after=wait), wait)
        if end.failure is None and self._unfit is not None:
            return self._unfit.error
        failure = end.failure or NOBODY
        if end.retry_after is not None:
            failure = replace(failure, retry_after=end.retry_after)
        return Exhausted(None, failure, end.retry_after)

    async def _try(self, go: Go) -> T:
        """One attempt, and what is learned when it fails; the lease of one that answers is whoever's has the answer."""
        try:
            return await self._ask(go)
        except AttemptFailed as failed:
            verdict = self._rotation.note(go, failed.trouble, self._ticker.wall())
            failed.attempt.outcome = verdict.step.value
            go.lease.close(self._ticker.wall())
            raise
        except Unfit:
            self._rotation.close(go)
            go.lease.close(self._ticker.wall())
            raise
        except BaseException:
            go.lease.close(self._ticker.wall())
            raise

    async def _race(self, go: Go, hedging: Hedging) -> T:
        tasks: set[asyncio.Future[T]] = {asyncio.ensure_future(self._try(go))}
        try:
            await asyncio.wait(tasks, timeout=hedging.after(go))
            second = self._begin_second(go, hedging) if not any(task.done() for task in tasks) else None
            if second is not None:
                tasks.add(asyncio.ensure_future(self._try(second)))
                hedging.note()
            won = await _take_first(tasks)
        except BaseException:
            await self._call_off(tasks)
            raise
        try:
            await self._call_off(tasks)
        except BaseException:
            self._drop(won)
            raise
        return won

    async def _call_off(self, tasks: set[asyncio.Future[T]]) -> None:
        """Returns once they have let go. An answer that comes all the same is dropped, even if nobody waits for it."""
        for task in tasks:
            task.cancel()
            task.add_done_callback(self._drop_late)
        if tasks:
            await asyncio.wait(tasks)

    def _drop_late(self, task: asyncio.Future[T]) -> None:
        if not task.cancelled() and task.exception() is None:
            self._drop(task.result())

    def _begin_second(self, go: Go, hedging: Hedging) -> Go | None:
        now = self._ticker.wall()
        if hedging.after(go) is None or not hedging.budget.withdraw(now):
            return None
        move = self._rotation.next(now, beside=go)
        return move if isinstance(move, Go) else None


async def _take_first(tasks: set[asyncio.Future[T]]) -> T:
    """The first result; the last failure when there is none. What is left in `tasks` has not won."""
    while True:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        good = [task for task in done if task.exception() is None]
        if good:
            tasks.discard(good[0])
            return good[0].result()
        tasks -= done
        if not tasks:
            return done.pop().result()
