"""The event loop's lag, on a clock moved by hand."""

import pytest

from proxy.ops.metrics.lag import IDLE, LoopLag
from proxy.relay.clocks import TICK
from tests.helpers.fakes import FakeTicker


@pytest.fixture
async def ticker() -> FakeTicker:
    return FakeTicker()


async def test_nothing_runs_before_somebody_scrapes(ticker: FakeTicker) -> None:
    lags: list[float] = []
    LoopLag(ticker, lags.append)
    assert len(ticker) == 0


async def test_a_tick_that_comes_late_is_told(ticker: FakeTicker) -> None:
    lags: list[float] = []
    LoopLag(ticker, lags.append).want()
    for late in (0.0, 0.0, 0.5, 0.125):
        ticker.advance(TICK + late, TICK + late)
    assert lags == [0.0, 0.5, 0.125]  # the first has none before it


async def test_a_tick_that_comes_early_is_not_late(ticker: FakeTicker) -> None:
    lags: list[float] = []
    LoopLag(ticker, lags.append).want()
    ticker.advance(TICK)
    ticker.advance(0.125, 0.125)
    assert lags == [0.0]


async def test_it_ends_when_nobody_scrapes_any_more_and_begins_again(ticker: FakeTicker) -> None:
    lags: list[float] = []
    lag = LoopLag(ticker, lags.append)
    lag.want()
    ticker.advance(IDLE - 1)
    lag.want()
    ticker.advance(IDLE)
    assert len(ticker) == 1
    ticker.advance(TICK)
    assert len(ticker) == 0
    del lags[:]
    ticker._now += 1000.0
    lag.want()
    ticker.advance(2 * TICK)
    assert lags == [0.0]  # what nobody looked at is no lag


async def test_it_lets_go_of_the_ticker(ticker: FakeTicker) -> None:
    lag = LoopLag(ticker, [].append)
    lag.want()
    lag.close()
    lag.close()
    assert len(ticker) == 0
