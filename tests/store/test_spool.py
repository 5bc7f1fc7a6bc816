"""A folder of files that grow, and the list of those that are done."""

import fcntl
import os
from pathlib import Path

import pytest

from proxy.store.spool import Listing, Spool
from proxy.wire.cassette import MAGIC


def test_a_file_grows_in_hiding_and_is_moved_out_whole(tmp_path: Path) -> None:
    directory = tmp_path / "a" / "b"
    spool = Spool(directory)
    spool.append("one", b"1")
    spool.append("one", b"2")
    assert [path.name[0] for path in directory.iterdir()] == ["."]
    assert spool.total == len(MAGIC) + 2
    assert spool.move("one", directory / "one.cassette") == len(MAGIC) + 2
    assert (directory / "one.cassette").read_bytes() == MAGIC + b"12"
    assert (spool.total, spool.sizes) == (0, {})
    spool.close()
    assert [path.name for path in directory.iterdir()] == ["one.cassette"]


def test_nobody_else_may_read(tmp_path: Path) -> None:
    directory = tmp_path / "new"
    spool = Spool(directory)
    spool.append("one", b"1")
    assert {path.stat().st_mode & 0o077 for path in (directory, spool.path, spool.path / "one")} == {0}
    spool.close()


def test_no_link_leads_out_of_it(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"of somebody else")
    spool = Spool(tmp_path / "new")
    (spool.path / "one").symlink_to(other)
    with pytest.raises(OSError, match="symbolic"):
        spool.append("one", b"1")
    assert other.read_bytes() == b"of somebody else"
    spool.close()


def test_what_is_dropped_leaves_nothing(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append("one", b"1")
    spool.append("two", b"22")
    spool.drop("one")
    spool.drop("never")
    assert spool.sizes == {"two": len(MAGIC) + 2}
    assert spool.total == len(MAGIC) + 2
    assert [path.name for path in spool.path.iterdir()] == ["two"]
    spool.close()


def test_a_folder_that_was_left_goes_and_one_in_use_stays(tmp_path: Path) -> None:
    living = Spool(tmp_path)
    living.append("one", b"1")
    left = tmp_path / ".spool-1-dead"
    left.mkdir()
    (left / "half").write_bytes(MAGIC)
    another = Spool(tmp_path)
    assert not left.exists()
    assert (living.path / "one").exists()
    living.close()
    another.close()


def test_a_folder_is_locked_while_it_serves(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    handle = os.open(spool.path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        refused = True
    else:
        refused = False
    os.close(handle)
    assert refused
    spool.close()


def fill(directory: Path, *names: str, size: int = 10) -> None:
    for name in names:
        (directory / name).write_bytes(bytes(size))


def test_the_oldest_go_until_bytes_and_number_fit(tmp_path: Path) -> None:
    fill(tmp_path, "3.x", "1.x", "2.x", "other")
    (tmp_path / "0.x").mkdir()
    listing = Listing(tmp_path, ".x")
    assert listing.trim(30, 3) == []
    assert listing.trim(20, 3) == [tmp_path / "1.x"]
    assert listing.trim(100, 1) == [tmp_path / "2.x"]
    assert (listing.sizes, listing.total) == ({"3.x": 10}, 10)


def test_the_directory_is_read_once_and_again_after_a_while(tmp_path: Path) -> None:
    fill(tmp_path, "1.x")
    now = 0.0
    listing = Listing(tmp_path, ".x", lambda: now)
    listing.trim(100, 9)
    fill(tmp_path, "0.x")
    listing.add("2.x", 5)
    listing.trim(100, 9)
    assert listing.total == 15
    now = 61.0
    listing.trim(100, 9)
    assert listing.sizes == {"0.x": 10, "1.x": 10}
