"""Limits shared through a file: what one says the other hears, what is written, and what a bad file costs."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from proxy.accounts.sharing import Holder, Pool, Taken, Word
from proxy.store import database, shares
from proxy.store.database import open_database
from proxy.store.shares import Report, Shares
from tests.helpers.spoiled import SPOILED, make_folder

ANN, BOB = Holder("", "ann"), Holder("", "bob")
NOW = time.time()
DAY = int(NOW // 86400)


def use(tokens: float) -> Word:
    """So many tokens of a day."""
    return Word(NOW, day=DAY, day_tokens=tokens)


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Shares]:
    made = Shares(path)
    try:
        yield made
    finally:
        await made.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shares that try again at once."""
    monkeypatch.setattr(shares, "RETRY", 0.01)
    monkeypatch.setattr(database, "BUSY", 0.02)


async def talk(made: Shares, words: Mapping[Holder, Word] | None = None, **flights: int) -> Report | None:
    async with asyncio.timeout(10):
        return await made.exchange(words or {}, {Holder("", name): count for name, count in flights.items()})


async def hear(made: Shares) -> Report:
    report = await talk(made)
    assert report is not None
    return report


async def retry(made: Shares, words: Mapping[Holder, Word]) -> Report:
    """Say it until it is heard."""
    while (report := await talk(made, words)) is None:
        await asyncio.sleep(0.005)  # a thread's doing has no event here
    return report


def list_tokens(report: Report) -> dict[str, float]:
    return {holder.name: pool.day_tokens for holder, pool in report.pools.items()}


async def test_what_one_says_both_hear_and_once(path: Path) -> None:
    async with opened(path) as ours, opened(path) as theirs:
        assert ours.read() == theirs.read() == Report()
        assert list_tokens(await talk(ours, {ANN: use(5)}) or Report()) == {"ann": 5}
        assert list_tokens(await talk(theirs, {ANN: use(7), BOB: use(1)}) or Report()) == {"ann": 12, "bob": 1}
        assert list_tokens(await hear(ours)) == {"ann": 12, "bob": 1}
        assert await hear(ours) == await hear(theirs) == Report()


async def test_one_that_starts_knows_what_was_said(path: Path) -> None:
    async with opened(path) as ours:
        ours.read()
        await talk(ours, {ANN: Word(NOW, Taken(60, 5, NOW))}, ann=3)
        async with opened(path) as theirs:
            assert theirs.read() == Report({ANN: Pool(5, NOW)}, {ANN: 3})
    async with opened(path) as later:
        assert later.read() == Report({ANN: Pool(5, NOW)})


async def test_what_is_in_flight_is_told_of_others_and_as_long_as_they_live(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(path) as ours, opened(path) as theirs:
        await talk(ours, ann=2, bob=1)
        assert (await hear(theirs)).elsewhere == {ANN: 2, BOB: 1}
        await talk(ours, ann=3)
        assert (await hear(theirs)).elsewhere == {ANN: 3}
        assert (await talk(ours, ann=3) or Report()).elsewhere == {}
        monkeypatch.setattr("proxy.store.pools.STALE", 0.0)
        assert (await hear(theirs)).elsewhere == {}
    async with opened(path) as ours, opened(path) as theirs:
        await talk(ours, ann=3)
        await ours.close()
        assert (await hear(theirs)).elsewhere == {}


def count_writes(path: Path, connection: sqlite3.Connection) -> int:
    """Moves with each commit of others."""
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


async def test_nothing_is_written_while_nothing_changes_but_that_what_flies_still_does(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(path) as ours, opened(path) as theirs:
        theirs.read()
        await talk(ours, {ANN: use(1)}, ann=1)
        with closing(open_database(path)) as reader:
            before = count_writes(path, reader)
            for _ in range(5):
                await talk(ours, ann=1)
                await talk(theirs)
            assert count_writes(path, reader) == before
            monkeypatch.setattr(shares, "BEAT", 0.0)
            await talk(ours, ann=1)
            await talk(theirs)
            assert count_writes(path, reader) == before + 1


@pytest.mark.parametrize(("spoil", "reason"), SPOILED)
async def test_a_file_that_cannot_be_used_costs_one_warning(
    path: Path, caplog: pytest.LogCaptureFixture, quick: None, spoil: Callable[[Path], None], reason: str
) -> None:
    spoil(path)
    async with opened(path) as made:
        assert made.read() == Report()
        for _ in range(3):
            assert await talk(made, {ANN: use(1)}) is None
    assert caplog.messages == [f"limits are counted by each process alone: {path}: {reason}"]


async def test_a_file_that_can_be_used_again_is(path: Path, caplog: pytest.LogCaptureFixture, quick: None) -> None:
    caplog.set_level(logging.INFO)
    make_folder(path)
    async with opened(path) as made:
        assert await talk(made, {ANN: use(1)}) is None
        path.rmdir()
        assert list_tokens(await retry(made, {ANN: use(3)})) == {"ann": 3}
    assert caplog.messages[-1] == f"limits are shared in {path} again"


async def test_a_lock_that_stays_keeps_nobody_waiting_and_loses_no_word(
    path: Path, caplog: pytest.LogCaptureFixture, quick: None
) -> None:
    async with opened(path) as made, opened(path) as theirs:
        made.read()
        theirs.read()
        with closing(open_database(path)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert await talk(made, {ANN: use(1)}, ann=1) is None
            other.execute("COMMIT")
        await retry(made, {ANN: use(3)})
        await talk(made, ann=1)
        report = await hear(theirs)
    assert (list_tokens(report), report.elsewhere) == ({"ann": 3}, {ANN: 1})
    assert len(caplog.records) == 1


async def test_a_full_disk_is_a_warning_and_no_more(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, quick: None
) -> None:
    pages = 8

    def open_small(path: Path) -> sqlite3.Connection:
        connection = open_database(path)
        connection.execute(f"PRAGMA max_page_count = {pages}")
        return connection

    monkeypatch.setattr(shares, "open_database", open_small)
    words = {Holder("", str(number) * 500): use(1) for number in range(50)}
    async with opened(path) as made:
        made.read()
        assert await talk(made, words) is None
        pages = 1000
        assert set(list_tokens(await retry(made, words)).values()) == {1}
    assert "database or disk is full" in caplog.messages[0]


async def test_closing_what_cannot_be_written_is_quick(path: Path) -> None:
    make_folder(path)
    made = Shares(path)
    async with asyncio.timeout(2):
        await made.close()
        assert await talk(made) is None
