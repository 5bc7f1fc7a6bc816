"""What the edge needs from inside aiohttp's server, in one place, held fast by a contract test.

- `Connection` answers heads that aiohttp's parser refuses, which never reach an application: constant body, right
  status, one log line. It cuts a head that takes too long, and counts what a connection sends.
- `Server` builds Connections and, unlike aiohttp's, fails loudly on an unknown setting instead of dropping all of them.

Leaned on: `RequestHandler.data_received`, `handle_error`, `log_exception`, `_messages`, `_ErrInfo`, `_current_request`,
`_waiter`, `_request_count`, `_next_keepalive_close_time`, `_task_handler`, `finish_response`; `Server.__call__`.
(`edge/downstream.py`: `StreamResponse`; `edge/runner.py`: `AppRunner`.)
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, cast

from aiohttp import web
from aiohttp.http_exceptions import LineTooLong
from aiohttp.web_protocol import RequestHandler, RequestPayloadError, _ErrInfo

from proxy.edge.connections import Beginning, Connections, Occupant, Seat, make_room
from proxy.edge.downstream import WholeAnswer
from proxy.edge.lingering import Lingering
from proxy.edge.scope import SCOPE
from proxy.edge.sockets import count_unread, count_unsent, has_ended, limit_unsent
from proxy.edge.turns import Turns
from proxy.errors import Code, Refused
from proxy.relay.clocks import Ticker, wait_while_moving

WRITE_HIGH: Final = 64 * 1024
"""Bytes queued for a client before its upstream is paused: one full read of a busy stream; resumed below a quarter."""

CUTS: Final = 1
"""Heads that are cut in one turn of the loop, should thousands be due: 100 us each."""

QUEUED: Final = 0.002
"""Seconds from one request to the next, of all that were sent before the one ahead of them was answered: who sends a
thousand at once takes a fifth of the loop's time, and no more."""

Refuse = Callable[[Code, asyncio.BaseTransport | None], WholeAnswer]
"""Writes the log line of a request that could not be read, and builds its answer."""


class Connection(RequestHandler):
    """One client connection. `received` counts its bytes on the wire, framing included."""

    __slots__ = ("_head_deadline", "_last_request", "_server", "received", "seat", "wire")

    def __init__(self, server: "Server", **settings: Any) -> None:
        super().__init__(server, **settings)
        self._server = server
        self._head_deadline = 0.0
        self._last_request = 0
        self.received = 0
        self.seat: Seat | None = None
        self.wire: asyncio.Transport | None = None  # of TCP, also where TLS is above it

    def leave(self) -> None:
        """It is over, or its handshake has failed."""
        if self.seat is not None:
            self.seat.leave()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.wire = self.wire or cast(asyncio.Transport, transport)
        super().connection_made(transport)
        cast(asyncio.WriteTransport, transport).set_write_buffer_limits(high=WRITE_HIGH)
        limit_unsent(self.wire.get_extra_info("socket"))

    def connection_lost(self, exc: BaseException | None) -> None:
        self._stop_waiting_for_head()
        self.leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        super().data_received(data)
        if self._messages and isinstance(self._messages[-1][0], _ErrInfo):
            self._fail_upload()
        if not self._in_head():
            self._stop_waiting_for_head()
        elif data and not self._head_deadline and self._server.head_limit:
            self._head_deadline = self._server.ticker.now() + self._server.head_limit
            self._server.ticker.watch(self)

    def tick(self, now: float) -> None:
        """A head has begun and not ended in time: 408, and the connection is over (RFC 9110 15.5.9)."""
        if now >= self._head_deadline:
            self._stop_waiting_for_head()
            self._server.cuts.add(self._cut_head)

    def _cut_head(self) -> None:
        if self._in_head() and self.transport is not None:
            self.transport.write(self._server.refuse(Code.REQUEST_TIMEOUT, self.transport).encode_closing())
            self.force_close()

    @property
    def draining(self) -> bool:
        """Whether the answer that begins now is the last: to the last request that had come before the drain began."""
        return self._server.draining and self._request_count - len(self._messages) >= self._last_request

    def set_draining(self) -> None:
        self._last_request = self._request_count

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        finished = await super().finish_response(request, resp, start_time)
        if self.writing_paused and not await self._wait_until_read(request):
            return resp, True
        if self._messages and resp.keep_alive:
            await self._server.queues.wait()
        if not resp.keep_alive and (self._server.draining or self._messages) and request.content.is_eof():
            self._linger()
        return finished

    async def _wait_until_read(self, request: web.BaseRequest) -> bool:
        """A whole answer is written in one go: whoever asks for the next without reading would fill our memory. False
        when the client has read nothing for too long, and is cut off."""
        transport, scope = self.transport, request.get(SCOPE)
        if transport is None or scope is None:
            return True
        limit, ticker = scope.house.limits.write_stall, self._server.ticker
        try:
            await wait_while_moving(ticker, limit, lambda: count_unsent(transport, self.wire), self._drain_helper())
        except TimeoutError:
            transport.abort()
            return False
        return True

    def _linger(self, *, at_once: bool = False) -> None:
        """Over, for us; but the client may be sending still. at_once: it has every answer."""
        transport, self.transport, self._task_handler = self.transport, None, None
        if transport is not None:
            self._stop_waiting_for_head()
            self._server.lingering.take(transport, self.leave, at_once=at_once)
            super().connection_lost(None)  # the transport will tell its new protocol, not us

    def has_left(self) -> bool:
        """Whether the client has ended the connection. The event loop does not notice while reading is paused."""
        return self.transport is not None and has_ended(self.transport.get_extra_info("socket"))

    def close_if_idle(self, grace: float) -> bool:
        """Close a connection on which nothing has happened for `grace` seconds; True for one that is kept because its
        client may be about to ask, or has begun to."""
        if self._messages or self._head_deadline or self.has_unread():
            return True
        if self._waiter is None:  # an answer is under way, or the task that waits for requests has yet to run
            return not self._request_count
        idle_since = self._next_keepalive_close_time - self._keepalive_timeout
        if self._loop.time() < idle_since + grace:
            return True
        self._linger(at_once=True)
        return False

    @property
    def has_served(self) -> bool:
        return self._request_count > 0

    def waits_since(self) -> float | None:
        if not self._in_head():
            return None
        if self._head_deadline:
            return self._head_deadline - self._server.head_limit
        return self._next_keepalive_close_time - self._keepalive_timeout

    def has_unread(self) -> bool:
        return self.wire is not None and count_unread(self.wire.get_extra_info("socket")) > 0

    def give_way(self) -> None:
        self.leave()
        self.force_close()

    def _fail_upload(self) -> None:
        """The parser has failed within a body: aiohttp queues an answer behind the request whose body never ends."""
        request = self._current_request
        if request is not None and not request.content.is_eof():
            request.content.set_exception(RequestPayloadError("malformed body"))

    def _in_head(self) -> bool:
        """No request is being handled or queued, so what has come is the beginning of a head."""
        return not self._messages and (self._waiter is not None or not self._request_count)

    def _stop_waiting_for_head(self) -> None:
        if self._head_deadline:
            self._head_deadline = 0.0
            self._server.ticker.release(self)

    def log_exception(self, *args: Any, **settings: Any) -> None:
        """A body that broke off has been answered and is in the line of its request; aiohttp meets it once more when
        it reads what is left."""
        if not isinstance(settings.get("exc_info"), (RequestPayloadError, Refused)):
            super().log_exception(*args, **settings)

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """The answer to a head that could not be parsed. aiohttp's own would log it and quote it back."""
        if request.writer.output_size > 0 or isinstance(exc, ConnectionError):
            raise ConnectionError("the answer has begun, and can only be cut, or its client is gone")
        refusal = self._server.refuse(_find_code(status, exc, self.max_line_size), request.transport)
        refusal.force_close()
        return refusal


class Server(web.Server):
    """aiohttp's server of Connections."""

    def __init__(
        self, inner: web.Server, ticker: Ticker, head_limit: float, refuse: Refuse, seats: Connections
    ) -> None:
        super().__init__(
            inner.request_handler,
            request_factory=inner.request_factory,
            handler_cancellation=inner.handler_cancellation,
            loop=inner._loop,
            **inner._kwargs,
        )
        self.ticker = ticker
        self.head_limit = head_limit
        self.refuse = refuse
        self.draining = False
        self.lingering = Lingering(ticker)
        self.cuts = Turns(self._loop, CUTS)
        self.queues = Turns(self._loop, 1, QUEUED)
        self.seats = seats
        self.handshakes: dict[asyncio.Task[None], Beginning] = {}

    def __call__(self) -> RequestHandler:
        return self.build(None)

    def build(self, seat: Seat | None) -> Connection:
        connection = Connection(self, loop=self._loop, **self._kwargs)
        connection.seat = seat
        return connection

    def begin(self, work: Coroutine[None, None, None], seat: Seat | None) -> None:
        """Do what leads to a connection, a handshake for one."""
        task = self._loop.create_task(work)
        self.handshakes[task] = Beginning(task, seat, self.ticker.now())
        task.add_done_callback(self.handshakes.pop)

    def make_room(self, count: int) -> int:
        """Have so many give way of the connections that wait for nothing; how many there were."""
        occupants = [*self.handshakes.values(), *self._connections]
        return make_room(cast(list[Occupant], occupants), count, self.ticker.now())

    async def shutdown(self, timeout: float | None = None) -> None:
        if self.handshakes:
            await asyncio.wait(self.handshakes, timeout=timeout)
        for task in list(self.handshakes):
            task.cancel()
        await asyncio.gather(*self.handshakes, return_exceptions=True)
        await super().shutdown(timeout)


def _find_code(status: int, exc: BaseException | None, max_line: int) -> Code:
    """aiohttp knows one status for whatever its parser refuses; the exception tells more."""
    if status >= 500:
        return Code.INTERNAL
    if isinstance(exc, LineTooLong):
        return Code.TARGET_TOO_LONG if str(exc.args[1]) == str(max_line) else Code.HEADERS_TOO_LARGE
    if "Too many headers" in str(getattr(exc, "message", "")):
        return Code.HEADERS_TOO_LARGE
    return Code.BAD_REQUEST
