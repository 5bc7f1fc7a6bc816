"""Limits that several processes share, in an SQLite file: what this one has used goes in, what all have comes back.

`exchange` leaves what there is to say for a thread, the only one with a connection, and returns a future: in one
transaction the thread adds it to what the file holds, and looks whether others have written (`PRAGMA data_version`).
With nothing to say it only looks, and nothing is written. One exchange at a time.

A file that is locked, full, broken or not to be written costs one warning and is tried again now and then; until then
every exchange comes to None, and each process goes by its own count. Nothing waits, but for `read` before the first
request and `close` at the end, both for a bounded time.
"""

import asyncio
import contextlib
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from proxy.accounts.sharing import Holder, Pool, Word
from proxy.store.database import explain, open_database, read_number
from proxy.store.pools import Flight, add_words, forget_pools, read_flights, read_pools, sum_flights, write_flights

BEAT: Final = 1.5
"""Seconds after which requests in flight that have not moved are told again: a third of what makes them stale."""

RETRY: Final = 2.0
"""Seconds until a file that failed is tried again."""

READ_WAIT: Final = 1.0
"""Seconds that a start waits for the file; what is read later comes with the first exchange."""

CLOSE_WAIT: Final = 5.0
"""Seconds for the last words: twice the wait for a lock, and some."""

_LOG = logging.getLogger("penstock.store")


@dataclass(frozen=True, slots=True)
class Report:
    """pools: those that are new or have changed since the last report. elsewhere: requests that other processes have in
    flight, all there are."""

    pools: Mapping[Holder, Pool] = field(default_factory=dict)
    elsewhere: Mapping[Holder, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Asked:
    words: Mapping[Holder, Word]
    flights: Mapping[Holder, int]
    answer: asyncio.Future[Report | None]


class Shares:
    """Building one starts its thread and returns at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._process = os.urandom(8).hex()
        self._news = threading.Condition()  # guards what follows, up to `_closing`
        self._asked: _Asked | None = None
        self._told: dict[Holder, Pool] = {}  # what was reported
        self._pools: dict[Holder, Pool] = {}  # what the file holds; replaced, never changed
        self._flights: list[Flight] = []
        self._broken = False
        self._closing = False
        self._written: Mapping[Holder, int] = {}  # the thread's alone, as what follows
        self._beat = 0.0
        self._seen: int | None = None
        self._failing = False
        self._opened = threading.Event()
        self._thread = threading.Thread(target=self._run, name="penstock-shares", daemon=True)
        self._thread.start()

    def read(self) -> Report:
        """What there is, before the first exchange."""
        self._opened.wait(READ_WAIT)
        return self._report()

    def exchange(self, words: Mapping[Holder, Word], flights: Mapping[Holder, int]) -> asyncio.Future[Report | None]:
        """flights: all that this process has. None comes of it when nobody has heard."""
        answer: asyncio.Future[Report | None] = asyncio.get_running_loop().create_future()
        with self._news:
            if self._broken or self._closing:
                answer.set_result(None)
            else:
                self._asked = _Asked(words, flights, answer)
                self._news.notify()
        return answer

    async def close(self) -> None:
        """Answer what was asked, and take back what is in flight."""
        with self._news:
            self._closing = True
            self._news.notify()
        await asyncio.to_thread(self._thread.join, CLOSE_WAIT)

    def _report(self) -> Report:
        with self._news:
            changed = {holder: pool for holder, pool in self._pools.items() if self._told.get(holder) != pool}
            self._told = self._pools
            return Report(changed, sum_flights(self._flights, time.time()))

    def _run(self) -> None:
        """The thread: serve the file; when it fails, say so once and try again later."""
        while True:
            try:
                with contextlib.closing(open_database(self._path)) as connection:
                    self._begin(connection)
                    self._serve(connection)
                    return
            except Exception as error:  # whatever it is: the thread must not end before the process
                self._fail(error)
            with self._news:
                if self._news.wait_for(lambda: self._closing, RETRY):
                    return

    def _begin(self, connection: sqlite3.Connection) -> None:
        forget_pools(connection, time.time())
        self._written, self._seen = {}, None
        self._look(connection, {})
        with self._news:
            self._broken = False
        self._opened.set()
        if self._failing:
            self._failing = False
            _LOG.info("limits are shared in %s again", self._path)

    def _serve(self, connection: sqlite3.Connection) -> None:
        """Answer, until it is closed."""
        while True:
            with self._news:
                self._news.wait_for(lambda: self._asked is not None or self._closing)
                asked, self._asked = self._asked, None
            if asked is None:
                self._write(connection, {}, {})
                return
            try:
                self._look(connection, self._write(connection, asked.words, asked.flights))
            except BaseException:
                with self._news:
                    self._broken = True
                _answer(asked, None)
                raise
            _answer(asked, self._report())

    def _write(
        self, connection: sqlite3.Connection, words: Mapping[Holder, Word], flights: Mapping[Holder, int]
    ) -> dict[Holder, Pool]:
        now = time.time()
        moved = flights != self._written or (bool(flights) and abs(now - self._beat) >= BEAT)
        if not words and not moved:
            return {}
        connection.execute("BEGIN IMMEDIATE")
        try:
            changed = add_words(connection, words, now)
            if moved:
                write_flights(connection, self._process, flights, now)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:  # a full disk has rolled back already
                connection.execute("ROLLBACK")
            raise
        if moved:
            self._written, self._beat = flights, now
        return changed

    def _look(self, connection: sqlite3.Connection, changed: dict[Holder, Pool]) -> None:
        """changed: by us. What others have changed is read, if they have."""
        version = read_number(connection, "data_version")
        if version != self._seen:
            self._seen = version
            pools, flights = read_pools(connection, time.time()), read_flights(connection, self._process)
        elif changed:
            pools, flights = {**self._pools, **changed}, self._flights
        else:
            return
        with self._news:
            self._pools, self._flights = pools, flights

    def _fail(self, error: Exception) -> None:
        with self._news:
            self._broken = True
            asked, self._asked = self._asked, None
        if asked is not None:
            _answer(asked, None)
        self._opened.set()
        if not self._failing:
            self._failing = True
            _LOG.warning("limits are counted by each process alone: %s: %s", self._path, explain(error))


def _answer(asked: _Asked, report: Report | None) -> None:
    def answer() -> None:
        if not asked.answer.done():
            asked.answer.set_result(report)

    with contextlib.suppress(RuntimeError):  # the loop has been closed
        asked.answer.get_loop().call_soon_threadsafe(answer)
