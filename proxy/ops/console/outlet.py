"""A viewer's side of an event stream of our own: frames out, and an end to viewers that do not read.

`send` never waits; `flush` waits until the viewer has read enough, and meanwhile whoever feeds it makes nothing new.
So a slow viewer costs one frame of memory, whatever happens in the meantime. Raises ConnectionError when the viewer is
gone, and for one that has read nothing for PATIENCE seconds.
"""

import asyncio
from typing import Final

from aiohttp import web

from proxy.edge.client_stream import ClientStream, open_stream
from proxy.edge.downstream import Downstream
from proxy.wire.sse import encode_comment, encode_event

PATIENCE: Final = 60.0
"""Seconds. A machine that slept comes back by itself, and is told everything anew."""

_FIELDS: Final = [
    (b"Content-Type", b"text/event-stream; charset=utf-8"),
    (b"Cache-Control", b"no-store, no-transform"),
    (b"X-Accel-Buffering", b"no"),
    (b"X-Content-Type-Options", b"nosniff"),
]


class Outlet:
    """Make it with `open_outlet`; `response` is what the request's handler returns."""

    def __init__(self, response: Downstream, stream: ClientStream) -> None:
        self.response = response
        self._stream = stream
        self._flowing = True

    def send(self, event: bytes, data: bytes, event_id: bytes = b"") -> None:
        self._write(encode_event(data, event, event_id))

    def send_retry(self, ms: int) -> None:
        """How soon a browser shall come back."""
        self._write(b"retry: %d\n\n" % ms)

    def beat(self) -> None:
        """Say that we are here: who looks on from behind a proxy is not cut off."""
        self._write(encode_comment(b"beat"))

    async def flush(self) -> None:
        if self._flowing:
            return
        try:
            async with asyncio.timeout(PATIENCE):
                await self._stream.drain()
        except TimeoutError:
            self._stream.kill()
            raise ConnectionResetError("the viewer does not read") from None
        self._flowing = True

    async def close(self) -> None:
        await self._stream.finish()

    def _write(self, data: bytes) -> None:
        self._flowing = self._stream.write(data) and self._flowing


async def open_outlet(request: web.BaseRequest) -> Outlet:
    response = Downstream(200, "OK", list(_FIELDS), None)
    return Outlet(response, await open_stream(request, response))
