"""Gives every request its id, its record and the configuration that is in force now."""

import time
from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from proxy.edge.gate import Doors, read_head
from proxy.edge.house import House
from proxy.edge.scope import SCOPE, Scope, make_request_id
from proxy.relay.clocks import Ticker
from proxy.relay.outcome import Record


def build(get_house: Callable[[], House], doors: Doors, ticker: Ticker) -> Middleware:
    @web.middleware
    async def scope(request: web.Request, handler: Handler) -> web.StreamResponse:
        head, house = read_head(request), get_house()
        parent = head.headers.get_first(b"traceparent")
        record = Record(
            make_request_id(),
            ticker.now(),
            time.time(),
            method=request.method,
            remote=house.peers.find_remote(request.get_extra_info("peername"), head.headers),
            door="admin" if doors.is_admin(request) else "public",
            traceparent=parent.decode("ascii", "replace") if parent else "",
        )
        request[SCOPE] = Scope(record, house, head, request.task)
        return await handler(request)

    return scope
