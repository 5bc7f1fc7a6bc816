"""Cool-downs in an SQLite file, shared by every process that is given the same one.

The event loop never touches the file: `put` and `remove` leave the latest word on each spot for a thread, the only one
with a connection. The thread writes what has gathered, and looks twice a second whether another process has written
(`PRAGMA data_version`); what is new is handed over to the loop, where `watch`'s callback is told.

A file that is locked, full, broken or not to be written costs one warning; the latest words wait in memory, and the
file is tried again now and then. Nothing is raised and nothing waits, but for `read` before the first request and
`close` at the end, both for a bounded time.
"""

import asyncio
import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from proxy.accounts.cooldown import Cooldown, OnChange, Spot
from proxy.store.cooldowns import forget_cooldowns, read_cooldowns, write_cooldowns
from proxy.store.database import explain, open_database, read_number

POLL: Final = 0.5
"""Seconds between two looks for others' changes: half of what is promised. One look costs microseconds."""

RETRY: Final = 10.0
"""Seconds until a file that failed is tried again."""

READ_WAIT: Final = 1.0
"""Seconds that a start waits for the file; what is read later arrives as a change."""

CLOSE_WAIT: Final = 5.0
"""Seconds for the last words: twice the wait for a lock, and some."""

MOST_WAITING: Final = 10_000
"""Spots with an unwritten word, about 5 MB. Only a file that fails for long, with thousands of accounts, gets there."""

KEPT: Final = 7 * 86400.0
"""Seconds that a cool-down is kept beyond its end: it is still to be probed, but not by whoever never asks again."""

_LOG = logging.getLogger("penstock.store")


class SqliteStore:
    """A StateStore. Building one starts its thread and returns at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._news = threading.Condition()  # guards what follows, up to `_failing`
        self._waiting: dict[Spot, Cooldown | None] = {}
        self._writing: dict[Spot, Cooldown | None] = {}
        self._kept: dict[Spot, Cooldown] = {}  # what the file holds; replaced, never changed
        self._full = False
        self._closing = False
        self._failing = False  # the thread's alone
        self._opened = threading.Event()
        self._told: dict[Spot, Cooldown] = {}  # what the loop's side knows; the loop's alone
        self._listener: tuple[asyncio.AbstractEventLoop, OnChange] | None = None
        self._thread = threading.Thread(target=self._run, name="penstock-store", daemon=True)
        self._thread.start()

    def read(self) -> Sequence[Cooldown]:
        self._opened.wait(READ_WAIT)
        with self._news:
            self._told = dict(self._kept)
        return list(self._told.values())

    def put(self, cooldown: Cooldown) -> None:
        cleaned = replace(cooldown, detail=cooldown.detail.encode("utf-8", "replace").decode())
        self._leave(cooldown.spot, cleaned)

    def remove(self, spot: Spot) -> None:
        self._leave(spot, None)

    def watch(self, on_change: OnChange) -> None:
        """Call it on the loop that shall be told."""
        loop = asyncio.get_running_loop()
        self._listener = loop, on_change
        loop.call_soon(self._tell)

    async def close(self) -> None:
        self._listener = None
        with self._news:
            self._closing = True
            self._news.notify_all()
        await asyncio.to_thread(self._thread.join, CLOSE_WAIT)

    def _leave(self, spot: Spot, word: Cooldown | None) -> None:
        """Leave the latest word on `spot` for the thread."""
        if not _is_unicode(spot.provider + spot.name + spot.model):
            return  # a model's name with half a character: no file can hold it, and no second request brings it
        with self._news:
            if len(self._waiting) >= MOST_WAITING and spot not in self._waiting:
                full, self._full = self._full, True
                if not full:
                    _LOG.warning("too much state waits for %s: what is new is kept in memory only", self._path)
                return
            self._waiting[spot] = word
            self._news.notify_all()
        if word is None:
            self._told.pop(spot, None)
        else:
            self._told[spot] = word

    def _tell(self) -> None:
        """On the loop: tell what the file holds and the loop's side does not know. Where a word of ours is still on
        its way, it is the later one."""
        if self._listener is None:
            return
        with self._news:
            kept, ours = self._kept, self._waiting.keys() | self._writing.keys()
        for spot in (kept.keys() | self._told.keys()) - ours:
            word = kept.get(spot)
            if word == self._told.get(spot):
                continue
            if word is None:
                del self._told[spot]
            else:
                self._told[spot] = word
            self._listener[1](spot, word)

    def _run(self) -> None:
        """The thread: serve the file; when it fails, say so once and try again later."""
        while True:
            try:
                with contextlib.closing(open_database(self._path)) as connection:
                    forget_cooldowns(connection, time.time() - KEPT)
                    self._serve(connection)
            except Exception as error:  # whatever it is: the thread must not end before the process
                self._fail(error)
            self._opened.set()
            with self._news:
                if self._news.wait_for(lambda: self._closing, RETRY):
                    return

    def _serve(self, connection: sqlite3.Connection) -> None:
        """Write and look, until the store is closed and nothing waits."""
        seen: int | None = None
        while True:
            self._write(connection)
            version = read_number(connection, "data_version")
            if version != seen:
                seen = version
                self._note(read_cooldowns(connection))
            if self._failing:
                self._failing = False
                _LOG.info("state is kept in %s again", self._path)
            self._opened.set()
            with self._news:
                if self._closing and not self._waiting:
                    return
                self._news.wait_for(lambda: self._waiting or self._closing, POLL)

    def _write(self, connection: sqlite3.Connection) -> None:
        with self._news:
            words = self._writing = self._waiting
            self._waiting = {}
            kept = self._kept
        if not words:
            return
        try:
            write_cooldowns(connection, words)
        except BaseException:
            with self._news:
                self._waiting = {**words, **self._waiting}  # what came meanwhile is later
                self._writing = {}
            raise
        changed = {**kept, **words}
        with self._news:
            self._kept = {spot: word for spot, word in changed.items() if word is not None}
            self._writing = {}
            self._full = False

    def _note(self, kept: dict[Spot, Cooldown]) -> None:
        with self._news:
            self._kept = kept
        listener = self._listener
        if listener is not None:
            with contextlib.suppress(RuntimeError):  # the loop has been closed
                listener[0].call_soon_threadsafe(self._tell)

    def _fail(self, error: Exception) -> None:
        if not self._failing:
            self._failing = True
            _LOG.warning("state is kept in memory only: %s: %s", self._path, explain(error))


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
