"""The shelf: what is kept, what goes to make room, and what is lost without anybody waiting."""

import asyncio
import logging
import shutil
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from proxy.store import cassettes
from proxy.store.cassettes import CassetteShelf
from proxy.store.spool import Spool
from proxy.wire.cassette import DATA, Piece, parse_pieces

PIECES = [Piece(1, 0.5, DATA, b"first"), Piece(1, 0.75, DATA, b"second")]
BIG = [Piece(1, 1.0, DATA, bytes(1000))]


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[CassetteShelf]:
    made = CassetteShelf(tmp_path / "tapes", 10_000)
    yield made
    await made.close()


def list_names(shelf: CassetteShelf) -> list[str]:
    return sorted(path.name for path in shelf.directory.glob("*"))


async def test_nothing_is_touched_before_something_is_recorded(shelf: CassetteShelf) -> None:
    threads = threading.active_count()
    assert shelf.read_state().files == 0
    await shelf.close()
    assert not shelf.directory.exists()
    assert threading.active_count() == threads


async def test_what_is_kept_is_whole(shelf: CassetteShelf) -> None:
    assert shelf.write("a", PIECES[:1], 10)
    assert shelf.keep("a", PIECES[1:], 10)
    await shelf.close()
    assert parse_pieces((shelf.directory / "a.cassette").read_bytes()) == PIECES
    assert list_names(shelf) == ["a.cassette"]
    state = shelf.read_state()
    assert (state.kept, state.lost, state.files) == (1, 0, 1)
    assert state.bytes == (shelf.directory / "a.cassette").stat().st_size


async def test_what_is_dropped_leaves_nothing(shelf: CassetteShelf) -> None:
    shelf.write("a", PIECES, 10)
    shelf.drop("a")
    shelf.drop("never")
    await shelf.close()
    assert list_names(shelf) == []
    assert shelf.read_state().lost == 0


async def test_the_oldest_goes_first(tmp_path: Path) -> None:
    shelf = CassetteShelf(tmp_path, 2500)
    for name in ("1", "2", "3"):
        shelf.keep(name, BIG, 1000)
    await shelf.close()
    assert list_names(shelf) == ["2.cassette", "3.cassette"]
    assert shelf.read_state().lost == 0


async def test_what_grows_takes_room_too(tmp_path: Path) -> None:
    shelf = CassetteShelf(tmp_path, 2500)
    shelf.keep("1", BIG, 1000)
    shelf.write("2", BIG, 1000)
    shelf.write("2", BIG, 1000)
    shelf.keep("2", [], 0)
    await shelf.close()
    assert list_names(shelf) == ["2.cassette"]


async def test_one_that_is_larger_than_everything_is_lost(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shelf = CassetteShelf(tmp_path, 1500)
    shelf.keep("1", BIG, 1000)
    shelf.write("2", BIG, 1000)
    shelf.write("2", BIG, 1000)
    shelf.keep("2", BIG, 1000)
    shelf.keep("3", BIG, 1000)
    await shelf.close()
    assert list_names(shelf) == ["3.cassette"]
    assert (shelf.read_state().kept, shelf.read_state().lost) == (2, 1)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


async def test_the_number_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cassettes, "MOST_FILES", 2)
    shelf = CassetteShelf(tmp_path, 10_000)
    for name in ("1", "2", "3"):
        shelf.keep(name, PIECES, 10)
    await shelf.close()
    assert list_names(shelf) == ["2.cassette", "3.cassette"]


async def test_a_directory_that_cannot_be_is_warned_of_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    (tmp_path / "file").write_text("")
    shelf = CassetteShelf(tmp_path / "file", 10_000)
    shelf.write("a", PIECES, 10)
    shelf.write("a", PIECES, 10)
    shelf.keep("a", PIECES, 10)
    shelf.keep("b", PIECES, 10)
    await shelf.close()
    assert (shelf.read_state().kept, shelf.read_state().lost) == (0, 2)
    assert [record.getMessage() for record in caplog.records] == [
        f"recordings are lost: {tmp_path / 'file'}: File exists"
    ]


class Hanging:
    """The disk, as long as it hangs: the thread's next append waits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self.goes_on = threading.Event(), threading.Event()
        real = Spool.append

        def append(spool: Spool, name: str, data: bytes) -> None:
            self.reached.set()
            assert self.goes_on.wait(10)
            real(spool, name, data)

        monkeypatch.setattr(Spool, "append", append)


async def test_a_disk_that_hangs_costs_recordings_and_nobody_waits(
    shelf: CassetteShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cassettes, "MOST_WAITING", 2000)
    disk = Hanging(monkeypatch)
    assert shelf.write("a", BIG, 1000)
    await asyncio.to_thread(disk.reached.wait, 10)
    assert shelf.write("b", BIG, 1000)
    assert shelf.write("c", BIG, 1000)
    assert not shelf.write("b", BIG, 1000)
    assert not shelf.write("d", BIG, 1000)
    disk.goes_on.set()
    assert shelf.keep("a", PIECES, 0)
    assert shelf.keep("c", PIECES, 0)
    await shelf.close()
    assert list_names(shelf) == ["a.cassette", "c.cassette"]
    assert shelf.read_state().lost == 2


async def test_a_directory_that_was_removed_loses_what_grew_in_it_and_goes_on(
    shelf: CassetteShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Hanging(monkeypatch)
    shelf.write("a", PIECES[:1], 10)
    await asyncio.to_thread(disk.reached.wait, 10)
    disk.reached.clear()
    shelf.write("b", PIECES[:1], 10)
    disk.goes_on.set()
    await asyncio.to_thread(disk.reached.wait, 10)
    while shelf.directory.exists():
        shutil.rmtree(shelf.directory, ignore_errors=True)
    shelf.keep("a", PIECES[1:], 10)
    shelf.keep("c", PIECES, 10)
    await shelf.close()
    assert list_names(shelf) == ["c.cassette"]
    assert shelf.read_state().lost == 2


async def test_a_retired_shelf_ends_with_what_grows_on_it(shelf: CassetteShelf) -> None:
    shelf.write("a", PIECES[:1], 10)
    shelf.retire()
    assert not shelf.is_over
    shelf.keep("a", PIECES[1:], 10)
    await asyncio.to_thread(wait_over, shelf)
    assert list_names(shelf) == ["a.cassette"]
    assert shelf.keep("late", PIECES, 10)  # of a request that had written nothing by then
    await asyncio.to_thread(wait_over, shelf)
    assert list_names(shelf) == ["a.cassette", "late.cassette"]


def wait_over(shelf: CassetteShelf) -> None:
    for thread in threading.enumerate():
        if thread.name == "penstock-cassettes":
            thread.join(10)
    assert shelf.is_over


async def test_what_still_grows_at_the_end_is_no_recording(shelf: CassetteShelf) -> None:
    shelf.write("a", PIECES, 10)
    await shelf.close()
    assert list_names(shelf) == []
