"""The one ticker, and what is measured with it."""

import asyncio

import pytest

from proxy.relay.clocks import Stillness, Ticker, wait_while_moving
from tests.helpers.fakes import FakeTicker, turn


class Bell:
    """Rings at each tick; leaves the ticker after `rings`."""

    def __init__(self, ticker: Ticker, rings: int) -> None:
        self._ticker = ticker
        self.left = rings
        self.times: list[float] = []
        self.done = asyncio.Event()

    def tick(self, now: float) -> None:
        self.times.append(now)
        self.left -= 1
        if not self.left:
            self._ticker.release(self)
            self.done.set()


async def test_what_is_watched_is_called_until_it_is_released() -> None:
    ticker = Ticker(0.001)
    bell = Bell(ticker, 3)
    ticker.watch(bell)
    async with asyncio.timeout(5):
        await bell.done.wait()
    assert len(bell.times) == 3
    assert bell.times == sorted(bell.times)
    assert len(ticker) == 0


async def test_all_are_called_though_one_releases_another() -> None:
    ticker = Ticker(0.001)
    first, second, last = Bell(ticker, 1), Bell(ticker, 1), Bell(ticker, 2)
    for bell in (first, second, last):
        ticker.watch(bell)
    async with asyncio.timeout(5):
        await last.done.wait()
    assert (len(first.times), len(second.times), len(last.times)) == (1, 1, 2)


async def test_with_nothing_to_watch_no_timer_runs_and_a_new_one_wakes_it() -> None:
    ticker = Ticker(0.001)
    assert ticker._timer is None
    for _ in range(2):
        bell = Bell(ticker, 1)
        ticker.watch(bell)
        assert ticker._timer is not None
        async with asyncio.timeout(5):
            await bell.done.wait()
        await turn()
        assert ticker._timer is None


async def test_one_timer_serves_all() -> None:
    ticker = Ticker(0.001)
    ticker.watch(Bell(ticker, 1))
    timer = ticker._timer
    ticker.watch(Bell(ticker, 1))
    assert ticker._timer is timer
    assert len(ticker) == 2


async def test_releasing_what_is_not_watched_is_harmless() -> None:
    ticker = Ticker()
    ticker.release(Bell(ticker, 1))
    assert len(ticker) == 0


async def test_its_clock_goes_on_within_one_turn_of_the_loop() -> None:
    ticker = Ticker()
    first = ticker.now()
    while ticker.now() == first:
        pass
    assert ticker.now() > first


def test_a_reading_is_still_after_the_limit() -> None:
    still = Stillness(10, now=0)
    assert not still.expired(0, 9.9)
    assert still.expired(0, 10)


def test_a_new_reading_starts_over() -> None:
    still = Stillness(10, now=0)
    assert not still.expired(1, 10)
    assert not still.expired(1, 19.9)
    assert still.expired(1, 20)


def test_a_smaller_reading_is_movement_too() -> None:
    still = Stillness(10, now=0, reading=500)
    assert not still.expired(499, 10)


def test_a_restart_starts_over() -> None:
    still = Stillness(10, now=0)
    still.restart(5)
    assert not still.expired(0, 14.9)
    assert still.expired(0, 15)


def test_a_limit_of_zero_is_off() -> None:
    assert not Stillness(0, now=0).expired(0, 1e9)


async def test_what_is_awaited_in_time_is_returned() -> None:
    ticker, future = FakeTicker(), asyncio.get_running_loop().create_future()
    task = asyncio.create_task(wait_while_moving(ticker, 10, lambda: 0, future))
    await turn()
    ticker.advance(9.75)
    future.set_result("x")
    assert await task == "x"
    assert len(ticker) == 0


async def test_a_timeout_is_an_error_of_its_own_and_leaves_no_cancellation_behind() -> None:
    ticker = FakeTicker()

    async def wait() -> int:
        with pytest.raises(TimeoutError):
            await wait_while_moving(ticker, 10, lambda: 0, asyncio.get_running_loop().create_future())
        task = asyncio.current_task()
        assert task is not None
        await asyncio.sleep(0)  # would raise if the task were still being cancelled
        return task.cancelling()

    task = asyncio.create_task(wait())
    await turn()
    ticker.advance(10)
    assert await task == 0
    assert len(ticker) == 0


async def test_a_cancellation_from_elsewhere_passes() -> None:
    ticker = FakeTicker()
    task = asyncio.create_task(wait_while_moving(ticker, 10, lambda: 0, asyncio.get_running_loop().create_future()))
    await turn()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(ticker) == 0


async def test_a_cancellation_in_the_very_tick_of_the_timeout_wins() -> None:
    ticker = FakeTicker()
    task = asyncio.create_task(wait_while_moving(ticker, 10, lambda: 0, asyncio.get_running_loop().create_future()))
    await turn()
    task.cancel()
    ticker.advance(10)
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_movement_is_read_at_the_beginning() -> None:
    ticker = FakeTicker()
    task = asyncio.create_task(wait_while_moving(ticker, 10, lambda: 7, asyncio.get_running_loop().create_future()))
    await turn()
    ticker.advance(10)
    with pytest.raises(TimeoutError):
        await task


async def test_it_needs_a_task() -> None:
    loop, failed = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()
    ticker = FakeTicker()

    def call() -> None:
        """From a callback of the loop: it runs, and in no task."""
        awaitable = loop.create_future()
        try:
            wait_while_moving(ticker, 10, lambda: 0, awaitable).send(None)
        except RuntimeError as error:
            failed.set_result(str(error))

    loop.call_soon(call)
    async with asyncio.timeout(5):
        assert "task" in await failed


async def test_one_that_raises_does_not_stop_the_clocks_of_others() -> None:
    ticker, reported = Ticker(0.001), asyncio.Event()
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: reported.set())

    class Broken:
        def tick(self, now: float) -> None:
            raise RuntimeError("a bug")

    broken, bell = Broken(), Bell(ticker, 2)
    ticker.watch(broken)
    ticker.watch(bell)
    async with asyncio.timeout(5):
        await bell.done.wait()
    ticker.release(broken)
    assert reported.is_set()
