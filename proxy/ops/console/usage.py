"""What was used today, read from the ledger's file while somebody looks: the books are kept there, and nowhere else.

The file is read in a thread and never written. One that is not there, or cannot be read, says nothing.
"""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from proxy.errors import PenstockError
from proxy.ops.console.feed import ReadUsage
from proxy.ops.times import format_time
from proxy.store.database import open_reader
from proxy.store.entries import SUMS, Value, read_sums

MOST: Final = 20
"""Models and clients that are shown: the dearest."""

DAY: Final = 86400
"""Seconds. A day begins at midnight UTC."""


class Sum(msgspec.Struct, frozen=True):
    """name: of a model as `provider/model`, or of a client. cached is part of input, reasoning of output. cost: None
    where no price is known."""

    name: str
    requests: int
    failed: int
    input: int
    cached: int
    output: int
    reasoning: int
    cost: float | None


class Today(msgspec.Struct, frozen=True):
    day: str
    total: Sum
    by_model: list[Sum]
    by_client: list[Sum]


def build_reader(path: Path | None) -> ReadUsage:
    """path: of the ledger, None where there is none."""

    async def read() -> Today | None:
        return None if path is None else await asyncio.to_thread(read_today, path, time.time())

    return read


def read_today(path: Path, now: float) -> Today | None:
    """now: seconds since the epoch."""
    since = now // DAY * DAY
    try:
        with contextlib.closing(open_reader(path)) as connection:
            (total,) = read_sums(connection, (), since)
            models = read_sums(connection, ("provider", "model"), since)
            clients = read_sums(connection, ("client",), since)
    except (sqlite3.Error, OSError, PenstockError):
        return None
    return Today(format_time(now)[:10], _build_sum("", total), _sort(models, 2), _sort(clients, 1))


def _sort(rows: Sequence[tuple[Value, ...]], names: int) -> list[Sum]:
    """The dearest first, and of those without a price the ones that said most. names: how many columns name a row."""
    sums = [_build_sum("/".join(str(part) for part in row[:names] if part), row[names:]) for row in rows]
    return sorted(sums, key=lambda one: (-(one.cost or 0.0), -one.output))[:MOST]


def _build_sum(name: str, columns: Sequence[Value]) -> Sum:
    values = dict(zip(SUMS, columns, strict=True))
    return msgspec.convert({"name": name, **values}, Sum)
