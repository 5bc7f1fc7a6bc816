"""The ledger's table: rows in and sums out."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from proxy.ops.booking import build_entry as build_row
from proxy.relay.outcome import EndReason, Record
from proxy.store.database import MIGRATIONS, open_database
from proxy.store.entries import (
    KEYS,
    SUMS,
    TOGETHER,
    VERSION,
    Entry,
    Spent,
    forget_entries,
    read_spent,
    read_sums,
    write_entries,
)
from proxy.types import ProviderName, RequestId
from tests.helpers.entries import NOON, build_entry

DAY = 86400.0


@pytest.fixture
def file(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_database(tmp_path / "penstock.db")) as connection:
        yield connection


def test_the_table_has_the_columns_of_an_entry_from_its_version_on(file: sqlite3.Connection) -> None:
    columns = file.execute("PRAGMA table_info(requests)").fetchall()
    assert [column[1] for column in columns] == list(Entry.__struct_fields__)
    assert any("TABLE requests" in statement for statement in MIGRATIONS[:VERSION])
    optional = {name for name, kind in Entry.__annotations__.items() if "None" in str(kind)}
    assert {column[1] for column in columns if not column[3]} == optional


def test_what_is_written_is_there_once(file: sqlite3.Connection) -> None:
    write_entries(file, [build_entry(1, status=200), build_entry(2)])
    write_entries(file, [build_entry(1, status=500), build_entry(3)])
    assert file.execute("SELECT id, status FROM requests ORDER BY id").fetchall() == [
        ("req_1", 200), ("req_2", 0), ("req_3", 0),
    ]  # fmt: skip


def test_all_are_written_or_none(file: sqlite3.Connection) -> None:
    with pytest.raises(OverflowError):
        write_entries(file, [build_entry(1), build_entry(2, input=10**30)])
    assert file.execute("SELECT count(*) FROM requests").fetchone() == (0,)
    assert not file.in_transaction


def test_the_oldest_are_forgotten_first_and_not_too_many_at_once(file: sqlite3.Connection) -> None:
    write_entries(file, [build_entry(at, started=float(at)) for at in (5, 3, 1, 2, 4)])
    assert forget_entries(file, 4.0, 2) == 2
    assert file.execute("SELECT started FROM requests ORDER BY started").fetchall() == [(3.0,), (4.0,), (5.0,)]
    assert forget_entries(file, 4.0, 2) == 1
    assert forget_entries(file, 4.0, 2) == 0


def test_what_clients_have_spent_since_a_moment(file: sqlite3.Connection) -> None:
    write_entries(file, [
        build_entry(1, client="a", input=10, cache_read=9, output=5, reasoning=4, cost=0.25),
        build_entry(2, client="a", input=1, cost=0.5),
        build_entry(3, client="b", output=7),
        build_entry(4, client="c"),
        build_entry(5, client="a", started=NOON - 1, input=100, cost=9.0),
        build_entry(6, input=100),
    ])  # fmt: skip
    assert read_spent(file, NOON) == {"a": Spent(16, 0.75), "b": Spent(7, 0.0), "c": Spent(0, 0.0)}


ROWS = [
    build_entry(1, client="a", model="m", provider="up", account="x", input=10, cache_read=4, output=5, cost=0.25),
    build_entry(2, client="a", model="m", provider="up", account="x", input=1, output=2, reasoning=1, cost=0.5,
                source="partial", end_reason="client_gone"),
    build_entry(3, client="a", model="n", provider="up", account="y", source="estimated", end_reason="late_cut"),
    build_entry(4, client="b", model_asked="m", provider="down", started=NOON + DAY, end_reason="connect"),
    build_entry(5, started=NOON - DAY, end_reason="refused"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("by", "groups"),
    [
        (["client"], [(None, 1), ("a", 3), ("b", 1)]),
        (["model"], [(None, 1), ("m", 3), ("n", 1)]),
        (["provider"], [(None, 1), ("down", 1), ("up", 3)]),
        (["account"], [(None, 2), ("up/x", 2), ("up/y", 1)]),
        (["day"], [("2026-11-20", 1), ("2026-11-21", 3), ("2026-11-22", 1)]),
        (["client", "day"],
         [(None, "2026-11-20", 1), ("a", "2026-11-21", 3), ("b", "2026-11-22", 1)]),
        ([], [(5,)]),
    ],
)  # fmt: skip
def test_sums_are_told_apart_by_what_is_wanted(
    file: sqlite3.Connection, by: list[str], groups: list[tuple[object, ...]]
) -> None:
    write_entries(file, ROWS)
    assert [row[: len(by) + 1] for row in read_sums(file, by, 0.0)] == groups
    assert set(by) <= set(KEYS)


def test_every_sum(file: sqlite3.Connection) -> None:
    write_entries(file, ROWS)
    found = {str(row[0]): dict(zip(SUMS, row[1:], strict=True)) for row in read_sums(file, ["client"], NOON)}
    assert found == {
        "a": {"requests": 3, "failed": 0, "input": 11, "cached": 4, "output": 7, "reasoning": 1, "not_reported": 2,
              "cost": 0.75},
        "b": {"requests": 1, "failed": 1, "input": 0, "cached": 0, "output": 0, "reasoning": 0, "not_reported": 0,
              "cost": None},
    }  # fmt: skip
    assert all(isinstance(value, int) for name, value in found["a"].items() if name != "cost")


def test_sums_of_nothing(file: sqlite3.Connection) -> None:
    assert read_sums(file, ["client"], 0.0) == []
    assert read_sums(file, (), 0.0) == [(0, 0, 0, 0, 0, 0, 0, None)]


@pytest.mark.parametrize("end", EndReason)
@pytest.mark.parametrize("asked", [False, True])
@pytest.mark.parametrize("status", [200, 404, 500])
def test_the_file_calls_failed_what_a_record_does(
    file: sqlite3.Connection, end: EndReason, asked: bool, status: int
) -> None:
    record = Record(RequestId("req_1"), 0.0, NOON, end=end, status=status)
    if asked:
        record.begin(ProviderName("up"), None, 0.5)
    write_entries(file, [build_row(record)])
    (row,) = read_sums(file, (), 0.0)
    assert row[SUMS.index("failed")] == record.failed


@pytest.mark.parametrize("count", [0, 1, TOGETHER - 1, TOGETHER, TOGETHER + 1, 3 * TOGETHER + 5])
def test_any_number_is_written_in_order_and_once(file: sqlite3.Connection, count: int) -> None:
    entries = [build_entry(number, output=number) for number in range(count)]
    for _ in range(2):
        write_entries(file, entries)
    rows = file.execute("SELECT id, output FROM requests ORDER BY rowid").fetchall()
    assert rows == [(f"req_{number}", number) for number in range(count)]
