"""What viewers of the console are told: the state of everything, and from then on what has changed.

Each thing is kept encoded with the version at which it last changed; a sample is the next version. A viewer that has
version n is sent what is newer, merged into one frame: a slow one loses the states in between, and nothing is queued
for it. One that comes back with its version goes on from there, unless too much has been forgotten.

Samples are taken from outside, while somebody looks. Between them ended requests are noted.
"""

import secrets
from collections.abc import Callable
from typing import Final

import msgspec

from proxy import __version__
from proxy.accounts.board import Board
from proxy.config.model import Config
from proxy.edge.scope import Scope
from proxy.edge.streams import Streams
from proxy.ops.account_view import Rows, build_accounts
from proxy.ops.console.ended import build_ended
from proxy.ops.console.failures import Failures
from proxy.ops.console.overview import forget_seconds, list_mounts, list_routes
from proxy.ops.console.part import Part, Tail, encode, join
from proxy.ops.console.rates import Tally
from proxy.ops.console.rows import Row
from proxy.relay.outcome import Record

MOST_ROWS: Final = 500
"""Requests that are shown, the oldest: those that hang are among them. All are counted."""

MOST_GONE: Final = 1000
"""Ends that are remembered for viewers that come back."""

MOST_RATES: Final = 240
"""Samples: two minutes, as long as a plot is."""

EVERY: Final = 2
"""Samples from one look at the accounts to the next: they change less often than streams do."""


class State:
    """version: moves with every sample. boot: tells this process from any other."""

    def __init__(self, config: Config, streams: Streams, board: Board, list_rows: Callable[[], Rows]) -> None:
        self.boot = secrets.token_hex(4)
        self.version = 0
        self._streams = streams
        self._board = board
        self._list_rows = list_rows
        self._sampled: float | None = None  # when
        self._rows: dict[str, Row] = {}
        self._ended: dict[str, Record] = {}
        self._failures = Failures()
        self._gone = Tail(MOST_GONE)
        self._rates = Tail(MOST_RATES)
        self._providers: dict[str, Part] = {}
        self._providers_at = 0  # when one was last added or taken away
        self._place = encode(_name_place(config.server.admin))
        self._parts = {name: Part() for name in ("content", "draining", "hidden", "routes", "mounts", "usage")}
        self.configure(config)

    def configure(self, config: Config) -> None:
        self.put("content", config.console.content)
        self.put("routes", list_routes(config))
        self.put("mounts", list_mounts(config))

    def put(self, name: str, value: object) -> None:
        """Told with the next sample, if it is another one."""
        self._parts[name].put(encode(value), self.version + 1)

    def note(self, record: Record, *, watched: bool) -> None:
        """A request is over."""
        if record.failed:
            self._failures.put(record, self.version + 1)
        if watched:
            self._ended[record.id] = record

    def forget_ended(self) -> None:
        """Nobody looks any more."""
        self._ended.clear()

    def sample(self, now: float, wall: float) -> None:
        """now: on the clock of the records. wall: the same moment in seconds since the epoch."""
        self.version += 1
        before, self._sampled = self._sampled, now
        tally = Tally()
        self.put_now("hidden", self._sample_rows(now, before, tally))
        self._sample_ended(now, before, tally)
        self.put_now("draining", self._streams.draining)
        if self.version % EVERY == 1:
            self._sample_accounts(wall)
        rates = tally.build(now, 0.0 if before is None else now - before)
        self._rates.put(encode(rates), self.version)

    def put_now(self, name: str, value: object) -> None:
        self._parts[name].put(encode(value), self.version)

    def find_version(self, event_id: str) -> int | None:
        """The version that a viewer has, by its last event's id; None when it has to be told everything."""
        boot, _, version = event_id.partition(".")
        if boot != self.boot or not version.isascii() or not version.isdigit() or len(version) > 15:
            return None
        known = int(version)
        return known if self._gone.forgotten <= known <= self.version else None

    def build(self, since: int | None, now: float, wall: float) -> bytes:
        """A frame for who has version `since`, all there is for None."""
        known = since or 0
        found = {name: part.data for name, part in self._parts.items() if part.at > known or since is None}
        rows = [row.encode(known) for row in list(self._rows.values())[:MOST_ROWS]]
        lists = {
            "streams": [row for row in rows if row],
            "gone": self._gone.list_since(known) if since is not None else [],
            "failures": self._failures.list_between(known, self.version),
            "rates": self._rates.list_since(known),
            "providers": self._list_providers(known),
        }
        found |= {name: join(entries) for name, entries in lists.items() if entries or since is None}
        if since is None:
            del found["gone"]
            found |= {"boot": encode(self.boot), "version": encode(__version__), "place": self._place}
        elif self._providers_at > known:
            found["providers_all"] = b"true"
        found |= {"clock": encode(round(now, 3)), "now": encode(round(wall, 3))}
        return b"{%b}" % b",".join(b'"%b":%b' % (name.encode(), data) for name, data in found.items())

    def _sample_rows(self, now: float, before: float | None, tally: Tally) -> int:
        """How many are not shown."""
        scopes = self._streams.list_scopes()
        tally.streams = len(scopes)
        for place, scope in enumerate(scopes):
            row = self._rows.get(scope.record.id)
            known = row is not None
            if row is None:
                row = self._rows[scope.record.id] = Row(scope.record)
            row.update(scope, now, self.version, shown=place < MOST_ROWS)
            self._count(tally, scope.record, row.grown if known or _is_new(scope, before) else (0, 0), before)
            tally.started += not known
            tally.streaming += row.streams
            if row.gap is not None:
                tally.gaps.append(row.gap)
        return max(0, len(scopes) - MOST_ROWS)

    def _sample_ended(self, now: float, before: float | None, tally: Tally) -> None:
        for name, record in self._ended.items():
            row = self._rows.get(name)
            tally.started += row is None
            tally.finished += 1
            tally.failed += record.failed
            self._count(tally, record, row.find_rest(record) if row else (record.events, record.bytes_down), before)
        for name in [name for name, row in self._rows.items() if row.seen != self.version]:
            del self._rows[name]
            ended = self._ended.get(name)
            self._gone.put(encode(build_ended(ended) if ended is not None else {"id": name}), self.version)
        self._ended.clear()

    def _count(self, tally: Tally, record: Record, grown: tuple[int, int], before: float | None) -> None:
        tally.events += grown[0]
        tally.bytes += grown[1]
        if record.ttft is not None and before is not None and record.started + record.ttft > before:
            tally.times.append(record.ttft)

    def _sample_accounts(self, wall: float) -> None:
        views = build_accounts(self._list_rows(), self._board, wall)
        if self._providers.keys() != {view.provider for view in views}:
            self._providers = {view.provider: self._providers.get(view.provider) or Part() for view in views}
            self._providers_at = self.version
        for view in views:
            data = encode(forget_seconds(msgspec.to_builtins(view)))
            self._providers[view.provider].put(data, self.version)

    def _list_providers(self, since: int) -> list[bytes]:
        whole = self._providers_at > since
        return [part.data for part in self._providers.values() if whole or part.at > since]


def _is_new(scope: Scope, before: float | None) -> bool:
    return before is not None and scope.record.started >= before


def _name_place(admin: str) -> str:
    """The end of a socket's path: it tells one process of a machine from the others. A port stands in the browser."""
    return "/".join(admin.split("/")[-2:]) if admin.startswith("unix:") else ""
