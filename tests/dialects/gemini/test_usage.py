"""Counts of tokens: what Google counts beside each other, the hub counts in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.events import Usage
from proxy.dialects.gemini.usage import Counts, UsageMetadata, build_usage, parse_usage
from tests.helpers.feeds import fuzz


@pytest.mark.parametrize(
    ("said", "usage"),
    [
        (UsageMetadata(20, None, 8, 5, None, 33), Usage(input=20, output=13, reasoning=5)),
        (UsageMetadata(17, None, 241, 412, 102, 772), Usage(input=119, output=653, reasoning=412)),
        (UsageMetadata(20, 12, 8, None, None, 28), Usage(input=20, cache_read=12, output=8)),
        (UsageMetadata(15, None, None, 2, None, 17), Usage(input=15, output=2, reasoning=2)),
        (UsageMetadata(15, None, None, None, None, 40), Usage(input=15, output=25)),
        (UsageMetadata(15, None, None, None, None, 10), Usage(input=15, output=0)),
        (UsageMetadata(15), Usage(input=15)),
        (UsageMetadata(thoughts_token_count=3), Usage(output=3, reasoning=3)),
        (UsageMetadata(), None),
    ],
)
def test_what_google_counts(said: UsageMetadata, usage: Usage | None) -> None:
    assert parse_usage(said) == usage


def test_a_missing_number_keeps_its_last_value() -> None:
    counts = Counts()
    assert counts.build() is None
    counts.feed(UsageMetadata(46, 5, 51, 101, 2, 198))
    counts.feed(UsageMetadata())
    assert counts.build() == Usage(input=48, cache_read=5, output=152, reasoning=101)
    counts.feed(UsageMetadata(prompt_token_count=147))
    assert counts.build() == Usage(input=149, cache_read=5, output=152, reasoning=101)


def test_zeros_that_google_leaves_out_are_left_out() -> None:
    assert build_usage(Usage(input=3, cache_read=0, output=2, reasoning=0)) == {
        "promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5,
    }  # fmt: skip
    assert build_usage(Usage()) == {}


@fuzz
@given(st.integers(0, 10**6), st.integers(1, 10**6), st.integers(0, 10**6), st.integers(1, 10**6))
def test_counts_survive_the_way_there_and_back(given: int, cached: int, visible: int, thoughts: int) -> None:
    usage = Usage(input=given, cache_read=cached, output=visible + thoughts, reasoning=thoughts)
    built = build_usage(usage)
    assert built["totalTokenCount"] == given + visible + thoughts
    said = UsageMetadata(
        built["promptTokenCount"], built["cachedContentTokenCount"], built["candidatesTokenCount"],
        built["thoughtsTokenCount"],
    )  # fmt: skip
    assert parse_usage(said) == usage
