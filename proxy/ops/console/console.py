"""The console's routes: the page, what feeds it, the tail of one stream, and the hand that ends one.

Viewers are few, and each is a request that goes on: as long as it is read, until the console closes or somebody changes
who may look. Nobody waits for a viewer: what it does not read in time it does not get.
"""

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Final

from aiohttp import web

from proxy.accounts.board import Board
from proxy.config.address import parse_address
from proxy.config.model import Config
from proxy.dialects.json_text import encode_json
from proxy.dialects.parts import Json
from proxy.edge.downstream import WholeAnswer
from proxy.edge.scope import SCOPE, Scope
from proxy.edge.streams import Streams
from proxy.ops.account_view import Rows
from proxy.ops.admin import PLACES, PRIVATE, Routes, build_json
from proxy.ops.admin_body import Rejected, read_object
from proxy.ops.console.feed import REST, Feed, ReadUsage, read_nothing
from proxy.ops.console.outlet import Outlet, open_outlet
from proxy.ops.console.state import State
from proxy.ops.console.tail import FORMS, Gathering, Reader
from proxy.ops.guard import Guard
from proxy.relay.clocks import Ticker
from proxy.relay.outcome import EndReason, Record
from proxy.wire.page import Page, build_page

MOST_VIEWERS: Final = 64
"""Event streams at once: a few people with a few tabs each."""

RETRY_MS: Final = 1000
"""When a browser comes back: soon, since a restart takes about as long."""

JOIN: Final = 0.05
"""Seconds for which a tail gathers: twenty frames a second are fluent, and cheap."""

BEAT: Final = 15.0
"""Seconds of silence after which a tail says that it is there."""

_SILENT: Final = [(b"Content-Type", b"text/event-stream; charset=utf-8"), *PRIVATE]

_LOG = logging.getLogger("penstock.console")


@functools.cache
def _read_page() -> Page:
    """Of the package; it does not change while the process lives."""
    folder = files("proxy.ops.console").joinpath("page")
    return build_page(lambda name: folder.joinpath(name).read_bytes())


class Console:
    """routes: of the admin listener. guard: who may use them. Build it on a running loop; `configure` on a reload,
    `close` before the listener goes."""

    def __init__(
        self,
        config: Config,
        streams: Streams,
        board: Board,
        list_rows: Callable[[], Rows],
        ticker: Ticker,
        read_usage: ReadUsage = read_nothing,
    ) -> None:
        self._streams = streams
        self._ticker = ticker
        self._content = config.console.content
        self._page = _read_page()
        self._tails: set[Gathering] = set()
        self._viewers = 0
        self._term = 0  # viewers of an earlier one have to go
        self.lost = 0
        self.feed = Feed(State(config, streams, board, list_rows), ticker, read_usage)
        self.guard = Guard(parse_address(config.server.admin) if config.server.admin else None, config.console.token)

    @property
    def viewers(self) -> int:
        return self._viewers

    @property
    def routes(self) -> Routes:
        return {
            "/": {"GET": self._show_page},
            "/console/session": {"GET": self._show_session},
            "/console/login": {"POST": self._sign_in},
            "/console/logout": {"POST": self._sign_out},
            "/console/events": {"GET": self._show_events},
            "/console/streams/{id}": {"GET": self._show_tail},
            "/console/streams/{id}/kill": {"POST": self._kill},
        }

    def note(self, record: Record) -> None:
        """A request is over."""
        self.feed.note(record)

    def configure(self, config: Config) -> None:
        """Go on under another configuration. Who looks has to ask again when it says something else about that."""
        changed = (config.console.content, config.console.token) != (self._content, self.guard.token)
        self._content = config.console.content
        self.guard.change_token(config.console.token)
        self.feed.state.configure(config)
        if changed:
            self.close()

    def close(self) -> None:
        """End every viewer's stream; they come back if they may."""
        self._term += 1
        self.feed.wake()
        for tail in self._tails:
            tail.wake()

    async def _show_page(self, request: web.BaseRequest) -> web.StreamResponse:
        return WholeAnswer(200, list(self._page.fields), self._page.body)

    async def _show_session(self, request: web.BaseRequest) -> web.StreamResponse:
        return build_json(
            {
                "token_wanted": self.guard.wants_token,
                "token_missing": self.guard.lacks_token,
                "signed_in": self.guard.is_signed_in(request),
                "content": self._content,
            }
        )

    async def _sign_in(self, request: web.BaseRequest) -> web.StreamResponse:
        cookie = self.guard.sign_in(request, (await read_object(request)).get("token"))
        return build_json({"signed_in": True}, cookie)

    async def _sign_out(self, request: web.BaseRequest) -> web.StreamResponse:
        await read_object(request)
        return build_json({"signed_in": False}, self.guard.sign_out(request))

    async def _show_events(self, request: web.BaseRequest) -> web.StreamResponse:
        since = self.feed.state.find_version(request.headers.get("Last-Event-ID", ""))
        return await self._show(request, lambda outlet, term: self._feed_viewer(outlet, term, since))

    async def _feed_viewer(self, outlet: Outlet, term: int, since: int | None) -> None:
        feed, state = self.feed, self.feed.state
        outlet.send_retry(RETRY_MS)
        with feed.watch():
            while term == self._term:
                event = b"snapshot" if since is None else b"changes"
                version = state.version
                outlet.send(event, feed.build(since), f"{state.boot}.{version}".encode())
                since = version
                await outlet.flush()
                if version == state.version:
                    await feed.wait()

    async def _show_tail(self, request: web.BaseRequest) -> web.StreamResponse:
        form = request.query.get("form", FORMS[0])
        if form not in FORMS:
            raise Rejected(400, "bad_form", f"The form must be one of: {', '.join(FORMS)}.")
        scope = self._find(request)
        return await self._show(request, lambda outlet, term: self._follow(outlet, term, scope, form))

    async def _follow(self, outlet: Outlet, term: int, scope: Scope, form: str) -> None:
        gathering = Gathering(self._ticker.now)
        reader = Reader(scope.record.dialect, form, content=self._content)
        self._tails.add(gathering)
        scope.watchers.add(gathering)
        gathering.over = self._streams.find(scope.record.id) is None  # it may have ended while this answer began
        try:
            _send(outlet, "open", self._describe(scope, form))
            while term == self._term:
                over, begun = gathering.over, self._ticker.now()
                self._pass_on(outlet, gathering, reader)
                took = self._ticker.now() - begun
                if over:
                    _send(outlet, "end", _describe_end(scope.record))
                    return
                await outlet.flush()
                await _wait(outlet, gathering)
                await asyncio.sleep(max(JOIN, took * REST))
        finally:
            scope.watchers.remove(gathering)
            self._tails.discard(gathering)

    def _pass_on(self, outlet: Outlet, gathering: Gathering, reader: Reader) -> None:
        chunks = gathering.take()
        if gathering.lost:
            _send(outlet, "lost", {"bytes": gathering.lost})
            self.lost += 1
            gathering.lost = 0
            reader.restart()
        frame = reader.read(chunks, self._ticker.now())
        if frame is not None:
            _send(outlet, *frame)

    async def _kill(self, request: web.BaseRequest) -> web.StreamResponse:
        await read_object(request)
        scope = self._find(request)
        scope.end(EndReason.KILLED)
        _LOG.info("request ended by hand: %s", scope.record.id)
        return build_json({"killed": True})

    def _find(self, request: web.BaseRequest) -> Scope:
        scope = self._streams.find(request[PLACES]["id"])
        if scope is None:
            raise Rejected(404, "unknown_stream", "No request of this id is in flight.")
        return scope

    def _describe(self, scope: Scope, form: str) -> dict[str, Json]:
        record, look = scope.record, scope.look() if scope.look is not None else None
        return {
            "id": record.id,
            "form": form,
            "content": self._content,
            "dialect": record.dialect,
            "client": record.client,
            "model": record.model or record.model_asked,
            "clock": round(self._ticker.now(), 3),
            "now": round(self._ticker.wall(), 3),
            "bytes_down": look.bytes if look else record.bytes_down,
            "events": look.events if look else record.events,
        }

    async def _show(
        self, request: web.BaseRequest, feed: Callable[[Outlet, int], Awaitable[None]]
    ) -> web.StreamResponse:
        """An event stream for one viewer, until `feed` returns."""
        if request.method == "HEAD":
            return WholeAnswer(200, list(_SILENT), b"")
        with self._seat():
            try:
                outlet = await open_outlet(request)
                await feed(outlet, self._term)
                await outlet.close()
            except ConnectionError:
                request[SCOPE].record.close(EndReason.CLIENT_GONE)
                raise
        return outlet.response

    @contextmanager
    def _seat(self) -> Iterator[None]:
        if self._viewers >= MOST_VIEWERS:
            raise Rejected(503, "too_many_viewers", "Too many look on already.", (b"Retry-After", b"5"))
        self._viewers += 1
        try:
            yield
        finally:
            self._viewers -= 1


async def _wait(outlet: Outlet, gathering: Gathering) -> None:
    """Until there is something to tell."""
    try:
        async with asyncio.timeout(BEAT):
            await gathering.wait()
    except TimeoutError:
        outlet.beat()


def _send(outlet: Outlet, event: str, value: Json) -> None:
    outlet.send(event.encode(), encode_json(value))


def _describe_end(record: Record) -> dict[str, Json]:
    reason = (record.end or EndReason.DONE).value
    return {"end_reason": reason, "error": record.error, "status": record.status}
