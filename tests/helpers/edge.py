"""The edge room for tests: a house without walls, and middlewares on a real server in front of any handler."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from proxy.accounts.board import Board
from proxy.accounts.book import AccountRow, Book
from proxy.config.load import build_config
from proxy.config.lookup import ModelTable
from proxy.config.model import Limits
from proxy.dialects.registry import DIALECTS, PROVIDERS
from proxy.edge.gate import Doors
from proxy.edge.house import House, Mount, Provider
from proxy.edge.middleware import scope as scope_middleware
from proxy.edge.scope import Scope
from proxy.relay.clocks import Ticker
from proxy.relay.outcome import Record
from proxy.types import ClientName, ProviderName, RequestId
from proxy.wire.headers import Headers
from proxy.wire.requests import Head

NO_MODELS = ModelTable(build_config([("test", {})], {}))


def build_provider(dialect: str = "raw", *, name: str = "up", **options: Any) -> Provider:
    settings = {
        "base_path": "/base",
        "book": Book(ProviderName(name), [AccountRow(None)], Board()),
        "openers": (),
        "secrets": (),
        **options,
    }
    return Provider(ProviderName(name), DIALECTS[dialect], **settings)


def build_house(
    *prefixes: str,
    clients: Mapping[bytes, str] | None = None,
    auth: str = "none",
    dialect: str = "raw",
    via: str = "",
    **limits: Any,
) -> House:
    """Mounts of one provider, longest prefix first."""
    provider = build_provider(dialect)
    mounts = tuple(Mount(prefix, provider, auth, 0.0) for prefix in sorted(prefixes, key=len, reverse=True))
    known = {digest: ClientName(name) for digest, name in (clients or {}).items()}
    return House(mounts, known, Limits(**limits), via, NO_MODELS, {}, ())


def build_model_house(dialects: Mapping[str, str], models: Mapping[str, Any], **more: Any) -> House:
    """Providers of these dialects by name, and what stands under `[models]`; `more` are further fields of House, and
    `options` those of every provider."""
    base_url = "https://up.example/base"
    table = {name: {"dialect": dialect, "base_url": base_url} for name, dialect in dialects.items()}
    config = build_config([("test", {"providers": table, "models": models})], {})
    options = {"quirks": "compatible", "project": "", "user_agent": "penstock/x", **more.pop("options", {})}
    providers = {
        name: build_provider(dialect, name=name, side=PROVIDERS[dialect], options=options)
        for name, dialect in dialects.items()
    }
    return House((), {}, Limits(), "", ModelTable(config), providers, more.pop("rows", ()), **more)


def build_scope(
    house: House, method: str = "GET", target: str = "/up/a", *fields: tuple[bytes, bytes], version: Any = (1, 1)
) -> Scope:
    """Of a request that was never sent."""
    return Scope(Record(RequestId("req_1"), 0.0, 0.0), house, Head(method, target, version, Headers(fields)), None)


@asynccontextmanager
async def serving(house: House, middlewares: Sequence[Middleware], handler: Handler) -> AsyncIterator[int]:
    """The port of a server with these middlewares behind the one that makes the scope."""
    chain = [scope_middleware.build(lambda: house, Doors(), Ticker()), *middlewares]
    app = web.Application(middlewares=chain)
    app.router.add_route("*", "/{target:.*}", handler)
    runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def answer_ok(request: web.Request) -> web.StreamResponse:
    return web.Response(text="ok")
