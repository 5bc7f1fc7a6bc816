"""From a question to the rotation over its targets, and to its hedging."""

from dataclasses import replace
from typing import Any

import pytest

from proxy.accounts.book import Book, Lease, Shut
from proxy.accounts.budget import RetryBudget
from proxy.accounts.rotation import End, Go
from proxy.dialects.capability_rows import build_rows
from proxy.edge.house import Shared
from proxy.edge.routing import BYTES_PER_TOKEN, build_hedging, build_rotation
from tests.helpers.attempted import Bureau


class NotingBook(Book):
    """Notes how it is asked."""

    asked: list[dict[str, Any]]

    def pick(self, now: float, model: str = "", **how: Any) -> Lease | Shut:
        self.asked.append(how)
        return super().pick(now, model, **how)


def note_picks(bureau: Bureau, *, shares_sessions: bool = False) -> list[dict[str, Any]]:
    """How accounts are asked for from now on."""
    asked: list[dict[str, Any]] = []
    providers = {}
    for name, provider in bureau.house.providers.items():
        book = NotingBook(provider.name, provider.book.rows, bureau.board)
        book.asked = asked
        providers[name] = replace(provider, book=book, shares_sessions=shares_sessions)
    bureau.scope.house = bureau.house = replace(bureau.house, providers=providers)
    return asked


# The rotation.


async def test_the_candidates_are_the_route_s_targets_in_their_order() -> None:
    bureau = Bureau(overrides={"oai/m1": {"tier": 7, "weight": 3}, "ant/m2": {"tier": 7}})
    candidates = build_rotation(bureau.scope, bureau.question, bureau.ticker).candidates
    assert [(one.provider, one.model, one.tier, one.weight) for one in candidates] == [
        ("oai", "m1", 7, 3),
        ("ant", "m2", 7, 1),
    ]
    assert candidates[0].book is bureau.house.providers["oai"].book


async def test_how_much_a_model_takes_is_known_where_there_is_a_choice() -> None:
    for targets, context in ((["oai/m1", "ant/m2"], 5000), (["oai/m1"], 0)):
        bureau = Bureau(targets=targets)
        bureau.scope.house = replace(bureau.house, rows=build_rows({"m1": {"context": 5000}}))
        assert build_rotation(bureau.scope, bureau.question, bureau.ticker).candidates[0].context == context


async def test_the_bounds_are_the_route_s() -> None:
    bureau = Bureau(attempts=1, deadline="10s")
    for later, moves in ((0.0, Go), (10.0, End)):
        rotation = build_rotation(bureau.scope, bureau.question, bureau.ticker)
        assert isinstance(rotation.next(bureau.ticker.wall() + later), moves)
    rotation = build_rotation(bureau.scope, bureau.question, bureau.ticker)
    rotation.next(bureau.ticker.wall())
    assert isinstance(rotation.next(bureau.ticker.wall()), End)


async def test_without_a_deadline_there_is_always_time() -> None:
    bureau = Bureau(deadline="off")
    rotation = build_rotation(bureau.scope, bureau.question, bureau.ticker)
    assert isinstance(rotation.next(bureau.ticker.wall() + 1e9), Go)


async def test_a_provider_is_asked_as_often_as_the_limits_say() -> None:
    bureau = Bureau(targets=["oai/m1", "oai/m2", "ant/m2"])
    bureau.scope.house = replace(bureau.house, limits=type(bureau.house.limits)(attempts_per_provider=1))
    rotation = build_rotation(bureau.scope, bureau.question, bureau.ticker)
    moves = [rotation.next(bureau.ticker.wall()) for _ in range(3)]
    assert [move.candidate if isinstance(move, Go) else None for move in moves] == [0, 2, None]


async def test_each_request_adds_to_what_may_be_tried_again() -> None:
    bureau, shared = Bureau(), Shared()
    shared.retries = RetryBudget(1.0, 0.0)
    bureau.scope.house = replace(bureau.house, shared=shared)
    assert not shared.retries.withdraw(bureau.ticker.wall())
    build_rotation(bureau.scope, bureau.question, bureau.ticker)
    assert shared.retries.withdraw(bureau.ticker.wall())
    assert not shared.retries.withdraw(bureau.ticker.wall())


@pytest.mark.parametrize(
    ("model", "shares_sessions", "wanted"),
    [
        ({}, False, False),
        ({}, True, True),
        ({"overrides": {"oai/m1": {"tier": 1}, "ant/m2": {"tier": 1}}}, False, True),
        ({"overrides": {"oai/m1": {"tier": 1}, "ant/m2": {"tier": 2}}}, False, False),
    ],
)
async def test_a_session_is_looked_for_where_something_is_chosen_by_it(
    model: dict[str, Any], shares_sessions: bool, wanted: bool
) -> None:
    bureau = Bureau(**model)
    asked = note_picks(bureau, shares_sessions=shares_sessions)
    build_rotation(bureau.scope, bureau.question, bureau.ticker).next(bureau.ticker.wall())
    assert bool(asked[0]["session"]) is wanted


async def test_what_a_request_may_cost_is_guessed_by_its_size() -> None:
    bureau = Bureau(body={"user": "x" * 4000})
    asked = note_picks(bureau)
    build_rotation(bureau.scope, bureau.question, bureau.ticker).next(bureau.ticker.wall())
    assert asked[0]["tokens"] == len(bureau.question.body) // BYTES_PER_TOKEN > 1000


# Hedging.


async def test_where_none_is_wanted_there_is_none() -> None:
    bureau = Bureau()
    assert build_hedging(bureau.scope, bureau.question, bureau.ticker) is None


async def test_a_hedge_comes_after_the_time_that_the_route_names() -> None:
    bureau = Bureau(hedge_after="500ms")
    hedging = build_hedging(bureau.scope, bureau.question, bureau.ticker)
    assert hedging is not None
    assert hedging.after(bureau.go()) == 0.5
    hedging.note()
    assert bureau.scope.record.hedges == 1


async def test_or_after_the_target_s_own_once_enough_is_known_of_it() -> None:
    bureau = Bureau(hedge_after="p95")
    hedging = build_hedging(bureau.scope, bureau.question, bureau.ticker)
    assert hedging is not None
    go, other = bureau.go(0), bureau.go(1)
    assert hedging.after(go) is None
    for number in range(100):
        bureau.house.shared.latencies.note((bureau.desks["oai"].name, "m1"), number / 10)
    assert hedging.after(go) == pytest.approx(9.5, abs=0.11)
    assert hedging.after(other) is None


async def test_the_budget_is_the_route_s_and_outlives_a_request() -> None:
    bureau = Bureau(hedge_after="500ms", hedge_budget=0.1)
    hedgings = [build_hedging(bureau.scope, bureau.question, bureau.ticker) for _ in range(20)]
    assert len({id(hedging.budget) for hedging in hedgings if hedging is not None}) == 1
    assert hedgings[0] is not None
    won = [hedgings[0].budget.withdraw(bureau.ticker.wall()) for _ in range(3)]
    assert won == [True, True, False]
