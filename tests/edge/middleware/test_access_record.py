"""The record is closed and handed over, whatever decided the request's fate."""

import asyncio

import pytest
from aiohttp import web

from proxy.edge.middleware import access_record
from proxy.edge.scope import SCOPE
from proxy.relay.clocks import Ticker
from proxy.relay.outcome import EndReason, Record
from tests.helpers.edge import answer_ok, build_house, serving
from tests.helpers.rawhttp import connected, fetch


async def test_an_answered_request_is_done() -> None:
    records: list[Record] = []
    async with serving(build_house(), [access_record.build(Ticker(), records.append)], answer_ok) as port:
        await fetch(port, "/a?secret")
    (record,) = records
    assert (record.method, record.status, record.end) == ("GET", 200, EndReason.DONE)
    assert record.duration > 0
    assert "secret" not in repr(record)


async def test_what_was_noted_below_stands() -> None:
    records: list[Record] = []

    async def refuse(request: web.Request) -> web.StreamResponse:
        record = request[SCOPE].record
        record.status = 418
        record.close(EndReason.LIMIT)
        return web.Response(status=503)

    async with serving(build_house(), [access_record.build(Ticker(), records.append)], refuse) as port:
        await fetch(port, "/")
    assert [(record.status, record.end) for record in records] == [(418, EndReason.LIMIT)]


async def test_a_request_that_raises_is_written_too() -> None:
    records: list[Record] = []

    async def fail(request: web.Request) -> web.StreamResponse:
        raise web.HTTPTeapot

    async with serving(build_house(), [access_record.build(Ticker(), records.append)], fail) as port:
        await fetch(port, "/")
    assert len(records) == 1


@pytest.mark.parametrize("times", [1, 3])
async def test_a_request_that_is_cancelled_is_written_once(times: int) -> None:
    records: asyncio.Queue[Record] = asyncio.Queue(10)
    entered = asyncio.Event()

    async def hang(request: web.Request) -> web.StreamResponse:
        entered.set()
        await asyncio.Event().wait()
        return web.Response()

    async with serving(build_house(), [access_record.build(Ticker(), records.put_nowait)], hang) as port:
        for _ in range(times):
            entered.clear()
            async with connected("127.0.0.1", port) as client:
                await client.ask("/")
                await asyncio.wait_for(entered.wait(), 5)
            await asyncio.wait_for(records.get(), 5)
    assert records.empty()
