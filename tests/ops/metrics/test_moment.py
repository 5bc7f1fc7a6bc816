"""What is read when somebody scrapes."""

import platform
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
import pytest

import proxy
from proxy.accounts.board import Board
from proxy.accounts.book import AccountRow
from proxy.accounts.cooldown import Level
from proxy.accounts.rate_headers import Rate, Rates
from proxy.edge.scope import Look, Scope
from proxy.edge.streams import Streams
from proxy.ops.metrics.moment import READINGS, Moment
from proxy.ops.metrics.traffic import Traffic
from proxy.types import AccountName, ProviderName
from tests.helpers.cooldowns import build_cooldown, build_spot
from tests.helpers.edge import build_house, build_scope
from tests.helpers.fakes import FakeTicker
from tests.helpers.scraped import Scrape, scrape

UP = ProviderName("up")
ROWS = {UP: [AccountRow(AccountName("a")), AccountRow(AccountName("b"))], ProviderName("bare"): [AccountRow(None)]}


class Stage:
    """A process of which a test says what is so."""

    def __init__(self, **readings: Any) -> None:
        self.streams, self.board, self.ticker, self.traffic = Streams(), Board(), FakeTicker(), Traffic()
        self.rows: Mapping[ProviderName, Sequence[AccountRow]] = ROWS
        self.moment = Moment(
            self.streams, self.board, lambda: self.rows, self.ticker, self.traffic, readings
        )  # fmt: skip

    def look(self) -> Scrape:
        return scrape(self.moment.collect())

    def enter(self, look: Look | None = None) -> Scope:
        scope = build_scope(build_house())
        if look is not None:
            scope.look = lambda: look
        self.streams.enter(scope)
        return scope


@pytest.fixture
async def stage() -> Stage:
    return Stage()


async def test_what_is_running_is_said(stage: Stage) -> None:
    (said,) = [sample.labels for sample in stage.look().samples if sample.name == "penstock_build_info"]
    assert said == {
        "version": proxy.__version__, "python": platform.python_version(), "aiohttp": aiohttp.__version__,
    }  # fmt: skip


async def test_nothing_is_in_flight(stage: Stage) -> None:
    found = stage.look()
    for name in ("streams_active", "stream_still_seconds", "client_stall_seconds", "events_total"):
        assert found.one(f"penstock_{name}") == 0
    assert found.find("penstock_bytes_total") == {("up",): 0, ("down",): 0}


async def test_streams_in_flight_are_told_together(stage: Stage) -> None:
    stage.enter()
    stage.enter(Look(1000, 10, 9, 2.5, 0.0))
    leaving = stage.enter(Look(500, 4, 4, 0.5, 7.0))
    found = stage.look()
    assert found.one("penstock_streams_active") == 3
    assert found.one("penstock_stream_still_seconds") == 2.5
    assert found.one("penstock_client_stall_seconds") == 7.0
    assert found.one("penstock_bytes_total", direction="down") == 1500
    assert found.one("penstock_events_total") == 14
    stage.streams.leave(leaving)
    assert stage.look().one("penstock_streams_active") == 2
    assert stage.look().one("penstock_client_stall_seconds") == 0


async def test_accounts_are_told_one_by_one(stage: Stage) -> None:
    now = stage.ticker.wall()
    stage.board.cool(build_cooldown(build_spot("a"), since=now, until=now + 60))
    stage.board.account(UP, "b").in_flight = 3
    found = stage.look()
    assert found.find("penstock_account_state") == {("up/a",): 2, ("up/b",): 0, ("bare",): 0}
    assert found.find("penstock_account_cooldown_seconds") == {("up/a",): 60, ("up/b",): 0, ("bare",): 0}
    assert found.find("penstock_account_streams") == {("up/a",): 0, ("up/b",): 3, ("bare",): 0}
    assert found.find("penstock_ratelimit_remaining") == {}


async def test_an_account_that_needs_somebody_says_so(stage: Stage) -> None:
    now = stage.ticker.wall()
    stage.board.cool(build_cooldown(build_spot("a"), since=now, until=now + 60, attention=True))
    stage.board.cool(build_cooldown(build_spot("", Level.PROVIDER, "bare"), since=now - 9, until=now - 1))
    assert stage.look().find("penstock_account_state") == {("up/a",): 3, ("up/b",): 0, ("bare",): 1}


async def test_what_is_left_of_limits_is_told(stage: Stage) -> None:
    rates = Rates((Rate("requests", 59), Rate("input-tokens", 0, 1000), Rate('no"name', 5)))
    stage.board.account(UP, "a").rates = rates
    assert stage.look().find("penstock_ratelimit_remaining") == {("up/a", "requests"): 59, ("up/a", "input-tokens"): 0}


async def test_accounts_are_those_of_the_configuration_in_force(stage: Stage) -> None:
    stage.rows = {UP: [AccountRow(AccountName("c"))]}
    assert stage.look().find("penstock_account_state") == {("up/c",): 0}


async def test_counts_of_others_are_read_each_time() -> None:
    counts = dict.fromkeys(READINGS, 0)
    stage = Stage(**{name: lambda name=name: counts[name] for name in READINGS})
    stage.look()
    counts.update(ledger_lost_rows=3, recorder_lost_requests=1, console_viewers=2, console_lost_frames=4)
    found = stage.look()
    assert found.one("penstock_ledger_lost_rows_total") == 3
    assert found.one("penstock_recorder_lost_requests_total") == 1
    assert found.one("penstock_console_viewers") == 2
    assert found.one("penstock_console_lost_frames_total") == 4


async def test_a_count_may_have_reasons() -> None:
    found = Stage(connections_refused=lambda: {"connections": 2, "handshake": 0}).look()
    assert found.find("penstock_connections_refused_total") == {("connections",): 2, ("handshake",): 0}


async def test_a_reading_that_nobody_keeps_is_not_there(stage: Stage) -> None:
    assert not [name for name in stage.look().names if "ledger" in name]


async def test_a_reading_without_a_name_is_a_mistake() -> None:
    with pytest.raises(LookupError):
        Stage(ledger_found_rows=lambda: 0.0)
