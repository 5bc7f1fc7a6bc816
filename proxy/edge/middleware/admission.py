"""The process-wide limits: nothing is begun while draining or above the number of requests in flight."""

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from proxy.edge.scope import SCOPE
from proxy.edge.streams import Streams
from proxy.errors import Code, Refused

_RETRY_AFTER = {"Retry-After": "1"}
"""Seconds. Another instance serves by then, or a stream has ended: RFC 9110 10.2.3 knows no fractions."""


def build(streams: Streams) -> Middleware:
    @web.middleware
    async def admission(request: web.Request, handler: Handler) -> web.StreamResponse:
        scope = request[SCOPE]
        if scope.record.door == "admin":
            return await handler(request)
        if streams.refusing:
            raise Refused(Code.DRAINING, _RETRY_AFTER, close=True)
        if len(streams) >= scope.house.limits.streams:
            raise Refused(Code.BUSY, _RETRY_AFTER)
        streams.enter(scope)
        try:
            return await handler(request)
        finally:
            streams.leave(scope)

    return admission
