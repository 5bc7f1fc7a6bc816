"""The file: its mode, its tables through every version, and what is no such file."""

import multiprocessing
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from proxy.store import database
from proxy.store.database import ADDITIONS, MIGRATIONS, NewerSchema, open_database, read_number


def test_a_new_file_is_ours_alone_and_has_every_table(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "down" / "penstock.db"
    with closing(open_database(path)) as connection:
        assert read_number(connection, "user_version") == len(MIGRATIONS)
        assert connection.execute("SELECT count(*) FROM cooldowns").fetchone() == (0,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("PRAGMA user_version = 1")
        connection.execute("COMMIT")
        modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert modes == {"penstock.db": 0o600, "penstock.db-wal": 0o600, "penstock.db-shm": 0o600}
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "penstock.db"
    path.touch(0o644)
    path.chmod(0o644)
    open_database(path).close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_of_an_earlier_version_keeps_its_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "penstock.db"
    with closing(open_database(path)) as connection:
        connection.execute("INSERT INTO cooldowns VALUES ('account', 'up', 'a', '', '', '', 1, 2, 3, 0, '')")
    later = (*MIGRATIONS, "CREATE TABLE other (id INTEGER)", "ALTER TABLE other ADD COLUMN x TEXT")
    monkeypatch.setattr(database, "MIGRATIONS", later)
    with closing(open_database(path)) as connection:
        assert read_number(connection, "user_version") == len(later)
        assert connection.execute("SELECT name, strikes FROM cooldowns").fetchall() == [("a", 3)]
        assert connection.execute("SELECT x FROM other").fetchall() == []


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "penstock.db"
    open_database(path).close()
    with monkeypatch.context() as patch:
        patch.setattr(database, "MIGRATIONS", (*MIGRATIONS, "CREATE TABLE other (id INTEGER)", "CREATE NONSENSE"))
        with pytest.raises(sqlite3.OperationalError):
            open_database(path)
    with closing(open_database(path)) as connection:
        assert read_number(connection, "user_version") == len(MIGRATIONS)
        assert connection.execute("SELECT name FROM sqlite_master WHERE name = 'other'").fetchall() == []


def test_a_file_of_a_later_version_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "penstock.db"
    with monkeypatch.context() as patch:
        patch.setattr(database, "MIGRATIONS", (*MIGRATIONS, "CREATE TABLE other (id INTEGER)"))
        open_database(path).close()
    with pytest.raises(NewerSchema, match="later version"):
        open_database(path)


def test_an_earlier_version_goes_on_with_what_a_later_one_has_added_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside it, and when it is started again."""
    path = tmp_path / "penstock.db"
    with monkeypatch.context() as patch:
        patch.setattr(database, "ADDITIONS", {})
        older = open_database(path)
    with closing(older), closing(open_database(path)) as later:
        later.execute("INSERT INTO pools VALUES ('', 'ann', 1, 2, 3, 4, 5, 6, 7)")
        older.execute("INSERT INTO cooldowns VALUES ('account', 'up', 'a', '', '', '', 1, 2, 3, 0, '')")
        monkeypatch.setattr(database, "ADDITIONS", {})
        with closing(open_database(path)) as again:
            assert again.execute("SELECT name FROM cooldowns").fetchall() == [("a",)]
        assert later.execute("SELECT name FROM pools").fetchall() == [("ann",)]


def test_every_addition_is_made_once_and_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "penstock.db"
    with closing(open_database(path)) as first, closing(open_database(path)) as second:
        made = {name for (name,) in second.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert ADDITIONS.keys() <= made
        first.execute("BEGIN IMMEDIATE")  # an open that has nothing to make asks for no lock
        open_database(path).close()


@pytest.mark.parametrize("what", ["a folder", "below a file", "another kind of file"])
def test_what_is_no_database_is_refused(what: str, tmp_path: Path) -> None:
    path = tmp_path / "penstock.db"
    if what == "a folder":
        path.mkdir()
    elif what == "below a file":
        path.touch()
        path = path / "penstock.db"
    else:
        path.write_bytes(b"[server]\nlisten = []\n" * 100)
    with pytest.raises((OSError, sqlite3.DatabaseError)):
        open_database(path)


def open_and_say(path: Path) -> int:
    with closing(open_database(path)) as connection:
        return read_number(connection, "user_version")


def test_processes_that_start_together_make_one_file(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert pool.map(open_and_say, [tmp_path / "penstock.db"] * 12, 1) == [len(MIGRATIONS)] * 12


def test_a_lock_that_stays_is_not_waited_for_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY", 0.01)
    monkeypatch.setattr(database, "_WAL_TRIES", 3)
    monkeypatch.setattr(database, "_WAL_PAUSE", 0.001)
    path = tmp_path / "penstock.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            open_database(path)
