"""A running proxy for tests: the real application on real sockets, with its records in reach.

`running(config)` takes what a configuration file would hold, listens on free loopback ports and yields a RunningProxy.
`mounted(upstream)` is the configuration that most tests want: one mount `/up` in front of a DemoUpstream.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from proxy.accounts.cooldown import StateStore
from proxy.app import Penstock, Sites
from proxy.config.load import build_config
from proxy.demo import DemoUpstream
from proxy.listeners import read_address
from proxy.relay.outcome import Record
from tests.helpers.bare import settle
from tests.helpers.over_tls import choose_pair


class RunningProxy:
    """port, admin_port: where it listens. records: the finished requests, in the order in which they ended."""

    def __init__(self, config: Mapping[str, Any], *, pull: bool = False, store: StateStore | None = None) -> None:
        self.records: list[Record] = []
        self._news = asyncio.Condition()
        built = build_config([("test", config)], {})
        self._tls = built.server.tls
        self.penstock = Penstock(built, self._note, pull=pull, store=store)
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.admin_port = 0

    async def start(self) -> None:
        await self.penstock.runner.setup()
        public, admin = _listen(), _listen()
        self.port, self.admin_port = public.getsockname()[1], admin.getsockname()[1]
        self.penstock.doors.open_admin([admin.getsockname()])
        self.sites = Sites(self.penstock.runner, choose_pair(self.port, self._tls))
        for sock in (public, admin):
            await self.sites.build(sock, read_address(sock), admin=sock is admin).start()

    async def stop(self) -> None:
        self.penstock.instruments.end_viewers()
        await self.penstock.runner.cleanup()
        for _ in range(100):  # TLS waits for the other side, and the loop is about to end
            if not len(self.penstock.connections):
                break
            await asyncio.sleep(0.01)
        await self.penstock.close()

    async def wait_record(self, number: int = 1, *, within: float = 10.0) -> Record:
        """The `number`-th finished request (from 1), waiting for it."""
        async with asyncio.timeout(within), self._news:
            await self._news.wait_for(lambda: len(self.records) >= number)
        return self.records[number - 1]

    async def wait_unconnected(self, within: float = 10.0) -> None:
        """Until no client has a connection any more: one that has gone is still here for a moment."""
        server = self.penstock.runner.server
        assert server is not None
        await settle(lambda: not server.connections, within)

    def _note(self, record: Record) -> None:
        self.records.append(record)
        task = asyncio.get_running_loop().create_task(self._tell())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()


def mounted(upstream: DemoUpstream | str, dialect: str = "raw", **mount: Any) -> dict[str, Any]:
    """One provider `up`, mounted at `/up`, open unless the mount says otherwise."""
    base_url = upstream if isinstance(upstream, str) else upstream.base_url
    return {
        "providers": {"up": {"dialect": dialect, "base_url": base_url}},
        "mounts": {"/up": {"provider": "up", "auth": "none", **mount}},
    }


@asynccontextmanager
async def running(
    config: Mapping[str, Any], *, pull: bool = False, store: StateStore | None = None
) -> AsyncIterator[RunningProxy]:
    proxy = RunningProxy(config, pull=pull, store=store)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()


@asynccontextmanager
async def demo_upstream(**options: Any) -> AsyncIterator[DemoUpstream]:
    upstream = DemoUpstream(record=True)
    await upstream.start(**options)
    try:
        yield upstream
    finally:
        await upstream.stop()


def _listen() -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", 0))
    sock.setblocking(False)
    return sock
