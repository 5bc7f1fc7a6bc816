"""Seats: how many, for whom, and who gives his up."""

import logging
import resource
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.config.model import Limits
from proxy.edge.connections import (
    LOOK_AGAIN,
    PATIENCE,
    SHARE,
    Connections,
    Reason,
    Seat,
    count_affordable,
    find_place,
    make_room,
)
from proxy.edge.peers import Peers
from tests.helpers.bare import settle
from tests.helpers.fakes import FakeTicker

Peer = tuple[str, int]


def nobody(count: int) -> int:
    return 0


class Stage:
    def __init__(self, total: int = 10, per_address: int = 0, trusted: Iterable[str] = ()) -> None:
        self.ticker = FakeTicker()
        self.connections = Connections(Limits(), self.ticker)
        self.apply(total, per_address, trusted)

    def apply(self, total: int, per_address: int = 0, trusted: Iterable[str] = ()) -> None:
        limits = Limits(connections=total, connections_per_address=per_address)
        self.connections.apply(limits, Peers(tuple(trusted)))

    def take(self, host: str | None = "192.0.2.1", make_room: Callable[[int], int] = nobody) -> Seat | None:
        return self.connections.take("" if host is None else (host, 4711), make_room)

    def fill(self, count: int, host: str | None = "192.0.2.1") -> list[Seat]:
        seats = [self.take(host) for _ in range(count)]
        return [seat for seat in seats if seat is not None]


@pytest.fixture
async def stage() -> Stage:
    return Stage()


async def test_there_are_so_many_seats_and_each_is_free_again_once(stage: Stage) -> None:
    seats = stage.fill(11)
    assert (len(seats), len(stage.connections)) == (10, 10)
    seats[0].leave()
    seats[0].leave()
    assert len(stage.connections) == 9
    assert len(stage.fill(2)) == 1
    assert stage.connections.refused == {Reason.TOTAL: 2}


async def test_an_address_has_its_share(stage: Stage) -> None:
    stage.apply(10, per_address=2)
    first = stage.fill(3, "192.0.2.1")
    assert len(first) == 2
    assert len(stage.fill(3, "192.0.2.2")) == 2
    first[0].leave()
    assert len(stage.fill(2, "192.0.2.1")) == 1
    assert stage.connections.refused == {Reason.ADDRESS: 3}


async def test_front_proxies_and_unix_sockets_have_no_share_but_a_seat(stage: Stage) -> None:
    stage.apply(10, per_address=1, trusted=["10.0.0.0/8", "unix"])
    assert len(stage.fill(3, "10.1.2.3")) == 3
    assert len(stage.fill(3, None)) == 3
    stage.apply(10, per_address=1)
    assert len(stage.fill(9, None)) == 4
    assert len(stage.connections) == 10


async def test_an_address_that_was_trusted_leaves_as_it_came(stage: Stage) -> None:
    stage.apply(10, per_address=1, trusted=["192.0.2.1"])
    (seat,) = stage.fill(1)
    stage.apply(10, per_address=1)
    assert len(stage.fill(1)) == 1
    seat.leave()
    assert stage.fill(1) == []


async def test_those_who_wait_give_way_before_anybody_is_refused(stage: Stage) -> None:
    seats, asked = stage.fill(10), list[int]()

    def have_two_go(count: int) -> int:
        asked.append(count)
        for seat in seats[:2]:
            seat.leave()
        return 2

    assert stage.take(make_room=have_two_go) is not None
    assert stage.take(make_room=have_two_go) is not None
    assert asked == [1]
    assert (stage.connections.evicted, stage.connections.refused[Reason.TOTAL]) == (2, 0)


async def test_of_many_some_more_give_way_than_are_needed() -> None:
    stage, asked = Stage(5 * SHARE), list[int]()
    stage.fill(5 * SHARE)
    stage.take(make_room=lambda count: asked.append(count) or 0)
    stage.apply(4 * SHARE)
    stage.ticker.advance(LOOK_AGAIN)
    stage.take(make_room=lambda count: asked.append(count) or 0)
    assert asked == [5, SHARE + 1]


async def test_who_waits_is_not_looked_for_again_at_once_when_nobody_did(stage: Stage) -> None:
    stage.fill(10)
    looks = list[int]()
    for _ in range(100):
        stage.take(make_room=lambda count: looks.append(count) or 0)
    assert len(looks) == 1
    stage.ticker.advance(LOOK_AGAIN)
    stage.take(make_room=lambda count: looks.append(count) or 0)
    assert len(looks) == 2


async def test_a_storm_of_refusals_is_one_line(caplog: pytest.LogCaptureFixture, monkeypatch: Any) -> None:
    monkeypatch.setattr("proxy.edge.connections._SAY", 0.01)
    stage = Stage(2, per_address=1)
    with caplog.at_level(logging.INFO):
        stage.fill(500, "192.0.2.7")
        stage.fill(1, "192.0.2.8")
        stage.fill(3, "192.0.2.9")
        await settle(lambda: len(caplog.messages) > 0)
    (line,) = caplog.messages
    for part in ("499 (connections_per_address)", "3 (connections)", "192.0.2.9", "trusted_proxies"):
        assert part in line
    assert caplog.records[0].levelname == "WARNING"
    caplog.clear()
    with caplog.at_level(logging.INFO):
        stage.connections.note(Reason.HANDSHAKE, "")
        await settle(lambda: len(caplog.messages) > 0)
    (line,) = caplog.messages
    assert ("1 (handshake)" in line, "trusted" in line, "499" in line) == (True, False, False)
    assert caplog.records[0].levelname == "INFO"


async def test_what_a_scrape_shows(stage: Stage) -> None:
    stage.fill(12)
    read = {name: look() for name, look in stage.connections.list_readings().items()}
    refused = {"connections": 2, "connections_per_address": 0, "handshake": 0}
    assert read == {"connections": 10, "connections_refused": refused, "connections_evicted": 0}


class Guest:
    """A connection that has waited for so long."""

    def __init__(self, waited: float | None, *, has_served: bool = True, counts: bool = True) -> None:
        self._since = None if waited is None else 1000.0 - waited
        self.has_served = has_served
        self.seat = Seat(COUNTS, None) if counts else None
        self.is_there = True
        self.unread = False

    def waits_since(self) -> float | None:
        return self._since

    def has_unread(self) -> bool:
        return self.unread

    def give_way(self) -> None:
        self.is_there = False


COUNTS: Any = None
"""What the seats of guests never ask."""


def have_go(guests: list[Guest], count: int) -> list[int]:
    """Who went, by number."""
    went = make_room(guests, count, 1000.0)
    gone = [number for number, guest in enumerate(guests) if not guest.is_there]
    assert len(gone) == went
    return gone


def test_the_longest_waiting_gives_way() -> None:
    guests = [Guest(5.0), Guest(50.0), Guest(None), Guest(7.0), Guest(PATIENCE - 0.1)]
    assert have_go(guests, 1) == [1]
    assert have_go([Guest(5.0), Guest(50.0), Guest(7.0)], 2) == [1, 2]
    assert have_go([Guest(5.0), Guest(5.0)], 9) == [0, 1]


def test_who_never_asked_anything_goes_first() -> None:
    assert have_go([Guest(50.0), Guest(2.0, has_served=False), Guest(3.0, has_served=False)], 2) == [1, 2]


def test_whose_request_has_come_stays_and_another_gives_way() -> None:
    guests = [Guest(5.0), Guest(50.0), Guest(7.0)]
    guests[1].unread = True
    assert have_go(guests, 2) == [0, 2]


def test_who_is_served_who_has_just_come_and_who_does_not_count_stays() -> None:
    guests = [Guest(None), Guest(0.0, has_served=False), Guest(99.0, counts=False)]
    assert have_go(guests, 3) == []


@given(
    st.lists(st.builds(Guest, st.none() | st.floats(0, 100), has_served=st.booleans(), counts=st.booleans())),
    st.integers(1, 5),
)
def test_whoever_stays_had_more_right_to(guests: list[Guest], count: int) -> None:
    for guest in guests:
        guest.is_there = True
    have_go(guests, count)
    gone = [(guest.has_served, guest.waits_since()) for guest in guests if not guest.is_there]
    stayed = [
        (guest.has_served, since)
        for guest in guests
        if guest.is_there and guest.seat and (since := guest.waits_since()) is not None and 1000.0 - since >= PATIENCE
    ]
    assert len(gone) == min(count, len(gone) + len(stayed))
    assert all(went <= left for went in gone for left in stayed)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("192.0.2.1", 1), ("192.0.2.1", 2), True),
        (("192.0.2.1", 1), ("192.0.2.2", 1), False),
        (("2001:db8::1", 1, 0, 0), ("2001:db8:0:0:ffff::9", 2, 0, 0), True),
        (("2001:db8::1", 1, 0, 0), ("2001:db8:0:1::1", 1, 0, 0), False),
        (("::ffff:192.0.2.1", 1, 0, 0), ("192.0.2.1", 1), True),
        (("::ffff:192.0.2.1", 1, 0, 0), ("::ffff:192.0.2.2", 1, 0, 0), False),
        (("fe80::1%eth0", 1, 0, 2), ("fe80::2%eth0", 1, 0, 2), True),
    ],
)
def test_what_is_one_address(one: object, other: object, same: bool) -> None:
    assert (find_place(one) == find_place(other)) is same


@pytest.mark.parametrize("peer", ["", b"\0name", None])
def test_a_unix_socket_is_none(peer: object) -> None:
    assert find_place(peer) is None


def test_no_more_than_there_are_descriptors_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def limit(soft: int) -> None:
        monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, soft))

    limit(1128)
    assert (count_affordable(10_000), count_affordable(100)) == (500, 100)
    limit(200)
    assert count_affordable(10_000) == 50
    limit(3)
    assert count_affordable(10_000) == 1
    limit(resource.RLIM_INFINITY)
    assert count_affordable(10_000) == 10_000

    def forbid(_: int) -> tuple[int, int]:
        raise PermissionError

    monkeypatch.setattr(resource, "getrlimit", forbid)
    assert count_affordable(10_000) == 10_000
