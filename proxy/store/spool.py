"""A directory of finished files, and beside them a hidden folder for those that still grow.

`Spool` is one process's folder of growing files: bytes are appended, and a file is moved out whole or dropped.
`Listing` knows what lies in the directory, and which files have to go to make room. Both are for a thread: they wait
for the disk, and raise OSError.
"""

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from proxy.wire.cassette import MAGIC

LOOK_AGAIN: Final = 60.0
"""Seconds after which the directory is listed anew: other processes may use it too."""

_SPOOL: Final = ".spool-"
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW


class Listing:
    """The cassettes of a directory, by name; looked at anew now and then."""

    def __init__(self, directory: Path, suffix: str, now: Callable[[], float] = time.monotonic) -> None:
        self._directory = directory
        self._suffix = suffix
        self._now = now
        self._looked: float | None = None
        self.sizes: dict[str, int] = {}
        self.total = 0

    def add(self, name: str, size: int) -> None:
        self.total += size - self.sizes.get(name, 0)
        self.sizes[name] = size

    def trim(self, most_bytes: int, most_files: int) -> list[Path]:
        """Take the oldest off the list until that is all there is. Returns them."""
        now = self._now()
        if self._looked is None or now - self._looked > LOOK_AGAIN:
            self._looked = now
            self.sizes = _list_sizes(self._directory, self._suffix)
            self.total = sum(self.sizes.values())
        if self.total <= most_bytes and len(self.sizes) <= most_files:
            return []
        oldest = []
        for name in sorted(self.sizes):
            if self.total <= most_bytes and len(self.sizes) <= most_files:
                break
            self.total -= self.sizes.pop(name)
            oldest.append(self._directory / name)
        return oldest


class Spool:
    """A process's own folder for what grows. It is locked as long as the process lives: one whose lock can be had was
    left behind."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(directory):  # so that nobody takes a new folder for one that was left
            _remove_orphans(directory)
            self.path = directory / f"{_SPOOL}{os.getpid()}-{os.urandom(4).hex()}"
            self.path.mkdir(mode=0o700)
            self._lock = os.open(self.path, _FOLDER)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.sizes: dict[str, int] = {}
        self.total = 0

    def append(self, name: str, data: bytes) -> None:
        if name not in self.sizes:
            self.sizes[name] = 0
            data = MAGIC + data
        handle = os.open(self.path / name, _FILE, 0o600)
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(handle, left) :]
        finally:
            os.close(handle)
        self.sizes[name] += len(data)
        self.total += len(data)

    def move(self, name: str, path: Path) -> int:
        """Returns its bytes."""
        (self.path / name).rename(path)
        size = self.sizes.pop(name)
        self.total -= size
        return size

    def drop(self, name: str) -> None:
        if name in self.sizes:
            self.total -= self.sizes.pop(name)
            (self.path / name).unlink(missing_ok=True)

    def close(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def _remove_orphans(directory: Path) -> None:
    for folder in directory.glob(_SPOOL + "*"):
        with contextlib.suppress(OSError):
            handle = os.open(folder, _FOLDER)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(handle)


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[None]:
    handle = os.open(directory, _FOLDER)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _list_sizes(directory: Path, suffix: str) -> dict[str, int]:
    sizes = {}
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.name.endswith(suffix) and entry.is_file(follow_symlinks=False):
                with contextlib.suppress(FileNotFoundError):
                    sizes[entry.name] = entry.stat(follow_symlinks=False).st_size
    return sizes
