"""One request's way through its route, as a table: what everybody says, and who is asked when.

How candidates are ordered, hedges, and what others do to a rotation is in test_rotation_order.py.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from proxy.accounts.budget import RetryBudget
from proxy.accounts.trouble import Trouble
from proxy.dialects.events import FailureKind as K
from tests.helpers.rotating import Route, Said, play
from tests.helpers.troubles import CONNECT, CUT, INVALID, LIMIT, OVERLOADED, REFUSED, SERVER, SILENT, answer

SOON = answer(K.RATE_LIMIT, 429, delay=2)
LATER = answer(K.RATE_LIMIT, 429, delay=5)
MUCH_LATER = answer(K.RATE_LIMIT, 429, delay=30)
QUOTA = answer(K.QUOTA, 429)
FORBIDDEN = answer(K.PERMISSION, 403)
TOO_LONG = answer(K.CONTEXT_LENGTH, 400)
POLICY = answer(K.CONTENT_FILTER, 400)

TWO = {"accounts": {"x": 2}}

ROWS: list[tuple[str, dict[str, Any], dict[str, Sequence[Said]], str]] = [
    ("x y", {}, {}, "x1@0, ok"),
    # 429: another account now; none: wait if it is short, else the next target.
    ("x y", {}, {"x1": [SOON, None]}, "x1@0, wait 2, x1@2, ok"),
    ("x y", {}, {"x1": [(1.5, SOON), None]}, "x1@0, wait 3.5, x1@3.5, ok"),
    ("x y", {}, {"x1": [LIMIT]}, "x1@0, wait 1, x1@1, wait 3, x1@3, y1@3, ok"),
    ("x y", {}, {"x1": [MUCH_LATER]}, "x1@0, y1@0, ok"),
    ("x y", {}, {"x1": [SOON], "y1": [MUCH_LATER]}, "x1@0, wait 2, x1@2, wait 4, x1@4, y1@4, end"),
    ("x y", TWO, {"x1": [SOON]}, "x1@0, x2@0, ok"),
    ("x y", TWO, {"x1": [SOON, None], "x2": [LATER]}, "x1@0, x2@0, wait 2, x1@2, ok"),
    ("x y", TWO, {"x1": [LATER], "x2": [SOON, None]}, "x1@0, x2@0, wait 2, x2@2, ok"),
    ("x y", TWO, {"x1": [MUCH_LATER], "x2": [MUCH_LATER]}, "x1@0, x2@0, y1@0, ok"),
    ("x", {}, {"x1": [MUCH_LATER]}, "x1@0, end"),
    # A quota is no matter of seconds.
    ("x y", TWO, {"x1": [QUOTA], "x2": [QUOTA]}, "x1@0, x2@0, y1@0, ok"),
    # A limit for one model leaves the account its others.
    ("x x:n", {}, {"x1": [answer(K.RATE_LIMIT, 429, delay=30, model_only=True), None]}, "x1@0, x1@0, ok"),
    ("x x:n y", {}, {"x1": [MUCH_LATER]}, "x1@0, y1@0, ok"),
    # A refused key; and one that has no right to this model.
    ("x y", TWO, {"x1": [REFUSED]}, "x1@0, x2@0, ok"),
    ("x y", TWO, {"x1": [REFUSED], "x2": [REFUSED]}, "x1@0, x2@0, y1@0, ok"),
    ("x y", TWO, {"x1": [FORBIDDEN]}, "x1@0, x2@0, ok"),
    ("x y", TWO, {"x1": [FORBIDDEN], "x2": [FORBIDDEN]}, "x1@0, x2@0, y1@0, ok"),
    ("x", {}, {"x1": [FORBIDDEN]}, "x1@0, end"),
    # Flaky: once more after a pause, then the next; back at the end.
    ("x y", {}, {"x1": [SERVER, None]}, "x1@0, wait 0.3, x1@0.3, ok"),
    ("x y", {}, {"x1": [CUT, None]}, "x1@0, wait 0.3, x1@0.3, ok"),
    ("x y", {}, {"x1": [SERVER]}, "x1@0, wait 0.3, x1@0.3, y1@0.3, ok"),
    ("x y", TWO, {"x1": [SERVER], "x2": [SERVER]}, "x1@0, wait 0.3, x1@0.3, y1@0.3, ok"),
    (
        "x y",
        {},
        {"x1": [SERVER, SERVER, None], "y1": [SERVER]},
        "x1@0, wait 0.3, x1@0.3, y1@0.3, wait 0.6, y1@0.6, x1@0.6, ok",
    ),
    # Overloaded: the next target; with none left this one again.
    ("x y", TWO, {"x1": [OVERLOADED]}, "x1@0, y1@0, ok"),
    ("x", {}, {"x1": [OVERLOADED]}, "x1@0, wait 2, x1@2, wait 6, x1@6, end"),
    ("x", {}, {"x1": [OVERLOADED, None]}, "x1@0, wait 2, x1@2, ok"),
    (
        "x y",
        {},
        {"x1": [OVERLOADED], "y1": [OVERLOADED]},
        "x1@0, y1@0, wait 2, x1@2, y1@2, wait 6, x1@6, y1@6, end",
    ),
    # Silent: never again.
    ("x y", TWO, {"x1": [(60, SILENT)]}, "x1@0, y1@60, ok"),
    ("x", TWO, {"x1": [(60, SILENT)]}, "x1@0, end"),
    ("x y", {}, {"x1": [(60, SILENT)], "y1": [OVERLOADED, None]}, "x1@0, y1@60, wait 62, y1@62, ok"),
    # A dead way out is passed over with all who use it.
    ("x y", TWO, {"x1": [CONNECT]}, "x1@0, y1@0, ok"),
    ("x", TWO, {"x1": [CONNECT, None]}, "x1@0, wait 1, x1@1, ok"),
    # Too long: those that are known to take more, and those of which nothing is known; never the same model.
    ("x y:b z:c", {"context": {"x": 100, "y:b": 100, "z:c": 200}}, {"x1": [TOO_LONG]}, "x1@0, z1@0, ok"),
    ("x y:b z:c", {"context": {"x": 100}}, {"x1": [TOO_LONG]}, "x1@0, y1@0, ok"),
    ("x y:b", {}, {"x1": [TOO_LONG]}, "x1@0, y1@0, ok"),
    ("x y z:c", {}, {"x1": [TOO_LONG]}, "x1@0, z1@0, ok"),
    ("x y:b", {"context": {"x": 100, "y:b": 99}}, {"x1": [TOO_LONG]}, "x1@0, end"),
    # The caller's own affair.
    ("x y", TWO, {"x1": [INVALID]}, "x1@0, end"),
    ("x y", TWO, {"x1": [POLICY]}, "x1@0, end"),
    ("x y", TWO, {"x1": [OVERLOADED], "y1": [POLICY]}, "x1@0, y1@0, end"),
    # Bounds.
    ("x y", {"attempts": 1}, {"x1": [OVERLOADED]}, "x1@0, end"),
    ("x y", {"attempts": 2}, {"x1": [SERVER]}, "x1@0, wait 0.3, x1@0.3, end"),
    ("x y", {"per_provider": 1}, {"x1": [SERVER]}, "x1@0, y1@0, ok"),
    ("x", {"per_provider": 2}, {"x1": [LIMIT]}, "x1@0, wait 1, x1@1, end"),
    ("x x:n y", {"per_provider": 2}, {"x1": [FORBIDDEN]}, "x1@0, x1@0, y1@0, ok"),
    ("x y", {"until": 60}, {"x1": [(60, SILENT)]}, "x1@0, end"),
    ("x y", {"until": 61}, {"x1": [(60, SILENT)]}, "x1@0, y1@60, ok"),
    ("x", {"until": 2}, {"x1": [SOON]}, "x1@0, end"),
    ("x y", {"until": 2}, {"x1": [SOON]}, "x1@0, y1@0, ok"),
    ("x y", {"until": 5}, {"x1": [OVERLOADED], "y1": [OVERLOADED]}, "x1@0, y1@0, wait 2, x1@2, y1@2, end"),
    # The budget is for what is more than one.
    ("x y", {"budget": RetryBudget(0, 0)}, {"x1": [OVERLOADED]}, "x1@0, end"),
    ("x y", {"budget": RetryBudget(0, 0)}, {}, "x1@0, ok"),
    ("x y z", {"budget": RetryBudget(0, 0.1)}, {"x1": [OVERLOADED], "y1": [OVERLOADED]}, "x1@0, y1@0, end"),
]


@pytest.mark.parametrize(("words", "options", "says", "moves"), ROWS)
def test_who_is_asked_when(
    words: str, options: Mapping[str, Any], says: Mapping[str, Sequence[Said]], moves: str
) -> None:
    assert play(Route(words, **options), says)[0] == moves


# Nobody could be asked.


@pytest.mark.parametrize(
    ("befell", "moves"),
    [
        ({"x1": SOON}, "y1@0, ok"),
        ({"x1": SOON, "y1": LATER}, "wait 2, x1@2, ok"),
        ({"x1": LATER, "y1": SOON}, "wait 2, y1@2, ok"),
        ({"x1": OVERLOADED, "y1": MUCH_LATER}, "wait 2, x1@2, ok"),
        ({"x1": answer(K.RATE_LIMIT, 429, delay=10), "y1": MUCH_LATER}, "wait 10, x1@10, ok"),
        ({"x1": answer(K.RATE_LIMIT, 429, delay=10.5), "y1": MUCH_LATER}, "end"),
        ({"x1": REFUSED, "y1": QUOTA}, "end"),
    ],
)
def test_what_befell_others_costs_no_attempt(befell: Mapping[str, Trouble], moves: str) -> None:
    route = Route("x y")
    for account, trouble in befell.items():
        route.strike(account, trouble)
    assert play(route, {})[0] == moves


@pytest.mark.parametrize(
    ("befell", "kind", "delay"),
    [
        ({"x1": MUCH_LATER, "y1": QUOTA}, K.RATE_LIMIT, 30),
        ({"x1": QUOTA, "y1": MUCH_LATER}, K.RATE_LIMIT, 30),
        ({"x1": QUOTA, "y1": REFUSED}, K.QUOTA, 300),
        ({"x1": REFUSED, "y1": REFUSED}, K.UNUSABLE, None),
    ],
)
def test_who_may_serve_first_is_what_the_caller_is_told_of(
    befell: Mapping[str, Trouble], kind: K, delay: float | None
) -> None:
    route = Route("x y")
    for account, trouble in befell.items():
        route.strike(account, trouble)
    moves, end = play(route, {})
    assert (moves, end is not None) == ("end", True)
    assert end is not None
    assert end.failure is not None
    assert (end.failure.kind, end.retry_after) == (kind, delay)


@pytest.mark.parametrize(
    ("says", "delay"),
    [
        ({"x1": [MUCH_LATER], "y1": [answer(K.RATE_LIMIT, 429, delay=20)]}, 20),
        ({"x1": [QUOTA], "y1": [MUCH_LATER]}, 30),
        ({"x1": [REFUSED], "y1": [REFUSED]}, None),
        ({"x1": [INVALID]}, None),
        ({"x1": [OVERLOADED], "y1": [POLICY]}, None),
    ],
)
def test_when_somebody_was_asked_what_it_said_counts_and_the_earliest_delay(
    says: Mapping[str, Sequence[Said]], delay: float | None
) -> None:
    end = play(Route("x y"), says)[1]
    assert end is not None
    assert (end.failure, end.retry_after) == (None, delay)


def test_a_time_that_is_over_before_anybody_was_asked_is_nobody_s_fault() -> None:
    moves, end = play(Route("x y", until=0), {})
    assert moves == "end"
    assert end is not None
    assert (end.failure, end.retry_after) == (None, None)
