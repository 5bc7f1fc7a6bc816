"""Moments, as an operator reads them."""

import math

import pytest

from proxy.ops.times import format_time


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.0, "1970-01-01T00:00:00.000Z"),
        (1_700_000_000.25, "2023-11-14T22:13:20.250Z"),
        (1_700_000_000.9999, "2023-11-14T22:13:20.999Z"),
        (1e300, "9999-12-31T23:59:59.000Z"),
        (math.inf, "9999-12-31T23:59:59.000Z"),
        (math.nan, "9999-12-31T23:59:59.000Z"),
        (-1.0, "9999-12-31T23:59:59.000Z"),
    ],
)
def test_a_moment_is_shown_in_utc(seconds: float, shown: str) -> None:
    assert format_time(seconds) == shown
