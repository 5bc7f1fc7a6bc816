"""Shared limits to rows and back: the one file that knows their tables. Every function is called in one thread.

`pools` has a row for each holder of limits, to which every process adds. `flights` has one for each process and holder
with requests in flight; a process that has not moved them for STALE seconds is gone, and they with it.
"""

import sqlite3
from collections.abc import Mapping
from typing import Any, Final

from proxy.accounts.sharing import Holder, Pool, Word, merge

STALE: Final = 5.0
"""Seconds: a lock that others hold for two, and a late turn or two."""

_DAY: Final = 86400.0
_OLD: Final = 2 * _DAY
"""Seconds after which a row that nobody has added to says nothing more: its minute and its day are over."""

_COLUMNS: Final = "requests, requests_at, tokens, tokens_at, day, day_tokens, day_cost"
_SELECT: Final = f"SELECT provider, name, {_COLUMNS} FROM pools"  # noqa: S608 - names of this file
_SELECT_ONE: Final = f"SELECT {_COLUMNS} FROM pools WHERE provider = ? AND name = ?"  # noqa: S608
_REPLACE: Final = (
    f"INSERT OR REPLACE INTO pools (provider, name, {_COLUMNS}) "  # noqa: S608
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_FORGET: Final = "DELETE FROM pools WHERE max(requests_at, tokens_at) < ? AND day < ?"

_FLY: Final = "INSERT OR REPLACE INTO flights (process, provider, name, streams, seen) VALUES (?, ?, ?, ?, ?)"
_LAND: Final = "DELETE FROM flights WHERE process = ?"
_ABOVE: Final = "SELECT provider, name, streams, seen FROM flights WHERE process <> ?"
_LOST: Final = "DELETE FROM flights WHERE seen < ?"

Flight = tuple[Holder, int, float]
"""Of another process: whose requests, how many, and when it was last heard of."""


def add_words(connection: sqlite3.Connection, words: Mapping[Holder, Word], now: float) -> dict[Holder, Pool]:
    """What has come of them. Within a transaction."""
    changed = {}
    for holder, word in words.items():
        changed[holder] = merge(_parse(connection.execute(_SELECT_ONE, holder).fetchone() or (), now), word)
    connection.executemany(_REPLACE, [(*holder, *pool) for holder, pool in changed.items()])
    return changed


def read_pools(connection: sqlite3.Connection, now: float) -> dict[Holder, Pool]:
    return {Holder(*row[:2]): _parse(row[2:], now) for row in connection.execute(_SELECT)}


def write_flights(connection: sqlite3.Connection, process: str, flights: Mapping[Holder, int], now: float) -> None:
    """All that the process has. Within a transaction."""
    connection.execute(_LAND, (process,))
    connection.executemany(_FLY, [(process, *holder, streams, now) for holder, streams in flights.items()])


def read_flights(connection: sqlite3.Connection, process: str) -> list[Flight]:
    """Those of other processes than this one."""
    rows = connection.execute(_ABOVE, (process,))
    return [(Holder(provider, name), streams, seen) for provider, name, streams, seen in rows]


def sum_flights(flights: list[Flight], now: float) -> dict[Holder, int]:
    """By holder; without those of processes that are gone."""
    sums: dict[Holder, int] = {}
    for holder, streams, seen in flights:
        if abs(now - seen) < STALE:
            sums[holder] = sums.get(holder, 0) + streams
    return sums


def forget_pools(connection: sqlite3.Connection, now: float) -> None:
    """Drop what says nothing any more."""
    connection.execute(_FORGET, (now - _OLD, (now - _OLD) // _DAY))
    connection.execute(_LOST, (now - _OLD,))


def _parse(row: tuple[Any, ...], now: float) -> Pool:
    """A clock that was set back has left moments that are still to come: they are now, or nothing would refill."""
    pool = Pool(*row)
    if pool.requests_at <= now and pool.tokens_at <= now:
        return pool
    return pool._replace(requests_at=min(pool.requests_at, now), tokens_at=min(pool.tokens_at, now))
