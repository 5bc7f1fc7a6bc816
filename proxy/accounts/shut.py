"""Why no account may serve now, and when one may again: what a request that has to wait or give up is told.

A hurdle is what stands in one account's way. The account is free when the last of its hurdles is, the provider when
the first of its accounts is; that account's hurdle is what the caller hears of. No text names a key or an account.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

from proxy.accounts.cooldown import Cooldown, Level
from proxy.dialects.events import Failure, FailureKind


class Why(Enum):
    LIMIT = "limit"  # the provider's, or the configuration's
    QUOTA = "quota"
    FULL = "full"
    PROVIDER = "provider"
    EGRESS = "egress"
    ATTENTION = "attention"
    TRIED = "tried"


@dataclass(frozen=True, slots=True)
class Hurdle:
    """until: math.inf where time alone will not help."""

    why: Why
    until: float


@dataclass(frozen=True, slots=True)
class Shut:
    """until: the earliest moment, in seconds since the epoch, at which an account may serve; None when time will not
    help. failure: what to tell the caller when nobody else can be asked."""

    until: float | None
    failure: Failure


_K = FailureKind

_SAYINGS: Final[Mapping[Why, tuple[FailureKind, int, str]]] = MappingProxyType({
    Why.LIMIT: (_K.RATE_LIMIT, 429, "the rate limit of every account of the provider is reached"),
    Why.QUOTA: (_K.QUOTA, 429, "the quota of every account of the provider is used up"),
    Why.FULL: (_K.RATE_LIMIT, 429, "every account of the provider has as many requests as it may have at once"),
    Why.PROVIDER: (_K.OVERLOADED, 503, "the provider is overloaded or does not answer"),
    Why.EGRESS: (_K.BAD_GATEWAY, 502, "the provider cannot be reached"),
    Why.ATTENTION: (_K.UNUSABLE, 503, "every account of the provider needs the operator's attention"),
    Why.TRIED: (_K.UNUSABLE, 503, "no other account of the provider can serve this request"),
})  # fmt: skip

_LEVELS: Final = MappingProxyType({Level.PROVIDER: Why.PROVIDER, Level.EGRESS: Why.EGRESS})


def read_hurdle(cooldown: Cooldown, until: float) -> Hurdle:
    if cooldown.attention:
        return Hurdle(Why.ATTENTION, math.inf)
    quota = cooldown.why == FailureKind.QUOTA.value
    return Hurdle(_LEVELS.get(cooldown.spot.level, Why.QUOTA if quota else Why.LIMIT), until)


def build_shut(hurdles: Sequence[Hurdle], now: float) -> Shut:
    """hurdles: the last one of each account that serves the model; none when no account does."""
    if not hurdles:
        return Shut(
            None,
            Failure(FailureKind.UNUSABLE, "no account of the provider serves this model", 503),
        )
    first = min(hurdles, key=_order)
    kind, status, message = _SAYINGS[first.why]
    if first.until == math.inf:
        return Shut(None, Failure(kind, message, status))
    return Shut(first.until, Failure(kind, message, status, retry_after=max(0.0, first.until - now)))


def _order(hurdle: Hurdle) -> tuple[float, bool]:
    """Of two that will not go by themselves, the one that somebody can do something about."""
    return hurdle.until, hurdle.why is Why.TRIED
