"""What a provider says is left of an account's limits, read from the fields of any answer, good or bad.

`read_rates(headers, now)` takes OpenAI's `x-ratelimit-remaining-requests` and all who copied it (their buckets have
names of their own: `tokens`, `requests-day`, `req-minute`; one without a name counts requests), and Anthropic's
`anthropic-ratelimit-tokens-remaining`. Whatever cannot be read is left out; nothing raises. Resets are told in
seconds since the epoch by the caller's clock, however wrong the provider's is. What to do about an empty bucket is
the caller's to decide: most providers count by model.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from proxy.dialects.delays import LONGEST, parse_date, parse_reset
from proxy.wire.headers import Headers

_OPENAI: Final = b"x-ratelimit-"
_ANTHROPIC: Final = b"anthropic-ratelimit-"
_WHAT: Final = frozenset({"remaining", "limit", "reset"})
_MOST: Final = 16
"""Buckets of one answer: Anthropic has the most, six. More is a mistake or mischief."""


@dataclass(frozen=True, slots=True)
class Rate:
    """One bucket. reset: when it is full again, None when that is not known or has passed."""

    bucket: str
    remaining: int
    limit: int | None = None
    reset: float | None = None


@dataclass(frozen=True, slots=True)
class Rates:
    rates: tuple[Rate, ...] = ()

    @property
    def held_until(self) -> float | None:
        """When all of those that have nothing left are full again; None: nothing is known to stand in the way."""
        return max((rate.reset for rate in self.rates if not rate.remaining and rate.reset is not None), default=None)


NO_RATES: Final = Rates()


def read_rates(headers: Headers, now: float) -> Rates:
    """now: seconds since the epoch."""
    buckets: dict[str, dict[str, str]] = {}
    for name, value in headers.lowered:
        if name.startswith((_OPENAI, _ANTHROPIC)) and (found := _read_name(name)) is not None:
            bucket, what = found
            if bucket in buckets or len(buckets) < _MOST:
                buckets.setdefault(bucket, {}).setdefault(what, value.decode("latin-1").strip())
    if not buckets:
        return NO_RATES
    moment = _read_moment(headers, now)
    rates = (_build(bucket, fields, now, moment) for bucket, fields in buckets.items())
    return Rates(tuple(rate for rate in rates if rate is not None))


def _read_name(name: bytes) -> tuple[str, str] | None:
    """The bucket, and which of its numbers: the first word of OpenAI's names, the last of Anthropic's."""
    text = name.decode("latin-1")
    if name.startswith(_OPENAI):
        what, _, bucket = text[len(_OPENAI) :].partition("-")
    else:
        bucket, _, what = text[len(_ANTHROPIC) :].rpartition("-")
    return (bucket or "requests", what) if what in _WHAT else None


def _read_moment(headers: Headers, now: float) -> datetime:
    """Resets that are times of day count from the provider's own clock."""
    date = parse_date((headers.get_first(b"date") or b"").decode("latin-1").strip())
    return date if date is not None else datetime.fromtimestamp(now, UTC)


def _build(bucket: str, fields: dict[str, str], now: float, moment: datetime) -> Rate | None:
    remaining = _parse_count(fields.get("remaining", ""))
    if remaining is None:
        return None
    delay = parse_reset(fields.get("reset", ""), moment)
    reset = None if delay is None else now + min(delay, LONGEST)
    return Rate(bucket, remaining, _parse_count(fields.get("limit", "")), reset)


def _parse_count(text: str) -> int | None:
    """A fraction of one is none. A negative number, as some send for "no limit", says nothing."""
    whole, _, rest = text.partition(".")
    if not (whole.isascii() and whole.isdecimal() and len(whole) <= 18 and (not rest or rest.isdecimal())):
        return None
    return int(whole)
