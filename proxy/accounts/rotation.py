"""One request's way through its route: who is asked next, how long to wait before, and when there is nobody left.

`next(now)` says what to do, `note` takes how an attempt went; neither does it. The candidates of a route stand in the
order in which they are preferred. A failure moves its candidate back (`late`: only when nobody else is left) or out
(`closed`), as the policy's step says. No candidate's provider is asked more than a few times, the route not more than
`attempts` times, and beyond the first attempt each one is drawn from the process-wide budget, so that an outage is not
multiplied by those who suffer it. Times are seconds since the epoch.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from proxy.accounts.book import Book, Lease, Shut
from proxy.accounts.budget import RetryBudget
from proxy.accounts.cooldown import Level
from proxy.accounts.policy import Step, Verdict
from proxy.accounts.trouble import Trouble
from proxy.dialects.events import Failure, FailureKind
from proxy.types import ProviderName

SHORT_WAIT: Final = 10.0
"""Seconds that a request waits for an account: one that is kept alive meanwhile is slow, and nothing worse."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A target: a provider's model. context: tokens that it takes, 0 for unknown. tier, weight: those of one tier share
    the requests by weight."""

    provider: ProviderName
    model: str
    book: Book
    context: int = 0
    tier: int = 0
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Bounds:
    """attempts: in all. per_provider: at one. until: no attempt begins after it."""

    attempts: int
    per_provider: int
    until: float = math.inf


@dataclass(frozen=True, slots=True)
class Go:
    """Ask this candidate, by the account that `lease` holds."""

    candidate: int
    lease: Lease


@dataclass(frozen=True, slots=True)
class Wait:
    until: float


@dataclass(frozen=True, slots=True)
class End:
    """Nobody is left. failure: why nobody could be asked at all, None when what the last one said is the answer.
    retry_after: seconds until somebody may serve, None when nobody knows."""

    failure: Failure | None
    retry_after: float | None


Draw = Callable[[], float]
"""A random number from 0 to 1."""


class Rotation:
    """session: keeps a conversation's requests together. tokens: what the request will cost, roughly."""

    def __init__(
        self,
        candidates: Sequence[Candidate],
        bounds: Bounds,
        budget: RetryBudget,
        draw: Draw,
        *,
        session: str = "",
        tokens: int = 0,
    ) -> None:
        self.candidates = candidates
        self.made = 0
        self._bounds = bounds
        self._until = bounds.until
        self._budget = budget
        self._draw = draw
        self._session = session
        self._tokens = tokens
        self._order = arrange(candidates, session, draw)
        self._closed: set[int] = set()
        self._late: list[int] = []
        self._skipped: dict[int, frozenset[int]] = {}
        self._asked: dict[ProviderName, int] = {}
        self._retried: set[ProviderName] = set()
        self._patient: set[int] = set()  # candidates whose account named a delay to this very request
        self._pause = 0.0
        self._over = False

    def next(self, now: float, beside: Go | None = None) -> Go | Wait | End:
        """What to do now. beside: an attempt under way that a second one shall be begun next to, on another account or
        target; what cannot be begun at once is an End then."""
        bounds = self._bounds
        if self._over or self.made >= bounds.attempts or now >= self._until:
            return self._end(now, None)
        if now < self._pause and beside is None:
            return Wait(self._pause) if self._pause < self._until else self._end(now, None)
        shut: Shut | None = None
        for index in self._list_open():
            found = self._pick(index, now, beside)
            if isinstance(found, Lease):
                return self._go(index, found, now)
            shut = shut if shut is not None and _until(shut) <= _until(found) else found
            if index in self._patient and beside is None and self._can_wait(_until(found), now):
                break  # its account said how long, and it is not long: the caller's first choice is worth it
        wait = math.inf if shut is None else _until(shut)
        if beside is None and self._can_wait(wait, now):
            return Wait(wait)
        return self._end(now, shut)

    def note(self, go: Go, trouble: Trouble, now: float) -> Verdict:
        """The attempt failed: learn from it."""
        verdict = go.lease.fail(trouble, now, self._draw())
        index, provider = go.candidate, self.candidates[go.candidate].provider
        if trouble.committed:
            self.put_back(index)  # whoever broke off is not the first to be asked for the rest
        if verdict.step is Step.ACCOUNT:
            if verdict.level in (Level.ACCOUNT, Level.MODEL):
                if trouble.failure.kind is FailureKind.RATE_LIMIT:
                    self._patient.add(index)
            elif verdict.level is None:
                self._skipped[index] = self._skipped.get(index, frozenset()) | {go.lease.index}
        elif verdict.step is Step.AGAIN:
            if provider in self._retried:
                self.put_back(index)
            self._retried.add(provider)
        elif verdict.step is Step.TARGET:
            self.put_back(index)
        elif verdict.step is Step.LEAVE:
            self._closed.add(index)
        elif verdict.step is Step.LARGER:
            self._close_smaller(index)
        else:
            self._over = True
        if self._list_open()[:1] == [index]:  # nobody else is next: the same target is not asked at once
            self._pause = now + verdict.pause
        return verdict

    def close(self, go: Go) -> None:
        """The candidate cannot take this request; it was not asked."""
        self.made -= 1
        self._asked[self.candidates[go.candidate].provider] -= 1
        self._closed.add(go.candidate)

    def extend(self, until: float) -> None:
        """A new deadline: an answer that broke off shall be rescued."""
        self._until = until

    def stop(self) -> None:
        """No further attempt."""
        self._over = True

    def _go(self, index: int, lease: Lease, now: float) -> Go | End:
        if self.made and not self._budget.withdraw(now):
            lease.close(now)
            return self._end(now, None)
        provider = self.candidates[index].provider
        self.made += 1
        self._asked[provider] = self._asked.get(provider, 0) + 1
        return Go(index, lease)

    def _pick(self, index: int, now: float, beside: Go | None) -> Lease | Shut:
        candidate = self.candidates[index]
        skip = self._skipped.get(index, frozenset())
        if beside is not None and candidate.provider == self.candidates[beside.candidate].provider:
            skip |= {beside.lease.index}
        return candidate.book.pick(
            now, candidate.model, session=self._session, tokens=self._tokens, skip=skip, jitter=self._draw()
        )

    def _can_wait(self, until: float, now: float) -> bool:
        return until - now <= SHORT_WAIT and until < self._until

    def _list_open(self) -> list[int]:
        late = self._late
        return [
            index
            for index in [*(index for index in self._order if index not in late), *late]
            if index not in self._closed
            and self._asked.get(self.candidates[index].provider, 0) < self._bounds.per_provider
        ]

    def put_back(self, index: int) -> None:
        """Ask this candidate only when no other is left."""
        if index not in self._late:
            self._late.append(index)

    def _close_smaller(self, index: int) -> None:
        """Whoever is known to take no more than the one that had too much, and the same model anywhere."""
        refused = self.candidates[index]
        for number, candidate in enumerate(self.candidates):
            known = 0 < candidate.context <= refused.context
            if known or candidate.model == refused.model:
                self._closed.add(number)

    def _end(self, now: float, shut: Shut | None) -> End:
        failure = shut.failure if shut is not None and not self.made else None
        until = math.inf if shut is None else _until(shut)
        return End(failure, None if math.isinf(until) else max(until - now, 0.0))


def arrange(candidates: Sequence[Candidate], session: str, draw: Draw) -> list[int]:
    """The order in which candidates are preferred: by tier, within one by weight. A session has the same order each
    time (rendezvous hashing), since its conversation may still be in a cache there."""
    if all(a.tier < b.tier for a, b in itertools.pairwise(candidates)):
        return list(range(len(candidates)))

    def rank(index: int) -> tuple[int, float]:
        candidate = candidates[index]
        if session:
            name = f"{session}\0{candidate.provider}\0{candidate.model}".encode()
            share = (int.from_bytes(blake2b(name, digest_size=8).digest()) + 1) / 2**64
        else:
            share = 1.0 - draw()
        return candidate.tier, -math.log(min(share, 1.0)) / candidate.weight

    return sorted(range(len(candidates)), key=rank)


def _until(shut: Shut) -> float:
    return math.inf if shut.until is None else shut.until
