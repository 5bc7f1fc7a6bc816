"""What may stand where a file of the store's should be, and what SQLite says of it."""

from contextlib import closing
from pathlib import Path

from proxy.store.database import open_database


def make_folder(path: Path) -> None:
    path.mkdir(parents=True)


def make_parent_a_file(path: Path) -> None:
    path.parent.touch()


def make_other_file(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database" * 1000)


def make_later_version(path: Path) -> None:
    with closing(open_database(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


SPOILED = [
    (make_folder, "unable to open database file"),
    (make_parent_a_file, "File exists"),
    (make_other_file, "file is not a database"),
    (make_later_version, "the file was written by a later version"),
]
