"""How much each client may still use, on a clock that the tests turn."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.types import ClientName
from proxy.usage.allowance import DAY, LOOK_AGAIN, Allowance, Allowances, Denied, Grant, Limit

ANN, BOB = ClientName("ann"), ClientName("bob")
MIDNIGHT = 20_000 * DAY
NOON = MIDNIGHT + DAY / 2
NONE = Allowance()


def limited(**limits: Any) -> Allowances:
    """For ann; bob has no limits."""
    allowances = Allowances()
    allowances.renew({ANN: replace(NONE, **limits), BOB: NONE})
    return allowances


def let_in(allowances: Allowances, now: float = NOON, tokens: int = 0, cost: float = 0.0) -> Grant:
    grant = allowances.admit(ANN, now, tokens, cost)
    assert isinstance(grant, Grant)
    return grant


def refuse(allowances: Allowances, now: float = NOON, tokens: int = 0, cost: float = 0.0) -> Denied:
    denied = allowances.admit(ANN, now, tokens, cost)
    assert isinstance(denied, Denied)
    return denied


def test_streams_at_once() -> None:
    allowances = limited(max_streams=2)
    first, _ = let_in(allowances), let_in(allowances)
    assert refuse(allowances) == Denied(Limit.STREAMS, LOOK_AGAIN)
    first.close(NOON)
    first.close(NOON)
    let_in(allowances)
    assert refuse(allowances).limit is Limit.STREAMS


def test_requests_a_minute_come_at_once_and_refill_by_the_second() -> None:
    allowances = limited(rpm=60)
    for _ in range(60):
        let_in(allowances).close(NOON)
    denied = refuse(allowances)
    assert denied.limit is Limit.REQUESTS
    assert denied.retry_after == pytest.approx(1.0)
    let_in(allowances, NOON + denied.retry_after)
    refuse(allowances, NOON + denied.retry_after)


def test_tokens_are_guessed_first_and_put_right() -> None:
    allowances = limited(tpm=600)
    grant = let_in(allowances, tokens=500)
    denied = refuse(allowances, tokens=101)
    assert denied.limit is Limit.TOKENS
    assert denied.retry_after == pytest.approx(0.1)
    grant.close(NOON, tokens=900)
    assert refuse(allowances, tokens=1).retry_after == pytest.approx(30.1)
    let_in(allowances, NOON + 30.2, tokens=1).close(NOON + 30.2, tokens=1)


def test_tokens_that_were_guessed_too_high_are_given_back() -> None:
    allowances = limited(tpm=600)
    let_in(allowances, tokens=600).close(NOON, tokens=100)
    let_in(allowances, tokens=500)
    refuse(allowances, tokens=1)


def test_more_tokens_than_fit_ask_for_a_minute_without_any() -> None:
    allowances = limited(tpm=600)
    let_in(allowances, tokens=10_000)
    allowances = limited(tpm=600)
    let_in(allowances, tokens=1)
    assert refuse(allowances, tokens=10_000).retry_after == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("limits", "limit"),
    [({"tokens_per_day": 1000}, Limit.TOKENS_PER_DAY), ({"cost_per_day": 10.0}, Limit.COST_PER_DAY)],
)
def test_a_day_lets_in_as_long_as_something_is_left_and_begins_at_midnight(
    limits: dict[str, Any], limit: Limit
) -> None:
    allowances = limited(**limits)
    let_in(allowances, tokens=999, cost=9.99).close(NOON, 999, 9.99)
    last = let_in(allowances, tokens=50, cost=0.5)
    assert refuse(allowances, MIDNIGHT + DAY - 10) == Denied(limit, 10.0)
    last.close(NOON, 0, 0.0)
    again = let_in(allowances)
    again.close(NOON, 1, 0.01)
    assert refuse(allowances).retry_after == DAY / 2
    let_in(allowances, MIDNIGHT + DAY)


def test_a_request_counts_on_the_day_on_which_it_was_let_in() -> None:
    allowances = limited(tokens_per_day=10, max_streams=1)
    late = let_in(allowances, MIDNIGHT - 1, tokens=5)
    assert refuse(allowances, MIDNIGHT + 1).limit is Limit.STREAMS
    late.close(MIDNIGHT + 2, tokens=100)
    today = let_in(allowances, MIDNIGHT + 3, tokens=9)
    today.close(MIDNIGHT + 4, tokens=9)
    let_in(allowances, MIDNIGHT + 5).close(MIDNIGHT + 6, tokens=1)
    assert refuse(allowances, MIDNIGHT + 7).limit is Limit.TOKENS_PER_DAY


def test_what_is_told_is_the_longest_wait() -> None:
    allowances = limited(max_streams=1, rpm=1, tpm=60, tokens_per_day=60)
    let_in(allowances, tokens=59)
    assert refuse(allowances).limit is Limit.REQUESTS
    assert refuse(allowances, NOON + 59.5) == Denied(Limit.STREAMS, LOOK_AGAIN)
    allowances.seed(NOON, {ANN: (1, 0.0)})
    assert refuse(allowances) == Denied(Limit.TOKENS_PER_DAY, DAY / 2)


def test_a_refusal_takes_nothing() -> None:
    allowances = limited(max_streams=1, rpm=2, tpm=100, tokens_per_day=100)
    grant = let_in(allowances, tokens=10)
    for _ in range(10):
        refuse(allowances, tokens=10)
    grant.close(NOON, tokens=10)
    let_in(allowances, tokens=90)


def test_what_the_ledger_knows_of_the_day_counts() -> None:
    allowances = limited(tokens_per_day=100, cost_per_day=1.0)
    allowances.seed(NOON, {ANN: (99, 0.5), BOB: (10**9, 1e9), ClientName("gone"): (1, 1.0)})
    let_in(allowances).close(NOON, cost=0.4)
    let_in(allowances).close(NOON, tokens=1)
    assert refuse(allowances).limit is Limit.TOKENS_PER_DAY
    let_in(allowances, MIDNIGHT + DAY)


def test_clients_do_not_share() -> None:
    allowances = limited(rpm=1)
    let_in(allowances)
    refuse(allowances)
    for _ in range(100):
        assert isinstance(allowances.admit(BOB, NOON), Grant)
    assert allowances.admit(ClientName("nobody"), NOON) is None


def test_a_reload_keeps_what_was_counted() -> None:
    allowances = limited(max_streams=2, rpm=10, tpm=100, tokens_per_day=1000)
    grant = let_in(allowances, tokens=50)
    let_in(allowances, tokens=50)
    rows = {ANN: Allowance(max_streams=2, rpm=10, tpm=100, tokens_per_day=1000)}
    allowances.renew(rows)
    assert refuse(allowances).limit is Limit.STREAMS
    allowances.renew({ANN: Allowance(max_streams=3, rpm=1)})
    denied = refuse(allowances)
    assert denied.limit is Limit.REQUESTS
    assert denied.retry_after == pytest.approx(120.0)  # two were taken, and one a minute comes back
    allowances.renew({ANN: Allowance(max_streams=3)})
    let_in(allowances)
    assert refuse(allowances).limit is Limit.STREAMS
    grant.close(NOON)
    let_in(allowances)


def test_a_client_that_is_gone_is_not_counted_and_its_last_request_ends_well() -> None:
    allowances = limited(max_streams=1)
    grant = let_in(allowances)
    allowances.renew({})
    assert allowances.admit(ANN, NOON) is None
    grant.close(NOON, 5, 0.5)
    allowances.renew({ANN: Allowance(max_streams=1)})
    let_in(allowances)


def test_models() -> None:
    allowances = limited(models=("gpt-*", "fast", "a.c"))
    asked = ("gpt-5", "gpt-", "fast", "faster", "openai/gpt-5", "abc", "a.c", "")
    assert [model for model in asked if allowances.may_ask(ANN, model)] == ["gpt-5", "gpt-", "fast", "a.c"]
    assert allowances.is_choosy(ANN)
    for name in (BOB, ClientName("nobody")):
        assert all(allowances.may_ask(name, model) for model in asked)
        assert not allowances.is_choosy(name)


@pytest.mark.parametrize(
    ("limits", "counts"),
    [({"max_streams": 1, "rpm": 1, "models": ("x",)}, False), ({"tpm": 1}, True), ({"tokens_per_day": 1}, True),
     ({"cost_per_day": 0.1}, True)],
)  # fmt: skip
def test_tokens_are_counted_where_a_limit_needs_them(limits: dict[str, Any], counts: bool) -> None:
    assert replace(NONE, **limits).counts_tokens is counts
    assert limited(**limits).counts_tokens(ANN) is counts
    assert not limited(**limits).counts_tokens(ClientName("nobody"))


@given(
    steps=st.lists(st.tuples(st.floats(0, 40_000), st.integers(0, 300), st.booleans()), max_size=60),
    streams=st.integers(1, 5),
    tokens=st.integers(1, 2000),
    cost=st.integers(1, 2000),
)
def test_a_day_is_overrun_by_no_more_than_its_last_request(
    steps: list[tuple[float, int, bool]], streams: int, tokens: int, cost: int
) -> None:
    allowances = limited(max_streams=streams, tokens_per_day=tokens, cost_per_day=float(cost))
    now, running, today = NOON, list[tuple[Grant, int]](), list[int]()
    for pause, size, closes in steps:
        if now // DAY != (now + pause) // DAY:
            today.clear()
        now += pause
        said = allowances.admit(ANN, now, size, float(size))
        left = sum(today) < min(tokens, cost)
        assert isinstance(said, Grant) is (left and len(running) < streams)
        if isinstance(said, Grant):
            today.append(size)
            running.append((said, size))
        if closes and running:
            grant, used = running.pop(0)
            grant.close(now, used, float(used))


@given(st.lists(st.tuples(st.floats(0, 90), st.integers(0, 400)), min_size=1, max_size=50))
def test_who_comes_back_when_told_is_let_in(asks: list[tuple[float, int]]) -> None:
    allowances = limited(rpm=7, tpm=300, tokens_per_day=4000)
    now = NOON
    for pause, tokens in asks:
        now += pause
        said = allowances.admit(ANN, now, tokens)
        if isinstance(said, Denied):
            now += said.retry_after
            said = allowances.admit(ANN, now, tokens)
        assert isinstance(said, Grant)
        said.close(now, tokens)
