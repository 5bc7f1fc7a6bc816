"""The composition root: from a Config to one running application, and from a new Config to the next.

`Penstock` owns what outlives a configuration (ticker, streams, sessions) and swaps the House that requests are served
under. Sessions whose settings did not change are kept over a reload; the others are closed when their last request is.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import partial

import aiohttp
from aiohttp import web
from yarl import URL

from proxy.accounts.board import Board
from proxy.accounts.cooldown import StateStore
from proxy.app.compile import (
    build_allowances,
    build_book,
    build_prices,
    choose_settings,
    list_capabilities,
    list_marks,
    list_options,
    list_secrets,
    open_tokens,
    read_shipped_rows,
)
from proxy.app.instruments import Instruments
from proxy.app.sharing import Sharing
from proxy.config import model
from proxy.config.lookup import ModelTable
from proxy.config.state import find_state_file
from proxy.dialects.capability_rows import build_rows
from proxy.dialects.registry import DIALECTS, PROVIDERS
from proxy.edge.chat import handle_models
from proxy.edge.connections import Connections
from proxy.edge.downstream import WholeAnswer, build_refusal
from proxy.edge.gate import Doors
from proxy.edge.handlers import handle_mount
from proxy.edge.house import House, Mount, Provider, Shared
from proxy.edge.memory import Memory
from proxy.edge.middleware.chain import build_chain
from proxy.edge.peers import Peers, show_peer
from proxy.edge.runner import Runner
from proxy.edge.scope import SCOPE, make_request_id
from proxy.edge.streams import Streams
from proxy.errors import Code
from proxy.ops.admin import build_routes, handle_admin
from proxy.ops.messages import warn_attention, warn_guarded
from proxy.relay.clocks import Ticker
from proxy.relay.outcome import EndReason, Record
from proxy.relay.ports import Opener
from proxy.store.memory import MemoryStore
from proxy.store.sqlite import SqliteStore
from proxy.types import AccountName, ClientName, ProviderName
from proxy.upstream import handler
from proxy.upstream.egress import HttpProxy, parse_proxy
from proxy.upstream.fallback import PullOpener
from proxy.upstream.opener import PushOpener
from proxy.upstream.pool import PoolSettings, build_session
from proxy.upstream.token_opener import TokenOpener

KEEPALIVE = 75.0
"""Seconds an idle client connection is kept: what nginx and most clients' pools are tuned to."""

READ_BUFFER = 64 * 1024
"""Bytes of a request body held before the client is paused; one full read."""

_NOWHERE: Mapping[str, str] = {}

WriteRecord = Callable[[Record], None]


class Penstock:
    """The proxy, without listeners and signals. Build it on a running loop; raises OSError for a bad `ca_file`.
    store: where cool-downs outlive the process; memory unless given. environ: as for Instruments."""

    def __init__(
        self,
        config: model.Config,
        write_record: WriteRecord,
        *,
        pull: bool = False,
        store: StateStore | None = None,
        environ: Mapping[str, str] = _NOWHERE,
    ) -> None:
        self.streams = Streams()
        self.doors = Doors()
        self.ticker = Ticker()
        self.connections = Connections(config.limits, self.ticker)
        self.memory = Memory()
        self._store = store or MemoryStore()
        self.board = Board(self._store, warn_attention)
        self.board.read(list_marks(config), self.ticker.wall())
        self._shared = Shared(config.limits.retry_budget)
        self._shared.allowances.renew(build_allowances(config))
        self._pull = pull or not handler.is_supported()
        self._rows = read_shipped_rows()
        self._sessions: dict[tuple[str, PoolSettings], aiohttp.ClientSession] = {}
        self._retiring: set[asyncio.Task[None]] = set()
        self.instruments = Instruments(
            config,
            environ,
            self.streams,
            self.board,
            lambda: self.house.rows_by_provider,
            self.ticker,
            write_record,
            {
                **self.connections.list_readings(),
                "memory_short": lambda: self.memory.is_short(self.house.limits.memory, self.ticker.now()),
            },
        )
        self._shared.allowances.seed(self.ticker.wall(), self.instruments.read_spent())
        self._shared.open_tape = self.instruments.open_tape
        self.house = self._build_house(config)
        self._look(config)
        file = find_state_file(config.state.path, environ)
        self._sharing = Sharing(file, self._shared.allowances, self.board, self.ticker)
        self._sharing.start()
        self.runner = self._build_runner(config.limits)

    def reload(self, config: model.Config) -> None:
        """Serve new requests under `config`. Raises OSError when it cannot be used; nothing has changed then."""
        before, sessions = self.house, dict(self._sessions)
        try:
            self.house = self._build_house(config)
        except BaseException:
            self._sessions = sessions
            raise
        self._shared.allowances.renew(build_allowances(config))
        self._look(config)
        self._sharing.renew()
        wanted = {
            (name, choose_settings(config, provider, pull=self._pull)) for name, provider in config.providers.items()
        }
        stale = [self._sessions.pop(key) for key in list(self._sessions) if key not in wanted]
        task = asyncio.get_running_loop().create_task(self._retire(before, stale))
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    async def close(self) -> None:
        """Close every session. Streams must be over."""
        for task in list(self._retiring):
            task.cancel()
        for session in self._sessions.values():
            await session.close()
        await self._sharing.close()
        await self.instruments.close()
        await self._store.close()

    def _look(self, config: model.Config) -> None:
        """Let the instruments look at the house as it is now, and the connections."""
        house = self.house
        self.connections.apply(config.limits, house.peers)
        providers = {mount.provider.name: mount.provider for mount in house.mounts}
        providers |= {provider.name: provider for provider in house.providers.values()}
        self.instruments.configure(config, providers.values())

    async def _retire(self, house: House, sessions: list[aiohttp.ClientSession]) -> None:
        try:
            await self.streams.wait_without(house)
        finally:
            for session in sessions:
                await session.close()

    def _build_house(self, config: model.Config) -> House:
        providers = {name: self._build_provider(config, name, row) for name, row in config.providers.items()}
        mounts = [
            Mount(prefix, providers[row.provider], row.auth, row.heartbeat) for prefix, row in config.mounts.items()
        ]
        mounts.sort(key=lambda mount: len(mount.prefix), reverse=True)
        allowances = build_allowances(config)
        clients = {row.key_sha256: ClientName(name) for name, row in config.clients.items()}
        return House(
            tuple(mounts),
            clients,
            config.limits,
            config.server.via,
            ModelTable(config),
            {name: provider for name, provider in providers.items() if provider.side is not None},
            [*self._rows, *build_rows(list_capabilities(config))],
            config.server.cors,
            int(time.time()),
            self._shared,
            {provider.name: provider.book.rows for provider in providers.values()},
            wants_usage=self.instruments.keeps_books or any(row.counts_tokens for row in allowances.values()),
            prices=build_prices(config),
            chat_page=config.chat.enabled,
            peers=Peers(config.server.trusted_proxies),
        )

    def _build_provider(self, config: model.Config, name: str, row: model.Provider) -> Provider:
        dialect = DIALECTS[row.dialect]
        url = URL(row.base_url, encoded=True)
        settings = choose_settings(config, row, pull=self._pull)
        session = self._sessions.get((name, settings))
        if session is None:
            session = self._sessions[name, settings] = build_session(settings, partial(warn_guarded, name))
        added = {header: value.reveal() for header, value in row.headers.items()}
        provider = ProviderName(name)

        def build_opener(account: AccountName | None, fields: dict[str, str], way: HttpProxy | None = None) -> Opener:
            if settings.pull:
                return PullOpener(provider, account, url, fields, session, way)
            return PushOpener(provider, account, url, fields, session, settings, way)

        def build_account(alias: str, account: model.Account) -> Opener:
            tokens, way = open_tokens(account), parse_proxy(account.proxy.reveal())
            if tokens is not None:
                return TokenOpener(build_opener(AccountName(alias), added, way), tokens)
            return build_opener(AccountName(alias), {**dialect.build_credential(account.key.reveal()), **added}, way)

        openers = [build_account(alias, account) for alias, account in row.accounts.items()]
        openers = openers or [build_opener(None, added)]
        base_path = url.raw_path.rstrip("/")
        side, options = PROVIDERS.get(row.dialect), list_options(row)
        return Provider(
            provider,
            dialect,
            base_path,
            build_book(config, provider, row, self.board),
            tuple(openers),
            list_secrets(row),
            side,
            options,
            shares_sessions=row.affinity == "session" and len(openers) > 1,
        )

    def _build_runner(self, limits: model.Limits) -> Runner:
        instruments = self.instruments
        chain = build_chain(lambda: self.house, self.doors, self.streams, self.memory, self.ticker, instruments.observe)
        app = web.Application(middlewares=chain)
        admin = {
            **build_routes(
                self.streams,
                lambda: bool(self.house.mounts or self.house.providers),
                self.board,
                lambda: self.house.rows_by_provider,
                self.ticker,
            ),
            **instruments.build_routes(),
        }

        async def handle(request: web.Request) -> web.StreamResponse:
            if request[SCOPE].record.door == "admin":
                return await handle_admin(request, admin, instruments.guard)
            if request[SCOPE].route is not None:
                return await handle_models(request, self.ticker)
            return await handle_mount(request, self.ticker)

        # One route for all: a mount is matched on raw bytes, which aiohttp's router would have decoded. The 100 is
        # sent when upstream wants the body, so the router must not send it.
        app.router.add_route("*", "/{target:.*}", handle, expect_handler=_expect_nothing)
        return Runner(
            app,
            self.ticker,
            limits.head_timeout,
            self._refuse,
            self.connections,
            keepalive_timeout=KEEPALIVE,
            read_bufsize=READ_BUFFER,
            auto_decompress=False,
            max_line_size=limits.request_target,
            # aiohttp tells a long target from a long field by nothing but the limit that it names.
            max_field_size=limits.request_head_field + (limits.request_head_field == limits.request_target),
            max_headers=limits.request_head_fields,
        )

    def _refuse(self, code: Code, transport: asyncio.BaseTransport | None) -> WholeAnswer:
        """A request that could not be read: it never reaches a middleware, and still has an id and a line."""
        record = Record(
            make_request_id(),
            self.ticker.now(),
            time.time(),
            remote=show_peer(transport.get_extra_info("peername") if transport else None),
            status=code.status,
            error=code.slug,
            end=EndReason.ERROR if code is Code.INTERNAL else EndReason.REFUSED,
        )
        self.instruments.observe(record)
        return build_refusal(code, record.id)


def open_store(path: str, environ: Mapping[str, str]) -> StateStore:
    """What `[state] path` means: a file, or memory."""
    file = find_state_file(path, environ)
    return MemoryStore() if file is None else SqliteStore(file)


async def _expect_nothing(request: web.Request) -> None:
    return None
