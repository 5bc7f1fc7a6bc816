"""What runs the application: aiohttp's AppRunner with the proxy's own server, and the drain's way to its connections.

Leaned on: `AppRunner._make_server`.
"""

from typing import Any, Final

from aiohttp import web

from proxy.edge.connections import Connections
from proxy.edge.insides import Connection, Refuse, Server
from proxy.relay.clocks import Ticker

_SHUTDOWN: Final = 0.1
"""Seconds `cleanup` waits for handlers: the drain has waited for them before. aiohttp may take this twice."""


class Runner(web.AppRunner):
    """An AppRunner on our Server. `head_limit`: seconds for a whole request head, 0 for ever."""

    __slots__ = ("_head_limit", "_refuse", "_seats", "_ticker")

    def __init__(
        self,
        app: web.Application,
        ticker: Ticker,
        head_limit: float,
        refuse: Refuse,
        seats: Connections,
        **settings: Any,
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
        self._seats = seats

    async def _make_server(self) -> web.Server:
        return Server(await super()._make_server(), self._ticker, self._head_limit, self._refuse, self._seats)

    def get_server(self) -> Server:
        """The server. Raises RuntimeError before `setup`."""
        if not isinstance(self.server, Server):
            raise RuntimeError("the runner is not set up")
        return self.server

    def set_draining(self) -> None:
        """From now on every answer is the last on its connection, but for requests that wait behind it already."""
        if isinstance(self.server, Server):
            self.server.draining = True
            for connection in self._list_connections():
                connection.set_draining()

    def close_idle(self, grace: float) -> bool:
        """Close the connections on which nothing was under way for `grace` seconds; whether all that are left have an
        answer under way."""
        if not isinstance(self.server, Server):
            return True
        kept = [connection.close_if_idle(grace) for connection in self._list_connections()]
        return not any(kept) and not self.server.handshakes and not self.server.lingering

    def _list_connections(self) -> list[Connection]:
        connections = self.server.connections if self.server is not None else ()
        return [connection for connection in connections if isinstance(connection, Connection)]
