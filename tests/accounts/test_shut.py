"""What a caller hears when nobody may serve."""

import math

import pytest

from proxy.accounts.cooldown import Cooldown, Level, Spot
from proxy.accounts.shut import Hurdle, Shut, Why, build_shut, read_hurdle
from proxy.dialects.events import FailureKind
from proxy.types import ProviderName

NOW = 1000.0


def test_the_first_account_that_comes_back_is_spoken_of() -> None:
    shut = build_shut([Hurdle(Why.QUOTA, NOW + 900), Hurdle(Why.LIMIT, NOW + 2), Hurdle(Why.ATTENTION, math.inf)], NOW)
    assert shut.until == NOW + 2
    assert (shut.failure.kind, shut.failure.status, shut.failure.retry_after) == (FailureKind.RATE_LIMIT, 429, 2)


@pytest.mark.parametrize("why", [Why.ATTENTION, Why.TRIED])
def test_time_will_not_help(why: Why) -> None:
    shut = build_shut([Hurdle(why, math.inf)], NOW)
    assert shut.until is None
    assert (shut.failure.kind, shut.failure.status, shut.failure.retry_after) == (FailureKind.UNUSABLE, 503, None)


def test_a_refused_key_is_told_before_those_that_were_tried() -> None:
    tried, attention = Hurdle(Why.TRIED, math.inf), Hurdle(Why.ATTENTION, math.inf)
    assert build_shut([tried, attention], NOW) == build_shut([attention], NOW)


def test_no_account_serves_the_model() -> None:
    shut = build_shut([], NOW)
    assert shut == Shut(None, shut.failure)
    assert (shut.failure.kind, shut.failure.status) == (FailureKind.UNUSABLE, 503)
    assert "serves this model" in shut.failure.message


def test_a_delay_is_never_negative() -> None:
    assert build_shut([Hurdle(Why.FULL, NOW - 1)], NOW).failure.retry_after == 0


@pytest.mark.parametrize(
    ("level", "kind", "attention", "hurdle"),
    [
        (Level.ACCOUNT, "rate_limit", False, Hurdle(Why.LIMIT, NOW)),
        (Level.MODEL, "rate_limit", False, Hurdle(Why.LIMIT, NOW)),
        (Level.MODEL, "quota", False, Hurdle(Why.QUOTA, NOW)),
        (Level.ACCOUNT, "upstream_auth", True, Hurdle(Why.ATTENTION, math.inf)),
        (Level.PROVIDER, "overloaded", False, Hurdle(Why.PROVIDER, NOW)),
        (Level.PROVIDER, "timeout", False, Hurdle(Why.PROVIDER, NOW)),
        (Level.EGRESS, "bad_gateway", False, Hurdle(Why.EGRESS, NOW)),
    ],
)
def test_hurdles(level: Level, kind: str, attention: bool, hurdle: Hurdle) -> None:
    cooldown = Cooldown(Spot(level, ProviderName("p"), "a"), kind, "", 0, NOW, attention=attention)
    assert read_hurdle(cooldown, NOW) == hurdle


@pytest.mark.parametrize(
    ("why", "kind", "status"),
    [
        (Why.LIMIT, FailureKind.RATE_LIMIT, 429),
        (Why.QUOTA, FailureKind.QUOTA, 429),
        (Why.FULL, FailureKind.RATE_LIMIT, 429),
        (Why.PROVIDER, FailureKind.OVERLOADED, 503),
        (Why.EGRESS, FailureKind.BAD_GATEWAY, 502),
    ],
)
def test_sayings(why: Why, kind: FailureKind, status: int) -> None:
    failure = build_shut([Hurdle(why, NOW + 3)], NOW).failure
    assert (failure.kind, failure.status, failure.retry_after) == (kind, status, 3)
