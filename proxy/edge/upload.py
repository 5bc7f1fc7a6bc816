"""A client's request body on its way up: the relay's Upload on aiohttp's request.

It is never collected: what has arrived goes on. Four limits guard it: its size (413), silence between two reads and
the average rate (408), and the share of framing in it (400: a body of chunk extensions is an attack, RFC 9112 7.1.1).
When one is hit, or the client breaks off, `fault` holds the reason and the body ends early, which closes upstream.
A client that waits for a 100 gets it when upstream asks for the first bytes, so never for a request that is refused.
"""

from collections.abc import AsyncIterator
from typing import Final

from aiohttp import web
from aiohttp.web_protocol import RequestPayloadError

from proxy.config.model import Limits
from proxy.edge.insides import Connection
from proxy.errors import Code, Refused
from proxy.relay.clocks import Ticker

RATE_GRACE: Final = 10.0
"""Seconds before the average rate counts: a mobile client's radio may take that long to wake."""

RATE_WINDOW: Final = 30.0
"""Seconds over which the rate is averaged; longer than any sane pause, shorter than an attacker's patience."""

FRAMING_FREE: Final = 64 * 1024
"""Bytes of framing that are never held against a body: the head and anything sent along with it."""

FRAMING_PER_BYTE: Final = 16
"""Bytes of framing allowed per byte of body above that: a chunk of one byte needs five."""

_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class ClientUpload:
    """`taken` counts body bytes handed on. `fault` is set when the client's side failed; then nothing more comes."""

    def __init__(
        self, request: web.BaseRequest, length: int | None, limits: Limits, ticker: Ticker, *, wants_continue: bool
    ) -> None:
        self._request = request
        self._length = length
        self._limits = limits
        self._ticker = ticker
        self._wants_continue = wants_continue
        self._reading = False
        self._read_at = 0.0  # when the read under way began
        self._waited = 0.0  # seconds spent in the reads before it: the client's time, not upstream's
        self._window = (RATE_GRACE, 0)  # seconds waited and bytes taken where the current average began
        self.taken = 0
        self.fault: Refused | None = None

    @property
    def length(self) -> int | None:
        return self._length

    @property
    def complete(self) -> bool:
        """All of it has arrived."""
        return self._request.content.is_eof()

    def take_whole(self) -> bytes | None:
        content = self._request.content
        if self._wants_continue or not content.is_eof() or content.exception() is not None:
            return None
        body = content.read_nowait()
        self.taken = len(body)
        return body

    async def read(self) -> AsyncIterator[bytes]:
        self._ask_for_body()
        self._ticker.watch(self)
        try:
            while data := await self._read_some():
                self.taken += len(data)
                self._check_size()
                yield data
        finally:
            self._ticker.release(self)

    def tick(self, now: float) -> None:
        """The clocks of a read under way: silence, and the average rate once the grace is over.

        While upstream takes nothing the client's socket is paused, and somebody has to look whether it is still there.
        """
        if not self._reading:
            self._look_for_client()
            return
        silent = now - self._read_at
        if 0 < self._limits.body_idle <= silent or self._is_slow(self._waited + silent):
            self._request.content.set_exception(self._fail(Code.REQUEST_TIMEOUT))

    def _look_for_client(self) -> None:
        protocol, transport = self._request.protocol, self._request.transport
        if isinstance(protocol, Connection) and transport is not None and protocol.has_left():
            transport.abort()  # what follows is what follows any lost connection

    def _is_slow(self, waited: float) -> bool:
        since, taken = self._window
        if waited - since < RATE_WINDOW:
            return False
        self._window = (waited, self.taken)
        return self.taken - taken < self._limits.body_rate * (waited - since)

    async def _read_some(self) -> bytes:
        self._reading = True
        self._read_at = self._ticker.now()
        try:
            return await self._request.content.readany()
        except RequestPayloadError:
            raise self._fail(Code.BODY) from None
        finally:
            self._reading = False
            self._waited += self._ticker.now() - self._read_at

    def _ask_for_body(self) -> None:
        transport = self._request.transport
        if self._wants_continue and transport is not None and not self._request.content.is_eof():
            transport.write(_CONTINUE)

    def _check_size(self) -> None:
        if self.taken > self._limits.max_body:
            raise self._fail(Code.BODY_TOO_LARGE)
        protocol = self._request.protocol
        if isinstance(protocol, Connection):
            framing = protocol.received - self.taken
            if framing > FRAMING_FREE + FRAMING_PER_BYTE * self.taken and not self.complete:
                raise self._fail(Code.BODY)

    def _fail(self, code: Code) -> Refused:
        self.fault = Refused(code, close=True)
        return self.fault


def build_upload(
    request: web.BaseRequest, length: int | None, limits: Limits, ticker: Ticker, *, wants_continue: bool
) -> ClientUpload | None:
    """The body of `request`, None when it has none. Raises Refused for one that is known to be too large."""
    if length is not None and length > limits.max_body:
        raise Refused(Code.BODY_TOO_LARGE, close=True)
    if not request.body_exists:
        return None
    if request.content.total_bytes > limits.max_body:  # chunks that came along with the head
        raise Refused(Code.BODY_TOO_LARGE, close=True)
    return ClientUpload(request, length, limits, ticker, wants_continue=wants_continue)
