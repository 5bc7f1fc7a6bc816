"""Which of the request's fields go upstream: end-to-end ones, without the caller's credentials."""

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from proxy.edge.scope import SCOPE, Scope
from proxy.wire.headers import CREDENTIALS, filter_request
from proxy.wire.target import take_parameters

_NONE: frozenset[bytes] = frozenset()

_OURS = frozenset({
    b"accept-encoding", b"origin", b"referer", b"cookie", b"content-encoding", b"expect",
    b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-port", b"x-forwarded-proto",
    b"x-forwarded-server", b"x-real-ip",
})  # fmt: skip
"""What a caller of a model route, or its front proxy, tells the proxy, not the provider: the body is read here, and so
is the answer; and who has asked, from where, is no provider's business."""


def build() -> Middleware:
    @web.middleware
    async def request_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
        scope = request[SCOPE]
        mount = scope.mount
        if mount is not None:
            passes = mount.auth == "pass"
            headers = filter_request(scope.head.headers, _NONE if passes else CREDENTIALS)
            if mount.provider.dialect.key_in_query and not passes and scope.query:
                _, scope.query = take_parameters(scope.query, "key")
            scope.headers = _note_hop(headers, scope)
        elif scope.route is not None:
            headers = filter_request(scope.head.headers, CREDENTIALS | _OURS)
            if scope.query:
                _, scope.query = take_parameters(scope.query, "key")
            scope.headers = _note_hop(headers, scope)
        return await handler(request)

    return request_headers


def _note_hop(headers: list[tuple[bytes, bytes]], scope: Scope) -> list[tuple[bytes, bytes]]:
    """Count this hop where the sender counts (RFC 9110 7.6.2), and name it where the operator wants (7.6.3)."""
    if scope.head.method == "OPTIONS":
        headers = [
            (name, b"%d" % (int(value) - 1) if name == b"max-forwards" and value.isdigit() else value)
            for name, value in headers
        ]
    if scope.house.pseudonym:
        major, minor = scope.head.version
        headers.append((b"via", b"%d.%d %b" % (major, minor, scope.house.pseudonym.encode())))
    return headers
