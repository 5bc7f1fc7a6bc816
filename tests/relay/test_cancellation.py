"""A client that leaves cancels the task: one test per await in pump and attempt. The source is aborted, once."""

import asyncio

import pytest

from proxy.errors import Code, UpstreamFault
from proxy.relay.attempt import open_attempt
from proxy.relay.outcome import Attempt
from proxy.relay.ports import Answer, UpstreamRequest
from proxy.relay.pump import Clocks, Pump
from tests.helpers.fakes import FakeOpener, FakeSink, FakeSource, FakeTicker, Step, reach, turn

OFF = Clocks(idle=0, write_stall=0)


class Cancelled:
    """A pump brought to one of its awaits, and cancelled there."""

    def __init__(self, hanging: str = "") -> None:
        self.steps: list[Step] = []
        self.ticker = FakeTicker()
        self.source = FakeSource(self.steps)
        self.sink = FakeSink(self.steps, (hanging,))
        self.pump = Pump(self.source, self.sink, None, OFF, self.ticker)
        self.task = asyncio.get_running_loop().create_task(self.pump.run())

    async def cancel(self) -> None:
        await turn()
        self.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await self.task
        assert len(self.ticker) == 0


async def test_while_it_sleeps() -> None:
    stage = Cancelled()
    await turn()
    await stage.cancel()
    assert stage.source.aborted == 1
    assert stage.steps == ["start", "flush", "abort"]


async def test_while_the_client_has_to_read() -> None:
    stage = Cancelled("drain")
    await turn()
    stage.sink.full = True
    stage.source.feed(b"a")
    await stage.cancel()
    assert stage.steps[-2:] == ["drain", "abort"]
    assert stage.source.aborted == 1


async def test_while_a_complete_body_is_finished() -> None:
    stage = Cancelled("finish")
    await turn()
    stage.source.end()
    await stage.cancel()
    assert stage.steps[-1] == "finish"
    assert stage.source.aborted == 0  # its connection is back in the pool


async def test_while_a_broken_body_is_cut() -> None:
    stage = Cancelled("cut")
    await turn()
    stage.source.fail(UpstreamFault(Code.CUT))
    await stage.cancel()
    assert stage.steps.count("abort") == 1
    assert stage.steps[-1] == "cut"


async def test_before_it_has_run_at_all() -> None:
    stage = Cancelled()
    stage.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stage.task
    assert stage.steps == []
    assert len(stage.ticker) == 0


async def test_a_source_that_feeds_after_the_cancellation_harms_nothing() -> None:
    stage = Cancelled()
    await turn()
    await stage.cancel()
    stage.sink.fault = ConnectionResetError("gone")
    stage.source.feed(b"late")
    stage.source.end()
    assert stage.sink.body == b""


async def test_while_the_upstream_has_to_answer() -> None:
    async def never() -> Answer:
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]

    ticker, opener = FakeTicker(), FakeOpener(never)
    attempt = Attempt(opener.name, opener.account)
    request = UpstreamRequest("GET", "/", [], None)
    task = asyncio.get_running_loop().create_task(open_attempt(opener, request, 60, ticker, attempt))
    await reach(opener.entered)
    ticker.advance(2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert opener.cancelled
    assert len(ticker) == 0
    assert (attempt.seconds, attempt.error, attempt.status) == (2.0, "", None)
