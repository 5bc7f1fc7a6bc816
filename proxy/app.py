"""The composition root: from a Config to one running application, and from a new Config to the next.

`Penstock` owns what outlives a configuration (ticker, streams, sessions) and swaps the House that requests are served
under. Sessions whose settings did not change are kept over a reload; the others are closed when their last request is.
"""

import asyncio
import time
from collections.abc import Callable
from importlib.resources import files

import aiohttp
from aiohttp import web
from msgspec.structs import asdict
from yarl import URL

from proxy.accounts.book import Book
from proxy.config import model
from proxy.config.lookup import ModelTable
from proxy.config.quirks import choose_quirks
from proxy.dialects.capability_rows import build_rows, parse_rows
from proxy.dialects.registry import DIALECTS, PROVIDERS
from proxy.edge.asking import USER_AGENT
from proxy.edge.chat import handle_models
from proxy.edge.downstream import WholeAnswer, build_refusal
from proxy.edge.gate import Doors
from proxy.edge.handlers import handle_mount
from proxy.edge.house import House, Mount, Provider
from proxy.edge.insides import Runner
from proxy.edge.middleware.chain import build_chain
from proxy.edge.scope import SCOPE, make_request_id
from proxy.edge.streams import Streams
from proxy.errors import Code
from proxy.ops.admin import build_routes, handle_admin
from proxy.relay.clocks import Ticker
from proxy.relay.outcome import EndReason, Record
from proxy.relay.ports import Opener
from proxy.types import AccountName, ClientName, ProviderName
from proxy.upstream import handler
from proxy.upstream.fallback import PullOpener
from proxy.upstream.opener import PushOpener
from proxy.upstream.pool import PoolSettings, build_session
from proxy.upstream.token_opener import TokenOpener
from proxy.upstream.tokens import TokenSource, open_command, open_file
from proxy.wire.headers import CREDENTIALS

KEEPALIVE = 75.0
"""Seconds an idle client connection is kept: what nginx and most clients' pools are tuned to."""

READ_BUFFER = 64 * 1024
"""Bytes of a request body held before the client is paused; one full read."""

SHORTEST_SECRET = 8
"""Characters below which a key is not looked for in an answer's fields: it may be any word, `none` above all."""

WriteRecord = Callable[[Record], None]


class Penstock:
    """The proxy, without listeners and signals. Build it on a running loop; raises OSError for a bad `ca_file`."""

    def __init__(self, config: model.Config, write_record: WriteRecord, *, pull: bool = False) -> None:
        self.streams = Streams()
        self.doors = Doors()
        self.ticker = Ticker()
        self._pull = pull or not handler.is_supported()
        self._write_record = write_record
        self._rows = parse_rows(files("proxy.dialects").joinpath("capabilities.toml").read_bytes())
        self._sessions: dict[tuple[str, PoolSettings], aiohttp.ClientSession] = {}
        self._retiring: set[asyncio.Task[None]] = set()
        self.house = self._build_house(config)
        self.runner = self._build_runner(config.limits)

    def reload(self, config: model.Config) -> None:
        """Serve new requests under `config`. Raises OSError when it cannot be used; nothing has changed then."""
        before, sessions = self.house, dict(self._sessions)
        try:
            self.house = self._build_house(config)
        except BaseException:
            self._sessions = sessions
            raise
        wanted = {
            (name, _choose_settings(config, provider, pull=self._pull)) for name, provider in config.providers.items()
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
        clients = {row.key_sha256: ClientName(name) for name, row in config.clients.items()}
        return House(
            tuple(mounts),
            clients,
            config.limits,
            config.server.via,
            ModelTable(config),
            {name: provider for name, provider in providers.items() if provider.side is not None},
            [*self._rows, *build_rows(_list_capabilities(config))],
            config.server.cors,
            int(time.time()),
        )

    def _build_provider(self, config: model.Config, name: str, row: model.Provider) -> Provider:
        dialect = DIALECTS[row.dialect]
        url = URL(row.base_url, encoded=True)
        settings = _choose_settings(config, row, pull=self._pull)
        session = self._sessions.get((name, settings))
        if session is None:
            session = self._sessions[name, settings] = build_session(settings)
        added = {header: value.reveal() for header, value in row.headers.items()}
        provider = ProviderName(name)

        def build_opener(account: AccountName | None, fields: dict[str, str]) -> Opener:
            if settings.pull:
                return PullOpener(provider, account, url, fields, session)
            return PushOpener(provider, account, url, fields, session, settings)

        def build_account(alias: str, account: model.Account) -> Opener:
            tokens = _open_tokens(account)
            if tokens is not None:
                return TokenOpener(build_opener(AccountName(alias), added), tokens)
            return build_opener(AccountName(alias), {**dialect.build_credential(account.key.reveal()), **added})

        openers = [build_account(alias, account) for alias, account in row.accounts.items()]
        openers = openers or [build_opener(None, added)]
        keys = [account.key.reveal() for account in row.accounts.values()]
        keys += [value.rpartition(" ")[2] for header, value in added.items() if header.lower().encode() in CREDENTIALS]
        secrets = tuple(key.encode() for key in keys if len(key) >= SHORTEST_SECRET)
        base_path = url.raw_path.rstrip("/")
        side, options = PROVIDERS.get(row.dialect), _list_options(row)
        return Provider(provider, dialect, base_path, Book(len(openers)), tuple(openers), secrets, side, options)

    def _build_runner(self, limits: model.Limits) -> Runner:
        chain = build_chain(lambda: self.house, self.doors, self.streams, self.ticker, self._write_record)
        app = web.Application(middlewares=chain)
        admin = build_routes(self.streams, lambda: bool(self.house.mounts or self.house.providers))

        async def handle(request: web.Request) -> web.StreamResponse:
            if request[SCOPE].record.door == "admin":
                return await handle_admin(request, admin)
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
        peer = transport.get_extra_info("peername") if transport else None
        record = Record(
            make_request_id(),
            self.ticker.now(),
            time.time(),
            remote=str(peer[0]) if isinstance(peer, tuple) else "unix",
            status=code.status,
            error=code.slug,
            end=EndReason.ERROR if code is Code.INTERNAL else EndReason.REFUSED,
        )
        self._write_record(record)
        return build_refusal(code, record.id)


def _open_tokens(account: model.Account) -> TokenSource | None:
    if account.token_command:
        return open_command([part.reveal() for part in account.token_command], account.token_lifetime)
    return open_file(account.token_file) if account.token_file else None


def _list_options(row: model.Provider) -> dict[str, str]:
    options = {
        "quirks": choose_quirks(row.quirks, row.base_url),
        "query": row.query,
        "think_tags": row.think_tags,
        "clear_thinking": "" if row.clear_thinking else "false",
        "project": row.project,
        "user_agent": USER_AGENT,
    }
    return {name: value for name, value in options.items() if value}


def _list_capabilities(config: model.Config) -> dict[str, dict[str, object]]:
    return {
        pattern: {name: value for name, value in asdict(row).items() if value is not None}
        for pattern, row in config.capabilities.items()
    }


def _choose_settings(config: model.Config, provider: model.Provider, *, pull: bool) -> PoolSettings:
    limits = config.limits
    return PoolSettings(limits.connect, limits.response_field, limits.response_fields, provider.ca_file, pull)


async def _expect_nothing(request: web.Request) -> None:
    return None
