"""How long models take to say their first word."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.accounts.latency import FEWEST, LAST, MOST_KEYS, Key, Latencies
from proxy.types import ProviderName
from tests.helpers.feeds import fuzz

KEY: Key = (ProviderName("one"), "m")
OTHER: Key = (ProviderName("one"), "n")


def note(latencies: Latencies, key: Key, *seconds: float) -> None:
    for value in seconds:
        latencies.note(key, value)


def test_too_few_samples_say_nothing() -> None:
    latencies = Latencies()
    note(latencies, KEY, *[1.0] * 19)
    assert latencies.p95(KEY) is None
    latencies.note(KEY, 1.0)
    assert latencies.p95(KEY) == 1.0


def test_an_unknown_model_says_nothing() -> None:
    assert Latencies().p95(KEY) is None


@pytest.mark.parametrize(("count", "rank"), [(20, 19), (21, 20), (40, 38), (100, 95), (200, 190)])
def test_one_in_twenty_is_slower(count: int, rank: int) -> None:
    latencies = Latencies()
    values = [float(number) for number in range(1, count + 1)]
    random.Random(count).shuffle(values)
    note(latencies, KEY, *values)
    assert latencies.p95(KEY) == rank


def test_models_are_told_apart() -> None:
    latencies = Latencies()
    note(latencies, KEY, *[1.0] * FEWEST)
    note(latencies, OTHER, *[2.0] * FEWEST)
    assert (latencies.p95(KEY), latencies.p95(OTHER)) == (1.0, 2.0)


def test_old_samples_are_forgotten() -> None:
    latencies = Latencies()
    note(latencies, KEY, *[60.0] * LAST)
    note(latencies, KEY, *[1.0] * LAST)
    assert latencies.p95(KEY) == 1.0


def test_the_key_that_was_noted_longest_ago_goes_first() -> None:
    latencies = Latencies()
    note(latencies, KEY, *[1.0] * FEWEST)
    note(latencies, OTHER, *[2.0] * FEWEST)
    latencies.note(KEY, 1.0)
    for number in range(MOST_KEYS - 1):
        latencies.note((ProviderName("one"), f"made up {number}"), 1.0)
    assert latencies.p95(OTHER) is None
    assert latencies.p95(KEY) == 1.0


@fuzz
@given(st.lists(st.floats(0.0, 1e6), min_size=FEWEST, max_size=LAST))
def test_nearest_rank(values: list[float]) -> None:
    latencies = Latencies()
    note(latencies, KEY, *values)
    assert latencies.p95(KEY) == sorted(values)[math.ceil(round(0.95 * len(values), 9)) - 1]
