"""The admin listener's routes: is the process alive, and may traffic be sent to it."""

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from proxy.edge.downstream import WholeAnswer
from proxy.edge.scope import SCOPE
from proxy.edge.streams import Streams
from proxy.errors import Code, Refused

AdminHandler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

_TEXT = [(b"Content-Type", b"text/plain; charset=utf-8"), (b"Cache-Control", b"no-store")]


def build_routes(streams: Streams, has_mounts: Callable[[], bool]) -> Mapping[str, AdminHandler]:
    """Path to handler. `has_mounts` tells whether there is anything to forward to."""

    async def healthz(request: web.BaseRequest) -> web.StreamResponse:
        return WholeAnswer(200, list(_TEXT), b"ok\n")  # that this runs is the answer

    async def readyz(request: web.BaseRequest) -> web.StreamResponse:
        if streams.draining:
            return WholeAnswer(503, list(_TEXT), b"draining, %d streams\n" % len(streams))
        if not has_mounts():
            return WholeAnswer(503, list(_TEXT), b"nothing is mounted\n")
        return WholeAnswer(200, list(_TEXT), b"ready, %d streams\n" % len(streams))

    return {"/healthz": healthz, "/readyz": readyz}


async def handle_admin(request: web.BaseRequest, routes: Mapping[str, AdminHandler]) -> web.StreamResponse:
    """Answer a request on the admin door."""
    handler = routes.get(request.path)
    if handler is None:
        raise Refused(Code.NOT_FOUND)
    if request.method not in ("GET", "HEAD"):
        raise Refused(Code.METHOD, {"Allow": "GET, HEAD"})
    request[SCOPE].record.mount = request.path
    return await handler(request)
