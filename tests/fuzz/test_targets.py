"""A small and always equal part of the fuzz run: what it finds, hypothesis makes short."""

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.bend import bend, bend_stream, cut, dump, spoil
from tests.fuzz.targets import TARGETS

EXAMPLES = 40
"""Of each target, drawn by hypothesis; and this many times as many by a seeded Random, which is faster."""

MORE = 8

small = settings(
    max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("name", TARGETS)
@small
@given(random=st.randoms(use_true_random=False))
def test_a_few_examples(name: str, random: Random) -> None:
    target = TARGETS[name]
    target.check(target.draw(random))


@pytest.mark.parametrize("name", TARGETS)
def test_some_more(name: str) -> None:
    target = TARGETS[name]
    for seed in range(EXAMPLES * MORE):
        sample = target.draw(Random(seed))
        try:
            target.check(sample)
        except Exception as error:
            error.add_note(f"{name}, seed {seed}: {sample!r}"[:4000])
            raise


def test_the_same_seed_spoils_the_same_way() -> None:
    value = {"a": [1, {"b": "c"}], "d": "e" * 50}
    for seed in range(50):
        first, second = Random(seed), Random(seed)
        assert dump(first, bend(first, value)) == dump(second, bend(second, value))
    assert value == {"a": [1, {"b": "c"}], "d": "e" * 50}


def test_pieces_are_what_was_cut() -> None:
    for seed in range(50):
        random = Random(seed)
        data = spoil(random, bend_stream(random, [b'data: {"a":1}\n\n', b"data: [DONE]\n\n"]))
        assert b"".join(cut(random, data)) == data
