"""The life of the process: listeners up, signals, reload, and a drain that loses no stream.

`Service.run` serves until it is told to stop and returns the exit code. SIGTERM and Ctrl-C drain: listeners close,
running streams go on for `limits.drain` seconds, what is left then is aborted; a second signal ends at once. SIGHUP
loads the configuration again and swaps it in whole, or keeps the old one and says why.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final

from aiohttp import web
from aiohttp.http_parser import HttpRequestParser

from proxy.app import Penstock, open_store
from proxy.config.address import parse_address
from proxy.config.model import Config
from proxy.errors import PenstockError
from proxy.listeners import open_listeners, show_listener, take_inherited, watch_peers
from proxy.ops.log import AccessLog
from proxy.relay.outcome import EndReason

BACKLOG: Final = 4096
"""Connections the kernel may hold for us: asyncio's 100 overflow when many clients come back after a restart."""

ACCEPTED_GRACE: Final = 1.0
"""Seconds after the listeners closed in which connections that were accepted before may still bring a request."""

ABORT_GRACE: Final = 2.0
"""Seconds for aborted streams to deliver what they had and end."""

_READ_AT_START: Final = ("head_timeout", "request_target", "request_head_field", "request_head_fields")
"""Limits that aiohttp takes when its server is made."""

_NEEDS_START: Final = "changes under [server], [log] and to the limits of request heads wait for the next start"

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


class Service:
    """A running proxy, built on a running loop. Raises OSError for a `ca_file` that cannot be read."""

    def __init__(self, config: Config, load_config: LoadConfig | None = None, log_format: str | None = None) -> None:
        check_interpreter()
        self._config = config
        self._load_config = load_config
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()
        self._sites: list[web.SockSite] = []
        self._access = AccessLog(log_format or config.log.format, config.log.level)
        self.penstock = Penstock(
            config, self._access.write, store=open_store(config.state.path, os.environ), environ=os.environ
        )

    async def run(self, announce: Announce | None = None) -> bool:
        """Serve until told to stop; False when the stop was hurried by a second signal. Raises BindError."""
        with self._signals():
            try:
                public, admin = await self._open()
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
        if self._load_config is None:
            return
        try:
            config = self._load_config()
            self.penstock.reload(config)
        except (PenstockError, OSError) as error:
            _LOG.error("reload refused, the old configuration stays: %s", error)
            return
        same = _is_same_process(config, self._config)
        _LOG.info("reloaded%s", "" if same else f"; {_NEEDS_START}")

    async def _open(self) -> tuple[list[str], list[str]]:
        server, penstock = self._config.server, self.penstock
        await penstock.runner.setup()
        public = take_inherited() or open_listeners([parse_address(text) for text in server.listen])
        admin = open_listeners([parse_address(server.admin)] if server.admin else [])
        penstock.doors.open_admin(sock.getsockname() for sock in admin)
        for sock in (*public, *admin):
            watch_peers(sock)
            site = web.SockSite(penstock.runner, sock, backlog=BACKLOG)
            await site.start()
            self._sites.append(site)
        return [show_listener(sock) for sock in public], [show_listener(sock) for sock in admin]

    async def _drain(self) -> None:
        """The order matters: `cleanup` first would discard what connections still send, and starve uploads."""
        streams, drain = self.penstock.streams, self._config.limits.drain
        for site in self._sites:
            await site.stop()
        streams.draining = True
        self.penstock.runner.set_draining()
        _LOG.info("draining, %d streams", len(streams))
        if self.penstock.runner.has_connections():
            await self._within(min(ACCEPTED_GRACE, drain), _forever())
        streams.refusing = True
        self.penstock.runner.close_idle()
        await self._within(drain, streams.wait_empty())
        if len(streams):
            _LOG.warning("aborting %d streams", len(streams))
            streams.end_all(EndReason.DRAIN)
            await self._within(ABORT_GRACE, streams.wait_empty())

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
    return (new.server, new.log) == (old.server, old.log) and all(
        getattr(new.limits, name) == getattr(old.limits, name) for name in _READ_AT_START
    )


async def _forever() -> None:
    await asyncio.get_running_loop().create_future()
