"""The metrics of one process: fed with finished requests, read by whoever scrapes `GET /metrics`.

`observe` is an observer of records: it runs after the request, takes some ten microseconds and never raises. Nothing is
global: whoever makes a Metrics has a registry of its own. What is so now is read when somebody scrapes, and the event
loop's lag is measured as long as somebody does.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector

from proxy.accounts.board import Board
from proxy.edge.downstream import WholeAnswer
from proxy.edge.streams import Streams
from proxy.ops.account_view import Rows
from proxy.ops.admin import PRIVATE
from proxy.ops.metrics.counting import Counting
from proxy.ops.metrics.delay import ChunkDelay
from proxy.ops.metrics.families import Families
from proxy.ops.metrics.labels import ModelNames
from proxy.ops.metrics.lag import LoopLag
from proxy.ops.metrics.moment import Moment, Readings
from proxy.ops.metrics.page import Format, choose_format
from proxy.ops.metrics.traffic import Traffic
from proxy.relay.clocks import Ticker
from proxy.relay.outcome import Record

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

_NO_READINGS: Final[Readings] = {}


class Metrics:
    """list_rows: the accounts as configured now. known_models: those that have series of their own, see `list_models`.
    readings: counts that others keep, see `moment.READINGS`; raises LookupError for one that is not among them."""

    def __init__(
        self,
        streams: Streams,
        board: Board,
        list_rows: Callable[[], Rows],
        ticker: Ticker,
        known_models: Iterable[str] = (),
        readings: Readings = _NO_READINGS,
    ) -> None:
        families = Families()
        self._registry = CollectorRegistry()
        self._registry.register(families)
        self._models = ModelNames(known_models)
        self._counting = Counting(families, self._models)
        self._traffic = Traffic()
        self._lag = LoopLag(ticker, lambda seconds: families.lag.note((), seconds))
        self._delay = ChunkDelay(streams, lambda seconds: families.delay.note((), seconds))
        self._registry.register(Moment(streams, board, list_rows, ticker, self._traffic, readings))
        ProcessCollector(registry=self._registry)

    def observe(self, record: Record) -> None:
        """A request is over."""
        if record.door != "admin":
            self._traffic.add(record)
            self._counting.count(record)

    def apply(self, known_models: Iterable[str]) -> None:
        """A new configuration."""
        self._models.apply(known_models)

    def close(self) -> None:
        """Let go of the ticker."""
        self._lag.close()

    def routes(self) -> Mapping[str, Mapping[str, Handler]]:
        """For the admin listener: path to method to handler."""
        return {"/metrics": {"GET": self._show}}

    async def write_page(self, form: Format) -> bytes:
        """All of it, as it is now; the loop goes round between slices."""
        pieces = []
        for piece in form.encode(self._registry.collect()):
            pieces.append(piece)
            await asyncio.sleep(0)
        return b"".join(pieces)

    async def _show(self, request: web.BaseRequest) -> web.StreamResponse:
        self._lag.want()
        self._delay.sample()
        form = choose_format(",".join(request.headers.getall("Accept", [])))
        fields = [(b"Content-Type", form.kind.encode()), *PRIVATE]
        return WholeAnswer(200, fields, await self.write_page(form))
