"""Listeners: connections are accepted here, a few at a time, and take their seat before anything is built for them.

The loops' own servers accept all that wait in one go, which holds up every stream while a storm of connects lasts, and
neither bears the end of descriptors: asyncio logs and sets a timer for each connection that waits, libuv accepts and
closes what another process could have served. Here a turn of the loop accepts BURST, and without a descriptor nobody
is accepted for PAUSE, while those who wait give way.

Who is refused gets a constant 503 and the half of a close; closed whole at once, the unread request would reset the
connection and might take the answer with it (RFC 9112 9.6). On a TLS listener it would cost a handshake to say so.
"""

import asyncio
import errno
import logging
import socket
import ssl
from collections import deque
from collections.abc import Callable
from typing import Final

from aiohttp import web

from proxy.edge.connections import Reason, Seat
from proxy.edge.downstream import build_refusal
from proxy.edge.handshake import begin_tls
from proxy.edge.insides import Server
from proxy.edge.runner import Runner
from proxy.edge.scope import make_request_id
from proxy.errors import Code

BURST: Final = 2
"""Connections per turn of the loop: a fifth of a millisecond, and their requests come at the same pace."""

PAUSE: Final = 1.0
"""Seconds without accepting when there is no descriptor left: one that is closed does not announce itself."""

_SAY: Final = 10.0
"""Seconds between two lines about it."""

_LINGER: Final = 1.0
"""Seconds that a refused connection stays half open: the answer is there within a round trip."""

_LINGERING: Final = 64
"""Refused connections that do, a descriptor each; of more the oldest are closed."""

_PASSING: Final = frozenset({
    errno.ECONNABORTED, errno.EPROTO, errno.ENOPROTOOPT, errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN,
    errno.EHOSTUNREACH, errno.EOPNOTSUPP, errno.ENONET, errno.EPERM,
})  # fmt: skip
"""What accept(2) says of a connection that was lost while it waited; the next may be well."""

_RETRY_AFTER: Final = (b"Retry-After", b"1")

_LOG = logging.getLogger("penstock.edge")


class AcceptingSite(web.BaseSite):
    """One listener. get_context: for TLS, asked for each connection, so that a new certificate serves at once.
    counted: its connections take seats; the operator's do not."""

    __slots__ = ("_counted", "_get_context", "_http", "_is_shared", "_loop", "_refused", "_resume", "_said", "_sock")

    def __init__(
        self,
        runner: Runner,
        sock: socket.socket,
        *,
        backlog: int = 128,
        get_context: Callable[[], ssl.SSLContext] | None = None,
        counted: bool = True,
    ) -> None:
        super().__init__(runner, backlog=backlog)
        self._loop = asyncio.get_running_loop()
        self._http: Server = runner.get_server()
        self._sock = sock
        self._get_context = get_context
        self._counted = counted
        self._refused: deque[tuple[float, socket.socket]] = deque()
        self._resume: asyncio.TimerHandle | None = None
        self._said = -_SAY
        self._is_shared = False

    @property
    def name(self) -> str:
        return f"{'http' if self._get_context is None else 'https'}://{self._sock.getsockname()}"

    async def start(self) -> None:
        await super().start()
        self._is_shared = bool(self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
        self._sock.setblocking(False)
        self._sock.listen(self._backlog)
        self._listen()

    async def stop(self) -> None:
        """Accept no more. What was accepted is served, and what waits in the queue, unless others accept from it too:
        the kernel would reset it with the listener."""
        self._loop.remove_reader(self._sock)
        if not self._is_shared:
            self._accept(self._backlog)
        self._stay()
        self._sock.close()
        while self._refused:
            self._refused.popleft()[1].close()
        await super().stop()

    def _listen(self) -> None:
        self._loop.add_reader(self._sock, self._accept)

    def _stay(self) -> None:
        """Not accept again by itself."""
        if self._resume is not None:
            self._resume.cancel()

    def _accept(self, most: int = BURST) -> None:
        for _ in range(most):
            try:
                sock, peer = self._sock.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _PASSING:
                    continue
                self._bear(error)
                return
            self._seat(sock, peer)

    def _seat(self, sock: socket.socket, peer: object) -> None:
        sock.setblocking(False)
        seat, server = None, self._http
        if self._counted:
            seat = server.seats.take(peer, server.make_room)
            if seat is None:
                self._refuse(sock)
                return
        server.begin(self._begin(sock, seat, peer), seat)

    async def _begin(self, sock: socket.socket, seat: Seat | None, peer: object) -> None:
        """Serve a connection. Returns once it is served, or has failed and is closed."""
        server, connection = self._http, self._http.build(seat)
        if self._get_context is not None:
            if not await begin_tls(connection, sock, self._get_context()):
                server.seats.note(Reason.HANDSHAKE, peer)
            return
        try:
            await self._loop.connect_accepted_socket(lambda: connection, sock)
        except OSError:  # the client has left already
            connection.leave()
            sock.close()

    def _refuse(self, sock: socket.socket) -> None:
        if self._get_context is not None:
            sock.close()
            return
        answer = build_refusal(Code.CONNECTIONS, make_request_id(), extra=[_RETRY_AFTER]).encode_closing()
        try:
            sock.send(answer)  # the first bytes on a connection: the kernel takes them
            sock.shutdown(socket.SHUT_WR)
        except OSError:
            sock.close()
            return
        if not self._refused:
            self._loop.call_later(_LINGER, self._close_refused)
        elif len(self._refused) == _LINGERING:
            self._refused.popleft()[1].close()
        self._refused.append((self._loop.time(), sock))

    def _close_refused(self) -> None:
        """Close whose time is over."""
        now = self._loop.time()
        while self._refused and now - self._refused[0][0] >= _LINGER:
            self._refused.popleft()[1].close()
        if self._refused:
            self._loop.call_later(_LINGER - now + self._refused[0][0], self._close_refused)

    def _bear(self, error: OSError) -> None:
        """There is no descriptor, or no memory in the kernel."""
        self._loop.remove_reader(self._sock)
        self._stay()
        self._resume = self._loop.call_later(PAUSE, self._listen)
        now = self._loop.time()
        if now - self._said >= _SAY:
            self._said = now
            _LOG.error("cannot accept connections: %s", errno.errorcode.get(error.errno or 0, type(error).__name__))
        self._http.make_room(BURST)
