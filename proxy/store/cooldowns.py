"""Cool-downs to rows and back: the one file that knows their table. Every function is called in the writer's thread.

A row that this version cannot read (a level of a later one, a value changed by hand) is passed over, and stays.
"""

import sqlite3
from collections.abc import Mapping
from typing import Final

from proxy.accounts.cooldown import Cooldown, Level, Spot
from proxy.types import ProviderName

_COLUMNS: Final = "level, provider, name, model, why, detail, since, until, strikes, attention, mark"
"""By name: a later version may have added some."""

_SELECT: Final = f"SELECT {_COLUMNS} FROM cooldowns"  # noqa: S608 - names of this file
_REPLACE: Final = (
    f"INSERT OR REPLACE INTO cooldowns ({_COLUMNS}) "  # noqa: S608 - names of this file
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_DELETE: Final = "DELETE FROM cooldowns WHERE level = ? AND provider = ? AND name = ? AND model = ?"


def read_cooldowns(connection: sqlite3.Connection) -> dict[Spot, Cooldown]:
    parsed = map(_parse_row, connection.execute(_SELECT))
    return {cooldown.spot: cooldown for cooldown in parsed if cooldown is not None}


def write_cooldowns(connection: sqlite3.Connection, changes: Mapping[Spot, Cooldown | None]) -> None:
    """All of them or none; None lifts."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for spot, cooldown in changes.items():
            if cooldown is None:
                connection.execute(_DELETE, _build_key(spot))
            else:
                connection.execute(_REPLACE, _build_row(cooldown))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has rolled back already
            connection.execute("ROLLBACK")
        raise


def forget_cooldowns(connection: sqlite3.Connection, before: float) -> None:
    """Drop those that were over `before`: nobody has asked that account since, or it is gone from the configuration."""
    connection.execute("DELETE FROM cooldowns WHERE until < ?", (before,))


def _build_key(spot: Spot) -> tuple[str, str, str, str]:
    return (spot.level.value, spot.provider, spot.name, spot.model)


def _build_row(cooldown: Cooldown) -> tuple[str | float | int, ...]:
    return (
        *_build_key(cooldown.spot),
        cooldown.why,
        cooldown.detail,
        cooldown.since,
        cooldown.until,
        cooldown.strikes,
        int(cooldown.attention),
        cooldown.mark,
    )


def _parse_row(row: tuple[object, ...]) -> Cooldown | None:
    texts = [part for at, part in enumerate(row) if at not in (6, 7, 8, 9) and isinstance(part, str)]
    times = [part for part in row[6:8] if isinstance(part, float)]
    counts = [part for part in row[8:10] if isinstance(part, int)]
    if (len(texts), len(times), len(counts)) != (7, 2, 2) or texts[0] not in _LEVELS:
        return None
    level, provider, name, model, why, detail, mark = texts
    spot = Spot(_LEVELS[level], ProviderName(provider), name, model)
    return Cooldown(spot, why, detail, times[0], times[1], counts[0], bool(counts[1]), mark)


_LEVELS: Final = {level.value: level for level in Level}
