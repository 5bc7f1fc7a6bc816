"""Token counts, from every place where somebody puts them."""

from typing import Any

import pytest

from proxy.dialects.events import Usage
from proxy.dialects.openai_chat.usage import build_usage, is_known, parse_usage

TOTALS = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ({}, Usage(10, None, None, 5)),
        ({"prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2}}, Usage(10, 4, 2, 5)),
        ({"prompt_cache_hit_tokens": 4, "prompt_cache_miss_tokens": 6}, Usage(10, 4, None, 5)),
        ({"cached_tokens": 4}, Usage(10, 4, None, 5)),
        ({"prompt_tokens_details": {"cached_tokens": 0}, "cached_tokens": 4}, Usage(10, 0, None, 5)),
        ({"completion_tokens_details": {"reasoning_tokens": 3}}, Usage(10, None, None, 5, 3)),
        # xAI: reasoning beside what was written
        ({"completion_tokens_details": {"reasoning_tokens": 3}, "total_tokens": 18}, Usage(10, None, None, 8, 3)),
        ({"cost": 0.25}, Usage(10, None, None, 5, None, 0.25)),
        ({"prompt_tokens": "10", "completion_tokens": 5.0}, Usage(10, None, None, 5)),
    ],
)
def test_counts_are_found(more: dict[str, Any], wanted: Usage) -> None:
    assert parse_usage({**TOTALS, **more}) == wanted


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "5",
        5,
        {},
        {"prompt_tokens": None, "completion_tokens": "x"},
        {"prompt_tokens": True},
        {"prompt_tokens": -1, "cost": "much"},
        {"prompt_tokens": 10**400, "prompt_tokens_details": 3, "cost": 10**400},
    ],
)
def test_what_is_no_count_is_unknown(value: Any) -> None:
    usage = parse_usage(value)
    assert usage == Usage()
    assert not is_known(usage)


def test_a_client_gets_every_total() -> None:
    assert build_usage(Usage(10, 4, 2, 5, 3, 0.25)) == {
        **TOTALS,
        "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }
    assert build_usage(Usage(output=5)) == {"prompt_tokens": 0, "completion_tokens": 5, "total_tokens": 5}


def test_counts_survive_the_way_there_and_back() -> None:
    usage = Usage(10, 4, None, 5, 3)
    assert parse_usage(build_usage(usage)) == usage
