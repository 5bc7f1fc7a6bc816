"""The life of the process: listeners up, signals, reload, and a drain that loses no stream.

`Service.run` serves until it is told to stop and returns the exit code. SIGTERM and Ctrl-C drain: listeners close,
running streams go on for `limits.drain` seconds, what is left then is aborted; a second signal ends at once. SIGHUP
loads the configuration again and swaps it in whole, or keeps the old one and says why. A service manager is told of
each of these, and how many streams there are.
"""

import asyncio
import faulthandler
import gc
import logging
import os
import resource
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from aiohttp import web
from aiohttp.http_parser import HttpRequestParser

from proxy.app import Penstock, Sites, open_store
from proxy.config.address import parse_address
from proxy.config.model import Config
from proxy.config.model.server import Server
from proxy.config.passed import check_passed, is_listen
from proxy.errors import PenstockError
from proxy.listeners import open_listeners, read_address, show_address, take_inherited, watch_peers
from proxy.ops.log import AccessLog
from proxy.ops.notify import Manager
from proxy.relay.outcome import EndReason

IDLE_GRACE: Final = 6.0
"""Seconds for which a connection without a request is kept in a drain, where others serve on sockets that were passed
to us. A request that crosses the close is lost, and clients reuse a connection soon or never: httpx within 5 s of the
last answer, undici within 4 s."""

ALONE_GRACE: Final = 1.0
"""The same where nobody serves after us: only for what is on its way."""

_LOOK: Final = 0.25
"""Seconds between two looks, in a drain, at what is still open."""

ABORT_GRACE: Final = 2.0
"""Seconds for aborted streams to deliver what they had and end."""

_COLLECT: Final = (700, 10, 30)
"""When garbage is looked for (gc.set_threshold). All of it three times more rarely than by default: a pass takes 100 ms
with 5,000 connections, and holds up every stream. More rarely still, and what failed requests leave in cycles comes to
100 MB in between."""

_READ_AT_START: Final = ("head_timeout", "request_target", "request_head_field", "request_head_fields")
"""Limits that aiohttp takes when its server is made."""

_NEEDS_START: Final = "changes to listeners, [log] and the limits of request heads wait for the next start"

_LOG = logging.getLogger("penstock")

LoadConfig = Callable[[], Config]
Announce = Callable[[list[str], list[str]], None]
"""Is told the addresses of the public and of the admin listeners."""


def check_interpreter() -> None:
    """Raise PenstockError where aiohttp would be a weaker server than the one that was tested.

    Its pure Python parser, which a wheel for the wrong platform brings without a word, lets requests through that the
    C parser refuses; and `python -O` removes assertions that it relies on (CVE-2025-69227).
    """
    if HttpRequestParser.__module__ != "aiohttp._http_parser":
        raise PenstockError("aiohttp's C parser is missing: reinstall aiohttp from a wheel for this platform")
    if sys.flags.optimize:
        raise PenstockError("python -O is not supported: it removes checks that aiohttp relies on")


def prepare_process() -> None:
    """As many descriptors as the process may have: the usual soft limit of 1024 is there for programs that `select`, of
    which this is none. No core file, for the keys would be in it: a process that is killed for hanging says first where
    it hangs instead, and that text has no values. And whatever was imported is left out by the garbage collector."""
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    except (OSError, ValueError):
        pass  # a filter of system calls forbids it, and whoever set that has set the limit too
    faulthandler.enable()
    gc.freeze()
    gc.set_threshold(*_COLLECT)


class Service:
    """A running proxy, built on a running loop. Raises OSError for a `ca_file` that cannot be read."""

    def __init__(
        self,
        config: Config,
        load_config: LoadConfig | None = None,
        log_format: str | None = None,
        manager: Manager | None = None,
    ) -> None:
        check_interpreter()
        self._config = config
        self._load_config = load_config
        self._manager = manager or Manager()
        self._passed: list[socket.socket] = []
        self._refusal = ""
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()
        self._public: list[web.BaseSite] = []
        self._admin: list[web.BaseSite] = []
        self._access = AccessLog(log_format or config.log.format, config.log.level)
        self.penstock = Penstock(
            config, self._access.write, store=open_store(config.state.path, os.environ), environ=os.environ
        )
        self._sites = Sites(self.penstock.runner, config.server.tls)

    async def run(self, announce: Announce | None = None) -> bool:
        """Serve until told to stop; False when the stop was hurried by a second signal. Raises BindError, and
        ConfigError for sockets that were passed and that the configuration would open too widely."""
        with self._signals():
            try:
                public, admin = await self._open()
                self._manager.start(self._describe)
                self._manager.tell_ready()
                if announce is not None:
                    announce(public, admin)
                await self._stop.wait()
                await self._drain()
            finally:
                await self._close()
        return not self._hurry.is_set()

    def request_stop(self) -> None:
        """Begin to drain; asked again, end at once."""
        if self._stop.is_set():
            self._hurry.set()
        self._stop.set()

    def reload(self) -> None:
        """Load the configuration and swap it in, or say why not."""
        if self._load_config is None or self._stop.is_set():
            return
        self._manager.tell_reloading()
        try:
            config = self._load_config()
            self._swap(config)
        except (PenstockError, OSError) as error:
            self._refusal = f"; reload refused: {error}"
            _LOG.error("reload refused, the old configuration stays: %s", error)
        else:
            self._refusal = ""
            same = _is_same_process(config, self._config)
            _LOG.info("reloaded%s", "" if same else f"; {_NEEDS_START}")
        self._manager.tell_ready()

    def _swap(self, config: Config) -> None:
        """All of it or nothing."""
        check_passed(config, [read_address(sock) for sock in self._passed])
        contexts = self._sites.read(config.server.tls)
        self.penstock.reload(config)
        self._sites.renew(contexts)

    def _describe(self) -> str:
        streams = self.penstock.streams
        return f"{'draining' if streams.draining else 'serving'}, {len(streams)} streams{self._refusal}"

    async def _open(self) -> tuple[list[str], list[str]]:
        server, penstock = self._config.server, self.penstock
        public = self._passed = take_inherited()
        if public:
            addresses = [read_address(sock) for sock in public]
            check_passed(self._config, addresses)
            if server.listen != Server().listen and not is_listen(server.listen, addresses):
                _LOG.warning("[server] listen is left aside: the service manager has passed other sockets")
        else:
            public = open_listeners([parse_address(text) for text in server.listen])
        admin = open_listeners([parse_address(server.admin)] if server.admin else [])
        await penstock.runner.setup()
        penstock.doors.open_admin(sock.getsockname() for sock in admin)
        shown = [await self._open_site(sock, self._public, admin=False) for sock in public]
        return shown, [await self._open_site(sock, self._admin, admin=True) for sock in admin]

    async def _open_site(self, sock: socket.socket, sites: list[web.BaseSite], *, admin: bool) -> str:
        """Accept from now on. Returns the address as a URL would have it."""
        address = read_address(sock)
        watch_peers(sock)
        site = self._sites.build(sock, address, admin=admin)
        await site.start()
        sites.append(site)
        return show_address(address, tls=self._sites.speaks_tls(address, admin=admin))

    async def _drain(self) -> None:
        """The order matters: `cleanup` first would discard what connections still send, and starve uploads. Whoever has
        a connection gets an answer on it until the deadline, and is told that it is the last. Under a service manager
        the admin listeners stay, so that the last streams can be seen; a successor without one wants their addresses.
        """
        streams, drain = self.penstock.streams, self.penstock.house.limits.drain
        for site in (*self._public, *(() if self._manager.is_there else self._admin)):
            await site.stop()
        streams.draining = True
        self.penstock.runner.set_draining()
        self._manager.tell_stopping()
        _LOG.info("draining, %d streams", len(streams))
        grace = IDLE_GRACE if self._passed else ALONE_GRACE
        await self._within(drain, self._wait_until_over(min(grace, drain / 2)))
        streams.refusing = True
        if len(streams):
            _LOG.warning("aborting %d streams", len(streams))
            streams.end_all(EndReason.DRAIN)
            await self._within(ABORT_GRACE, self._wait_until_over(0.0))

    async def _wait_until_over(self, grace: float) -> None:
        """Every stream has ended, and no kept connection has a client that may be about to ask for one."""
        while True:
            none_kept = self.penstock.runner.close_idle(grace)
            if none_kept and not len(self.penstock.streams):
                return
            await asyncio.sleep(_LOOK)

    async def _within(self, seconds: float, work: Awaitable[None]) -> None:
        """Await `work`, for at most `seconds`, and not past a second signal."""
        tasks = [asyncio.ensure_future(work), asyncio.ensure_future(self._hurry.wait())]
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _close(self) -> None:
        self.penstock.instruments.end_viewers()
        await self.penstock.runner.cleanup()
        await self.penstock.close()
        self._access.flush()
        self._manager.stop()

    @contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        actions = {signal.SIGTERM: self.request_stop, signal.SIGINT: self.request_stop, signal.SIGHUP: self.reload}
        for number, action in actions.items():
            loop.add_signal_handler(number, action)
        try:
            yield
        finally:
            for number in actions:
                loop.remove_signal_handler(number)


def _is_same_process(new: Config, old: Config) -> bool:
    """Whether nothing has changed that is read only once."""
    return _read_at_start(new) == _read_at_start(old)


def _read_at_start(config: Config) -> tuple[object, ...]:
    server, limits = config.server, [getattr(config.limits, name) for name in _READ_AT_START]
    return server.listen, server.admin, bool(server.tls.certificate), config.log, limits
