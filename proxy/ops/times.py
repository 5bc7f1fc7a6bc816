"""A moment as an operator reads it, everywhere the same: UTC, to the millisecond."""

import functools
import math
import time


def format_time(seconds: float) -> str:
    """seconds: since the epoch; one that no calendar has is shown as its end."""
    if not math.isfinite(seconds) or not 0 <= seconds < _END:
        seconds = _END - 1
    return f"{_format_second(int(seconds))}.{int(seconds % 1 * 1000):03d}Z"


@functools.lru_cache(maxsize=8)
def _format_second(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


_END = 253402300800  # the year 10000: strftime would need another digit
