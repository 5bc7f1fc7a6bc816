"""A client that leaves: aiohttp cancels the handler, everything below closes what it holds, and it is no error."""

import asyncio

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from proxy.edge.scope import SCOPE
from proxy.relay.outcome import EndReason


def build() -> Middleware:
    @web.middleware
    async def disconnect(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except (asyncio.CancelledError, ConnectionError):
            # A cancellation of our own has written its reason first: at the end of a drain, above all.
            request[SCOPE].record.close(EndReason.CLIENT_GONE)
            raise

    return disconnect
