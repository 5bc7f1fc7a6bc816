"""Which door a request came in by, what it asks for, and whether its head may go on.

One application serves two kinds of listeners. `Doors` tells them apart by the address a connection was accepted on, so
a route of one is a 404 on the other. `admit` checks the head and finds the mount, or the route on which models are
asked; it raises Refused and does no I/O.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from proxy.edge import chat_page
from proxy.edge.cors import build_cors
from proxy.edge.model_routes import find_route
from proxy.edge.scope import Scope
from proxy.errors import Code, Refused
from proxy.wire import target
from proxy.wire.headers import Headers
from proxy.wire.requests import Head, check_head

_ALL = ("0.0.0.0", "::")  # noqa: S104 - recognised, not opened

_ALLOWED = {"Allow": "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"}


@dataclass(slots=True)
class Doors:
    """The admin listeners' addresses, as `getsockname` gives them: (host, port) or a path. everywhere: the ports of
    those on all interfaces, whose connections have another host than their listener."""

    admin: set[object] = field(default_factory=set)
    everywhere: set[int] = field(default_factory=set)

    def open_admin(self, names: Iterable[object]) -> None:
        for name in map(_plain, names):
            self.admin.add(name)
            if isinstance(name, tuple) and name[0] in _ALL:
                self.everywhere.add(name[1])

    def is_admin(self, request: web.BaseRequest) -> bool:
        if not self.admin:
            return False
        name = _plain(request.get_extra_info("sockname"))
        return name in self.admin or (isinstance(name, tuple) and name[1] in self.everywhere)


def read_head(request: web.BaseRequest) -> Head:
    """The request's head as it stood on the wire."""
    version = request.version
    return Head(request.method, request.raw_path, (version.major, version.minor), Headers(request._message.raw_headers))


def admit(scope: Scope, sockname: Any) -> None:
    """Check the head, find the mount and put both into `scope`. Raises Refused."""
    head = scope.head
    if not head.target.startswith("/"):
        origin_form = target.strip_absolute_form(head.target, _name_authorities(sockname))
        if origin_form is not None:
            head = scope.head = Head(head.method, origin_form, head.version, head.headers)
    code = check_head(head, scope.house.pseudonym.encode())
    if code is Code.METHOD:
        raise Refused(code, _ALLOWED, close=True)
    if code is not None:
        raise Refused(code, close=True)
    path, scope.query = target.split_query(head.target)
    mount = scope.house.find_mount(path)
    if mount is None:
        _admit_route(scope, path)
        return
    scope.mount = mount
    scope.rest = path[len(mount.prefix) :]
    if target.climbs_out(scope.rest):
        raise Refused(Code.TARGET)


def _admit_route(scope: Scope, path: str) -> None:
    head, house = scope.head, scope.house
    if house.chat_page and path == chat_page.PATH:
        if head.method not in chat_page.METHODS:
            raise Refused(Code.METHOD, {"Allow": ", ".join(chat_page.METHODS)}, close=True)
        scope.page = True
        return
    route = find_route(head.method, path, scope.query, head.headers) if house.providers else None
    if route is None:
        raise Refused(Code.NOT_FOUND)
    scope.route = route
    scope.own_fields = build_cors(house.cors, head.headers)
    if head.method not in (*route.methods, "HEAD", "OPTIONS"):
        raise Refused(Code.METHOD, {"Allow": ", ".join((*route.methods, "OPTIONS"))}, close=True)


def is_for_us_alone(head: Head) -> bool:
    """RFC 9110 7.6.2: an OPTIONS with no hop left is answered here."""
    return head.method == "OPTIONS" and head.headers.get_first(b"max-forwards") == b"0"


def _plain(sockname: Any) -> object:
    """IPv6 names carry flow and scope: two of four parts are the address."""
    return tuple(sockname[:2]) if isinstance(sockname, tuple) else sockname


def _name_authorities(sockname: Any) -> frozenset[str]:
    """The authorities that are surely ours: the address the connection came to, and localhost for a loopback one."""
    if not isinstance(sockname, tuple):
        return frozenset()
    host, port = sockname[:2]
    shown = f"[{host}]" if ":" in host else host
    names = [shown, "localhost"] if host in ("127.0.0.1", "::1") else [shown]
    return frozenset(f"{name}:{port}" for name in names)
