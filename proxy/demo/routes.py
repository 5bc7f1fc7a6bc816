"""Which path answers what: one table of plain routes, one of dialects. A new dialect is one file and one
row in `DIALECTS`.

A route turns a `Request` into an `Answer` and knows the error body its callers expect. Pure; the socket is
somebody else's.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final, Protocol

import msgspec

from proxy.demo import anthropic, code_assist, gemini, glm, openai_chat, openai_responses, openrouter
from proxy.demo.answer import Answer, BadAsk, Piece, Request
from proxy.demo.clock import build_clock
from proxy.demo.params import TABLE
from proxy.demo.produced import build_bill, encode_products
from proxy.demo.script import Ask, Script, build_script


class Dialect(Protocol):
    """What a dialect file offers; the same names in the same order in each. One that counts tokens has `build_count`
    as well, and an `Ask` says when that is wanted."""

    @property
    def NAME(self) -> str: ...  # noqa: N802 - constants of a module
    @property
    def PATH(self) -> re.Pattern[str]: ...  # noqa: N802
    @property
    def SHOWN(self) -> str: ...  # noqa: N802
    @property
    def REQUEST_ID(self) -> str | None: ...  # noqa: N802
    @property
    def EOL(self) -> bytes: ...  # noqa: N802
    def parse_request(self, request: Request, _path: re.Match[str], /) -> Ask: ...
    def stream_type(self, _ask: Ask, /) -> str: ...
    def build_stream(self, ask: Ask, script: Script, /) -> Iterator[Piece]: ...
    def build_whole(self, ask: Ask, script: Script, /) -> bytes: ...
    def build_error(self, status: int, message: str, _serial: int, /) -> bytes: ...
    def build_failure(self, _ask: Ask, _script: Script, _sent: int, /) -> Iterator[Piece]: ...
    def build_failed(self, _ask: Ask, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Route:
    """What one path does: its name in the counters, its methods, how it answers and how it says no."""

    name: str
    methods: tuple[str, ...]
    build: Callable[[Request], Answer]
    build_error: Callable[[int, str, int], bytes]
    request_id: str | None = None


DIALECTS: Final[tuple[Dialect, ...]] = (
    openai_chat,
    openai_responses,
    anthropic,
    gemini,
    code_assist,
    glm,
    openrouter,
)
PRODUCED: Final = "/produced"
COUNTERS: Final = {module.NAME: module.build_count for module in (anthropic, gemini, code_assist)}


def find_route(path: str) -> Route | None:
    """The route of a decoded path, or None."""
    if path in PLAIN:
        return PLAIN[path]
    for dialect in DIALECTS:
        if match := dialect.PATH.fullmatch(path):
            return _dialect_route(dialect, match)
    return None


def answer(route: Route | None, request: Request) -> Answer:
    """The route's answer, or the refusal that the request deserves, in the shape the route's callers read."""
    if route is None:
        return refuse(None, request.serial, 404, "nothing is served at this path")
    if request.head.method not in route.methods:
        refusal = refuse(route, request.serial, 405, "this method is not served at this path")
        return _with_headers(refusal, ("Allow", ", ".join(route.methods)))
    if request.params.status >= 400:
        return refuse(route, request.serial, request.params.status, "the demo was asked to fail")
    try:
        if not request.whole_body:
            raise BadAsk("the body is longer than the demo reads", 413)
        built = route.build(request)
        if built.is_endless and request.params.length in ("1", "short"):
            raise BadAsk("demo parameter length: an endless answer has none, give n as well")
        if request.params.status == 205:  # RFC 9110 section 15.3.6: no content, and a length that says so
            built = replace(built, pieces=(), is_stream=False)
        built = replace(built, status=request.params.status)
        return _with_headers(built, *_request_id(route, request.serial))
    except BadAsk as bad:
        return refuse(route, request.serial, bad.status, str(bad))


def refuse(route: Route | None, serial: int, status: int, message: str) -> Answer:
    """An error answer in the route's shape."""
    build = route.build_error if route is not None else build_plain_error
    headers = tuple(_request_id(route, serial)) if route is not None else ()
    return Answer((Piece(build(status, message, serial)),), status=status, headers=headers)


def build_plain_error(status: int, message: str, _serial: int) -> bytes:
    """The error body of what belongs to no dialect."""
    return msgspec.json.encode({"error": {"code": status, "message": message}})


def build_models(request: Request) -> Answer:
    """`GET /v1/models` in OpenAI's list shape."""
    entry = {"id": "demo", "object": "model", "created": request.now, "owned_by": "penstock"}
    return Answer((Piece(msgspec.json.encode({"object": "list", "data": [entry]})),))


def build_produced(request: Request) -> Answer:
    """`GET /produced`: every request and what became of it, but for those for this very list."""
    return Answer((Piece(encode_products(request.products)),))


def build_help(_request: Request) -> Answer:
    """`GET /`: what there is, in plain text."""
    lines = ["The Penstock demo upstream. No key is needed.", ""]
    lines += [f"  {path}" for path in PLAIN]
    lines += [f"  {dialect.SHOWN}" for dialect in DIALECTS]
    lines += ["", "Parameters, in the query or as 'x-demo: name=value; name=value':", ""]
    lines += [f"  {name:16} {about}; {kind.expected}" for name, (kind, about) in TABLE.items()]
    return Answer((Piece("\n".join([*lines, ""]).encode()),), content_type="text/plain; charset=utf-8")


def _dialect_route(dialect: Dialect, match: re.Match[str]) -> Route:
    def build(request: Request) -> Answer:
        ask = dialect.parse_request(request, match)
        if ask.counting:
            return Answer((Piece(COUNTERS[dialect.NAME](ask)),))
        script = build_script(ask, request.params.giant)
        fails_after = request.params.error_after
        bill = build_bill(ask, script)
        if not ask.stream:
            if fails_after is None:
                return Answer((Piece(dialect.build_whole(ask, script)),), bill=bill)
            return Answer((Piece(dialect.build_failed(ask), fault="error_after"),), bill=bill)
        pieces = dialect.build_stream(ask, script)
        if fails_after is not None:
            pieces = fail_after(pieces, fails_after, lambda sent: dialect.build_failure(ask, script, sent))
        return Answer(
            pieces,
            content_type=dialect.stream_type(ask),
            gap=request.params.pace,
            headers=(("Cache-Control", "no-cache"),),
            is_stream=True,
            eol=dialect.EOL,
            bill=bill,
        )

    return Route(dialect.NAME, ("POST",), build, dialect.build_error, dialect.REQUEST_ID)


def fail_after(pieces: Iterator[Piece], count: int, build_failure: Callable[[int], Iterator[Piece]]) -> Iterator[Piece]:
    """The first `count` events of a stream and then its failure; all of it when it has no more than that."""
    sent = 0
    for piece in pieces:
        if piece.is_event and sent == count:
            first, *rest = build_failure(sent)
            yield replace(first, fault="error_after")
            yield from rest
            return
        sent += piece.is_event
        yield piece


def _request_id(route: Route, serial: int) -> Iterator[tuple[str, str]]:
    if route.request_id is not None:
        yield route.request_id, f"req_demo{serial:06d}"


def _with_headers(plain: Answer, *headers: tuple[str, str]) -> Answer:
    return replace(plain, headers=(*plain.headers, *headers))


PLAIN: Final[dict[str, Route]] = {
    "/": Route("help", ("GET", "HEAD"), build_help, build_plain_error),
    "/clock": Route("clock", ("GET", "HEAD"), build_clock, build_plain_error),
    PRODUCED: Route("produced", ("GET", "HEAD"), build_produced, build_plain_error),
    "/v1/models": Route("models", ("GET", "HEAD"), build_models, openai_chat.build_error),
}
