"""Durations and sizes: each accepted spelling, each refusal, and the way back."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.config.units import (
    MAX_DURATION,
    MAX_SIZE,
    format_duration,
    format_size,
    parse_duration,
    parse_size,
)

DURATIONS = [
    ("250ms", 0.25),
    ("10s", 10.0),
    ("5m", 300.0),
    ("1h", 3600.0),
    ("55m", 3300.0),
    ("90d", 7776000.0),
    ("1.5h", 5400.0),
    ("7", 7.0),
    ("0", 0.0),
    (3, 3.0),
    (0.1, 0.1),
]
SIZES = [
    ("32MiB", 32 * 1024**2),
    ("1GiB", 1024**3),
    ("64KiB", 65536),
    ("1TiB", 1024**4),
    ("1000", 1000),
    ("10kB", 10_000),
    ("10KB", 10_000),
    ("2MB", 2_000_000),
    ("1GB", 10**9),
    ("1TB", 10**12),
    ("5B", 5),
    ("0", 0),
    (12, 12),
]
BAD_DURATIONS = ["", "s", "10 s", "-1s", "1h30m", "1e3s", "10S", "٣s", "off", "1" * 41, "99999d", -1, float("nan")]
BAD_DURATIONS += [float("inf"), 10**400]
BAD_SIZES = ["", "MiB", "1.5MiB", "32 MiB", "-1", "32mib", "1Mb", "٣", "1" * 41, "9999999TiB", -1, 2**63]


@pytest.mark.parametrize(("text", "seconds"), DURATIONS)
def test_duration_in_every_unit_becomes_seconds(text: str | float, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", BAD_DURATIONS)
def test_duration_that_is_none_is_refused(text: str | float) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


@pytest.mark.parametrize(("text", "size"), SIZES)
def test_size_in_every_unit_becomes_bytes(text: str | int, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", BAD_SIZES)
def test_size_that_is_none_is_refused(text: str | int) -> None:
    with pytest.raises(ValueError, match="not a size"):
        parse_size(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0s"), (0.25, "250ms"), (60.0, "1m"), (90.0, "90s"), (86400.0, "1d"), (0.1234567, "0.1234567s")],
)
def test_duration_is_written_in_the_largest_whole_unit(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(("size", "text"), [(0, "0"), (1000, "1000"), (1024, "1KiB"), (1536, "1536"), (2**40, "1TiB")])
def test_size_is_written_in_the_largest_binary_unit(size: int, text: str) -> None:
    assert format_size(size) == text


@given(st.floats(min_value=1e-6, max_value=MAX_DURATION) | st.integers(0, 10**9).map(lambda n: n / 1000))
def test_duration_survives_writing_and_reading(seconds: float) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


@given(st.integers(0, MAX_SIZE) | st.integers(0, 2**20).map(lambda n: n * 1024))
def test_size_survives_writing_and_reading(size: int) -> None:
    assert parse_size(format_size(size)) == size


@given(st.text() | st.from_regex(r"[0-9]{1,12}(\.[0-9]{1,12})?[a-zA-Z]{0,3}", fullmatch=True))
def test_any_text_is_a_number_or_a_value_error(text: str) -> None:
    for parse in (parse_duration, parse_size):
        with suppress(ValueError):
            assert parse(text) >= 0
