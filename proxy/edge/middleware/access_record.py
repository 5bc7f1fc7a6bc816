"""Closes the record of a request, whatever decided its fate, and hands it to whoever writes the line."""

from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from proxy.edge.scope import SCOPE
from proxy.relay.clocks import Ticker
from proxy.relay.outcome import EndReason, Record


def build(ticker: Ticker, write: Callable[[Record], None]) -> Middleware:
    @web.middleware
    async def access_record(request: web.Request, handler: Handler) -> web.StreamResponse:
        record = request[SCOPE].record
        try:
            response = await handler(request)
            record.status = record.status or response.status
            return response
        finally:
            record.close(EndReason.DONE)
            record.duration = ticker.now() - record.started
            write(record)

    return access_record
