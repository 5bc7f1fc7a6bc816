"""Token counts of the Responses API, both ways."""

import pytest

from proxy.dialects.events import Usage
from proxy.dialects.openai_responses.usage import build_usage, parse_usage
from proxy.dialects.parts import Json


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ([], None),
        ({}, Usage()),
        (
            {"input_tokens": 9, "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 1},
             "output_tokens": 7, "output_tokens_details": {"reasoning_tokens": 2}, "total_tokens": 16, "cost": 0.5},
            Usage(9, 3, 1, 7, 2, 0.5),
        ),
        ({"input_tokens": "9", "output_tokens": 7.0}, Usage(input=9, output=7)),
        ({"input_tokens": -1, "output_tokens": True, "input_tokens_details": 5, "cost": "x"}, Usage()),
        ({"input_tokens": 10**40, "output_tokens": float("inf")}, Usage()),
        ({"cost": 10**400}, Usage()),
        ({"cost": -1}, Usage()),
        ({"cost": float("nan")}, Usage()),
        ({"cost": True}, Usage()),
    ],
)  # fmt: skip
def test_parse(value: Json, expected: Usage | None) -> None:
    assert parse_usage(value) == expected


def test_what_is_built_is_parsed_to_the_same() -> None:
    usage = Usage(9, 3, 1, 7, 2)
    assert parse_usage(build_usage(usage)) == usage


def test_unknown_counters_are_numbers_and_nothing_known_is_nothing() -> None:
    assert build_usage(Usage(cache_read=3)) is None
    built = build_usage(Usage(output=2))
    assert built is not None
    assert (built["input_tokens"], built["total_tokens"]) == (0, 2)
    assert built["input_tokens_details"] == {"cached_tokens": 0, "cache_write_tokens": 0}
