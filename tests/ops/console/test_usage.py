"""What was used today, from a real file of the ledger."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from proxy.ops.console.usage import DAY, MOST, Sum, Today, build_reader, read_today
from proxy.store.database import open_database
from proxy.store.entries import Entry, write_entries

NOON = 20_000 * DAY + DAY // 2


def write(path: Path, *entries: Entry) -> None:
    with closing(open_database(path)) as connection:
        write_entries(connection, entries)


def build(name: str, **fields: Any) -> Entry:
    base = {"provider": "up", "model": "m", "client": "alice", "end_reason": "done", "started": float(NOON)}
    return Entry(id=name, **{**base, **fields})


def test_the_days_sums_are_told_by_model_and_by_client(tmp_path: Path) -> None:
    path = tmp_path / "penstock.db"
    write(
        path,
        build("a", input=10, cache_read=4, output=5, reasoning=2, cost=0.5),
        build("b", input=1, output=1, cost=0.25, client="bob", end_reason="upstream_cut"),
        build("c", model="n", output=100, client=None),
        build("d", started=float(NOON - DAY), output=1000),
    )
    told = read_today(path, NOON + 60)
    assert told == Today(
        "2024-10-04",
        Sum("", 3, 1, 11, 4, 106, 2, 0.75),
        [Sum("up/m", 2, 1, 11, 4, 6, 2, 0.75), Sum("up/n", 1, 0, 0, 0, 100, 0, None)],
        [Sum("alice", 1, 0, 10, 4, 5, 2, 0.5), Sum("bob", 1, 1, 1, 0, 1, 0, 0.25), Sum("", 1, 0, 0, 0, 100, 0, None)],
    )


def test_a_day_without_requests_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "penstock.db"
    write(path)
    assert read_today(path, NOON) == Today("2024-10-04", Sum("", 0, 0, 0, 0, 0, 0, None), [], [])


def test_only_the_dearest_are_told(tmp_path: Path) -> None:
    path = tmp_path / "penstock.db"
    write(path, *(build(str(n), model=f"m{n}", cost=float(n)) for n in range(MOST + 5)))
    told = read_today(path, NOON)
    assert told is not None
    assert [one.cost for one in told.by_model] == [float(n) for n in range(MOST + 4, 4, -1)]


def test_a_file_that_cannot_be_read_says_nothing(tmp_path: Path) -> None:
    broken, empty = tmp_path / "broken.db", tmp_path / "empty.db"
    broken.write_bytes(b"no database" * 500)
    with closing(sqlite3.connect(empty)) as connection:
        connection.execute("CREATE TABLE x (y)")
    for path in (tmp_path / "gone.db", broken, empty, tmp_path):
        assert read_today(path, NOON) is None


async def test_a_reader_reads_the_file_of_its_configuration(tmp_path: Path) -> None:
    path = tmp_path / "penstock.db"
    write(path)
    told = await build_reader(path)()
    assert isinstance(told, Today)
    assert await build_reader(None)() is None
