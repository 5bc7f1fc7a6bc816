"""Clients whose requests several processes let in: what each may still use, on a clock that the tests turn."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.accounts.sharing import Counted, Holder, Pool, merge
from proxy.types import ClientName
from proxy.usage.allowance import DAY, Allowance, Allowances, Denied, Grant, Limit

ANN = ClientName("ann")
HOLDER = Holder("", ANN)
MIDNIGHT = 20_000 * DAY
NOON = MIDNIGHT + DAY / 2


class Together:
    """Processes that hold ann to the same limits, and what they have said to each other."""

    def __init__(self, processes: int, **limits: Any) -> None:
        self.row = replace(Allowance(), **limits)
        self.pool = Pool()
        self.all: list[Allowances] = []
        for _ in range(processes):
            self.add()

    def add(self, used: tuple[int, float] | None = None) -> None:
        """Another one starts. used: what its ledger says of the day."""
        allowances = Allowances()
        allowances.renew({ANN: self.row})
        if used is not None:
            allowances.seed(NOON, {ANN: used})
        self.all.append(allowances)

    def count(self, number: int) -> Counted:
        counted = self.all[number].find_counted(HOLDER)
        assert counted is not None
        return counted

    def talk(self, now: float = NOON, *numbers: int) -> None:
        """These, or all, speak one after the other; then all have heard it."""
        for number in numbers or range(len(self.all)):
            self.pool = merge(self.pool, self.count(number).tell(now, now))
            self.count(number).hear(self.pool, now, 0.0)
        flying = sum(self.count(number).in_flight for number in range(len(self.all)))
        for number in range(len(self.all)):
            if not self.count(number).touched:
                self.count(number).hear(self.pool, now, 0.0)
            self.count(number).elsewhere = flying - self.count(number).in_flight

    def let_in(self, number: int, now: float = NOON, tokens: int = 0, cost: float = 0.0) -> Grant:
        grant = self.all[number].admit(ANN, now, tokens, cost)
        assert isinstance(grant, Grant)
        return grant

    def refuse(self, number: int, now: float = NOON, tokens: int = 0) -> Limit:
        denied = self.all[number].admit(ANN, now, tokens)
        assert isinstance(denied, Denied)
        return denied.limit


def test_streams_of_all_count() -> None:
    both = Together(2, max_streams=3)
    first, _ = both.let_in(0), both.let_in(0)
    both.talk()
    both.let_in(1)
    assert both.refuse(1) is Limit.STREAMS
    both.let_in(0)  # nobody has told it yet
    both.talk()
    first.close(NOON)
    assert both.refuse(0) is Limit.STREAMS
    both.count(0).elsewhere = 0  # the other is gone
    both.let_in(0)


def test_requests_and_tokens_of_a_minute_count_in_all() -> None:
    both = Together(2, rpm=10, tpm=1000)
    grants = [both.let_in(0, tokens=100) for _ in range(7)]
    both.talk()
    assert both.refuse(1, tokens=301) is Limit.TOKENS
    for grant in grants:
        grant.close(NOON, tokens=10)
    both.talk()
    for _ in range(3):
        both.let_in(1, tokens=300)
    assert both.refuse(1) is Limit.REQUESTS


@pytest.mark.parametrize("limits", [{"tokens_per_day": 1000}, {"cost_per_day": 10.0}])
def test_a_day_is_that_of_all(limits: dict[str, Any]) -> None:
    both = Together(2, **limits)
    grant = both.let_in(0, tokens=999, cost=9.99)
    both.talk()
    other = both.let_in(1, tokens=999, cost=9.99)
    both.talk()
    assert isinstance(both.all[0].admit(ANN, NOON), Denied)
    grant.close(NOON, 500, 5.0)
    other.close(NOON, 499, 4.99)
    both.talk()
    both.let_in(1).close(NOON, 1, 0.01)
    both.talk()
    for number in (0, 1):
        assert isinstance(both.all[number].admit(ANN, NOON), Denied)
        both.let_in(number, MIDNIGHT + DAY)


def test_what_the_ledger_told_both_at_their_start_counts_once() -> None:
    both = Together(0, tokens_per_day=100)
    both.add((60, 0.0))
    both.add((60, 0.0))
    both.let_in(0).close(NOON, 20)
    both.let_in(1).close(NOON, 19)
    both.talk()
    both.talk()
    both.let_in(0).close(NOON, 1)
    assert both.refuse(0) is Limit.TOKENS_PER_DAY
    both.talk()
    assert both.refuse(1) is Limit.TOKENS_PER_DAY


def test_the_file_knows_more_of_a_day_than_the_ledger_or_less() -> None:
    both = Together(1, tokens_per_day=100)
    both.let_in(0).close(NOON, 50)
    both.talk()
    both.add((40, 0.0))  # the last of it was not written yet
    both.add((90, 0.0))  # the limit is new, and was not counted in the file before
    both.talk(NOON, 0)
    both.let_in(2).close(NOON, 10)
    assert both.refuse(2) is Limit.TOKENS_PER_DAY
    both.let_in(1).close(NOON, 0)
    both.talk()
    assert both.refuse(0) is both.refuse(1) is Limit.TOKENS_PER_DAY


def test_a_word_of_yesterday_changes_nothing_today() -> None:
    both = Together(2, tokens_per_day=100, max_streams=9)
    late = both.let_in(0, MIDNIGHT - 2)
    both.talk(MIDNIGHT - 1)
    both.let_in(1, MIDNIGHT + 1).close(MIDNIGHT + 1, 90)
    late.close(MIDNIGHT + 2, 500)
    both.talk(MIDNIGHT + 3)
    both.let_in(0, MIDNIGHT + 4).close(MIDNIGHT + 4, 10)
    assert both.refuse(0, MIDNIGHT + 5) is Limit.TOKENS_PER_DAY


def test_what_was_not_heard_is_told_again() -> None:
    both = Together(2, tokens_per_day=100, rpm=10)
    both.let_in(0).close(NOON, 70)
    both.count(0).tell(NOON, NOON)
    both.count(0).retell()
    both.let_in(0).close(NOON, 30)
    both.talk()
    assert both.pool.day_tokens == 100
    assert both.pool.requests == 2
    assert both.refuse(1) is Limit.TOKENS_PER_DAY


def test_who_has_no_limits_is_not_spoken_of() -> None:
    allowances = Allowances()
    rows = {"a": Allowance(models=("x",)), "b": Allowance(rpm=1), "c": Allowance(cost_per_day=1.0)}
    allowances.renew({ClientName(name): row for name, row in rows.items()})
    assert [holder.name for holder, _ in allowances.list_counted()] == ["b", "c"]
    assert allowances.find_counted(Holder("", "nobody")) is None


Steps = Sequence[tuple[float, int, int, bool]]


@given(
    steps=st.lists(st.tuples(st.floats(0, 20_000), st.integers(0, 2), st.integers(0, 300), st.booleans()), max_size=60),
    streams=st.integers(1, 5),
    tokens=st.integers(1, 2000),
)
def test_processes_that_always_talk_overrun_a_day_by_its_last_request(steps: Steps, streams: int, tokens: int) -> None:
    three = Together(3, max_streams=streams, tokens_per_day=tokens, cost_per_day=float(tokens))
    now, running, today = NOON, list[tuple[Grant, int]](), list[int]()
    for pause, number, size, closes in steps:
        if now // DAY != (now + pause) // DAY:
            today.clear()
        now += pause
        said = three.all[number].admit(ANN, now, size, float(size))
        assert isinstance(said, Grant) is (sum(today) < tokens and len(running) < streams)
        if isinstance(said, Grant):
            today.append(size)
            running.append((said, size))
        if closes and running:
            grant, used = running.pop(0)
            grant.close(now, used, float(used))
        three.talk(now)
