"""The process-wide limits."""

import asyncio

import pytest
from aiohttp import web
from aiohttp.typedefs import Middleware

from proxy.edge.memory import Memory
from proxy.edge.middleware import admission, error_response
from proxy.edge.scope import SCOPE
from proxy.edge.streams import Streams
from tests.helpers.edge import answer_ok, build_house, build_scope, serving
from tests.helpers.fakes import FakeTicker
from tests.helpers.rawhttp import fetch


def build(streams: Streams, taken: int = 0) -> Middleware:
    """taken: bytes of memory."""
    return admission.build(streams, Memory(lambda: taken, list), FakeTicker())


async def test_a_request_counts_while_it_runs_and_not_after_it() -> None:
    streams, seen = Streams(), list[int]()

    async def handle(request: web.Request) -> web.StreamResponse:
        seen.append(len(streams))
        raise web.HTTPTeapot

    async with serving(build_house(), [error_response.build(), build(streams)], handle) as port:
        for _ in range(2):
            await fetch(port, "/")
    assert (seen, len(streams)) == ([1, 1], 0)


async def test_above_the_limit_a_request_is_refused_and_the_connection_kept() -> None:
    streams, go_on = Streams(), asyncio.Event()

    async def handle(request: web.Request) -> web.StreamResponse:
        await go_on.wait()
        return web.Response()

    house = build_house(streams=1)
    async with serving(house, [error_response.build(), build(streams)], handle) as port:
        first = asyncio.create_task(fetch(port, "/"))
        async with asyncio.timeout(5):
            while not len(streams):
                await asyncio.sleep(0)
        refused = await fetch(port, "/")
        assert (refused.status, refused.json["error"]["code"]) == (503, "too_many_streams")
        assert refused.headers["retry-after"] == "1"
        assert "connection" not in refused.headers
        go_on.set()
        assert (await first).status == 200


async def test_nothing_new_is_begun_while_refusing() -> None:
    streams = Streams()
    streams.refusing = True
    async with serving(build_house(), [error_response.build(), build(streams)], answer_ok) as port:
        refused = await fetch(port, "/")
    assert (refused.status, refused.json["error"]["code"]) == (503, "draining")
    assert refused.headers["connection"] == "close"


@pytest.mark.parametrize("refusing", [False, True])
async def test_the_admin_door_stays_open_and_does_not_count(refusing: bool) -> None:
    streams, seen = Streams(), list[int]()
    streams.refusing = refusing

    @web.middleware
    async def come_in_by_the_admin_door(request: web.Request, handler: object) -> web.StreamResponse:
        request[SCOPE].record.door = "admin"
        return await handler(request)  # type: ignore[no-any-return,operator]

    async def handle(request: web.Request) -> web.StreamResponse:
        seen.append(len(streams))
        return web.Response()

    chain = [come_in_by_the_admin_door, build(streams)]
    async with serving(build_house(), chain, handle) as port:
        assert (await fetch(port, "/")).status == 200
    assert seen == [0]


async def test_above_the_ceiling_of_memory_only_what_runs_goes_on() -> None:
    streams, entered, go_on = Streams(), asyncio.Event(), asyncio.Event()

    async def handle(request: web.Request) -> web.StreamResponse:
        entered.set()
        await go_on.wait()
        return web.Response()

    chain = [error_response.build(), build(streams, taken=1001)]
    async with serving(build_house(memory=1000), chain, handle) as port:
        first = asyncio.create_task(fetch(port, "/"))  # nothing is in flight: refusing it would free nothing
        async with asyncio.timeout(5):
            await entered.wait()
        refused = await fetch(port, "/")
        assert (refused.status, refused.json["error"]["code"]) == (503, "out_of_memory")
        assert (refused.headers["retry-after"], refused.headers["connection"]) == ("1", "close")
        go_on.set()
        assert (await first).status == 200
        assert (await fetch(port, "/")).status == 200


async def test_at_the_ceiling_and_without_one_requests_are_served() -> None:
    for taken, ceiling in ((1000, 1000), (10**12, 0)):
        streams = Streams()
        streams.enter(build_scope(build_house()))
        chain = [error_response.build(), build(streams, taken)]
        async with serving(build_house(memory=ceiling), chain, answer_ok) as port:
            assert (await fetch(port, "/")).status == 200
