"""Cool-downs as rows: there and back, and what a row may hold that no cool-down can."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.accounts.cooldown import Cooldown, Level, Spot
from proxy.store.cooldowns import forget_cooldowns, read_cooldowns, write_cooldowns
from proxy.store.database import MIGRATIONS, open_database
from proxy.types import ProviderName
from tests.helpers.cooldowns import build_cooldown, build_spot


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_database(tmp_path / "penstock.db")) as opened:
        yield opened


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
TIME = st.floats(allow_nan=False)
SPOTS = st.builds(Spot, st.sampled_from(Level), st.builds(ProviderName, TEXT), TEXT, TEXT)
COOLDOWNS = st.builds(
    Cooldown, SPOTS, TEXT, TEXT, TIME, TIME, st.integers(0, 2**40), st.booleans(), TEXT
)  # fmt: skip


@given(st.lists(COOLDOWNS, unique_by=lambda cooldown: cooldown.spot), st.data())
def test_what_is_written_is_read(cooldowns: list[Cooldown], data: st.DataObject) -> None:
    kept = {cooldown.spot: cooldown for cooldown in cooldowns}
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as memory:
        for statement in MIGRATIONS:
            memory.execute(statement)
        write_cooldowns(memory, kept)
        assert read_cooldowns(memory) == kept
        lifted = data.draw(st.sets(st.sampled_from(cooldowns).map(lambda c: c.spot))) if cooldowns else set()
        write_cooldowns(memory, dict.fromkeys(lifted))
        assert read_cooldowns(memory).keys() == kept.keys() - lifted


def test_changes_are_written_all_or_none(connection: sqlite3.Connection) -> None:
    write_cooldowns(connection, {build_spot(): build_cooldown()})
    broken = build_cooldown(build_spot("b"), why=None)
    with pytest.raises(sqlite3.IntegrityError):
        write_cooldowns(connection, {build_spot(): None, broken.spot: broken})
    assert read_cooldowns(connection) == {build_spot(): build_cooldown()}
    write_cooldowns(connection, {build_spot(): None})  # the one before has left nothing open
    assert read_cooldowns(connection) == {}


@pytest.mark.parametrize(("column", "value"), [("level", "galaxy"), ("until", "soon"), ("strikes", 1.5), ("why", b"x")])
def test_a_row_that_cannot_be_read_is_passed_over_and_stays(
    connection: sqlite3.Connection, column: str, value: object
) -> None:
    write_cooldowns(connection, {spot: build_cooldown(spot) for spot in map(build_spot, "ab")})
    connection.execute(f"UPDATE cooldowns SET {column} = ? WHERE name = 'a'", (value,))
    assert read_cooldowns(connection).keys() == {build_spot("b")}
    assert connection.execute("SELECT count(*) FROM cooldowns").fetchone() == (2,)


def test_what_was_over_long_ago_is_forgotten(connection: sqlite3.Connection) -> None:
    rows = [build_cooldown(build_spot("a"), until=99.0), build_cooldown(build_spot("b"), until=100.0)]
    write_cooldowns(connection, {row.spot: row for row in rows})
    forget_cooldowns(connection, 100.0)
    assert read_cooldowns(connection).keys() == {build_spot("b")}
