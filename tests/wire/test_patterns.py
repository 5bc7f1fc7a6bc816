"""Patterns over names."""

import pytest

from proxy.wire.patterns import compile_pattern


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("gpt-5", "gpt-5", True),
        ("gpt-5", "gpt-5x", False),
        ("gpt-5", "xgpt-5", False),
        ("gpt.5", "gpt-5", False),
        ("gpt-*", "gpt-", True),
        ("gpt-*", "gpt-5\n", True),
        ("*-mini", "gpt-5-mini", True),
        ("*-mini", "gpt-5-mini-2", False),
        ("a*b*c", "a-b-b-c", True),
        ("a*b*c", "a-c-b", False),
        ("[a]?", "[a]?", True),
        ("[a]?", "ab", False),
        ("*", "", True),
    ],
)
def test_an_asterisk_is_any_text_and_nothing_else_means_anything(pattern: str, name: str, fits: bool) -> None:
    assert bool(compile_pattern(pattern).fullmatch(name)) is fits


def test_many_asterisks_take_no_time() -> None:
    assert compile_pattern("*a" * 30 + "b").fullmatch("a" * 2000) is None
