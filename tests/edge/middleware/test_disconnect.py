"""A client that leaves is a reason, not an error."""

import asyncio

import pytest
from aiohttp import ClientConnectionResetError, web

from proxy.edge.middleware import disconnect
from proxy.edge.scope import SCOPE
from proxy.relay.outcome import EndReason
from tests.helpers.edge import answer_ok, build_house, serving
from tests.helpers.rawhttp import connected, fetch


@pytest.mark.parametrize("own", [None, EndReason.DRAIN])
async def test_a_cancelled_request_has_the_first_reason(own: EndReason | None) -> None:
    entered, reasons = asyncio.Event(), asyncio.Queue[EndReason | None](10)

    @web.middleware
    async def watch(request: web.Request, handler: object) -> web.StreamResponse:
        try:
            return await handler(request)  # type: ignore[no-any-return,operator]
        finally:
            reasons.put_nowait(request[SCOPE].record.end)

    async def hang(request: web.Request) -> web.StreamResponse:
        if own:
            request[SCOPE].record.close(own)
        entered.set()
        await asyncio.Event().wait()
        return web.Response()

    async with serving(build_house(), [watch, disconnect.build()], hang) as port:
        async with connected("127.0.0.1", port) as client:
            await client.ask("/")
            await asyncio.wait_for(entered.wait(), 5)
        assert await asyncio.wait_for(reasons.get(), 5) is (own or EndReason.CLIENT_GONE)


async def test_an_answered_request_has_none() -> None:
    ends = list[EndReason | None]()

    async def handle(request: web.Request) -> web.StreamResponse:
        ends.append(request[SCOPE].record.end)
        return await answer_ok(request)

    async with serving(build_house(), [disconnect.build()], handle) as port:
        assert (await fetch(port, "/")).status == 200
    assert ends == [None]


@pytest.mark.parametrize("own", [None, EndReason.ERROR])
async def test_a_client_that_is_found_gone_has_the_first_reason(own: EndReason | None) -> None:
    """The first write tells, where the event loop has not."""
    ends = list[EndReason | None]()

    @web.middleware
    async def watch(request: web.Request, handler: object) -> web.StreamResponse:
        try:
            return await handler(request)  # type: ignore[no-any-return,operator]
        except ConnectionError:
            ends.append(request[SCOPE].record.end)
            return web.Response()

    async def find_gone(request: web.Request) -> web.StreamResponse:
        if own:
            request[SCOPE].record.close(own)
        raise ClientConnectionResetError("the client is gone")

    async with serving(build_house(), [watch, disconnect.build()], find_gone) as port:
        await fetch(port, "/")
    assert ends == [own or EndReason.CLIENT_GONE]
