"""One SQLite file for everything that is kept: how it is opened, and how its tables came to be.

`open_database` returns a connection that belongs to the calling thread, with every table as this version wants it. It
raises sqlite3.Error, OSError, or NewerSchema for a file whose tables a later version has changed: they are not guessed
at. `PRAGMA user_version` counts the entries of `MIGRATIONS` that a file has been through.

During an upgrade two versions use one file, and after one that failed the older opens it again. So what an older one
need not know of, a table of its own, is no migration but an entry of `ADDITIONS`, made where it is missing. Another
entry of `MIGRATIONS` shuts older versions out: it is for a change that they would do harm to.

Write-ahead log: readers and the writer do not wait for each other, and a process that dies leaves a whole file behind.
`synchronous = NORMAL` syncs at checkpoints only; power that fails takes the last changes along and breaks nothing
(sqlite.org/pragma.html#pragma_synchronous). It needs shared memory between its users: no network file system.
"""

import os
import sqlite3
import stat
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from proxy.errors import PenstockError

BUSY: Final = 2.0
"""Seconds to wait for another process's lock: its writes take milliseconds, a backup of the file not much longer."""

MODE: Final = 0o600
"""The file tells which accounts there are; its -wal and -shm files take its mode over (sqlite3, os_unix.c)."""

_WAL_TRIES: Final = 40
_WAL_PAUSE: Final = 0.05
"""Seconds. Changing to the log asks for the whole file, and does not wait on its own where several ask at once."""

MIGRATIONS: Final[tuple[str, ...]] = (
    """
    CREATE TABLE cooldowns (
        level TEXT NOT NULL,
        provider TEXT NOT NULL,
        name TEXT NOT NULL,
        model TEXT NOT NULL,
        why TEXT NOT NULL,
        detail TEXT NOT NULL,
        since REAL NOT NULL,
        until REAL NOT NULL,
        strikes INTEGER NOT NULL,
        attention INTEGER NOT NULL,
        mark TEXT NOT NULL,
        PRIMARY KEY (level, provider, name, model)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE requests (
        id TEXT NOT NULL PRIMARY KEY,
        started REAL NOT NULL,
        door TEXT NOT NULL,
        remote TEXT NOT NULL,
        client TEXT,
        method TEXT NOT NULL,
        route TEXT NOT NULL,
        dialect TEXT NOT NULL,
        model TEXT NOT NULL,
        model_asked TEXT NOT NULL,
        provider TEXT,
        account TEXT,
        status INTEGER NOT NULL,
        end_reason TEXT NOT NULL,
        phase TEXT NOT NULL,
        error TEXT NOT NULL,
        detail TEXT NOT NULL,
        finish TEXT NOT NULL,
        ttfb_ms REAL,
        ttft_ms REAL,
        duration_ms REAL NOT NULL,
        bytes_up INTEGER NOT NULL,
        bytes_down INTEGER NOT NULL,
        events INTEGER NOT NULL,
        heartbeats INTEGER NOT NULL,
        tap_failed INTEGER NOT NULL,
        malformed INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        rescues INTEGER NOT NULL,
        hedges INTEGER NOT NULL,
        trail TEXT,
        input INTEGER,
        cache_read INTEGER,
        cache_write INTEGER,
        output INTEGER,
        reasoning INTEGER,
        source TEXT NOT NULL,
        cost REAL
    )
    """,
    "CREATE INDEX requests_by_start ON requests (started)",
)


ADDITIONS: Final[Mapping[str, str]] = {
    "pools": """
    CREATE TABLE IF NOT EXISTS pools (
        provider TEXT NOT NULL,
        name TEXT NOT NULL,
        requests REAL NOT NULL,
        requests_at REAL NOT NULL,
        tokens REAL NOT NULL,
        tokens_at REAL NOT NULL,
        day INTEGER NOT NULL,
        day_tokens REAL NOT NULL,
        day_cost REAL NOT NULL,
        PRIMARY KEY (provider, name)
    ) WITHOUT ROWID
    """,
    "flights": """
    CREATE TABLE IF NOT EXISTS flights (
        process TEXT NOT NULL,
        provider TEXT NOT NULL,
        name TEXT NOT NULL,
        streams INTEGER NOT NULL,
        seen REAL NOT NULL,
        PRIMARY KEY (process, provider, name)
    ) WITHOUT ROWID
    """,
}
"""By the name of the table."""


class NewerSchema(PenstockError):
    """The file was written by a later version."""

    def __str__(self) -> str:
        return "the file was written by a later version"


def open_database(path: Path) -> sqlite3.Connection:
    """Open, or make, the file and bring its tables up to date. May wait for some seconds."""
    _prepare_file(path)
    connection = sqlite3.connect(path, timeout=BUSY, isolation_level=None)
    try:
        _use_log(connection)
        connection.execute("PRAGMA synchronous = NORMAL")
        _migrate(connection)
        _add(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """The file as it is, to read from: nothing is made, migrated or written. Raises sqlite3.Error, OSError where there
    is none, and NewerSchema."""
    path.stat()
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", timeout=BUSY, uri=True, isolation_level=None)
    try:
        if read_number(connection, "user_version") > len(MIGRATIONS):
            raise NewerSchema
    except BaseException:
        connection.close()
        raise
    return connection


def read_number(connection: sqlite3.Connection, pragma: str) -> int:
    """The value of a pragma, one of ours or SQLite's own."""
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


def explain(error: Exception) -> str:
    """Why a file could not be used. The texts of SQLite, of the system and of ours name no value."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return str(error) if isinstance(error, sqlite3.Error | PenstockError) else type(error).__name__


def _prepare_file(path: Path) -> None:
    """A file that only we may read. An existing one is not opened here: closing it would drop the locks that another
    connection of this process holds on it (sqlite.org/howtocorrupt.html 2.2)."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE))
    except FileExistsError:
        found = path.stat()
        if stat.S_ISREG(found.st_mode) and found.st_mode & 0o077 and found.st_uid == os.geteuid():
            path.chmod(MODE)


def _use_log(connection: sqlite3.Connection) -> None:
    for left in reversed(range(_WAL_TRIES)):
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or not left:
                raise
            time.sleep(_WAL_PAUSE)
        else:
            return


def _migrate(connection: sqlite3.Connection) -> None:
    if read_number(connection, "user_version") == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = read_number(connection, "user_version")  # another process may have been first
        if version > len(MIGRATIONS):
            raise NewerSchema
        for statement in MIGRATIONS[version:]:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _add(connection: sqlite3.Connection) -> None:
    """Looks first: an open that has nothing to make asks for no lock."""
    known = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    for name, statement in ADDITIONS.items():
        if name not in known:
            connection.execute(statement)
