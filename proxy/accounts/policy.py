"""What a failure means: whom it is held against and for how long, and what the request does next. A pure function.

`judge(trouble, history, now, policy, jitter)` goes by the table in docs/failover.md. It reads no clock and draws no
number: both are passed in, so that every row of the table is a test.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

from proxy.accounts.cooldown import Level
from proxy.accounts.trouble import How, Trouble
from proxy.dialects.events import Failure, FailureKind

# All in seconds.
_SHORTEST: Final = 1.0
"""No delay that is named is believed below it: "0" and "0.01" come from clocks that differ, and mean a storm."""
_LIMIT_FIRST: Final = 1.0
_LIMIT_MOST: Final = 60.0
"""Limits are counted by the minute at most providers; one that counts by the day is a quota."""
_QUOTA_FIRST: Final = 300.0
_JUST_WORKED: Final = 60.0
_PAUSE_LEAST: Final = 0.1
_PAUSE_MOST: Final = 0.5
_OVERLOAD_FIRST: Final = 2.0
_OVERLOAD_MOST: Final = 15.0
"""Short, since everybody's requests go elsewhere meanwhile, and to ask costs one request."""
_EGRESS_FIRST: Final = 1.0
_EGRESS_MOST: Final = 15.0

_TOLERATED: Final = 2
"""Flaky answers in a row: the third is no accident."""
_MOST_DOUBLINGS: Final = 30
"""Far above every maximum, and no float is too large."""


class Step(Enum):
    """What the request may do next."""

    ACCOUNT = "account"  # another account of this target now; none left: wait if it is not long, else the next target
    AGAIN = "again"  # this target once more, after a pause; then the next one
    TARGET = "target"  # the next target; with none left this one again, a bounded number of times
    LEAVE = "leave"  # the next target, and this one never again in this request
    LARGER = "larger"  # a target with a larger context, if there is one
    GIVE_UP = "give_up"  # the caller has to know, whatever else is configured


@dataclass(frozen=True, slots=True)
class Policy:
    """Seconds. cooldown_max: no delay that a provider names is believed beyond it."""

    cooldown_max: float = 3600.0


@dataclass(frozen=True, slots=True)
class History:
    """strikes: failures in a row of what the verdict would be held against, this one not among them. succeeded: when
    the account last answered well, None when it never did. recent: failures in a row at the provider that were held
    against nobody. well: the provider has just answered another request, or one that began later than this one."""

    account_strikes: int = 0
    provider_strikes: int = 0
    egress_strikes: int = 0
    recent: int = 0
    refusals: int = 0  # 401s in a row at this account
    succeeded: float | None = None
    well: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """level: None is nobody. seconds: of cool-down from now on. pause: seconds before the same target
    is asked again."""

    step: Step
    level: Level | None = None
    seconds: float = 0.0
    attention: bool = False
    pause: float = 0.0


def judge(trouble: Trouble, history: History, now: float, policy: Policy, jitter: float) -> Verdict:
    """jitter: from 0 to 1, drawn by the caller."""
    if trouble.how is not How.ANSWER:
        return _CONNECTIONS[trouble.how](trouble.failure, history, now, policy, jitter)
    rule = _ANSWERS.get(trouble.failure.kind)
    return rule(trouble.failure, history, now, policy, jitter) if rule is not None else Verdict(Step.GIVE_UP)


def is_flaky(trouble: Trouble) -> bool:
    """Held against nobody when it happens once; `History.recent` counts these."""
    return trouble.how is How.CUT or (trouble.how is How.ANSWER and _ANSWERS.get(trouble.failure.kind) is _judge_flaky)


def is_reached(trouble: Trouble, verdict: Verdict) -> bool:
    """The provider answered, and what it said shows that it is at work: it is not overloaded any more."""
    return trouble.how is How.ANSWER and verdict.step in _AT_WORK


def _judge_limit(failure: Failure, history: History, now: float, policy: Policy, jitter: float) -> Verdict:
    level = Level.MODEL if failure.model_only else Level.ACCOUNT
    if failure.retry_after is not None:
        seconds = max(_SHORTEST, failure.retry_after)
    else:
        seconds = min(_LIMIT_MOST, _grow(_LIMIT_FIRST, history.account_strikes) * (0.75 + jitter / 2))
    return Verdict(Step.ACCOUNT, level, min(seconds, policy.cooldown_max))


def _judge_quota(failure: Failure, history: History, now: float, policy: Policy, jitter: float) -> Verdict:
    level = Level.MODEL if failure.model_only else Level.ACCOUNT
    named = failure.retry_after
    seconds = _grow(_QUOTA_FIRST, history.account_strikes) if named is None else max(_SHORTEST, named)
    return Verdict(Step.ACCOUNT, level, min(seconds, policy.cooldown_max))


def _judge_refused_key(failure: Failure, history: History, now: float, policy: Policy, jitter: float) -> Verdict:
    """A key that has just worked is not a bad key: some answer 401 to one request for reasons of their own."""
    works = history.succeeded is not None and now - history.succeeded <= _JUST_WORKED
    if works and not history.refusals:
        return Verdict(Step.ACCOUNT)
    seconds = min(policy.cooldown_max, _grow(policy.cooldown_max / 4, history.account_strikes))
    return Verdict(Step.ACCOUNT, Level.ACCOUNT, seconds, attention=True)


def _judge_forbidden(failure: Failure, history: History, now: float, policy: Policy, jitter: float) -> Verdict:
    return Verdict(Step.ACCOUNT)


def _judge_flaky(failure: Failure, history: History, now: float, policy: Policy, jitter: float) -> Verdict:
    """Also at a provider that is already known to be in trouble: what was to show that it is well again has failed."""
    if history.recent >= _TOLERATED or history.provider_strikes:
        return _judge_overloaded(failure, history, now, policy, jitter)
    return Verdict(Step.AGAIN, pause=_PAUSE_LEAST + jitter * (_PAUSE_MOST - _PAUSE_LEAST))


def _judge_overloaded(failure: Failure, history: History, now: float, policy: Policy, jitter: float) -> Verdict:
    """A provider that answers others well is not stopped for one failure: with hundreds of requests a second some
    fail always, and each of these finds its own way on."""
    named = failure.retry_after
    if history.well and named is None and not history.provider_strikes:
        return Verdict(Step.TARGET, pause=_PAUSE_LEAST + jitter * (_PAUSE_MOST - _PAUSE_LEAST))
    seconds = _grow(_OVERLOAD_FIRST, history.provider_strikes) if named is None else max(_SHORTEST, named)
    return Verdict(Step.TARGET, Level.PROVIDER, min(seconds, _OVERLOAD_MOST, policy.cooldown_max))


def _judge_larger(failure: Failure, history: History, now: float, policy: Policy, jitter: float) -> Verdict:
    return Verdict(Step.LARGER)


def _judge_egress(failure: Failure, history: History, now: float, policy: Policy, jitter: float) -> Verdict:
    seconds = min(_EGRESS_MOST, _grow(_EGRESS_FIRST, history.egress_strikes))
    return Verdict(Step.ACCOUNT, Level.EGRESS, min(seconds, policy.cooldown_max))


def _judge_silent(failure: Failure, history: History, now: float, policy: Policy, jitter: float) -> Verdict:
    verdict = _judge_overloaded(failure, history, now, policy, jitter)
    return Verdict(Step.LEAVE, verdict.level, verdict.seconds)


def _judge_ours(failure: Failure, history: History, now: float, policy: Policy, jitter: float) -> Verdict:
    """Others could be asked as little, and all are well for all that is known."""
    return Verdict(Step.GIVE_UP)


def _grow(first: float, strikes: int) -> float:
    return first * 2.0 ** min(strikes, _MOST_DOUBLINGS)


_Rule = Callable[[Failure, History, float, Policy, float], Verdict]
_K = FailureKind

_CONNECTIONS: Final[Mapping[How, _Rule]] = MappingProxyType({
    How.CONNECT: _judge_egress,
    How.OURS: _judge_ours,
    How.CUT: _judge_flaky,
    How.SILENT: _judge_silent,
})  # fmt: skip

# A kind that does not stand here is the request's own affair: whoever is asked next would say the same.
_ANSWERS: Final[Mapping[FailureKind, _Rule]] = MappingProxyType({
    _K.RATE_LIMIT: _judge_limit,
    _K.QUOTA: _judge_quota,
    _K.AUTH: _judge_refused_key,
    _K.UPSTREAM_AUTH: _judge_refused_key,
    _K.PERMISSION: _judge_forbidden,
    _K.SERVER: _judge_flaky,
    _K.BAD_GATEWAY: _judge_flaky,
    _K.TIMEOUT: _judge_flaky,
    _K.DISCONNECT: _judge_flaky,
    _K.OVERLOADED: _judge_overloaded,
    _K.CONTEXT_LENGTH: _judge_larger,
    _K.TOO_LARGE: _judge_larger,
})  # fmt: skip

_AT_WORK: Final = frozenset({Step.ACCOUNT, Step.LARGER, Step.GIVE_UP})
