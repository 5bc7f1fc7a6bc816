"""The log: bounded, and waiters wake on a change instead of by polling."""

import asyncio

import pytest

from proxy.demo.http1 import RequestHead
from proxy.demo.record import KEPT, Log

HEAD = RequestHead("GET", b"/", False, ())


async def test_only_the_last_records_are_kept() -> None:
    log = Log(record=True)
    for _ in range(KEPT + 1):
        log.arrive(1, "a", HEAD)
    assert (len(log.records), log.requests) == (KEPT, KEPT + 1)
    with pytest.raises(LookupError, match="no longer kept"):
        log.find(1)
    assert log.find(KEPT + 2) is None


async def test_waiter_sees_the_change_it_waits_for() -> None:
    log = Log(record=True)
    waiting = asyncio.create_task(log.wait(1, lambda record: record.events == 2, 5))
    await asyncio.sleep(0)
    record = log.arrive(1, "a", HEAD)
    for events in (1, 2):
        assert not waiting.done()
        record.events = events
        log.changed()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert await waiting is record


async def test_close_marks_the_requests_of_that_connection_only() -> None:
    log = Log(record=True)
    records = [log.arrive(connection, "a", HEAD) for connection in (1, 2, 1)]
    log.close(1, "peer")
    assert [record.closed_by for record in records] == ["peer", None, "peer"]
