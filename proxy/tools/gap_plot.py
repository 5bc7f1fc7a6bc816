"""The gaps between reads as a plot in the terminal: how many of which length, and when the long ones were. Pure.

Lengths are grouped by doubling, since gaps of a millisecond and of a minute stand in one stream. The line below has one
column per stretch of time, as high as the longest gap that ended in it, on the same doubling scale.
"""

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Final

_BARS: Final = " ▁▂▃▄▅▆▇█"
_PLAIN_BARS: Final = " .:-=+*%#"

_LABEL: Final = 22  # columns of a group's name and its count, and the blanks about them
_SHORTEST: Final = 0.0005
"""Seconds; shorter gaps are one group: what one read of the socket brought in several pieces."""


def plot_gaps(times: Sequence[float], width: int, *, plain: bool = False) -> list[str]:
    """times: of the reads, in seconds. plain: ASCII only. [] for fewer than two reads."""
    times = list(accumulate(times, max))  # a file may say that time went back
    gaps = [later - earlier for earlier, later in pairwise(times)]
    if not gaps:
        return []
    return [_sum_up(gaps), *_plot_groups(gaps, width, plain=plain), *_plot_course(times, gaps, width, plain=plain)]


def format_seconds(seconds: float) -> str:
    """`0.4 ms`, `21 ms`, `1.25 s`."""
    if seconds < 0.01:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.2f} s" if seconds < 60 else f"{seconds:.0f} s"


def _sum_up(gaps: Sequence[float]) -> str:
    ordered = sorted(gaps)
    middle, most = (ordered[math.ceil(len(ordered) * share) - 1] for share in (0.5, 0.9))  # each one that there was
    return (
        f"{len(gaps)} gap{'s' if len(gaps) != 1 else ''}: median {format_seconds(middle)}, "
        f"90 % up to {format_seconds(most)}, longest {format_seconds(ordered[-1])}"
    )


def _find_group(gap: float) -> int:
    """0 up to _SHORTEST, then one more for each doubling."""
    return 0 if gap <= _SHORTEST else math.ceil(math.log2(gap / _SHORTEST))


def _plot_groups(gaps: Sequence[float], width: int, *, plain: bool) -> list[str]:
    counts: dict[int, int] = {}
    for gap in gaps:
        group = _find_group(gap)
        counts[group] = counts.get(group, 0) + 1
    room, most = max(width - _LABEL, 10), max(counts.values())
    lines = []
    for group in range(min(counts), max(counts) + 1):
        count = counts.get(group, 0)
        bar = ("#" if plain else "█") * max(round(room * count / most), 1 if count else 0)
        lines.append(f"  {'to ' + format_seconds(_SHORTEST * 2**group):>12} {count:>5} {bar}".rstrip())
    return lines


def _plot_course(times: Sequence[float], gaps: Sequence[float], width: int, *, plain: bool) -> list[str]:
    first, last = times[0], times[-1]
    if last <= first:
        return []
    ends = f"{format_seconds(last - first)}"
    room = max(width - len(ends) - 4, 10)
    groups = [0] * room
    for at, gap in zip(times[1:], gaps, strict=True):
        column = min(int((at - first) / (last - first) * room), room - 1)
        groups[column] = max(groups[column], _find_group(gap) + 1)
    bars, highest = _PLAIN_BARS if plain else _BARS, max(groups)
    line = "".join(bars[math.ceil(group / highest * (len(bars) - 1))] for group in groups)
    return [f"  {line}  {ends}"]
