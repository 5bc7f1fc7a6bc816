"""Whose turn it is."""

from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.accounts.strategies import STRATEGIES, FillFirst, LeastBusy, RoundRobin, build_strategy

weights = st.lists(st.integers(1, 20), min_size=1, max_size=8)


@dataclass
class State:
    in_flight: int = 0


def test_round_robin_is_smooth() -> None:
    turns = RoundRobin([5, 1, 1])
    assert [turns.choose([0, 1, 2]) for _ in range(7)] == [0, 0, 1, 0, 2, 0, 0]


@given(weights=weights, cycles=st.integers(1, 3))
def test_round_robin_is_exact_over_a_cycle(weights: list[int], cycles: int) -> None:
    turns, free = RoundRobin(weights), range(len(weights))
    served = Counter(turns.choose(free) for _ in range(cycles * sum(weights)))
    assert [served[index] for index in free] == [cycles * weight for weight in weights]


@given(weights=weights, data=st.data())
def test_round_robin_gives_only_what_is_free_and_owes_nobody_for_ever(weights: list[int], data: st.DataObject) -> None:
    """Who was away does not get everything that it missed."""
    turns, everyone = RoundRobin(weights), list(range(len(weights)))
    for _ in range(20):
        free = sorted(data.draw(st.sets(st.sampled_from(everyone), min_size=1)))
        assert turns.choose(free) in free
    served = Counter(turns.choose(everyone) for _ in range(3 * sum(weights)))
    assert all(served[index] >= weights[index] for index in everyone)


def test_least_busy_goes_by_weight() -> None:
    states = [State(2), State(5), State(1)]
    least = LeastBusy([1, 3, 1], states)
    assert least.choose([0, 1, 2]) == 2
    states[2].in_flight = 2
    assert least.choose([0, 1, 2]) == 1
    assert least.choose([0, 2]) in (0, 2)


def test_equally_busy_ones_serve_in_turn() -> None:
    least = LeastBusy([1, 1, 1], [State(), State(), State()])
    assert [least.choose([0, 1, 2]) for _ in range(6)] == [0, 1, 2, 0, 1, 2]


@given(weights=weights, requests=st.integers(1, 100))
def test_least_busy_fills_by_weight(weights: list[int], requests: int) -> None:
    states = [State() for _ in weights]
    least = LeastBusy(weights, states)
    for _ in range(requests):
        states[least.choose(range(len(weights)))].in_flight += 1
    loads = [state.in_flight / weight for state, weight in zip(states, weights, strict=True)]
    most = max(range(len(loads)), key=loads.__getitem__)
    assert (states[most].in_flight - 1) / weights[most] <= min(loads)


def test_fill_first_takes_the_first() -> None:
    assert FillFirst([1, 9], [State(7), State()]).choose([0, 1]) == 0
    assert FillFirst([1, 9], [State(7), State()]).choose([1]) == 1


def test_names() -> None:
    assert set(STRATEGIES) == {"round-robin", "least-busy", "fill-first"}
    with pytest.raises(ValueError, match="fill-first"):
        build_strategy("random", [1], [State()])
