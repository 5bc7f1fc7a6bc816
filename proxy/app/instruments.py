"""Everything that looks on while requests are served: ledger, metrics, recorder, console, traces.

All of it is driven by the record of a request that is over, which `observe` hands round, and by the streams in flight,
which whoever wants to know reads. Nothing of it is in the way of a request: one that fails is said once and goes on
being asked, and the others are told all the same.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from proxy.accounts.board import Board
from proxy.app.recording import Recordings
from proxy.config import model
from proxy.config.state import find_ledger_file
from proxy.edge.house import OpenTape, Provider
from proxy.edge.streams import Streams
from proxy.ops.account_view import Rows
from proxy.ops.admin import Routes
from proxy.ops.booking import build_booking
from proxy.ops.console.console import Console
from proxy.ops.console.usage import build_reader
from proxy.ops.guard import Guard
from proxy.ops.metrics import Metrics, list_models
from proxy.ops.metrics.moment import Readings
from proxy.ops.recording import build_recorder_routes
from proxy.ops.traces import open_spans
from proxy.relay.clocks import Ticker
from proxy.relay.outcome import Record
from proxy.store.ledger import Ledger
from proxy.types import ClientName

Observer = Callable[[Record], None]
"""Is told of every request that is over, those of the admin door too. Takes microseconds."""

_LOG: Final = logging.getLogger("penstock")


class Instruments:
    """environ: where paths are found that the configuration leaves open, and what traces are told by; without one
    nothing outside is touched but what the configuration names. readings: what else a scrape shows."""

    def __init__(
        self,
        config: model.Config,
        environ: Mapping[str, str],
        streams: Streams,
        board: Board,
        list_rows: Callable[[], Rows],
        ticker: Ticker,
        write_record: Observer,
        readings: Readings,
    ) -> None:
        self._ticker = ticker
        file = find_ledger_file(config.ledger.path, config.state.path, environ)
        self._ledger = None if file is None else Ledger(file, config.ledger.retain)
        self._recordings = Recordings(ticker, environ)
        self._console = Console(config, streams, board, list_rows, ticker, build_reader(file))
        self._metrics = Metrics(
            streams, board, list_rows, ticker, list_models(config), {**self._list_readings(), **readings}
        )
        self._spans = open_spans(environ)
        self._observers = self._list_observers(write_record)
        self._failing: set[Observer] = set()

    @property
    def keeps_books(self) -> bool:
        """Somebody wants to know what every request has cost."""
        return self._ledger is not None

    @property
    def open_tape(self) -> OpenTape:
        return self._recordings.recorder.open_tape

    @property
    def guard(self) -> Guard:
        return self._console.guard

    def read_spent(self) -> Mapping[ClientName, tuple[int, float]]:
        """Tokens and cost of each client on this UTC day, before this process was there. May wait a second."""
        if self._ledger is None:
            return {}
        return {ClientName(name): (spent.tokens, spent.cost) for name, spent in self._ledger.read_today().items()}

    def build_routes(self) -> Routes:
        """For the admin listener."""
        recordings = self._recordings
        return {
            **self._console.routes,
            **self._metrics.routes(),
            **build_recorder_routes(recordings.recorder, lambda: recordings.recording, self._ticker.now),
        }

    def configure(self, config: model.Config, providers: Iterable[Provider]) -> None:
        """For requests from now on. providers: all that there are."""
        if self._ledger is not None:
            self._ledger.retain = config.ledger.retain
        self._recordings.configure(config, providers)
        self._metrics.apply(list_models(config))
        self._console.configure(config)

    def observe(self, record: Record) -> None:
        for observer in self._observers:
            try:
                observer(record)
            except Exception as error:
                if observer not in self._failing:
                    self._failing.add(observer)
                    _LOG.error("unexpected %s", type(error).__name__, exc_info=error)

    def end_viewers(self) -> None:
        """The listeners are going: nobody may look any longer."""
        self._console.close()

    async def close(self) -> None:
        """Write what waits. Requests are over."""
        self._metrics.close()
        self._console.close()
        await self._recordings.close()
        if self._ledger is not None:
            await self._ledger.close()
        if self._spans is not None:
            await self._spans.close()

    def _list_observers(self, write_record: Observer) -> tuple[Observer, ...]:
        """The log line first: whatever happens, it is written."""
        found = [write_record, self._metrics.observe, self._recordings.recorder.observe, self._console.note]
        if self._ledger is not None:
            found.append(build_booking(self._ledger.put))
        if self._spans is not None:
            found.append(self._spans.write)
        return tuple(found)

    def _list_readings(self) -> Readings:
        ledger, console, recordings = self._ledger, self._console, self._recordings
        return {
            "ledger_lost_rows": lambda: 0 if ledger is None else ledger.lost,
            "recorder_lost_requests": recordings.count_lost,
            "console_viewers": lambda: console.viewers,
            "console_lost_frames": lambda: console.lost,
        }
