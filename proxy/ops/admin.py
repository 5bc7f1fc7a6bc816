"""The admin listener's routes: is the process alive, may traffic be sent to it, what is under way, and how the accounts
are. `GET /accounts` and `GET /streams` are JSON; `POST /accounts/clear` lifts cool-downs while everything runs.

A route is found by its path, segment by segment: `{name}` in a route's path stands for one segment, which its handler
finds at `request[PLACES]`. Before any of them the guard has its say.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping

import msgspec
from aiohttp import web

from proxy.accounts.board import Board
from proxy.edge.downstream import WholeAnswer
from proxy.edge.scope import SCOPE
from proxy.edge.streams import Streams
from proxy.errors import Code, Refused
from proxy.ops.account_view import Rows, build_accounts
from proxy.ops.admin_body import Rejected, read_object
from proxy.ops.guard import Guard
from proxy.ops.stream_view import build_streams
from proxy.relay.clocks import Ticker
from proxy.relay.outcome import EndReason
from proxy.types import ProviderName, RequestId

AdminHandler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
Routes = Mapping[str, Mapping[str, AdminHandler]]
"""Path to method to handler. HEAD is GET."""

PLACES = web.RequestKey("places", dict[str, str])
"""What stood where the route's path has a name in braces, decoded."""

PRIVATE = (
    (b"Cache-Control", b"no-store"), (b"X-Content-Type-Options", b"nosniff"),
    (b"Cross-Origin-Resource-Policy", b"same-origin"),
)  # fmt: skip
"""Of every answer: nobody keeps it, takes it for something else, or loads it into a page of another site."""

_TEXT = [(b"Content-Type", b"text/plain; charset=utf-8"), *PRIVATE]
_JSON = [(b"Content-Type", b"application/json"), *PRIVATE]

_LOG = logging.getLogger("penstock.admin")


def build_routes(
    streams: Streams, has_mounts: Callable[[], bool], board: Board, list_rows: Callable[[], Rows], ticker: Ticker
) -> Routes:
    """has_mounts: whether there is anything to forward to. list_rows: the accounts as configured now."""

    async def healthz(request: web.BaseRequest) -> web.StreamResponse:
        return WholeAnswer(200, list(_TEXT), b"ok\n")  # that this runs is the answer

    async def readyz(request: web.BaseRequest) -> web.StreamResponse:
        if streams.draining:
            return WholeAnswer(503, list(_TEXT), b"draining, %d streams\n" % len(streams))
        if not has_mounts():
            return WholeAnswer(503, list(_TEXT), b"nothing is mounted\n")
        return WholeAnswer(200, list(_TEXT), b"ready, %d streams\n" % len(streams))

    async def show_streams(request: web.BaseRequest) -> web.StreamResponse:
        return build_json({"streams": build_streams(streams.list_scopes(), ticker.now())})

    async def show_accounts(request: web.BaseRequest) -> web.StreamResponse:
        return build_json({"providers": build_accounts(list_rows(), board, ticker.wall())})

    async def clear_accounts(request: web.BaseRequest) -> web.StreamResponse:
        provider, alias = _find_account((await read_object(request)).get("name"), list_rows())
        lifted = board.clear(provider, alias, ticker.wall())
        _LOG.info("cool-downs lifted by hand: %d of %s", lifted, f"{provider}/{alias}" if alias else provider)
        return build_json({"lifted": lifted})

    return {
        "/healthz": {"GET": healthz},
        "/readyz": {"GET": readyz},
        "/streams": {"GET": show_streams},
        "/accounts": {"GET": show_accounts},
        "/accounts/clear": {"POST": clear_accounts},
    }


async def handle_admin(request: web.BaseRequest, routes: Routes, guard: Guard) -> web.StreamResponse:
    """Answer a request on the admin door."""
    record = request[SCOPE].record
    try:
        guard.admit(request)
        path, request[PLACES] = _find_path(request.path, routes)
        record.mount = path
        return await _find_handler(request.method, routes[path])(request)
    except Rejected as rejected:
        record.error = rejected.code
        record.close(EndReason.REFUSED)
        return build_rejection(rejected, record.id, close=not request.content.is_eof())


def build_rejection(rejected: Rejected, request_id: RequestId, *, close: bool) -> WholeAnswer:
    error = {"code": rejected.code, "message": rejected.message}
    body = msgspec.json.encode({"error": error, "request_id": request_id}) + b"\n"
    return WholeAnswer(rejected.status, [*_JSON, *rejected.fields], body, close=close)


def build_json(body: object, *fields: tuple[bytes, bytes]) -> WholeAnswer:
    """An answer of an admin route."""
    return WholeAnswer(200, [*_JSON, *fields], msgspec.json.encode(body) + b"\n")


def _find_path(path: str, routes: Routes) -> tuple[str, dict[str, str]]:
    """The path of the route that covers `path`, as it was given, and what stands for its names. Raises Rejected."""
    asked = path.split("/")
    for known in routes:
        places = _match(known.split("/"), asked)
        if places is not None:
            return known, places
    raise Rejected(404, "not_found", "There is nothing at this path of the admin listener.")


def _match(known: list[str], asked: list[str]) -> dict[str, str] | None:
    if len(known) != len(asked):
        return None
    places = {}
    for one, other in zip(known, asked, strict=True):
        if one.startswith("{") and other:
            places[one[1:-1]] = other
        elif one != other:
            return None
    return places


def _find_handler(method: str, methods: Mapping[str, AdminHandler]) -> AdminHandler:
    handler = methods.get("GET" if method == "HEAD" else method)
    if handler is None:
        raise Refused(Code.METHOD, {"Allow": ", ".join("GET, HEAD" if name == "GET" else name for name in methods)})
    return handler


def _find_account(name: object, rows: Rows) -> tuple[ProviderName, str]:
    """Provider and alias, the latter "" for all of the provider."""
    if not isinstance(name, str):
        raise Rejected(400, "bad_name", 'The body must be {"name": "provider"} or {"name": "provider/account"}.')
    for provider, accounts in rows.items():
        aliases = [account.name for account in accounts if account.name]
        if name == provider:
            return provider, ""
        if name.startswith(f"{provider}/") and name.removeprefix(f"{provider}/") in aliases:
            return provider, name.removeprefix(f"{provider}/")
    raise Rejected(404, "unknown_name", "There is no provider, and no account of a provider, of this name.")
