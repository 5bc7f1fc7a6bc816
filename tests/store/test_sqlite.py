"""The store in a file: what outlives a process, what another process is told, and what a bad file costs."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from proxy.accounts.cooldown import Cooldown, Spot
from proxy.store import database, sqlite
from proxy.store.database import open_database
from proxy.store.sqlite import SqliteStore
from tests.helpers.bare import settle
from tests.helpers.cooldowns import build_cooldown, build_spot
from tests.helpers.spoiled import SPOILED, make_folder

Change = tuple[Spot, Cooldown | None]


class Board:
    """Whoever is told of changes, and can wait for one."""

    def __init__(self, store: SqliteStore) -> None:
        self.changes: list[Change] = []
        self._news = asyncio.Event()
        store.watch(self._note)

    def _note(self, spot: Spot, cooldown: Cooldown | None) -> None:
        self.changes.append((spot, cooldown))
        self._news.set()

    async def wait(self, count: int) -> list[Change]:
        async with asyncio.timeout(10):
            while len(self.changes) < count:
                self._news.clear()
                await self._news.wait()
        return self.changes


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(path)
    try:
        yield store
    finally:
        await store.close()


def read_file(path: Path) -> list[tuple[str, int]]:
    """What it holds; nothing while it is not there, or not made up yet."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT name, strikes FROM cooldowns ORDER BY name").fetchall()
    except sqlite3.OperationalError:
        return []


async def test_what_was_put_is_read_by_the_next_process(path: Path) -> None:
    async with opened(path) as store:
        assert store.read() == []
        for strikes in range(100):
            store.put(build_cooldown(strikes=strikes))
        store.put(build_cooldown(build_spot("b")))
        store.remove(build_spot("b"))
    async with opened(path) as store:
        assert store.read() == [build_cooldown(strikes=99)]


async def test_what_was_over_for_a_week_is_not_read(path: Path) -> None:
    async with opened(path) as store:
        store.put(build_cooldown(until=1e9))
    async with opened(path) as store:
        assert store.read() == []


async def test_another_process_is_told_soon(path: Path) -> None:
    async with opened(path) as ours, opened(path) as theirs:
        assert ours.read() == theirs.read() == []
        board = Board(ours)
        started = asyncio.get_running_loop().time()
        theirs.put(build_cooldown())
        await board.wait(1)
        assert asyncio.get_running_loop().time() - started < 3.0  # a second, and a busy machine
        theirs.remove(build_spot())
        await board.wait(2)
    assert board.changes == [(build_spot(), build_cooldown()), (build_spot(), None)]


async def test_nobody_is_told_what_it_said_itself(path: Path) -> None:
    async with opened(path) as ours, opened(path) as theirs:
        ours.read()
        board, other = Board(ours), Board(theirs)
        ours.put(build_cooldown())
        ours.remove(build_spot())
        ours.put(build_cooldown(build_spot("b")))
        await other.wait(1)
        theirs.put(build_cooldown(build_spot("c")))
        assert await board.wait(1) == [(build_spot("c"), build_cooldown(build_spot("c")))]


async def test_an_own_word_that_is_not_written_yet_is_later_than_what_the_file_holds(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(path) as store:
        store.read()
        board = Board(store)
        with closing(open_database(path)) as other:
            other.execute("BEGIN IMMEDIATE")  # holds the thread back
            other.execute("INSERT INTO cooldowns VALUES ('account', 'up', 'a', '', '', '', 1, 9e9, 7, 0, '')")
            other.execute("INSERT INTO cooldowns VALUES ('account', 'up', 'b', '', '', '', 1, 9e9, 7, 0, '')")
            store.put(build_cooldown(strikes=2))
            other.execute("COMMIT")
        changes = await board.wait(1)
    assert [spot.name for spot, _ in changes] == ["b"]
    assert read_file(path) == [("a", 2), ("b", 7)]


async def test_what_is_read_late_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(path) as store:
        store.put(build_cooldown())
    monkeypatch.setattr(sqlite, "READ_WAIT", 0.01)
    with closing(open_database(path)) as other:
        other.execute("BEGIN IMMEDIATE")  # the thread's first act is a write
        async with opened(path) as store:
            assert store.read() == []
            board = Board(store)
            other.execute("COMMIT")
            assert await board.wait(1) == [(build_spot(), build_cooldown())]


async def test_a_text_that_no_file_can_hold_harms_nothing(path: Path) -> None:
    async with opened(path) as store:
        store.put(build_cooldown(build_spot(model="\ud800")))
        store.remove(build_spot(model="\ud800"))
        store.put(build_cooldown(detail="half \ud800 a character"))
        store.put(build_cooldown(build_spot("b")))
    async with opened(path) as store:
        assert [row.detail for row in store.read()] == ["half ? a character", "429 slow down"]


@pytest.mark.parametrize(("spoil", "reason"), SPOILED)
async def test_a_file_that_cannot_be_used_costs_one_warning(
    path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[Path], None],
    reason: str,
) -> None:
    monkeypatch.setattr(sqlite, "RETRY", 0.01)
    spoil(path)
    tries = 0

    def count(path: Path) -> sqlite3.Connection:
        nonlocal tries
        tries += 1
        return open_database(path)

    monkeypatch.setattr(sqlite, "open_database", count)
    async with opened(path) as store:
        assert store.read() == []
        store.put(build_cooldown())
        await settle(lambda: tries > 3)
    assert [record.getMessage() for record in caplog.records] == [f"state is kept in memory only: {path}: {reason}"]


async def test_a_file_that_can_be_used_again_gets_what_has_waited(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "RETRY", 0.01)
    caplog.set_level(logging.INFO)
    make_folder(path)
    async with opened(path) as store:
        store.read()
        store.put(build_cooldown(strikes=1))
        store.put(build_cooldown(strikes=2))
        path.rmdir()
        await settle(lambda: "again" in caplog.text)
        assert read_file(path) == [("a", 2)]
    assert caplog.messages[-1] == f"state is kept in {path} again"


async def test_a_lock_that_stays_keeps_nobody_waiting(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "RETRY", 0.01)
    monkeypatch.setattr(database, "BUSY", 0.02)
    async with opened(path) as store:
        store.read()
        with closing(open_database(path)) as other:
            other.execute("BEGIN IMMEDIATE")
            store.put(build_cooldown(strikes=1))
            await settle(lambda: "database is locked" in caplog.text)
            store.put(build_cooldown(strikes=2))
            other.execute("COMMIT")
        await settle(lambda: read_file(path) == [("a", 2)])
    assert len(caplog.records) == 1


async def test_a_full_disk_costs_a_warning_and_no_word(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "RETRY", 0.01)
    pages = 4

    def open_small(path: Path) -> sqlite3.Connection:
        connection = open_database(path)
        connection.execute(f"PRAGMA max_page_count = {pages}")
        return connection

    monkeypatch.setattr(sqlite, "open_database", open_small)
    async with opened(path) as store:
        store.read()
        for name in "abcdefgh":
            store.put(build_cooldown(build_spot(name), detail="x" * 4000))
        await settle(lambda: "database or disk is full" in caplog.text)
        pages = 1000
        await settle(lambda: len(read_file(path)) == 8)
    assert len(caplog.records) == 1


async def test_what_waits_for_a_file_is_bounded(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "MOST_WAITING", 2)
    monkeypatch.setattr(sqlite, "RETRY", 0.01)
    make_folder(path)
    async with opened(path) as store:
        store.read()
        for name in "abcd":
            store.put(build_cooldown(build_spot(name)))
        store.put(build_cooldown(build_spot("b"), strikes=5))
        path.rmdir()
        await settle(lambda: len(read_file(path)) == 2)
    assert sum("too much state waits" in message for message in caplog.messages) == 1
    assert read_file(path) == [("a", 1), ("b", 5)]


async def test_closing_a_store_whose_file_fails_is_quick(path: Path) -> None:
    make_folder(path)
    store = SqliteStore(path)
    store.put(build_cooldown())
    async with asyncio.timeout(2):
        await store.close()
