"""What the edge needs from inside aiohttp's server, in one place, held fast by a contract test.

- `Connection` answers heads that aiohttp's parser refuses, which never reach an application: constant body, right
  status, one log line. It cuts a head that takes too long, and counts what a connection sends.
- `Server` builds Connections and, unlike aiohttp's, fails loudly on an unknown setting instead of dropping all of them.
- `Runner` is an AppRunner with that server.

Leaned on: `RequestHandler.data_received`, `handle_error`, `log_exception`, `_messages`, `_ErrInfo`, `_current_request`,
`_waiter`, `_request_count`; `Server.__call__`; `AppRunner._make_server`. (`edge/downstream.py`: `StreamResponse`.)
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Any, Final, cast

from aiohttp import web
from aiohttp.http_exceptions import LineTooLong
from aiohttp.web_protocol import RequestHandler, RequestPayloadError, _ErrInfo

from proxy.edge.downstream import WholeAnswer
from proxy.errors import Code, Refused
from proxy.relay.clocks import Ticker

WRITE_HIGH: Final = 64 * 1024
"""Bytes queued for a client before its upstream is paused: one full read of a busy stream; resumed below a quarter."""

_LEFT: Final = frozenset({7, 8})
"""TCP_CLOSE and TCP_CLOSE_WAIT, the first byte of TCP_INFO (linux/tcp.h): after a reset, and after a FIN."""

_SHUTDOWN: Final = 0.1
"""Seconds `cleanup` waits for handlers: the drain has waited for them before. aiohttp may take this twice."""

Refuse = Callable[[Code, asyncio.BaseTransport | None], WholeAnswer]
"""Writes the log line of a request that could not be read, and builds its answer."""


class Connection(RequestHandler):
    """One client connection. `received` counts its bytes on the wire, framing included."""

    __slots__ = ("_head_deadline", "_server", "received")

    def __init__(self, server: "Server", **settings: Any) -> None:
        super().__init__(server, **settings)
        self._server = server
        self._head_deadline = 0.0
        self.received = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        cast(asyncio.WriteTransport, transport).set_write_buffer_limits(high=WRITE_HIGH)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._stop_waiting_for_head()
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
            if self._in_head() and self.transport is not None:
                self.transport.write(self._server.refuse(Code.REQUEST_TIMEOUT, self.transport).encode_closing())
                self.force_close()

    @property
    def draining(self) -> bool:
        return self._server.draining

    def has_left(self) -> bool:
        """Whether the client has ended the connection. The event loop does not notice while reading is paused."""
        sock = self.transport.get_extra_info("socket") if self.transport is not None else None
        if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
            return False
        state: bytes = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)
        return state[0] in _LEFT

    def close_if_idle(self) -> None:
        if self._waiter is not None and not self._messages:
            self.force_close()  # `close` would end the task and leave the socket open

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
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun: it can only be cut")
        refusal = self._server.refuse(_find_code(status, exc, self.max_line_size), request.transport)
        refusal.force_close()
        return refusal


class Server(web.Server):
    """aiohttp's server of Connections."""

    def __init__(self, inner: web.Server, ticker: Ticker, head_limit: float, refuse: Refuse) -> None:
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

    def __call__(self) -> RequestHandler:
        return Connection(self, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    """An AppRunner on our Server. `head_limit`: seconds for a whole request head, 0 for ever."""

    __slots__ = ("_head_limit", "_refuse", "_ticker")

    def __init__(
        self, app: web.Application, ticker: Ticker, head_limit: float, refuse: Refuse, **settings: Any
    ) -> None:
        super().__init__(
            app,
            handle_signals=False,
            access_log=None,
            handler_cancellation=True,
            tcp_keepalive=False,  # the listener has it, and every connection from the listener
            shutdown_timeout=_SHUTDOWN,
            **settings,
        )
        self._ticker = ticker
        self._head_limit = head_limit
        self._refuse = refuse

    async def _make_server(self) -> web.Server:
        return Server(await super()._make_server(), self._ticker, self._head_limit, self._refuse)

    def set_draining(self) -> None:
        """From now on every answer is the last on its connection."""
        if isinstance(self.server, Server):
            self.server.draining = True

    def has_connections(self) -> bool:
        return self.server is not None and bool(self.server.connections)

    def close_idle(self) -> None:
        """Close the connections on which no request is under way."""
        if self.server is not None:
            for connection in self.server.connections:
                if isinstance(connection, Connection):
                    connection.close_if_idle()


def _find_code(status: int, exc: BaseException | None, max_line: int) -> Code:
    """aiohttp knows one status for whatever its parser refuses; the exception tells more."""
    if status >= 500:
        return Code.INTERNAL
    if isinstance(exc, LineTooLong):
        return Code.TARGET_TOO_LONG if str(exc.args[1]) == str(max_line) else Code.HEADERS_TOO_LARGE
    if "Too many headers" in str(getattr(exc, "message", "")):
        return Code.HEADERS_TOO_LARGE
    return Code.BAD_REQUEST
