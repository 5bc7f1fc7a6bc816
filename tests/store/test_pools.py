"""Shared limits as rows."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from proxy.accounts.sharing import Holder, Pool, Taken, Word
from proxy.store.database import open_database
from proxy.store.pools import STALE, add_words, forget_pools, read_flights, read_pools, sum_flights, write_flights

NOW = 1_795_262_400.0
ANN, MAIN = Holder("", "ann"), Holder("openai", "main")


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_database(tmp_path / "penstock.db")) as opened:
        yield opened


def test_words_come_together_and_are_read_as_they_are(connection: sqlite3.Connection) -> None:
    first = Word(NOW, Taken(60, 30, NOW), Taken(600, 12.5, NOW), 20_000, 7, 0.25)
    assert add_words(connection, {ANN: first, MAIN: Word(NOW)}, NOW) == read_pools(connection, NOW)
    changed = add_words(connection, {ANN: Word(NOW + 6, Taken(60, 1, NOW + 6))}, NOW + 6)
    assert changed == {ANN: Pool(25, NOW + 6, 12.5, NOW, 20_000, 7, 0.25)}
    assert read_pools(connection, NOW + 6) == {**changed, MAIN: Pool()}


def test_a_clock_that_was_set_back_does_not_stop_the_refill(connection: sqlite3.Connection) -> None:
    add_words(connection, {ANN: Word(NOW + 3600, Taken(60, 60, NOW + 3600))}, NOW + 3600)
    assert read_pools(connection, NOW)[ANN].requests_at == NOW
    changed = add_words(connection, {ANN: Word(NOW + 6, Taken(60, 0, NOW))}, NOW)
    assert changed[ANN].requests == 54


def test_flights_are_those_of_living_others(connection: sqlite3.Connection) -> None:
    write_flights(connection, "ours", {ANN: 100}, NOW)
    write_flights(connection, "a", {ANN: 1, MAIN: 2}, NOW)
    write_flights(connection, "b", {ANN: 10}, NOW + STALE)
    flights = read_flights(connection, "ours")
    assert sum_flights(flights, NOW + 1) == {ANN: 11, MAIN: 2}
    assert sum_flights(flights, NOW + STALE) == {ANN: 10}
    assert sum_flights(flights, NOW - 3600) == {}
    write_flights(connection, "a", {MAIN: 3}, NOW)
    assert sum_flights(read_flights(connection, "ours"), NOW + 1) == {ANN: 10, MAIN: 3}


def test_what_says_nothing_any_more_is_dropped(connection: sqlite3.Connection) -> None:
    day = int(NOW // 86400)
    add_words(connection, {ANN: Word(NOW, day=day), MAIN: Word(NOW, Taken(60, 1, NOW))}, NOW)
    write_flights(connection, "gone", {ANN: 1}, NOW)
    forget_pools(connection, NOW + 86400)
    assert read_pools(connection, NOW).keys() == {ANN, MAIN}
    forget_pools(connection, NOW + 4 * 86400)
    assert read_pools(connection, NOW) == {}
    assert read_flights(connection, "ours") == []
