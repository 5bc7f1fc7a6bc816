"""Closes the record of a request, whatever decided its fate: settles what it has used, gives back what its client was
granted, and hands it to whoever writes the line and keeps the books."""

from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from proxy.edge.granting import close_grant
from proxy.edge.scope import SCOPE
from proxy.edge.settling import settle
from proxy.relay.clocks import Ticker
from proxy.relay.outcome import EndReason, Record


def build(ticker: Ticker, write: Callable[[Record], None]) -> Middleware:
    @web.middleware
    async def access_record(request: web.Request, handler: Handler) -> web.StreamResponse:
        scope = request[SCOPE]
        record = scope.record
        try:
            response = await handler(request)
            record.status = record.status or response.status
            return response
        finally:
            record.close(EndReason.DONE)
            record.duration = ticker.now() - record.started
            settle(record, scope.house)
            close_grant(scope, ticker.wall())
            if scope.watchers and record.end is not None:
                scope.watchers.close(record.end)
            write(record)

    return access_record
