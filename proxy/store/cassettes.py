"""Cassettes in a directory: files of whole recordings, bounded by bytes and by number, the oldest gone first.

The event loop never touches the directory: `write`, `keep` and `drop` leave a job for a thread, which is started by
the first one. What is recorded grows in a hidden folder of this process's own and is moved beside the others once it is
to be kept, so nobody reads half a cassette; `drop` throws it away. A folder that was left by a process which died is
removed by the next one.

Nothing is raised and nothing waits, but for `close` at the end, for a bounded time. What the thread cannot keep up
with, and what a directory that is full, locked or gone cannot take, is lost: the recording of one request, whole, and
counted. A failure is warned of once, until a file could be written again.
"""

import asyncio
import contextlib
import errno
import logging
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from proxy.store.spool import Listing, Spool
from proxy.wire.cassette import SUFFIX, Piece, encode_pieces

MOST_FILES: Final = 10_000
"""Cassettes that are kept: what a directory lists in an instant."""

MOST_WAITING: Final = 64 * 1024 * 1024
"""Bytes of jobs for the thread. It writes ten times as fast as one core can proxy: more is a disk that hangs."""

CLOSE_WAIT: Final = 5.0
"""Seconds for the last files."""

_LOG = logging.getLogger("penstock.record")


@dataclass(frozen=True, slots=True)
class ShelfState:
    """kept, lost: requests since the start. files, bytes: in the directory now, as far as is known."""

    kept: int
    lost: int
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class _Job:
    act: str
    name: str = ""
    pieces: Sequence[Piece] = ()
    size: int = 0


class CassetteShelf:
    """One directory. Names are the recorder's: ones that sort by time, without SUFFIX."""

    def __init__(self, directory: Path, max_bytes: int) -> None:
        self.directory = directory
        self._max_bytes = max_bytes
        self._news = threading.Condition()  # guards what follows, up to `_thread`
        self._jobs: deque[_Job] = deque()
        self._waiting = 0  # bytes
        self._closing = self._over = False
        self._running = False
        self._kept = self._lost = 0
        self._thread: threading.Thread | None = None
        self._spool: Spool | None = None  # these are the thread's alone; `_shelved` is looked at by others
        self._shelved = Listing(directory, SUFFIX)
        self._broken: set[str] = set()
        self._failing = False

    def write(self, name: str, pieces: Sequence[Piece], size: int) -> bool:
        """Add to a recording. size: about that many bytes. False: it is lost, and no more of it is wanted."""
        return self._leave(_Job("write", name, pieces, size))

    def keep(self, name: str, pieces: Sequence[Piece], size: int) -> bool:
        """Add the last of it, and put it beside the others. False as for `write`."""
        return self._leave(_Job("keep", name, pieces, size))

    def drop(self, name: str) -> None:
        """Forget a recording of which something was written."""
        self._leave(_Job("drop", name))

    def resize(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes

    def read_state(self) -> ShelfState:
        with self._news:
            return ShelfState(self._kept, self._lost, len(self._shelved.sizes), self._shelved.total)

    def retire(self) -> None:
        """No new recording will come: end the thread once those that grow are over."""
        with self._news:
            self._closing = True
            self._news.notify_all()

    @property
    def is_over(self) -> bool:
        """Retired, and with nothing left to write."""
        with self._news:
            return self._closing and not self._running

    async def close(self) -> None:
        """What still grows is dropped: the process does not wait for its request."""
        self._over = True
        self.retire()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, CLOSE_WAIT)

    def _leave(self, job: _Job) -> bool:
        with self._news:
            taken = self._waiting + job.size <= MOST_WAITING
            if not taken:
                self._lost += 1
                job = _Job("drop", job.name)
            self._jobs.append(job)
            self._waiting += job.size
            if not self._running:
                self._running = True
                self._thread = threading.Thread(target=self._run, name="penstock-cassettes", daemon=True)
                self._thread.start()
            self._news.notify_all()
        return taken

    # The thread.

    def _run(self) -> None:
        while job := self._take():
            try:
                self._do(job)
            except Exception as error:  # whatever it is: the thread must not end before the process
                self._fail(job, error)

    def _take(self) -> _Job | None:
        """The next job; None once it is over."""
        with self._news:
            while not self._jobs:
                if self._over or (self._closing and not (self._spool and self._spool.sizes)):
                    spool, self._spool = self._spool, None
                    self._running = False  # should another job come after all, another thread makes its own folder
                    break
                self._news.wait()
            else:
                job = self._jobs.popleft()
                self._waiting -= job.size
                return job
        if spool is not None:
            spool.close()
        return None

    def _do(self, job: _Job) -> None:
        if job.act == "drop":
            self._broken.discard(job.name)
            if self._spool is not None:
                self._spool.drop(job.name)
            return
        spool = self._find_spool() if job.name not in self._broken else None
        if spool is None or job.name in self._broken:
            if job.act == "keep":
                self._broken.discard(job.name)
            return
        data = encode_pieces(job.pieces)
        self._make_room(spool, len(data))
        spool.append(job.name, data)
        if job.act == "keep":
            size = spool.move(job.name, self.directory / (job.name + SUFFIX))
            self._shelved.add(job.name + SUFFIX, size)
            with self._news:
                self._kept += 1
        if self._failing:
            self._failing = False
            _LOG.info("recordings are written to %s again", self.directory)

    def _find_spool(self) -> Spool:
        """The folder of what grows; a new one when somebody has removed it."""
        spool = self._spool
        if spool is not None and not spool.path.is_dir():
            with self._news:
                self._lost += len(spool.sizes)
            self._broken.update(spool.sizes)
            spool.close()
            spool = self._spool = None
        if spool is None:
            spool = self._spool = Spool(self.directory)
        return spool

    def _make_room(self, spool: Spool, size: int) -> None:
        """Remove the oldest cassettes until `size` more bytes, and one more file, fit."""
        growing = spool.total + size
        if growing > self._max_bytes:
            raise OSError(errno.ENOSPC, "what is being recorded exceeds max_bytes")
        for path in self._shelved.trim(self._max_bytes - growing, MOST_FILES - 1):
            path.unlink(missing_ok=True)

    def _fail(self, job: _Job, error: Exception) -> None:
        if self._spool is not None:
            with contextlib.suppress(OSError):
                self._spool.drop(job.name)
        if job.act == "write":
            self._broken.add(job.name)
        with self._news:
            self._lost += 1
        if not self._failing:
            self._failing = True
            text = (isinstance(error, OSError) and error.strerror) or type(error).__name__
            _LOG.warning("recordings are lost: %s: %s", self.directory, text)
