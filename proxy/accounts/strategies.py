"""Whose turn it is among the accounts that may serve: by weight in turn, the least busy one, the first one.

`build_strategy(name, weights, states)` makes one. `choose(free)` takes the indexes of those that may serve, in the
order of the configuration and at least one, and gives one of them.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Protocol


class Busy(Protocol):
    in_flight: int


class Strategy(Protocol):
    def choose(self, free: Sequence[int]) -> int: ...


class RoundRobin:
    """nginx's smooth weighted round robin: weights 5, 1, 1 give a a b a c a a, never five in a row and then the rest
    (nginx, commit 52327e0). Exact over a cycle of as many requests as the weights' sum."""

    __slots__ = ("_credits", "_weights")

    def __init__(self, weights: Sequence[int], _: Sequence[Busy] = ()) -> None:
        self._weights = weights
        self._credits = [0] * len(weights)

    def choose(self, free: Sequence[int]) -> int:
        gained, weights = self._credits, self._weights
        total, best = 0, free[0]
        for index in free:
            weight = weights[index]
            total += weight
            gained[index] += weight
            if gained[index] > gained[best]:
                best = index
        gained[best] -= total
        return best


class LeastBusy:
    """The fewest requests in flight for its weight; those that are equal in turn."""

    __slots__ = ("_states", "_ties", "_weights")

    def __init__(self, weights: Sequence[int], states: Sequence[Busy]) -> None:
        self._weights = weights
        self._states = states
        self._ties = RoundRobin(weights)

    def choose(self, free: Sequence[int]) -> int:
        loads = [self._states[index].in_flight / self._weights[index] for index in free]
        least = min(loads)
        return self._ties.choose([index for index, load in zip(free, loads, strict=True) if load == least])


class FillFirst:
    """The first that may: one account's quota is used up before the next is touched."""

    __slots__ = ()

    def __init__(self, weights: Sequence[int], states: Sequence[Busy]) -> None:
        pass

    def choose(self, free: Sequence[int]) -> int:
        return free[0]


STRATEGIES: Final[Mapping[str, Callable[[Sequence[int], Sequence[Busy]], Strategy]]] = MappingProxyType({
    "round-robin": RoundRobin,
    "least-busy": LeastBusy,
    "fill-first": FillFirst,
})  # fmt: skip


def build_strategy(name: str, weights: Sequence[int], states: Sequence[Busy]) -> Strategy:
    """Raises ValueError."""
    if name not in STRATEGIES:
        raise ValueError(f"strategy: {name!r} is not one of {', '.join(STRATEGIES)}")
    return STRATEGIES[name](weights, states)
