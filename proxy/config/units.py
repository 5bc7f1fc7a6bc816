"""Durations and sizes: text with a unit to a number and back.

Durations are seconds (float), sizes are bytes (int). A bare number is seconds or bytes. Raises `ValueError`
with a message that names the units and never repeats the text. Whether zero, or `off`, is allowed is for
the key to say, not for this file.
"""

import re
from decimal import Decimal
from typing import Final

MAX_DURATION: Final = 10 * 365 * 86400.0  # ten years, in seconds: longer than any process lives, so it is a slip
MAX_SIZE: Final = 2**63 - 1  # what a file offset and SQLite's INTEGER hold

DURATION_UNITS: Final = {
    "ms": Decimal("0.001"),
    "s": Decimal(1),
    "m": Decimal(60),
    "h": Decimal(3600),
    "d": Decimal(86400),
}
SIZE_UNITS: Final = {
    "B": 1,
    "kB": 1000,
    "KB": 1000,
    "MB": 1000**2,
    "GB": 1000**3,
    "TB": 1000**4,
    "KiB": 1024,
    "MiB": 1024**2,
    "GiB": 1024**3,
    "TiB": 1024**4,
}

# 40 characters hold every float of at least a microsecond in plain digits; more is not a number a person wrote.
_MAX_TEXT: Final = 40
_DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)?")
_SIZE: Final = re.compile(r"([0-9]+)([A-Za-z]*)")


def parse_duration(value: str | int | float) -> float:
    """`"250ms"`, `"10s"`, `"5m"`, `"1h"`, `"90d"`, `"1.5h"` or a number of seconds to seconds."""
    if isinstance(value, str):
        match = _DURATION.fullmatch(value) if len(value) <= _MAX_TEXT else None
        if match is None:
            raise ValueError('not a duration: write a number with ms, s, m, h or d, such as "250ms" or "5m"')
        value = float(Decimal(match[1]) * DURATION_UNITS[match[2] or "s"])
    if not 0 <= value <= MAX_DURATION:
        raise ValueError("not a duration: outside 0 to ten years")
    return float(value)


def parse_size(value: str | int) -> int:
    """`"32MiB"`, `"10kB"`, `"1000"` or a number of bytes to bytes. KiB is 1024 bytes, kB is 1000."""
    if isinstance(value, str):
        match = _SIZE.fullmatch(value) if len(value) <= _MAX_TEXT else None
        unit = SIZE_UNITS.get(match[2] or "B") if match else None
        if match is None or unit is None:
            raise ValueError(
                'not a size: write a whole number with B, kB, MB, GB, TB, KiB, MiB, GiB or TiB, such as "32MiB"'
            )
        value = int(match[1]) * unit
    if not 0 <= value <= MAX_SIZE:
        raise ValueError("not a size: outside 0 to 2^63-1 bytes")
    return value


def format_duration(seconds: float) -> str:
    """Seconds in the largest unit that takes a whole number of it: 300.0 is `5m`, 0.25 is `250ms`, 0 is `0s`."""
    exact = Decimal(repr(float(seconds)))
    for unit in ("d", "h", "m", "s", "ms"):
        count = exact / DURATION_UNITS[unit]
        if count >= 1 and count == count.to_integral_value():
            return f"{count.to_integral_value():f}{unit}"
    return f"{exact.normalize():f}s"


def format_size(size: int) -> str:
    """Bytes in the largest binary unit that divides them: 33554432 is `32MiB`, 1000 is `1000`."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if size and size % SIZE_UNITS[unit] == 0:
            return f"{size // SIZE_UNITS[unit]}{unit}"
    return str(size)
