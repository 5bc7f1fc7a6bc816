"""The process-wide limits: nothing is begun while draining, or above the number of requests in flight, or above the
ceiling of memory."""

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from proxy.edge.memory import Memory
from proxy.edge.scope import SCOPE
from proxy.edge.streams import Streams
from proxy.errors import Code, Refused
from proxy.relay.clocks import Ticker

_RETRY_AFTER = {"Retry-After": "1"}
"""Seconds. Another instance serves by then, or a stream has ended: RFC 9110 10.2.3 knows no fractions."""


def build(streams: Streams, memory: Memory, ticker: Ticker) -> Middleware:
    @web.middleware
    async def admission(request: web.Request, handler: Handler) -> web.StreamResponse:
        scope = request[SCOPE]
        if scope.record.door == "admin":
            return await handler(request)
        if streams.refusing:
            raise Refused(Code.DRAINING, _RETRY_AFTER, close=True)
        limits = scope.house.limits
        if len(streams) >= limits.streams:
            raise Refused(Code.BUSY, _RETRY_AFTER)
        if memory.is_short(limits.memory, ticker.now()) and len(streams):
            raise Refused(Code.MEMORY, _RETRY_AFTER, close=True)  # with nothing in flight it would be so for ever
        streams.enter(scope)
        try:
            return await handler(request)
        finally:
            streams.leave(scope)

    return admission
