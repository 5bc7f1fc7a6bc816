"""The plot of gaps."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from proxy.tools.gap_plot import format_seconds, plot_gaps


def test_a_plot() -> None:
    times = [0.0, 0.02, 0.04, 0.06, 0.08, 1.08]
    assert plot_gaps(times, 44, plain=True) == [
        "5 gaps: median 20 ms, 90 % up to 1.00 s, longest 1.00 s",
        "      to 32 ms     4 ######################",
        "      to 64 ms     0",
        "     to 128 ms     0",
        "     to 256 ms     0",
        "     to 512 ms     0",
        "     to 1.02 s     1 ######",
        "  +++                              #  1.08 s",
    ]
    assert plot_gaps(times, 44)[1] == "      to 32 ms     4 " + "█" * 22


@pytest.mark.parametrize("times", [[], [5.0]])
def test_there_is_no_gap_before_the_second_read(times: list[float]) -> None:
    assert plot_gaps(times, 80) == []


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=50), st.integers(1, 200), st.booleans())
def test_any_stream_has_one_and_it_fits(times: list[float], width: int, plain: bool) -> None:
    head, *lines = plot_gaps(sorted(times), width, plain=plain)
    assert head.startswith(f"{len(times) - 1} gap{'s' if len(times) != 2 else ''}: median ")
    assert all(len(line) <= max(width, 50) for line in lines)
    assert not plain or all(line.isascii() for line in lines)
    assert sum(int(line.split()[3]) for line in lines if line.lstrip().startswith("to ")) == len(times) - 1


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0, "0.0 ms"), (0.0004, "0.4 ms"), (0.0211, "21 ms"), (1.25, "1.25 s"), (75, "75 s")]
)
def test_seconds_are_read_at_a_glance(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text


def test_what_is_summed_up_are_gaps_that_there_were() -> None:
    times = [0.05 * number for number in range(13)] + [2.0]
    assert plot_gaps(times, 80)[0] == "13 gaps: median 50 ms, 90 % up to 50 ms, longest 1.40 s"


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=20))
@example([0.0, 5.0, 1.0])
def test_a_clock_that_goes_back_is_taken_for_one_that_stands_still(times: list[float]) -> None:
    assert plot_gaps(times, 80)[0].startswith(f"{len(times) - 1} gap")
