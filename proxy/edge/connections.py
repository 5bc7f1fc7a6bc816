"""How many connections callers may have, in all and from one address; and who gives way when there are too many.

A connection takes a Seat when it is accepted, before anything is built for it or a TLS handshake begins, and gives it
back when it is over. Where no seat is left, connections that wait without a request give way: first those that have
never had one, a head that does not end among them, then the others, always the longest waiting first. So whoever holds
connections open for nothing keeps nobody out. What was refused is counted, and said once a second at most.
"""

import asyncio
import heapq
import logging
import resource
import socket
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Final, Protocol

from proxy.config.model import Limits
from proxy.edge.peers import Peers
from proxy.relay.clocks import Ticker

PATIENCE: Final = 1.0
"""Seconds for which a connection may wait unharmed: its request may be on the way, and closing would lose it."""

SHARE: Final = 100
"""One in so many gives way at a time: looking for who waits costs a millisecond among ten thousand."""

LOOK_AGAIN: Final = 0.25
"""Seconds until those who wait are looked for again, after a look that found nobody."""

_SAY: Final = 1.0
"""Seconds between two lines about refusals."""

_OWN_DESCRIPTORS: Final = 128
"""Descriptors for other things: loop, files, database, console, and as many again for connections that were refused."""

_MAPPED: Final = bytes(10) + b"\xff\xff"
"""What an IPv4 address begins with when it came by an IPv6 listener (RFC 4291 2.5.5.2)."""

_LOG = logging.getLogger("penstock.edge")


class Reason(Enum):
    """Why a connection was refused; the value is what the log and a metric's label say."""

    TOTAL = "connections"
    ADDRESS = "connections_per_address"
    HANDSHAKE = "handshake"


class Seat:
    """One connection's right to be there."""

    __slots__ = ("_connections", "_place")

    def __init__(self, connections: "Connections", place: str | bytes | None) -> None:
        self._connections: Connections | None = connections
        self._place = place

    def leave(self) -> None:
        """Give it back; twice is harmless."""
        connections, self._connections = self._connections, None
        if connections is not None:
            connections.release(self._place)


class Occupant(Protocol):
    """A connection, as far as it matters here. `seat` is None for one that does not count."""

    seat: Seat | None

    @property
    def has_served(self) -> bool:
        """Whether it has ever brought a whole request."""

    def waits_since(self) -> float | None:
        """When it began to wait for a request, or for the rest of a head; None while a request is under way."""

    def has_unread(self) -> bool:
        """Whether something has come that the loop has yet to read: closed now, a request would be lost."""

    def give_way(self) -> None:
        """Close it; its seat is free at once."""


class Beginning:
    """A connection in its handshake, an Occupant too."""

    __slots__ = ("_since", "_task", "seat")

    has_served = False

    def __init__(self, task: asyncio.Task[None], seat: Seat | None, since: float) -> None:
        self._task = task
        self._since = since
        self.seat = seat

    def waits_since(self) -> float | None:
        return self._since

    def has_unread(self) -> bool:
        return False  # it is no request

    def give_way(self) -> None:
        self._task.cancel()
        if self.seat is not None:
            self.seat.leave()


class Connections:
    """The seats. Limits may change while connections stand; those stay."""

    def __init__(self, limits: Limits, ticker: Ticker) -> None:
        self._ticker = ticker
        self._taken = 0
        self._places: dict[str | bytes, int] = {}
        self._look_at = 0.0
        self._unsaid: Counter[Reason] = Counter()
        self._last: object = None
        self.refused: Counter[Reason] = Counter()
        self.evicted = 0
        self.apply(limits, Peers())

    def __len__(self) -> int:
        return self._taken

    def list_readings(self) -> Mapping[str, Callable[[], float | Mapping[str, float]]]:
        """What a scrape shows, by name."""
        return {
            "connections": lambda: self._taken,
            "connections_refused": lambda: {reason.value: self.refused[reason] for reason in Reason},
            "connections_evicted": lambda: self.evicted,
        }

    def apply(self, limits: Limits, peers: Peers) -> None:
        """A configuration is in force from now on. peers: whose connections count against no address."""
        self._peers = peers
        self.total = count_affordable(limits.connections)
        self._per_place = limits.connections_per_address

    def take(self, peer: object, make_room: Callable[[int], int]) -> Seat | None:
        """A seat for a connection from `peer`, None where it must be refused. make_room: has so many give way, and says
        how many did."""
        place = find_place(peer)
        if place is not None and self._per_place:
            if self._peers.is_trusted(peer):
                place = None
            elif self._places.get(place, 0) >= self._per_place:
                self.note(Reason.ADDRESS, peer)
                return None
        if self._taken >= self.total and not self._find_room(make_room):
            self.note(Reason.TOTAL, peer)
            return None
        self._taken += 1
        if place is not None:
            self._places[place] = self._places.get(place, 0) + 1
        return Seat(self, place)

    def release(self, place: str | bytes | None) -> None:
        """For Seat alone."""
        self._taken -= 1
        if place is not None:
            self._places[place] -= 1
            if not self._places[place]:
                del self._places[place]

    def note(self, reason: Reason, peer: object) -> None:
        """A connection was refused."""
        if not self._unsaid:
            self._ticker.loop.call_later(_SAY, self._say)
        self.refused[reason] += 1
        self._unsaid[reason] += 1
        self._last = peer

    def _find_room(self, make_room: Callable[[int], int]) -> bool:
        now = self._ticker.now()
        if now < self._look_at:
            return False
        wanted = max(self._taken - self.total + 1, self.total // SHARE)
        self.evicted += make_room(wanted)
        if self._taken < self.total:
            return True
        self._look_at = now + LOOK_AGAIN
        return False

    def _say(self) -> None:
        unsaid, self._unsaid = self._unsaid, Counter()
        told = ", ".join(f"{count} ({reason.value})" for reason, count in unsaid.items())
        last = self._last[0] if isinstance(self._last, tuple) else "unix"
        hint = "; a front proxy belongs into server.trusted_proxies" if Reason.ADDRESS in unsaid else ""
        level = logging.INFO if set(unsaid) == {Reason.HANDSHAKE} else logging.WARNING
        _LOG.log(level, "connections refused: %s, the last from %s%s", told, last, hint)


def make_room(occupants: Iterable[Occupant], count: int, now: float) -> int:
    """Have at most `count` of those give way that have waited for PATIENCE; how many there were."""
    waiting: list[tuple[bool, float, int, Occupant]] = []
    for number, occupant in enumerate(occupants):
        since = occupant.waits_since() if occupant.seat is not None else None
        if since is not None and now - since >= PATIENCE:
            waiting.append((occupant.has_served, since, number, occupant))
    heapq.heapify(waiting)
    gone = 0
    while waiting and gone < count:
        *_, occupant = heapq.heappop(waiting)
        if not occupant.has_unread():
            occupant.give_way()
            gone += 1
    return gone


def find_place(peer: object) -> str | bytes | None:
    """Whom connections from one address count against: an IPv4 address, an IPv6 network of 64 bits, which one caller
    usually has whole (RFC 6177 2), nobody for a Unix socket."""
    if not isinstance(peer, tuple):
        return None
    host = str(peer[0])
    if ":" not in host:
        return host
    packed = socket.inet_pton(socket.AF_INET6, host.partition("%")[0])
    return socket.inet_ntoa(packed[12:]) if packed.startswith(_MAPPED) else packed[:8]


def count_affordable(wanted: int) -> int:
    """As many connections as are wanted, if there are descriptors for them and for an upstream's connection each."""
    try:
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    except OSError:  # a filter of system calls may forbid to ask
        return wanted
    if soft == resource.RLIM_INFINITY:
        return wanted
    return max(min(wanted, (soft - min(_OWN_DESCRIPTORS, soft // 2)) // 2), 1)
