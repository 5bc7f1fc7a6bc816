"""Who is calling. A key may stand wherever the vendors' SDKs put it; it is compared by digest in constant time. Where
nobody has one, pages of foreign origins are turned away: they would spend the providers' keys."""

from collections.abc import Iterator
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from proxy.edge.foreign import is_foreign
from proxy.edge.scope import SCOPE, Scope
from proxy.errors import Code, Refused
from proxy.wire.target import take_parameters

_KEY_HEADERS: Final = (b"x-api-key", b"x-goog-api-key", b"api-key")
_CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}  # RFC 9110 11.6.1: a 401 must carry one


def build() -> Middleware:
    @web.middleware
    async def client_auth(request: web.Request, handler: Handler) -> web.StreamResponse:
        scope = request[SCOPE]
        mount = scope.mount
        guarded = scope.route is not None or (mount is not None and mount.auth == "key")
        if guarded and scope.house.clients:
            _authenticate(scope)
        elif guarded and is_foreign(scope.head.headers, request.get_extra_info("sockname"), scope.house.cors):
            raise Refused(Code.FOREIGN_ORIGIN)
        return await handler(request)

    return client_auth


def _authenticate(scope: Scope) -> None:
    for key in _read_keys(scope):
        name = scope.house.find_client(key)
        if name is not None:
            scope.record.client = name
            return
    raise Refused(Code.UNAUTHORIZED, _CHALLENGE)


def _read_keys(scope: Scope) -> Iterator[str]:
    headers = scope.head.headers
    scheme, _, token = (headers.get_first(b"authorization") or b"").partition(b" ")
    if scheme.lower() == b"bearer":
        yield token.strip().decode("utf-8", "replace")
    for name in _KEY_HEADERS:
        value = headers.get_first(name)
        if value is not None:
            yield value.decode("utf-8", "replace")
    if scope.query:
        keys, rest = take_parameters(scope.query, "key")
        for key in keys:
            # Reached only when no header was good: if this one is, it was meant for us and goes no further.
            if scope.house.find_client(key) is not None:
                scope.query = rest
            yield key
