"""The accounts of one provider: which of them serves the next request, or why none does and until when.

A book is made of the configuration's rows and goes with it; what is known of the accounts is on the `Board` and stays.
`pick` goes through the accounts that serve the model, leaves out those that something stands in the way of, and lets
the strategy choose, or the session: affinity is stateless (see `affinity.py`), an account that cannot serve now is
passed over for the session's next. It reads no clock and draws no number. Nothing is awaited between a pick and its
reservation, so a limit cannot be overrun.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from proxy.accounts.affinity import rank_for
from proxy.accounts.board import Board
from proxy.accounts.buckets import Bucket
from proxy.accounts.cooldown import Cooldown, Level, Spot
from proxy.accounts.lease import Lease
from proxy.accounts.policy import Policy
from proxy.accounts.seat import AccountRow, Seat
from proxy.accounts.shut import Hurdle, Shut, Why, build_shut, read_hurdle
from proxy.accounts.strategies import build_strategy
from proxy.types import ProviderName
from proxy.wire.patterns import compile_pattern

__all__ = ["AccountRow", "Book", "Lease", "Shut"]

_LOOK_AGAIN: Final = 1.0
"""Seconds until one asks again about what has no known end: a probe under way, a stream that has to close."""

_MOST_MODELS: Final = 1024
"""Names for which it is remembered who serves them; callers may invent names."""

_POLICY: Final = Policy()
_NOBODY: Final[frozenset[int]] = frozenset()
_CHECKED: Final = (Level.PROVIDER, Level.EGRESS, Level.ACCOUNT, Level.MODEL)
_CHECKED_ON_MOUNTS: Final = (Level.ACCOUNT,)


class Book:
    def __init__(
        self, provider: ProviderName, rows: Sequence[AccountRow], board: Board, *, strategy: str = "round-robin",
        affinity: bool = False, policy: Policy = _POLICY,
    ) -> None:  # fmt: skip
        if not rows:
            raise ValueError("a book needs at least one row")
        self.provider = provider
        self.rows = tuple(rows)
        self._board = board
        self._policy = policy
        self._affinity = affinity
        board.renew(provider, {row.name or "": row.mark for row in rows})
        self._seats = [Seat(provider, row, board.account(provider, row.name or "")) for row in rows]
        self._weights = [row.weight for row in rows]
        self._names = [(row.name or "").encode() for row in rows]
        self._patterns = [[compile_pattern(pattern) for pattern in row.models] for row in rows]
        self._everyone = tuple(range(len(rows)))
        self._choosy = any(self._patterns)
        self._serving: dict[str, tuple[int, ...]] = {}
        self._strategy = build_strategy(strategy, self._weights, [seat.state for seat in self._seats])
        for seat in self._seats:
            seat.state.limited = seat.limited
            seat.state.requests = _fit(seat.state.requests, seat.row.rpm)
            seat.state.tokens = _fit(seat.state.tokens, seat.row.tpm)

    def pick(
        self, now: float, model: str = "", *, session: str = "", tokens: int = 0, skip: frozenset[int] = _NOBODY,
        jitter: float = 0.0, accounts_only: bool = False,
    ) -> Lease | Shut:  # fmt: skip
        """model: "" where it is not known. tokens: a guess of what the request will use. skip: accounts that this
        request is not to get again. accounts_only: a mount's request, which only what is known of the accounts stops.
        """
        serving = self._list_serving(model)
        cooled = self._board.cooled(self.provider)
        levels = _CHECKED_ON_MOUNTS if accounts_only else _CHECKED
        free: list[int] = []
        hurdles: list[Hurdle] = []
        for index in serving:
            if index in skip:
                hurdles.append(Hurdle(Why.TRIED, math.inf))
                continue
            seat = self._seats[index]
            if seat.limited or seat.state.held or cooled:
                found = [*self._iterate_hurdles(seat, now, model, tokens, jitter, cooled, levels)]
                if found:
                    hurdles.append(max(found, key=_last))
                    continue
            free.append(index)
        if not free:
            return build_shut(hurdles, now)
        index, sticky = self._choose(free, serving, session)
        seat = self._seats[index]
        probed = [spot for spot, _ in _iterate_cooled(seat, model, cooled, levels)] if cooled else ()
        return Lease(
            seat, index, self._board, self._policy, now, model, probed,
            sticky=sticky, tokens=tokens, accounts_only=accounts_only,
        )  # fmt: skip

    def _choose(self, free: Sequence[int], serving: Sequence[int], session: str) -> tuple[int, bool | None]:
        if not session or not self._affinity:
            return self._strategy.choose(free), None
        ranked = rank_for(
            session, [self._names[index] for index in serving], [self._weights[index] for index in serving]
        )
        home = serving[ranked[0]]
        if home in free:
            return home, True
        return next(serving[place] for place in ranked if serving[place] in free), False

    def _iterate_hurdles(
        self, seat: Seat, now: float, model: str, tokens: int, jitter: float, cooled: Mapping[Spot, Cooldown],
        levels: Sequence[Level],
    ) -> Iterator[Hurdle]:  # fmt: skip
        state = seat.state
        again = now + _LOOK_AGAIN * (0.5 + jitter)
        if seat.row.max_streams and state.flying >= seat.row.max_streams:
            yield Hurdle(Why.FULL, again)
        ready = max(
            state.requests.find_ready(1, now) if state.requests is not None else now,
            state.tokens.find_ready(max(1, tokens), now) if state.tokens is not None else now,
            state.held.get(model, now),
        )
        if ready > now:
            yield Hurdle(Why.LIMIT, ready)
        for spot, cooldown in _iterate_cooled(seat, model, cooled, levels):
            if cooldown.until > now:
                yield read_hurdle(cooldown, cooldown.until)
            elif self._board.is_probed(spot):
                yield read_hurdle(cooldown, again)

    def _list_serving(self, model: str) -> tuple[int, ...]:
        if not self._choosy or not model:
            return self._everyone
        serving = self._serving.get(model)
        if serving is None:
            if len(self._serving) >= _MOST_MODELS:
                self._serving.clear()
            serving = self._serving[model] = tuple(
                index
                for index, patterns in enumerate(self._patterns)
                if not patterns or any(pattern.fullmatch(model) for pattern in patterns)
            )
        return serving


def _iterate_cooled(
    seat: Seat, model: str, cooled: Mapping[Spot, Cooldown], levels: Sequence[Level]
) -> Iterator[tuple[Spot, Cooldown]]:
    for level in levels if cooled else ():
        spot = seat.find_spot(level, model)
        if (cooldown := cooled.get(spot)) is not None:
            yield spot, cooldown


def _last(hurdle: Hurdle) -> float:
    return hurdle.until


def _fit(bucket: Bucket | None, size: int) -> Bucket | None:
    """A new configuration is no reason for a second burst."""
    if not size:
        return None
    if bucket is None:
        return Bucket(size)
    bucket.resize(size)
    return bucket
