"""The admin listener's routes: is the process alive, may traffic be sent to it, what is under way, and how the accounts
are. `GET /accounts` and `GET /streams` are JSON; `POST /accounts/clear` lifts cool-downs while everything runs.

Whoever reaches the listener may use them: it asks for no key and shows none.
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
from proxy.ops.stream_view import build_streams
from proxy.relay.clocks import Ticker
from proxy.relay.outcome import EndReason
from proxy.types import ProviderName

AdminHandler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
Routes = Mapping[str, Mapping[str, AdminHandler]]
"""Path to method to handler. HEAD is GET."""

_TEXT = [(b"Content-Type", b"text/plain; charset=utf-8"), (b"Cache-Control", b"no-store")]
_JSON = [(b"Content-Type", b"application/json"), (b"Cache-Control", b"no-store")]

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
        return _answer({"streams": build_streams(streams.list_scopes(), ticker.now())})

    async def show_accounts(request: web.BaseRequest) -> web.StreamResponse:
        return _answer({"providers": build_accounts(list_rows(), board, ticker.wall())})

    async def clear_accounts(request: web.BaseRequest) -> web.StreamResponse:
        provider, alias = _find_account((await read_object(request)).get("name"), list_rows())
        lifted = board.clear(provider, alias, ticker.wall())
        _LOG.info("cool-downs lifted by hand: %d of %s", lifted, f"{provider}/{alias}" if alias else provider)
        return _answer({"lifted": lifted})

    return {
        "/healthz": {"GET": healthz},
        "/readyz": {"GET": readyz},
        "/streams": {"GET": show_streams},
        "/accounts": {"GET": show_accounts},
        "/accounts/clear": {"POST": clear_accounts},
    }


async def handle_admin(request: web.BaseRequest, routes: Routes) -> web.StreamResponse:
    """Answer a request on the admin door."""
    methods = routes.get(request.path)
    if methods is None:
        raise Refused(Code.NOT_FOUND)
    handler = methods.get("GET" if request.method == "HEAD" else request.method)
    if handler is None:
        raise Refused(Code.METHOD, {"Allow": ", ".join("GET, HEAD" if name == "GET" else name for name in methods)})
    record = request[SCOPE].record
    record.mount = request.path
    try:
        return await handler(request)
    except Rejected as rejected:
        record.error = rejected.code
        record.close(EndReason.REFUSED)
        error = {"code": rejected.code, "message": rejected.message}
        return _answer({"error": error, "request_id": record.id}, rejected.status, close=not request.content.is_eof())


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


def _answer(body: object, status: int = 200, *, close: bool = False) -> WholeAnswer:
    return WholeAnswer(status, list(_JSON), msgspec.json.encode(body) + b"\n", close=close)
