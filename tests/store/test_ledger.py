"""The ledger: what is put down is there soon, and what a bad file costs. Killed processes: test_ledger_killed.py."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from proxy.store import database, ledger
from proxy.store.database import open_database
from proxy.store.entries import Entry, Spent, write_entries
from proxy.store.ledger import Ledger
from tests.helpers.bare import settle
from tests.helpers.entries import build_entry, read_ids
from tests.helpers.spoiled import SPOILED, make_folder


@asynccontextmanager
async def opened(path: Path, retain: float = 0.0) -> AsyncIterator[Ledger]:
    made = Ledger(path, retain)
    try:
        yield made
    finally:
        await made.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger that tries again at once."""
    monkeypatch.setattr(ledger, "RETRY", 0.01)
    monkeypatch.setattr(ledger, "GATHER", 0.01)
    monkeypatch.setattr(database, "BUSY", 0.02)


async def test_what_was_put_is_there_after_the_end(path: Path) -> None:
    async with opened(path) as made:
        for number in range(1234):
            made.put(build_entry(number))
    assert read_ids(path) == [f"req_{number}" for number in range(1234)]
    assert made.lost == 0


async def test_what_was_put_is_there_within_a_second(path: Path) -> None:
    async with opened(path) as made:
        made.read_today()
        began = time.monotonic()
        made.put(build_entry())
        await settle(lambda: read_ids(path) == ["req_1"])
        assert time.monotonic() - began < 2.0  # a second, and a busy machine


async def test_a_full_batch_does_not_wait_for_more(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "GATHER", 600.0)
    async with opened(path) as made:
        made.read_today()
        for number in range(ledger.BATCH):
            made.put(build_entry(number))
        await settle(lambda: len(read_ids(path)) == ledger.BATCH)


async def test_few_transactions_serve_many_entries(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batches: list[int] = []

    def count(connection: sqlite3.Connection, entries: list[Entry]) -> None:
        batches.append(len(entries))
        write_entries(connection, entries)

    monkeypatch.setattr(ledger, "write_entries", count)
    async with opened(path) as made:
        made.read_today()
        for number in range(400):
            made.put(build_entry(number))
    assert batches == [400]


async def test_a_start_learns_what_was_spent_today(path: Path) -> None:
    now = time.time()
    async with opened(path) as made:
        assert made.read_today() == {}
        made.put(build_entry(1, started=now, client="a", input=3, output=4, cost=0.5))
        made.put(build_entry(2, started=now - 2 * 86400, client="a", input=3, output=4, cost=0.5))
    async with opened(path) as made:
        assert made.read_today() == {"a": Spent(7, 0.5)}


async def test_rows_are_kept_for_their_time(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "FORGET_MOST", 2)
    now = time.time()
    async with opened(path) as made:
        for number in range(5):
            made.put(build_entry(number, started=now - 100))
        made.put(build_entry("new", started=now))
    async with opened(path, retain=0.0):
        assert len(read_ids(path)) == 6
    async with opened(path, retain=50.0):
        await settle(lambda: read_ids(path) == ["req_new"])


async def test_what_is_kept_is_looked_through_again_in_time(
    path: Path, monkeypatch: pytest.MonkeyPatch, quick: None
) -> None:
    monkeypatch.setattr(ledger, "FORGET_EVERY", 0.02)
    async with opened(path) as made:
        made.put(build_entry(1, started=time.time() - 100))
        await settle(lambda: read_ids(path) == ["req_1"])
        made.retain = 50.0
        await settle(lambda: read_ids(path) == [])


@pytest.mark.parametrize(("spoil", "reason"), SPOILED)
async def test_a_file_that_cannot_be_used_costs_a_warning_and_the_count(
    path: Path, caplog: pytest.LogCaptureFixture, quick: None, spoil: Callable[[Path], None], reason: str
) -> None:
    spoil(path)
    made = Ledger(path)
    assert made.read_today() == {}
    made.put(build_entry(1))
    made.put(build_entry(2))
    await settle(lambda: bool(caplog.records))
    await made.close()
    assert caplog.messages == [
        f"the ledger is not written: {path}: {reason}", f"2 requests are missing in the ledger {path}",
    ]  # fmt: skip
    assert made.lost == 2


async def test_a_file_that_can_be_used_again_gets_what_has_waited(
    path: Path, caplog: pytest.LogCaptureFixture, quick: None
) -> None:
    caplog.set_level(logging.INFO)
    make_folder(path)
    async with opened(path) as made:
        made.read_today()
        made.put(build_entry(1))
        path.rmdir()
        await settle(lambda: "again" in caplog.text)
        made.put(build_entry(2))
    assert caplog.messages[-1] == f"the ledger {path} is written again; 0 requests are missing"
    assert read_ids(path) == ["req_1", "req_2"]


async def test_a_lock_that_stays_keeps_nobody_waiting(
    path: Path, caplog: pytest.LogCaptureFixture, quick: None
) -> None:
    async with opened(path) as made:
        made.read_today()
        with closing(open_database(path)) as other:
            other.execute("BEGIN IMMEDIATE")
            made.put(build_entry(1))
            await settle(lambda: "database is locked" in caplog.text)
            made.put(build_entry(2))
            other.execute("COMMIT")
        await settle(lambda: read_ids(path) == ["req_1", "req_2"])
    assert len(caplog.records) == 1


async def test_a_full_disk_costs_what_there_is_no_room_for(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, quick: None
) -> None:
    monkeypatch.setattr(ledger, "MOST_WAITING", 3)
    caplog.set_level(logging.INFO)
    pages = 12

    def open_small(path: Path) -> sqlite3.Connection:
        connection = open_database(path)
        connection.execute(f"PRAGMA max_page_count = {pages}")
        return connection

    monkeypatch.setattr(ledger, "open_database", open_small)
    async with opened(path) as made:
        made.read_today()
        made.put(build_entry("fits"))
        await settle(lambda: read_ids(path) == ["req_fits"])
        made.put(build_entry(1, detail="x" * 100_000))
        await settle(lambda: "database or disk is full" in caplog.text)
        for number in range(2, 7):
            made.put(build_entry(number))
        assert made.lost == 3
        pages = 1000
        await settle(lambda: len(read_ids(path)) == 4)
        await settle(lambda: "again" in caplog.text)
    assert read_ids(path) == ["req_fits", "req_1", "req_2", "req_3"]
    assert caplog.messages[1:] == [
        f"too much waits for the ledger {path}: requests are missing from now on",
        f"the ledger {path} is written again; 3 requests are missing",
    ]  # fmt: skip


async def test_an_entry_that_no_file_takes_is_lost_with_its_batch_and_nothing_more(
    path: Path, caplog: pytest.LogCaptureFixture, quick: None
) -> None:
    async with opened(path) as made:
        made.read_today()
        made.put(build_entry(1, input=10**30))
        await settle(lambda: made.lost == 1)
        made.put(build_entry(2))
        await settle(lambda: read_ids(path) == ["req_2"])
    assert caplog.messages[0] == f"the ledger is not written: {path}: OverflowError"


async def test_a_start_does_not_wait_long_for_a_file(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_database(path).close()
    monkeypatch.setattr(ledger, "READ_WAIT", 0.01)
    held = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hold(path: Path) -> sqlite3.Connection:
        asyncio.run_coroutine_threadsafe(held.wait(), loop).result(10)
        return open_database(path)

    monkeypatch.setattr(ledger, "open_database", hold)
    async with opened(path) as made:
        assert made.read_today() == {}
        assert caplog.messages == [f"the ledger {path} is slow: what was spent today is not known"]
        made.put(build_entry(1))
        held.set()
    assert read_ids(path) == ["req_1"]


async def test_two_processes_share_a_file(path: Path) -> None:
    async with opened(path) as ours, opened(path) as theirs:
        for number in range(1000):
            (ours, theirs)[number % 2].put(build_entry(number))
    assert len(read_ids(path)) == 1000
    assert (ours.lost, theirs.lost) == (0, 0)


async def test_closing_a_ledger_whose_file_fails_is_quick(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    make_folder(path)
    made = Ledger(path)
    made.put(build_entry())
    async with asyncio.timeout(2):
        await made.close()
    assert made.lost == 1
