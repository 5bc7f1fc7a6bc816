"""Whether memory is short: read once a second, over only when it is well below again, given back where it can be."""

import logging
import subprocess
import sys

import pytest

from proxy.edge.memory import ENOUGH, EVERY, Memory
from tests.helpers.command import ROOT

CEILING = 1000


class Process:
    """What it has, and what of it an allocator would give back when asked."""

    def __init__(self, taken: int, unused: int = 0) -> None:
        self.taken, self.unused = taken, unused
        self.reads = self.trims = 0
        self.now = 100.0
        self.collections = 0
        self.memory = Memory(self._read, self._trim, self._collect)

    def is_short(self, taken: int | None = None, after: float = EVERY) -> bool:
        self.taken = self.taken if taken is None else taken
        self.now += after
        return self.memory.is_short(CEILING, self.now)

    def _read(self) -> int:
        self.reads += 1
        return self.taken

    def _collect(self) -> None:
        self.collections += 1

    def _trim(self) -> None:
        self.trims += 1
        self.taken -= self.unused
        self.unused = 0


def test_garbage_is_looked_for_before_anybody_is_refused_and_not_each_time() -> None:
    process = Process(CEILING)
    assert not process.is_short()
    assert process.collections == 0
    for _ in range(5):
        assert process.is_short(2 * CEILING)
    assert process.collections == 1
    assert not process.is_short(0)
    assert process.is_short(2 * CEILING)
    assert process.collections == 2


def test_it_is_short_above_the_ceiling_and_enough_well_below() -> None:
    process = Process(CEILING)
    assert not process.is_short()
    assert process.is_short(CEILING + 1)
    assert process.is_short(CEILING)
    assert process.is_short(int(CEILING * ENOUGH) + 1)
    assert not process.is_short(int(CEILING * ENOUGH))
    assert not process.is_short(CEILING)


def test_it_is_read_once_a_second() -> None:
    process = Process(1)
    for _ in range(100):
        process.is_short(after=EVERY / 50)
    assert 1 <= process.reads <= 3
    assert process.trims == 0


def test_without_a_ceiling_nothing_is_read() -> None:
    process = Process(10**12)
    assert not process.memory.is_short(0, 1.0)
    assert process.reads == 0


def test_what_the_allocator_gives_back_is_not_held_against_anybody() -> None:
    process = Process(CEILING + 50, unused=200)
    assert not process.is_short()
    assert process.is_short(CEILING + 50)
    process.unused = 500
    assert not process.is_short()
    assert process.trims == 3


def test_both_turns_are_said_once(caplog: pytest.LogCaptureFixture) -> None:
    process = Process(CEILING)
    with caplog.at_level(logging.WARNING):
        for taken in (CEILING, 2 * CEILING, 2 * CEILING, CEILING // 2, CEILING // 2):
            process.is_short(taken)
    assert [("refused" in text, "again" in text) for text in caplog.messages] == [(True, False), (False, True)]


_GROW_AND_SHRINK = """
from proxy.edge.memory import find_trim, read_resident
before = read_resident()
assert 2**20 < before < 2**40
kept = [bytearray(20_000) for _ in range(5000)]
for piece in kept:
    piece[:] = b"x" * len(piece)
peak = read_resident()
assert peak > before + 50 * 2**20
del kept[:-1]
find_trim()()
assert read_resident() < peak - 50 * 2**20
"""
"""In a process of its own: one that has run for long has room in what it was given before."""


def test_what_this_process_has_is_read_and_unused_memory_goes_back() -> None:
    subprocess.run([sys.executable, "-c", _GROW_AND_SHRINK], check=True, cwd=ROOT, timeout=60)
