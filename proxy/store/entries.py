"""The ledger's table: what a row holds, and every statement on it. The one file that knows its columns.

An `Entry` is one finished request, with everything that its log line says. The functions take a connection and are
called in the ledger's thread, or by a tool that reads the file.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from msgspec import Struct
from msgspec.structs import astuple

VERSION: Final = 3
"""Of the file: from it on there is a ledger, with these columns."""


class Entry(Struct, frozen=True, kw_only=True, gc=False):
    """started: seconds since the epoch, of the request's start. Times in milliseconds, None where it never came so
    far. route: the mount's path, or a model route's name. input, cache_read, cache_write, output, reasoning: tokens.
    source: whose word they are. trail: the attempts as JSON, where they say more than the row."""

    id: str
    started: float
    door: str = ""
    remote: str = ""
    client: str | None = None
    method: str = ""
    route: str = ""
    dialect: str = ""
    model: str = ""
    model_asked: str = ""
    provider: str | None = None
    account: str | None = None
    status: int = 0
    end_reason: str = ""
    phase: str = ""
    error: str = ""
    detail: str = ""
    finish: str = ""
    ttfb_ms: float | None = None
    ttft_ms: float | None = None
    duration_ms: float = 0.0
    bytes_up: int = 0
    bytes_down: int = 0
    events: int = 0
    heartbeats: int = 0
    tap_failed: bool = False
    malformed: int = 0
    attempts: int = 0
    rescues: int = 0
    hedges: int = 0
    trail: str | None = None
    input: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    output: int | None = None
    reasoning: int | None = None
    source: str = ""
    cost: float | None = None


class Spent(NamedTuple):
    """Of one client in some time. cost: in the currency of the price table."""

    tokens: int
    cost: float


_COLUMNS: Final = Entry.__struct_fields__
TOGETHER: Final = 32
"""Rows of one statement. Between statements the thread gives up and takes back Python's lock, which beside a busy event
loop costs more than a row does; binding 32 of them holds it for a quarter of a millisecond."""


def _build_insert(rows: int) -> str:
    values = f"({', '.join('?' * len(_COLUMNS))})"
    return (
        f"INSERT OR IGNORE INTO requests ({', '.join(_COLUMNS)}) "  # noqa: S608 - names of this file
        f"VALUES {', '.join([values] * rows)}"
    )


_INSERT: Final = _build_insert(1)
_INSERT_TOGETHER: Final = _build_insert(TOGETHER)
_SPENT: Final = """
    SELECT client, sum(coalesce(input, 0) + coalesce(output, 0)), total(cost) FROM requests
    WHERE started >= ? AND client IS NOT NULL GROUP BY client
"""

_KEYS: Final = {
    "client": "client",
    "model": "coalesce(nullif(model, ''), nullif(model_asked, ''))",
    "provider": "provider",
    "account": "provider || '/' || account",
    "day": "date(started, 'unixepoch')",
}
"""What sums are told apart by, as SQL."""

KEYS: Final = tuple(_KEYS)

_SUMS: Final = {
    "requests": "count(*)",
    "failed": """total(CASE
        WHEN end_reason IN ('refused', 'limit') THEN attempts > 0
        WHEN end_reason = 'done' THEN status >= 500
        ELSE end_reason NOT IN ('late_cut', 'client_gone') END)""",
    "input": "total(input)",
    "cached": "total(cache_read)",
    "output": "total(output)",
    "reasoning": "total(reasoning)",
    "not_reported": "total(source IN ('partial', 'estimated'))",
    "cost": "sum(cost)",
}
"""failed as Record.failed. cached is a part of input, reasoning of output; not_reported counts requests whose tokens
are not, or not all, the provider's word."""

SUMS: Final = tuple(_SUMS)

Value = str | int | float | None


def write_entries(connection: sqlite3.Connection, entries: Iterable[Entry]) -> None:
    """All of them or none. One that is there already stays: nobody knows of a commit that failed whether it did."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        rows = [astuple(entry) for entry in entries]
        whole = len(rows) - len(rows) % TOGETHER
        for at in range(0, whole, TOGETHER):
            connection.execute(_INSERT_TOGETHER, [value for row in rows[at : at + TOGETHER] for value in row])
        connection.executemany(_INSERT, rows[whole:])
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has rolled back already
            connection.execute("ROLLBACK")
        raise


def forget_entries(connection: sqlite3.Connection, before: float, most: int) -> int:
    """Drop those that began `before`, the oldest first and at most so many; how many it were."""
    return connection.execute(
        "DELETE FROM requests WHERE rowid IN (SELECT rowid FROM requests WHERE started < ? ORDER BY started LIMIT ?)",
        (before, most),
    ).rowcount


def read_spent(connection: sqlite3.Connection, since: float) -> dict[str, Spent]:
    """By client."""
    return {client: Spent(int(tokens), cost) for client, tokens, cost in connection.execute(_SPENT, (since,))}


def read_sums(connection: sqlite3.Connection, by: Sequence[str], since: float) -> list[tuple[Value, ...]]:
    """A row for each different `by` (of KEYS), which it begins with; then SUMS. Sorted by the first."""
    columns = ", ".join([*(_KEYS[key] for key in by), *_SUMS.values()])
    numbers = ", ".join(str(at) for at in range(1, len(by) + 1))
    grouping = f" GROUP BY {numbers} ORDER BY {numbers}" if by else ""
    statement = f"SELECT {columns} FROM requests WHERE started >= ?{grouping}"  # noqa: S608 - tables of this file
    rows = connection.execute(statement, (since,))
    return [(*row[: len(by)], *(int(count) for count in row[len(by) : -1]), _round(row[-1])) for row in rows]


def _round(cost: float | None) -> float | None:
    """Without what adding fractions leaves behind: a thousandth of a token's price is none."""
    return None if cost is None else round(cost, 9)
