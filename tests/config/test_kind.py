"""Makers of kinds: words, and numbers in bounds."""

import pytest

from proxy.config.kind import choice, number, whole


def test_choice_takes_its_words_and_suggests_the_nearest() -> None:
    kind = choice("key", "none", "pass")
    assert kind.read("pass") == "pass"
    with pytest.raises(ValueError, match="did you mean none"):
        kind.read("nnoe")
    with pytest.raises(ValueError, match=r'one of "key", "none", "pass"$'):
        kind.read("")


def test_whole_numbers_keep_their_bounds_and_are_described_by_them() -> None:
    kind = whole(1, 20)
    assert [kind.read(raw) for raw in (1, "20")] == [1, 20]
    for raw, said in ((0, "outside 1 to 20"), ("21", "outside 1 to 20"), ("1.0", "not a whole number")):
        with pytest.raises(ValueError, match=said):
            kind.read(raw)
    assert kind.schema["anyOf"][0] == {"type": "integer", "minimum": 1, "maximum": 20}
    assert (kind.name, whole(0, 20).name) == ("whole number", "whole number, may be 0")


def test_numbers_begin_at_zero() -> None:
    kind = number(2, "number")
    assert [kind.read(raw) for raw in (0, 2, "1.25")] == [0.0, 2.0, 1.25]
    for raw, said in ((2.1, "outside 0 to 2"), (-0.1, "outside 0 to 2"), ("1,25", "not a number")):
        with pytest.raises(ValueError, match=said):
            kind.read(raw)
    assert kind.schema["anyOf"][0] == {"type": "number", "minimum": 0, "maximum": 2}
