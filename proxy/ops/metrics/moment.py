"""What is so at the moment of a scrape: the streams in flight, the accounts, and the counts that others keep.

A collector for the official registry. Nothing is written down between two scrapes: each reads what the proxy goes by.
"""

import platform
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import aiohttp
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily

from proxy import __version__
from proxy.accounts.board import Board
from proxy.edge.scope import Scope
from proxy.edge.streams import Streams
from proxy.ops.account_view import Rows
from proxy.ops.metrics.accounts import judge_account, name_account
from proxy.ops.metrics.labels import name_bucket
from proxy.ops.metrics.traffic import Traffic
from proxy.relay.clocks import Ticker

Reading = float | Mapping[str, float]
"""A number, or one for each value of a label."""

Readings = Mapping[str, Callable[[], Reading]]
"""Counts that are kept elsewhere, by their name in READINGS. Called at every scrape: cheap, never raising."""

REASON: Final = "reason"
"""The label of readings that have one."""

READINGS: Final[Mapping[str, tuple[type[CounterMetricFamily] | type[GaugeMetricFamily], str]]] = {
    "ledger_lost_rows": (CounterMetricFamily, "Requests that are missing in the ledger: it could not be written."),
    "recorder_lost_requests": (CounterMetricFamily, "Requests whose recording is missing, or not whole."),
    "connections": (GaugeMetricFamily, "Connections of callers."),
    "connections_refused": (CounterMetricFamily, "Connections that were turned away, by the limit that did it."),
    "connections_evicted": (CounterMetricFamily, "Connections that were closed while they waited: others wanted in."),
    "memory_short": (GaugeMetricFamily, "1 while requests are refused because memory is at its ceiling."),
    "console_viewers": (GaugeMetricFamily, "Viewers of the console."),
    "console_lost_frames": (CounterMetricFamily, "Frames that slow viewers of the console did not get."),
}


class Moment:
    """list_rows: the accounts as configured now. Raises LookupError for a reading that has no name here."""

    def __init__(
        self,
        streams: Streams,
        board: Board,
        list_rows: Callable[[], Rows],
        ticker: Ticker,
        traffic: Traffic,
        readings: Readings,
    ) -> None:
        self._streams = streams
        self._board = board
        self._list_rows = list_rows
        self._ticker = ticker
        self._traffic = traffic
        self._readings = {name: (*READINGS[name], read) for name, read in readings.items()}

    def collect(self) -> Iterator[Metric]:
        yield _build_info()
        yield from self._collect_streams(self._streams.list_scopes())
        yield from self._collect_accounts(self._ticker.wall())
        for name, (family, says, read) in self._readings.items():
            yield _build_reading(family, f"penstock_{name}", says, read())

    def _collect_streams(self, scopes: list[Scope]) -> Iterator[Metric]:
        looks = [scope.look() for scope in scopes if scope.look is not None]
        up, down, events = self._traffic.read(scopes)
        yield GaugeMetricFamily("penstock_streams_active", "Requests in flight.", value=len(scopes))
        still = "The longest that a running stream has now been without substance."
        longest = max((look.still for look in looks), default=0.0)
        yield GaugeMetricFamily("penstock_stream_still_seconds", still, value=longest)
        stall = "The longest that a client has now not read what there is for it."
        longest = max((look.stalled for look in looks), default=0.0)
        yield GaugeMetricFamily("penstock_client_stall_seconds", stall, value=longest)
        says = "Bytes of bodies, also of running streams: up are the clients' requests, down the upstreams' answers."
        flowed = CounterMetricFamily("penstock_bytes", says, labels=["direction"])
        flowed.add_metric(["up"], up)
        flowed.add_metric(["down"], down)
        yield flowed
        yield CounterMetricFamily("penstock_events", "Events of streams, also of running ones.", value=events)

    def _collect_accounts(self, now: float) -> Iterator[Metric]:
        says = "How an account is: 0 serves, 1 is tried again, 2 is left alone for a time, 3 needs somebody to look."
        state = GaugeMetricFamily("penstock_account_state", says, labels=["account"])
        says = "Seconds until an account serves again."
        cooldown = GaugeMetricFamily("penstock_account_cooldown_seconds", says, labels=["account"])
        under_way = GaugeMetricFamily("penstock_account_streams", "Requests that an account has.", labels=["account"])
        says = "What a provider last said is left of an account's limit."
        left = GaugeMetricFamily("penstock_ratelimit_remaining", says, labels=["account", "kind"])
        cooldowns = self._board.list(now)
        for provider, rows in self._list_rows().items():
            for row in rows:
                name, known = name_account(provider, row), self._board.account(provider, row.name or "")
                standing = judge_account(provider, row, cooldowns, now)
                state.add_metric([name], standing.state)
                cooldown.add_metric([name], standing.seconds)
                under_way.add_metric([name], known.in_flight)
                for rate in known.rates.rates:
                    if kind := name_bucket(rate.bucket):
                        left.add_metric([name, kind], rate.remaining)
        yield from (state, cooldown, under_way, left)


def _build_reading(
    family: type[CounterMetricFamily] | type[GaugeMetricFamily], name: str, says: str, reading: Reading
) -> Metric:
    if not isinstance(reading, Mapping):
        return family(name, says, value=reading)
    metric = family(name, says, labels=[REASON])
    for value, number in reading.items():
        metric.add_metric([value], number)
    return metric


def _build_info() -> Metric:
    versions = {
        "version": __version__,
        "python": platform.python_version(),
        "aiohttp": aiohttp.__version__,
    }
    return InfoMetricFamily("penstock_build", "What is running.", value=versions)
