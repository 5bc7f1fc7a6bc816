"""How much each client may still use: requests in flight, requests and tokens a minute, tokens and cost a day.

`admit` reserves what a request is guessed to use and gives a `Grant`, or says which limit stands in the way and when it
will not; closing the grant puts the guess right. Nothing is awaited between a look at a limit and its reservation, so
no number of clients at once overruns it. What was counted outlives a configuration: `renew` brings new limits, and a
client that is gone is forgotten when its last request is. A day lasts from midnight to midnight UTC; a request counts
on the day on which it was let in, as it does in the ledger.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from proxy.accounts.buckets import Bucket
from proxy.types import ClientName
from proxy.wire.patterns import compile_pattern

DAY: Final = 86400.0

LOOK_AGAIN: Final = 1.0
"""Seconds until one asks again for a stream's place: nobody knows when another one ends."""


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
    def counts_tokens(self) -> bool:
        """It takes the usage of every answer to hold this client to its limits."""
        return bool(self.tpm or self.tokens_per_day or self.cost_per_day)


@dataclass(frozen=True, slots=True)
class Denied:
    """limit: that keeps the client away longest. retry_after: seconds until it does not."""

    limit: Limit
    retry_after: float


@dataclass(slots=True)
class Spent:
    """What one client has used of a day, and what its requests in flight are guessed to use besides."""

    tokens: int = 0
    cost: float = 0.0
    reserved_tokens: int = 0
    reserved_cost: float = 0.0


class _Account:
    """What is known of one client. day: counted from the epoch, the latest seen."""

    __slots__ = ("day", "patterns", "requests", "row", "spent", "streams", "tokens")

    def __init__(self, row: Allowance) -> None:
        self.streams = 0
        self.day = 0
        self.spent = Spent()
        self.requests: Bucket | None = None
        self.tokens: Bucket | None = None
        self.renew(row)

    def renew(self, row: Allowance) -> None:
        self.row = row
        self.patterns: list[re.Pattern[str]] = [compile_pattern(pattern) for pattern in row.models]
        self.requests = _fit(self.requests, row.rpm)
        self.tokens = _fit(self.tokens, row.tpm)

    def turn_to(self, now: float) -> None:
        day = int(now // DAY)
        if day > self.day:
            self.day, self.spent = day, Spent()

    def find_waits(self, now: float, tokens: int) -> dict[Limit, float]:
        """Seconds for every limit that has been reached."""
        row, spent, midnight = self.row, self.spent, (self.day + 1) * DAY - now
        waits = {
            Limit.STREAMS: LOOK_AGAIN if row.max_streams and self.streams >= row.max_streams else 0.0,
            Limit.REQUESTS: self.requests.find_ready(1, now) - now if self.requests else 0.0,
            Limit.TOKENS: self.tokens.find_ready(tokens, now) - now if self.tokens else 0.0,
            Limit.TOKENS_PER_DAY: midnight
            if _is_used_up(row.tokens_per_day, spent.tokens + spent.reserved_tokens)
            else 0,
            Limit.COST_PER_DAY: midnight if _is_used_up(row.cost_per_day, spent.cost + spent.reserved_cost) else 0.0,
        }
        return {limit: wait for limit, wait in waits.items() if wait > 0}


class Grant:
    """One request that was let in. Close it once it is over; again does nothing."""

    __slots__ = ("_account", "_cost", "_day", "_tokens")

    def __init__(self, account: _Account, now: float, tokens: int, cost: float) -> None:
        self._account: _Account | None = account
        self._day = account.day
        self._tokens = tokens
        self._cost = cost
        account.streams += 1
        account.spent.reserved_tokens += tokens
        account.spent.reserved_cost += cost
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
        account.streams -= 1
        if account.tokens:
            account.tokens.take(tokens - self._tokens, now)
        account.turn_to(now)
        if account.day == self._day:
            spent = account.spent
            spent.reserved_tokens -= self._tokens
            spent.reserved_cost -= self._cost
            spent.tokens += tokens
            spent.cost += cost


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
                account.spent.tokens += tokens
                account.spent.cost += cost

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
    return 0 < limit <= used
