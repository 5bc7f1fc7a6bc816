"""Token counts: what `message_start` and `message_delta` say together, and what clients are told."""

from typing import Any

import pytest

from proxy.dialects.anthropic_messages.usage import Meter, build_usage
from proxy.dialects.events import Usage


def measure(*usages: Any) -> Usage:
    meter = Meter()
    for usage in usages:
        meter.feed(usage)
    return meter.read()


@pytest.mark.parametrize(
    ("usages", "usage"),
    [
        ([{"input_tokens": 5, "output_tokens": 1}], Usage(5, output=1)),
        # The prompt is what was read, what was written and what was neither.
        (
            [
                {
                    "input_tokens": 5,
                    "cache_read_input_tokens": 10,
                    "cache_creation_input_tokens": 100,
                    "output_tokens": 1,
                }
            ],
            Usage(115, 10, 100, 1),
        ),
        # The later one replaces, and leaves what it does not name.
        (
            [{"input_tokens": 5, "cache_read_input_tokens": 10, "output_tokens": 1}, {"output_tokens": 9}],
            Usage(15, 10, None, 9),
        ),
        (
            [{"input_tokens": 5, "cache_read_input_tokens": 10}, {"input_tokens": 7, "output_tokens": 9}],
            Usage(17, 10, None, 9),
        ),
        # GLM's endpoint: nothing at the start, everything at the end.
        ([{"input_tokens": 0, "output_tokens": 0}], Usage(None, output=0)),
        (
            [{"input_tokens": 0, "output_tokens": 0}, {"input_tokens": 14, "cache_read_input_tokens": 128}],
            Usage(142, 128, None, 0),
        ),
        ([{"output_tokens": 9, "output_tokens_details": {"thinking_tokens": 4}}], Usage(output=9, reasoning=4)),
        ([{"input_tokens": None, "output_tokens": "9", "output_tokens_details": 1}], Usage()),
        ([{"input_tokens": True, "output_tokens": -1}, {"output_tokens": float("inf")}], Usage()),
        ([None], Usage()),
        ([[]], Usage()),
    ],
)
def test_what_a_provider_says(usages: list[Any], usage: Usage) -> None:
    assert measure(*usages) == usage


def test_what_a_client_is_told() -> None:
    assert build_usage(Usage(115, 10, 100, 7, 3)) == {
        "input_tokens": 5,
        "cache_creation_input_tokens": 100,
        "cache_read_input_tokens": 10,
        "output_tokens": 7,
        "output_tokens_details": {"thinking_tokens": 3},
    }


def test_what_is_unknown_is_left_out() -> None:
    assert build_usage(Usage()) == {"output_tokens": 0}


def test_the_rest_of_the_prompt_is_never_negative() -> None:
    assert build_usage(Usage(5, 10))["input_tokens"] == 0


@pytest.mark.parametrize("usage", [Usage(115, 10, 100, 7, 3), Usage(5, None, None, 2), Usage(10, 10, None, 0)])
def test_what_is_told_says_the_same(usage: Usage) -> None:
    assert measure(build_usage(usage)) == usage
