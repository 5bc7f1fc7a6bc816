"""How much each client may still use: requests in flight, requests and tokens a minute, tokens and cost a day.

`admit` reserves what a request is guessed to use and gives a `Grant`, or says which limit stands in the way and when it
will not; closing the grant puts the guess right. Nothing is awaited between a look at a limit and its reservation, so
no number of clients at once overruns it. What was counted outlives a configuration: `renew` brings new limits, and a
client that is gone is forgotten when its last request is. A day lasts from midnight to midnight UTC; a request counts
on the day on which it was let in, as it does in the ledger. What other processes let in counts
too, once it is heard of (`proxy/accounts/sharing.py`).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from proxy.accounts.buckets import Bucket
from proxy.accounts.sharing import Count, Counted, Holder, Pool, Word
from proxy.types import ClientName
from proxy.wire.patterns import compile_pattern

DAY: Final = 86400.0

LOOK_AGAIN: Final = 1.0
"""Seconds until one asks again for a stream's place: nobody knows when another one ends."""

_SLACK: Final = 1e-6
"""Of the price table's currency: what adding and taking back leaves over is none."""


class Limit(Enum):
    """What a client has used up, by the name that it has in the configuration."""

    STREAMS = "max_streams"
    REQUESTS = "rpm"
    TOKENS = "tpm"
    TOKENS_PER_DAY = "tokens_per_day"
    COST_PER_DAY = "cost_per_day"


@dataclass(frozen=True, slots=True)
class Allowance:
    """The limits of one client; 0 is none. models: patterns over the names it may ask for, () for all of them."""

    max_streams: int = 0
    rpm: int = 0
    tpm: int = 0
    tokens_per_day: int = 0
    cost_per_day: float = 0.0
    models: tuple[str, ...] = ()

    @property
    def is_limited(self) -> bool:
        """Something is counted; which models one may ask for is not."""
        return bool(self.max_streams or self.rpm or self.counts_tokens)

    @property
    def counts_tokens(self) -> bool:
        """It takes the usage of every answer to hold this client to its limits."""
        return bool(self.tpm or self.tokens_per_day or self.cost_per_day)


@dataclass(frozen=True, slots=True)
class Denied:
    """limit: that keeps the client away longest. retry_after: seconds until it does not."""

    limit: Limit
    retry_after: float


class _Account(Counted):
    """What is known of one client. day: counted from the epoch, the latest seen. day_tokens, day_cost: of that day,
    with what requests in flight are guessed to use; least: what was used of it before this process was there."""

    __slots__ = ("day", "day_cost", "day_tokens", "least", "patterns", "row")

    def __init__(self, row: Allowance) -> None:
        super().__init__()
        self.start_day(0)
        self.renew(row)

    def renew(self, row: Allowance) -> None:
        self.row = row
        self.patterns: list[re.Pattern[str]] = [compile_pattern(pattern) for pattern in row.models]
        self.requests = _fit(self.requests, row.rpm)
        self.tokens = _fit(self.tokens, row.tpm)

    def turn_to(self, now: float) -> None:
        day = int(now // DAY)
        if day > self.day:
            self.start_day(day)

    def start_day(self, day: int) -> None:
        self.day = day
        self.day_tokens, self.day_cost = Count(), Count()
        self.least = (0, 0.0)

    def seed(self, tokens: int, cost: float) -> None:
        self.least = (self.least[0] + tokens, self.least[1] + cost)
        self.day_tokens.start_from(tokens)
        self.day_cost.start_from(cost)

    def find_waits(self, now: float, tokens: int) -> dict[Limit, float]:
        """Seconds for every limit that has been reached."""
        row, midnight = self.row, (self.day + 1) * DAY - now
        full = row.max_streams and self.flying >= row.max_streams
        waits = {
            Limit.STREAMS: LOOK_AGAIN if full else 0.0,
            Limit.REQUESTS: self.requests.find_ready(1, now) - now if self.requests else 0.0,
            Limit.TOKENS: self.tokens.find_ready(tokens, now) - now if self.tokens else 0.0,
            Limit.TOKENS_PER_DAY: midnight if _is_used_up(row.tokens_per_day, self.day_tokens.value) else 0.0,
            Limit.COST_PER_DAY: midnight if _is_used_up(row.cost_per_day, self.day_cost.value) else 0.0,
        }
        return {limit: wait for limit, wait in waits.items() if wait > 0}

    def tell(self, now: float, at: float) -> Word:
        self.turn_to(now)
        return replace(
            super().tell(now, at),
            day=self.day,
            day_tokens=self.day_tokens.tell(),
            day_cost=self.day_cost.tell(),
            least_tokens=self.least[0],
            least_cost=self.least[1],
        )

    def retell(self) -> None:
        super().retell()
        self.day_tokens.retell()
        self.day_cost.retell()

    def hear(self, pool: Pool, now: float, ahead: float) -> None:
        super().hear(pool, now, ahead)
        self.turn_to(now)
        if pool.day == self.day:
            tokens, cost = self.least
            self.day_tokens.hear(max(pool.day_tokens, tokens))
            self.day_cost.hear(max(pool.day_cost, cost))
            if pool.day_tokens >= tokens and pool.day_cost >= cost:
                self.least = (0, 0.0)  # all know of it


class Grant:
    """One request that was let in. Close it once it is over; again does nothing."""

    __slots__ = ("_account", "_cost", "_day", "_tokens")

    def __init__(self, account: _Account, now: float, tokens: int, cost: float) -> None:
        self._account: _Account | None = account
        self._day = account.day
        self._tokens = tokens
        self._cost = cost
        account.in_flight += 1
        account.touched = True
        account.day_tokens.add(tokens)
        account.day_cost.add(cost)
        if account.requests:
            account.requests.take(1, now)
        if account.tokens:
            account.tokens.take(tokens, now)

    def keep(self, now: float) -> None:
        """Close it; what was guessed is what it has used."""
        self.close(now, self._tokens, self._cost)

    def close(self, now: float, tokens: int = 0, cost: float = 0.0) -> None:
        """tokens, cost: what it has really used."""
        account, self._account = self._account, None
        if account is None:
            return
        account.in_flight -= 1
        account.touched = True
        if account.tokens:
            account.tokens.take(tokens - self._tokens, now)
        account.turn_to(now)
        if account.day == self._day:
            account.day_tokens.add(tokens - self._tokens)
            account.day_cost.add(cost - self._cost)


class Allowances:
    """All clients of the process. One that `renew` has not named is let in without a count."""

    def __init__(self) -> None:
        self._accounts: dict[ClientName, _Account] = {}

    def renew(self, rows: Mapping[ClientName, Allowance]) -> None:
        """From now on these are the clients and their limits; what they have used stays."""
        accounts: dict[ClientName, _Account] = {}
        for name, row in rows.items():
            account = accounts[name] = self._accounts.get(name) or _Account(row)
            if account.row != row:
                account.renew(row)
        self._accounts = accounts

    def seed(self, now: float, used: Mapping[ClientName, tuple[int, float]]) -> None:
        """What clients have used today before this process was there: tokens and cost."""
        for name, (tokens, cost) in used.items():
            account = self._accounts.get(name)
            if account is not None:
                account.turn_to(now)
                account.seed(tokens, cost)

    def admit(self, client: ClientName, now: float, tokens: int = 0, cost: float = 0.0) -> Grant | Denied | None:
        """now: seconds since the epoch. tokens, cost: a guess of what the request will use. None: it has no limits."""
        account = self._accounts.get(client)
        if account is None:
            return None
        account.turn_to(now)
        waits = account.find_waits(now, tokens)
        if waits:
            limit = max(waits, key=waits.__getitem__)
            return Denied(limit, waits[limit])
        return Grant(account, now, tokens, cost)

    def list_counted(self) -> Sequence[tuple[Holder, Counted]]:
        """Clients with limits."""
        return [(Holder("", name), account) for name, account in self._accounts.items() if account.row.is_limited]

    def find_counted(self, holder: Holder) -> Counted | None:
        return self._accounts.get(ClientName(holder.name))

    def counts_tokens(self, client: ClientName) -> bool:
        """Whether a guess of tokens and cost is worth making."""
        account = self._accounts.get(client)
        return account is not None and account.row.counts_tokens

    def is_choosy(self, client: ClientName) -> bool:
        """Whether only some models are for this client."""
        account = self._accounts.get(client)
        return account is not None and bool(account.patterns)

    def may_ask(self, client: ClientName, model: str) -> bool:
        """Whether a model of this name exists for this client."""
        account = self._accounts.get(client)
        if account is None or not account.patterns:
            return True
        return any(pattern.fullmatch(model) for pattern in account.patterns)


def _fit(bucket: Bucket | None, size: int) -> Bucket | None:
    """A bucket of this size, with what was taken from the old one still gone."""
    if not size:
        return None
    if bucket is None:
        return Bucket(size)
    if bucket.size != size:
        bucket.resize(size)
    return bucket


def _is_used_up(limit: float, used: float) -> bool:
    return 0 < limit <= used + _SLACK
