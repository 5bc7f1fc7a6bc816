"""The budgets: how often may be tried again, and how often asked twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.accounts.budget import HedgeBudget, RetryBudget
from tests.helpers.feeds import fuzz


def spend(budget: RetryBudget | HedgeBudget, now: float, most: int = 1000) -> int:
    """How many can be had at once."""
    return next((count for count in range(most) if not budget.withdraw(now)), most)


def test_a_quiet_process_can_retry() -> None:
    """Three per second, over ten seconds."""
    assert spend(RetryBudget(), 0.0) == 30


def test_a_busy_process_retries_a_fifth() -> None:
    budget = RetryBudget()
    for _ in range(400):
        budget.deposit(5.0)
    assert spend(budget, 5.0) == 80


def test_the_floor_is_not_added_to_the_share() -> None:
    budget = RetryBudget()
    for _ in range(150):
        budget.deposit(5.0)
    assert spend(budget, 5.0) == 30


def test_what_was_spent_comes_back_after_ten_seconds() -> None:
    budget = RetryBudget()
    assert spend(budget, 0.5) == 30
    assert not budget.withdraw(9.9)
    assert spend(budget, 10.0) == 30


def test_requests_expire_after_ten_seconds() -> None:
    budget = RetryBudget()
    for _ in range(400):
        budget.deposit(0.5)
    assert spend(budget, 10.0) == 30


def test_withdrawals_stay_when_deposits_go_on() -> None:
    budget = RetryBudget(ratio=0.5, floor=0.0)
    for second in range(10):
        budget.deposit(second)
        budget.deposit(second)
    assert spend(budget, 9.0) == 10
    budget.deposit(10.0)
    budget.deposit(10.0)
    assert spend(budget, 10.0) == 0  # two old requests went, two came, the ten attempts still count


@pytest.mark.parametrize(("ratio", "requests", "retries"), [(0.0, 100, 0), (1.0, 7, 7), (0.29, 100, 29), (0.2, 4, 0)])
def test_the_ratio_is_exact(ratio: float, requests: int, retries: int) -> None:
    budget = RetryBudget(ratio, floor=0.0)
    for _ in range(requests):
        budget.deposit(1.0)
    assert spend(budget, 1.0) == retries


def test_a_clock_that_steps_back_harms_nothing() -> None:
    budget = RetryBudget()
    assert spend(budget, 100.0) == 30
    budget.deposit(50.0)
    assert not budget.withdraw(50.0)
    assert spend(budget, 111.0) == 30


def test_a_hedge_needs_requests() -> None:
    budget = HedgeBudget(0.05)
    for _ in range(19):
        budget.deposit(1.0)
    assert not budget.withdraw(1.0)
    budget.deposit(1.0)
    assert spend(budget, 1.0) == 1


def test_a_quiet_route_saves_up_over_ten_minutes() -> None:
    budget = HedgeBudget(0.05)
    for minute in range(20):
        budget.deposit(minute * 25.0)
    assert spend(budget, 500.0) == 1
    assert not budget.withdraw(599.0)


def test_hedges_and_requests_are_forgotten_after_ten_minutes() -> None:
    budget = HedgeBudget(1.0)
    for _ in range(5):
        budget.deposit(0.0)
    assert spend(budget, 0.0) == 5
    assert spend(budget, 600.0) == 0
    budget.deposit(600.0)
    assert spend(budget, 600.0) == 1


STEPS = st.lists(st.tuples(st.sampled_from(["request", "attempt"]), st.floats(0.0, 3.0)), max_size=200)


@fuzz
@given(STEPS, st.sampled_from([0.0, 0.05, 0.2, 0.5, 1.0]), st.sampled_from([0.0, 0.3, 3.0]))
def test_attempts_never_exceed_the_budget(steps: list[tuple[str, float]], ratio: float, floor: float) -> None:
    """Of whole seconds, since that is how they are counted."""
    budget, now = RetryBudget(ratio, floor), 0.0
    requests: list[int] = []
    attempts: list[int] = []
    for what, pause in steps:
        now += pause
        second = int(now)
        if what == "request":
            budget.deposit(now)
            requests.append(second)
            continue
        before = sum(1 for moment in attempts if moment > second - 10)
        allowed = max(ratio * sum(1 for moment in requests if moment > second - 10), floor * 10)
        granted = budget.withdraw(now)
        assert granted == (before + 1 <= allowed + 1e-9)
        if granted:
            attempts.append(second)
