"""The ledger: a row for every finished request, in an SQLite file, written after the fact and never waited for.

`put` leaves an entry for a thread, the only one that writes them: all that has gathered in GATHER seconds, or BATCH of
them, in one transaction. So a process that is killed loses what came in the last moment, and a whole file stays.

A file that is locked, full, broken or not to be written costs one warning; entries wait in memory, the file is tried
again now and then, and what there is no room for is counted in `lost`. Nothing is raised and nothing waits, but for
`read_today` before the first request and `close` at the end, both for a bounded time.
"""

import asyncio
import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from proxy.errors import PenstockError
from proxy.store.database import explain, open_database
from proxy.store.entries import Entry, Spent, forget_entries, read_spent, write_entries

GATHER: Final = 0.5
"""Seconds in which entries gather: half of what may be lost, for the writing takes a moment too."""

BATCH: Final = 500
"""Entries that are written without waiting for more; some milliseconds of work."""

MOST_WAITING: Final = 10_000
"""Entries in memory, about 15 MB: a file that fails for minutes under load, for hours otherwise."""

RETRY: Final = 5.0
"""Seconds until a file that failed is tried again."""

READ_WAIT: Final = 3.0
"""Seconds that a start waits for what was spent today: longer than for a lock. A million rows take about two."""

CLOSE_WAIT: Final = 5.0
"""Seconds for the last entries: twice the wait for a lock, and some."""

FORGET_EVERY: Final = 3600.0
"""Seconds between two looks for rows that were kept long enough."""

FORGET_MOST: Final = 5_000
"""Rows that are dropped in one go, some tens of milliseconds: whoever else writes to the file waits as long."""

DAY: Final = 86400
"""Seconds. A day begins at midnight UTC."""

_UNWRITABLE: Final = (sqlite3.Error, OSError, PenstockError)
"""What is the file's fault; anything else is the fault of what was to be written."""

_LOG = logging.getLogger("penstock.ledger")


class Ledger:
    """retain: seconds that a row is kept, 0 for ever; may be changed. lost: entries that are in no file and will not
    be. Building one starts its thread and returns at once."""

    def __init__(self, path: Path, retain: float = 0.0) -> None:
        self.retain = retain
        self.lost = 0
        self._path = path
        self._news = threading.Condition()  # guards what follows, up to `_failing`, and `lost`
        self._waiting: list[Entry] = []
        self._full = False
        self._closing = False
        self._failing = False  # the thread's alone, as what follows
        self._told = 0  # of `lost`, what was said
        self._forget_at = 0.0
        self._today: Mapping[str, Spent] = {}
        self._opened = threading.Event()
        self._thread = threading.Thread(target=self._run, name="penstock-ledger", daemon=True)
        self._thread.start()

    def put(self, entry: Entry) -> None:
        with self._news:
            count = len(self._waiting)
            if count < MOST_WAITING:
                self._waiting.append(entry)
                if count == 0 or count + 1 == BATCH:
                    self._news.notify()
                return
            self.lost += 1
            full, self._full = self._full, True
        if not full:
            _LOG.warning("too much waits for the ledger %s: requests are missing from now on", self._path)

    def read_today(self) -> Mapping[str, Spent]:
        """What clients had spent of this UTC day when the file was opened; {} when that takes too long."""
        if not self._opened.wait(READ_WAIT):
            _LOG.warning("the ledger %s is slow: what was spent today is not known", self._path)
            return {}
        return self._today

    async def close(self) -> None:
        """Write what waits, for a bounded time, and say what is lost."""
        with self._news:
            self._closing = True
            self._news.notify()
        await asyncio.to_thread(self._thread.join, CLOSE_WAIT)
        with self._news:
            self.lost += len(self._waiting)
            self._waiting = []
        if self.lost > self._told:
            _LOG.warning("%d requests are missing in the ledger %s", self.lost, self._path)

    def _run(self) -> None:
        """The thread: serve the file; when it fails, say so once and try again later."""
        while True:
            try:
                with contextlib.closing(open_database(self._path)) as connection:
                    if not self._opened.is_set():
                        self._today = read_spent(connection, time.time() // DAY * DAY)
                    self._opened.set()
                    self._serve(connection)
            except Exception as error:  # whatever it is: the thread must not end before the process
                self._fail(error)
            self._opened.set()
            with self._news:
                if self._news.wait_for(lambda: self._closing, RETRY):
                    return

    def _serve(self, connection: sqlite3.Connection) -> None:
        """Write and forget, until the ledger is closed and nothing waits."""
        while True:
            self._forget(connection)
            with self._news:
                self._news.wait_for(lambda: self._waiting or self._closing, self._forget_at - time.monotonic())
                self._news.wait_for(lambda: len(self._waiting) >= BATCH or self._closing, GATHER)
                entries, self._waiting = self._waiting, []
                if self._closing and not entries:
                    return
            if entries:
                self._write(connection, entries)
                self._recover()

    def _write(self, connection: sqlite3.Connection, entries: list[Entry]) -> None:
        try:
            write_entries(connection, entries)
        except _UNWRITABLE:
            with self._news:
                self._waiting = entries + self._waiting
            raise
        except BaseException:
            with self._news:
                self.lost += len(entries)  # they would fail again, and everything behind them
            raise

    def _forget(self, connection: sqlite3.Connection) -> None:
        """Drop what was kept long enough: a part now and the next one at the next chance."""
        now = time.monotonic()
        if now < self._forget_at:
            return
        if self.retain and forget_entries(connection, time.time() - self.retain, FORGET_MOST) == FORGET_MOST:
            return
        self._forget_at = now + FORGET_EVERY

    def _fail(self, error: Exception) -> None:
        if not self._failing:
            self._failing = True
            _LOG.warning("the ledger is not written: %s: %s", self._path, explain(error))

    def _recover(self) -> None:
        with self._news:
            missing, self._full = self.lost, False
        if self._failing:
            self._failing = False
            _LOG.info("the ledger %s is written again; %d requests are missing", self._path, missing - self._told)
            self._told = missing
