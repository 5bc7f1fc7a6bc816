"""The small part of the fuzz run that needs a process and sockets."""

from pathlib import Path

import pytest

from tests.fuzz.siege import Siege, besieged
from tests.fuzz.storm import play, poke

TOLERANCE = 16 * 1024 * 1024
"""Bytes: the allocator's, and what is kept of the last failed requests."""

SPARE = 24
"""Descriptors: connections to upstreams that are kept for the next request, and files of the ledger."""


async def test_whatever_comes_by_a_socket(tmp_path: Path) -> None:
    async with besieged(tmp_path) as siege:
        await poke(siege, range(480))
        await play(siege, range(160))
        await siege.settle()
        siege.check_log()


async def grow(siege: Siege, start: int, count: int) -> None:
    await poke(siege, range(start, start + count))
    await play(siege, range(start, start + count // 8))


@pytest.mark.long
async def test_nothing_grows(tmp_path: Path) -> None:
    async with besieged(tmp_path) as siege:
        await grow(siege, 0, 1600)  # caches and pools have their size
        _, descriptors, resident = await siege.settle()
        await grow(siege, 10_000, 1600)
        flying, descriptors_after, resident_after = await siege.settle()
        siege.check_log()
    assert flying == 0
    assert descriptors_after <= descriptors + SPARE
    assert resident_after <= resident + TOLERANCE
