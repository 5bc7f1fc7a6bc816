"""In which order candidates are preferred, what may stand beside an attempt, and what is asked of a rotation from
outside; and what holds whatever happens."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.accounts.board import Board
from proxy.accounts.book import Book, Lease, Shut
from proxy.accounts.budget import RetryBudget
from proxy.accounts.rotation import Bounds, Candidate, End, Go, Rotation, Wait, arrange
from proxy.accounts.trouble import How, Trouble
from proxy.dialects.events import FailureKind as K
from tests.helpers.books import NOW, P, row
from tests.helpers.rotating import Route, name, play
from tests.helpers.troubles import CONNECT, CUT, INVALID, LIMIT, OVERLOADED, REFUSED, SERVER, SILENT, answer

TROUBLES = (
    LIMIT, REFUSED, INVALID, SERVER, OVERLOADED, CONNECT, CUT, SILENT, answer(K.RATE_LIMIT, 429, delay=3),
    answer(K.QUOTA, 429), answer(K.PERMISSION, 403), answer(K.CONTEXT_LENGTH, 400), answer(K.CONTENT_FILTER, 400),
)  # fmt: skip


def go(rotation: Rotation, now: float = NOW, beside: Go | None = None) -> Go:
    move = rotation.next(now, beside)
    assert isinstance(move, Go)
    return move


# The order.


def never() -> float:
    raise AssertionError("nothing is drawn")


def test_tiers_that_all_differ_are_the_order_and_nothing_is_drawn() -> None:
    assert arrange(Route("x y z").candidates, "", never) == [0, 1, 2]
    assert arrange(Route("x y z").candidates, "a session", never) == [0, 1, 2]


def test_those_of_one_tier_are_preferred_by_weight() -> None:
    route = Route("a b c d", tier={"a": 1, "b": 1, "c": 2, "d": 2}, weight={"b": 3})
    draw = Random(7).random
    orders = [arrange(route.candidates, "", draw) for _ in range(4000)]
    assert all({*order[:2]} == {0, 1} for order in orders)
    assert Counter(order[0] for order in orders)[1] == pytest.approx(3000, abs=120)
    assert Counter(order[2] for order in orders)[2] == pytest.approx(2000, abs=140)


@pytest.mark.parametrize("drawn", [0.0, 1 - 2**-53])
def test_every_number_that_can_be_drawn_gives_an_order(drawn: float) -> None:
    route = Route("a b", tier={"a": 1, "b": 1})
    assert sorted(arrange(route.candidates, "", lambda: drawn)) == [0, 1]


def test_a_session_has_one_order_and_sessions_share_by_weight() -> None:
    route = Route("a b", tier={"a": 1, "b": 1}, weight={"b": 3})
    firsts = Counter[int]()
    for number in range(4000):
        order = arrange(route.candidates, f"session {number}", never)
        assert order == arrange(
            Route("a b", tier={"a": 1, "b": 1}, weight={"b": 3}).candidates, f"session {number}", never
        )
        firsts[order[0]] += 1
    assert firsts[1] == pytest.approx(3000, abs=120)


def test_a_session_keeps_its_order_among_those_that_stay() -> None:
    three = Route("a b c", tier={"a": 1, "b": 1, "c": 1}).candidates
    for number in range(200):
        order = arrange(three, f"s{number}", never)
        assert arrange(three[:2], f"s{number}", never) == [index for index in order if index != 2]


def test_a_rotation_goes_by_that_order() -> None:
    route = Route("a b", tier={"a": 1, "b": 1})
    orders = {name(go(route.rotate(session=f"s{number}"))) for number in range(20)}
    assert orders == {"a1", "b1"}


# Beside an attempt under way.


def test_a_second_one_gets_another_account() -> None:
    rotation = Route("x y", accounts={"x": 2}).rotate()
    first = go(rotation)
    assert (name(first), name(go(rotation, NOW, first))) == ("x1", "x2")


def test_or_another_target_where_there_is_no_other_account() -> None:
    rotation = Route("x x:n y").rotate()
    first = go(rotation)
    assert (name(first), name(go(rotation, NOW, first))) == ("x1", "y1")


def test_what_cannot_be_begun_at_once_is_not_waited_for() -> None:
    route = Route("x y")
    route.strike("y1", answer(K.RATE_LIMIT, 429, delay=2))
    rotation = route.rotate()
    first = go(rotation)
    move = rotation.next(NOW, first)
    assert isinstance(move, End)
    assert rotation.made == 1


def test_a_second_one_does_not_wait_for_the_first_choice() -> None:
    rotation = Route("x y", accounts={"x": 2}).rotate()
    rotation.note(go(rotation), answer(K.RATE_LIMIT, 429, delay=2), NOW)
    first = go(rotation)
    assert (name(first), name(go(rotation, NOW, first))) == ("x2", "y1")


@pytest.mark.parametrize(
    "options", [{"attempts": 1}, {"budget": RetryBudget(0, 0)}, {"until": 1}], ids=["attempts", "budget", "deadline"]
)
def test_the_bounds_hold_for_it_too(options: dict[str, float]) -> None:
    rotation = Route("x y", **options).rotate()  # type: ignore[arg-type]
    first = go(rotation)
    assert isinstance(rotation.next(NOW + 1, first), End)


def test_a_lease_that_the_budget_refuses_is_given_back() -> None:
    route = Route("x y", budget=RetryBudget(0, 0))
    rotation = route.rotate()
    rotation.note(go(rotation), OVERLOADED, NOW)
    assert isinstance(rotation.next(NOW), End)
    assert route.board.account(route.candidates[1].provider, "y1").in_flight == 0


# What is asked of it from outside.


def test_one_that_cannot_take_the_request_is_left_out_and_was_no_attempt() -> None:
    rotation = Route("x y", attempts=1).rotate()
    rotation.close(go(rotation))
    assert rotation.made == 0
    assert name(go(rotation)) == "y1"


def test_one_that_was_not_asked_does_not_count_at_its_provider() -> None:
    rotation = Route("x x:a x:b x:c", per_provider=1).rotate()
    for _ in range(3):
        rotation.close(go(rotation))
    assert go(rotation).candidate == 3


def test_nobody_is_left_when_none_can_take_it() -> None:
    rotation = Route("x y").rotate()
    rotation.close(go(rotation))
    rotation.close(go(rotation))
    assert rotation.next(NOW) == End(None, None)


def test_a_new_deadline_lets_it_go_on() -> None:
    rotation = Route("x y", until=10).rotate()
    rotation.note(go(rotation), SILENT, NOW)
    assert isinstance(rotation.next(NOW + 10), End)
    rotation.extend(NOW + 20)
    assert name(go(rotation, NOW + 10)) == "y1"


def test_stopped_is_stopped() -> None:
    rotation = Route("x y").rotate()
    rotation.stop()
    assert isinstance(rotation.next(NOW), End)


def test_what_is_put_back_comes_last() -> None:
    rotation = Route("x y").rotate()
    rotation.put_back(0)
    rotation.put_back(0)
    assert name(go(rotation)) == "y1"
    assert isinstance(rotation.next(NOW), Go)


@pytest.mark.parametrize("trouble", [CUT, SERVER, OVERLOADED, LIMIT])
def test_who_breaks_off_within_an_answer_is_asked_for_the_rest_when_nobody_else_is_left(trouble: Trouble) -> None:
    rotation = Route("x y", accounts={"x": 2}).rotate()
    rotation.note(go(rotation), replace(trouble, committed=True), NOW)
    asked = go(rotation)
    assert name(asked) == "y1"
    rotation.note(asked, SILENT, NOW)
    move = rotation.next(NOW)
    assert isinstance(move, Wait) or move.candidate == 0  # type: ignore[union-attr]


class NotingBook(Book):
    """Notes how it is asked."""

    def pick(self, now: float, model: str = "", **how: Any) -> Lease | Shut:
        self.asked = (now, model, how)
        return super().pick(now, model, **how)


def test_a_book_is_told_what_is_known_of_the_request() -> None:
    book = NotingBook(P, [row("a"), row("b")], Board())
    rotation = Rotation([Candidate(P, "m", book)], Bounds(6, 3), RetryBudget(), lambda: 0.25, session="s", tokens=70)
    rotation.note(go(rotation), answer(K.PERMISSION, 403), NOW)
    go(rotation, NOW + 1)
    told = {"session": "s", "tokens": 70, "jitter": 0.25, "skip": frozenset({0})}
    assert book.asked == (NOW + 1, "m", told)


# Whatever happens.


@given(
    st.lists(st.lists(st.sampled_from(TROUBLES), min_size=1, max_size=6), min_size=5, max_size=5),
    st.integers(1, 8),
    st.integers(1, 4),
    st.floats(0.5, 100),
    st.floats(0, 1, exclude_max=True),
)
def test_bounds_hold_whatever_is_said(
    said: Sequence[Sequence[Trouble]], attempts: int, per_provider: int, until: float, drawn: float
) -> None:
    route = Route(
        "x x:big y z:big", {"x": 2, "y": 2}, {"x": 100, "x:big": 500, "y": 100, "z:big": 500},
        attempts=attempts, per_provider=per_provider, until=until,
    )  # fmt: skip
    rotation, now = route.rotate(drawn), NOW
    left = {account: list(troubles) for account, troubles in zip(("x1", "x2", "y1", "y2", "z1"), said, strict=True)}
    asked: list[Go] = []
    silent: set[int] = set()
    while not isinstance(move := rotation.next(now), End):
        assert now < NOW + until
        if isinstance(move, Wait):
            assert now < move.until < NOW + until
            assert move.until - now <= 10
            now = move.until
            continue
        assert move.candidate not in silent
        asked.append(move)
        trouble = left[name(move)].pop(0) if len(left[name(move)]) > 1 else left[name(move)][0]
        if trouble.how is How.SILENT:
            silent.add(move.candidate)
        rotation.note(move, trouble, now)
        move.lease.close(now)
        if trouble.failure.kind in (K.INVALID, K.CONTENT_FILTER):
            assert isinstance(rotation.next(now), End)
    assert 1 <= len(asked) <= attempts
    assert max(Counter(route.candidates[move.candidate].provider for move in asked).values()) <= per_provider
    assert all(route.board.account(route.candidates[0].provider, account).in_flight == 0 for account in ("x1", "x2"))


def test_an_outage_costs_what_the_budget_allows() -> None:
    """A hundred requests in one second at a route that is down: three a second for ten seconds, or a fifth."""
    budget = RetryBudget()
    moves = []
    for _ in range(300):
        route = Route("x y", budget=budget)
        budget.deposit(NOW)
        moves.append(play(route, {"x1": [OVERLOADED], "y1": [OVERLOADED]})[0])
    asked = sum(move.count("@") for move in moves)
    assert 300 < asked <= 300 + 60
