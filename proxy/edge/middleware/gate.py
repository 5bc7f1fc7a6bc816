"""Checks the head and finds the mount, before anything is spent on the request."""

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from proxy.edge.chat_page import PATH, answer_page
from proxy.edge.cors import build_preflight, is_preflight
from proxy.edge.downstream import WholeAnswer
from proxy.edge.gate import admit, is_for_us_alone
from proxy.edge.model_routes import ModelRoute
from proxy.edge.scope import SCOPE, Scope
from proxy.errors import Code, Refused


def build() -> Middleware:
    @web.middleware
    async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
        scope = request[SCOPE]
        if scope.record.door == "admin":
            return await handler(request)
        try:
            admit(scope, request.get_extra_info("sockname"))
        except Refused as refused:
            if refused.code is Code.NOT_FOUND and scope.head.method == "HEAD" and scope.head.target == "/":
                return WholeAnswer(200, [], b"")  # how some clients ask whether anybody is there
            raise
        if is_for_us_alone(scope.head):
            return WholeAnswer(204, [(b"Allow", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")], b"")
        mount, route = scope.mount, scope.route
        if scope.page:
            scope.record.mount = PATH
            return answer_page(scope.record.id)
        if route is not None:
            scope.record.mount, scope.record.dialect = route.name, route.dialect
            early = _answer_early(scope, route)
            if early is not None:
                return early
        if mount is not None:
            scope.record.mount = mount.prefix
            scope.record.dialect = mount.provider.dialect.name
            scope.record.provider = mount.provider.name
        return await handler(request)

    return gate


def _answer_early(scope: Scope, route: ModelRoute) -> WholeAnswer | None:
    """What a model route answers by itself: a browser's preflight, and who only asks whether it is there."""
    head = scope.head
    if head.method == "OPTIONS":
        allow = [(b"Allow", ", ".join((*route.methods, "OPTIONS")).encode())]
        fields = build_preflight(route.methods, head.headers) if is_preflight(head.method, head.headers) else allow
        return WholeAnswer(204, [*scope.own_fields, *fields], b"")
    if head.method == "HEAD":
        return WholeAnswer(200, list(scope.own_fields), b"")
    return None
