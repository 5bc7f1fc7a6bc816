"""The requests in flight."""

import asyncio

from proxy.edge.streams import Streams
from proxy.relay.outcome import EndReason
from proxy.types import RequestId
from tests.helpers.edge import build_house, build_scope
from tests.helpers.fakes import turn

HOUSE = build_house()


def test_they_are_counted() -> None:
    streams, scopes = Streams(), [build_scope(HOUSE) for _ in range(3)]
    for scope in scopes:
        streams.enter(scope)
    assert len(streams) == 3
    streams.leave(scopes[0])
    streams.leave(scopes[0])
    assert len(streams) == 2


def test_the_oldest_is_listed_first() -> None:
    streams, scopes = Streams(), [build_scope(HOUSE) for _ in range(3)]
    for scope, started in zip(scopes, (2.0, 1.0, 3.0), strict=True):
        scope.record.started = started
        streams.enter(scope)
    assert streams.list_scopes() == [scopes[1], scopes[0], scopes[2]]


def test_one_is_found_by_its_id() -> None:
    streams, scopes = Streams(), [build_scope(HOUSE) for _ in range(2)]
    for number, scope in enumerate(scopes):
        scope.record.id = RequestId(f"req_{number}")
        streams.enter(scope)
    assert streams.find("req_1") is scopes[1]
    streams.leave(scopes[1])
    assert streams.find("req_1") is None


async def test_nothing_in_flight_is_not_waited_for() -> None:
    await asyncio.wait_for(Streams().wait_empty(), 1)


async def test_the_last_one_wakes_whoever_waits() -> None:
    streams, scopes = Streams(), [build_scope(HOUSE) for _ in range(2)]
    for scope in scopes:
        streams.enter(scope)
    waiting = [asyncio.create_task(streams.wait_empty()) for _ in range(2)]
    await turn()
    streams.leave(scopes[0])
    await turn()
    assert not any(task.done() for task in waiting)
    streams.leave(scopes[1])
    await asyncio.wait_for(asyncio.gather(*waiting), 1)


async def test_a_house_is_waited_for_apart() -> None:
    streams, old, new = Streams(), build_scope(HOUSE), build_scope(build_house())
    streams.enter(old)
    streams.enter(new)
    waiting = asyncio.create_task(streams.wait_without(HOUSE))
    await turn()
    streams.leave(old)
    await asyncio.wait_for(waiting, 1)


async def test_who_stops_waiting_is_forgotten() -> None:
    streams, scope = Streams(), build_scope(HOUSE)
    streams.enter(scope)
    waiting = asyncio.create_task(streams.wait_empty())
    await turn()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    streams.leave(scope)
    assert not streams._waiting


def test_all_are_ended_with_a_reason() -> None:
    streams, reasons = Streams(), list[EndReason]()
    for _ in range(2):
        scope = build_scope(HOUSE)
        scope.stop = reasons.append
        streams.enter(scope)
    streams.end_all(EndReason.DRAIN)
    assert reasons == [EndReason.DRAIN] * 2
    assert len(streams) == 2  # they leave as their tasks do
