"""One limit for several processes: what each says to the others, and how it comes together. Pure values.

What a client or an account may use is counted in every process by itself, and once in a place that all of them see: a
`Pool` for each holder of a limit. A process adds what it has let in since it last spoke (`Word`), in one step with
reading what is there (`merge`), and goes on from the sum. So the sum is never guessed from parts, a process that dies
loses what it had not said yet and nothing else, and one that starts knows what the others have let in. Between two
words each goes by what it has heard: limits are overrun by what others let in since then, and by no more.

Requests in flight cannot be summed up like this, for a process that dies does not take them back: they are told as they
stand, and count as long as their process is heard of. Times are seconds since the epoch.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

from proxy.accounts.buckets import Bucket, add


class Holder(NamedTuple):
    """Whose limits: an account by provider and alias; a client by "" and its name."""

    provider: str
    name: str


class Pool(NamedTuple):
    """What all have used. requests, tokens: of a minute, each as it stood at its moment. day: counted from the epoch;
    day_tokens, day_cost: of that day."""

    requests: float = 0.0
    requests_at: float = 0.0
    tokens: float = 0.0
    tokens_at: float = 0.0
    day: int = 0
    day_tokens: float = 0.0
    day_cost: float = 0.0


class Taken(NamedTuple):
    """What one process has taken of a limit per minute, which is its size: 0 where there is none. since: the first."""

    size: int = 0
    amount: float = 0.0
    since: float = 0.0


NOTHING: Final = Taken()


@dataclass(frozen=True, slots=True)
class Word:
    """What one process has used since its last word, `at` the moment of this one. least_tokens, least_cost: what is
    known to have been used of the day at least, without this."""

    at: float
    requests: Taken = NOTHING
    tokens: Taken = NOTHING
    day: int = 0
    day_tokens: float = 0.0
    day_cost: float = 0.0
    least_tokens: float = 0.0
    least_cost: float = 0.0


def merge(pool: Pool, word: Word) -> Pool:
    requests, requests_at = _merge(pool.requests, pool.requests_at, word.requests, word.at)
    tokens, tokens_at = _merge(pool.tokens, pool.tokens_at, word.tokens, word.at)
    day, day_tokens, day_cost = pool.day, pool.day_tokens, pool.day_cost
    if word.day > day:
        day, day_tokens, day_cost = word.day, 0.0, 0.0
    if word.day == day:
        day_tokens = max(day_tokens, word.least_tokens) + word.day_tokens
        day_cost = max(day_cost, word.least_cost) + word.day_cost
    return Pool(requests, requests_at, tokens, tokens_at, day, day_tokens, day_cost)


def _merge(used: float, at: float, taken: Taken, now: float) -> tuple[float, float]:
    if not taken.size:
        return used, at
    return add(used, at, taken.amount, taken.since, now, taken.size), max(at, now)


class Count:
    """A sum that several processes add to. start: what is known of it at first, and not from here."""

    __slots__ = ("_heard", "_told", "value")

    def __init__(self, start: float = 0.0) -> None:
        self.value = self._heard = self._told = start

    def add(self, amount: float) -> None:
        self.value += amount

    def start_from(self, least: float) -> None:
        """So much was used elsewhere before."""
        self.value += least
        self._heard += least
        self._told += least

    def tell(self) -> float:
        """What was added here since `hear`."""
        self._told = self.value
        return self.value - self._heard

    def retell(self) -> None:
        """What was told has not been heard: it is a part of what is told next."""
        self._told = self._heard

    def hear(self, total: float) -> None:
        """What all have added, with what was told here before."""
        self.value += total - self._told
        self._heard = self._told = total


@dataclass(slots=True)
class Counted:
    """What is counted for one holder. elsewhere: requests that other processes have in flight. requests, tokens: of a
    minute, None without a limit. touched: the others have not heard of its latest use."""

    in_flight: int = 0
    elsewhere: int = 0
    requests: Bucket | None = None
    tokens: Bucket | None = None
    touched: bool = False

    @property
    def flying(self) -> int:
        """In all processes."""
        return self.in_flight + self.elsewhere

    def tell(self, now: float, at: float) -> Word:
        """What was used here since the last time. at: `now` on the clock that all processes have in common."""
        self.touched = False
        return Word(at, _tell(self.requests, now, at), _tell(self.tokens, now, at))

    def retell(self) -> None:
        """What was told has not been heard."""
        self.touched = True
        for bucket in (self.requests, self.tokens):
            if bucket:
                bucket.retell()

    def hear(self, pool: Pool, now: float, ahead: float) -> None:
        """What all have used. ahead: the lead of our clock on the one in common."""
        if self.requests:
            self.requests.hear(pool.requests, pool.requests_at + ahead, now)
        if self.tokens:
            self.tokens.hear(pool.tokens, pool.tokens_at + ahead, now)


def _tell(bucket: Bucket | None, now: float, at: float) -> Taken:
    if bucket is None:
        return NOTHING
    amount, since = bucket.tell(now)
    return Taken(bucket.size, amount, since + at - now)
