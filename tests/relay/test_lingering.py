"""A client that leaves while somebody wants to know what its answer costs: the provider is read on, for a while."""

import asyncio

import pytest

from proxy.errors import Code, UpstreamFault
from proxy.relay.outcome import EndReason
from proxy.relay.pump import AFTER_FINISH, Clocks
from tests.helpers.fakes import turn
from tests.helpers.models import PROVIDERS
from tests.helpers.stage import OFF, Translating, translated

SPOKEN = PROVIDERS["claude"]
BEGUN = SPOKEN.opening + SPOKEN.texts[0]
REST = SPOKEN.texts[1] + SPOKEN.finish + SPOKEN.mark


async def leave(stage: Translating, seconds: float = 20.0) -> asyncio.Task[None]:
    """The client is found to be gone; from then on the pump lingers."""
    stage.sink.lose()
    stage.source.feed(SPOKEN.texts[1])
    await stage.task
    assert (stage.pump.left, stage.pump.ended, stage.source.aborted) == (True, None, 0)
    assert len(stage.ticker) == 0
    stage.staged.detach()
    task = asyncio.ensure_future(stage.pump.linger(seconds))
    await turn()
    return task


async def test_what_the_provider_still_says_is_read_to_its_end() -> None:
    async with translated("anthropic", "openai-chat", lingers=True) as stage:
        stage.source.feed(BEGUN)
        told = stage.sink.body
        task = await leave(stage)
        stage.source.feed(SPOKEN.finish + SPOKEN.mark)
        stage.source.end()
        await task
        assert stage.pump.ended is EndReason.DONE
        assert stage.stage.seen.usage.output == 2
        assert stage.sink.body == told
        assert stage.pump.received == len(SPOKEN.whole)
        assert len(stage.ticker) == 0


async def test_what_comes_in_the_same_breath_as_the_client_goes_is_learned_too() -> None:
    """A busy loop finds the client gone and the end of the answer in one turn: who lingers has yet to wake."""
    async with translated("anthropic", "openai-chat", lingers=True) as stage:
        stage.source.feed(BEGUN)
        stage.sink.lose()
        for piece in (SPOKEN.texts[1], SPOKEN.finish, SPOKEN.mark):
            stage.source.feed(piece)
        stage.source.end()
        await stage.task
        stage.staged.detach()
        await stage.pump.linger(20.0)
        assert stage.stage.seen.usage.output == 2
        assert stage.pump.received == len(SPOKEN.whole)


async def test_it_is_read_for_so_long_and_no_longer() -> None:
    async with translated("anthropic", "openai-chat", lingers=True) as stage:
        stage.source.feed(BEGUN)
        stage.ticker.advance(100)
        task = await leave(stage, 20)
        for _ in range(19):
            stage.source.feed(SPOKEN.texts[1])
            stage.ticker.advance(1)
        stage.ticker.advance(0.75)
        await turn()
        assert not task.done()
        stage.ticker.advance(0.25)
        await task
        assert (stage.pump.ended, stage.source.aborted > 0) == (EndReason.IDLE, True)


async def test_once_the_model_has_finished_there_is_only_a_moment_left() -> None:
    async with translated("anthropic", "openai-chat", lingers=True) as stage:
        stage.source.feed(BEGUN)
        task = await leave(stage, 3600)
        stage.source.feed(SPOKEN.finish)
        stage.ticker.advance(AFTER_FINISH)
        await task
        assert stage.pump.ended is EndReason.IDLE


@pytest.mark.parametrize(("seconds", "left"), [(3600, AFTER_FINISH - 2), (1, 1)])
async def test_who_leaves_behind_the_finish_leaves_what_is_left_of_that_moment(seconds: float, left: float) -> None:
    async with translated("anthropic", "openai-chat", lingers=True) as stage:
        stage.source.feed(BEGUN + SPOKEN.finish)
        stage.ticker.advance(2)
        stage.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stage.task
        stage.staged.detach()
        task = asyncio.ensure_future(stage.pump.linger(seconds))
        await turn()
        stage.ticker.advance(left - 0.25)
        await turn()
        assert not task.done()
        stage.ticker.advance(0.25)
        await task
        assert (stage.pump.ended, stage.source.aborted > 0) == (EndReason.IDLE, True)


@pytest.mark.parametrize(
    ("clocks", "end"),
    [
        (Clocks(idle=8, write_stall=0), EndReason.IDLE),
        (Clocks(idle=0, write_stall=0, progress=8), EndReason.PROGRESS),
    ],
)
async def test_the_provider_s_clocks_go_on(clocks: Clocks, end: EndReason) -> None:
    async with translated("anthropic", "openai-chat", clocks, lingers=True) as stage:
        stage.source.feed(BEGUN)
        task = await leave(stage)
        stage.ticker.advance(8.25)
        await task
        assert stage.pump.ended is end


async def test_a_cut_and_an_interruption_end_it() -> None:
    for cut in (True, False):
        async with translated("anthropic", "openai-chat", lingers=True) as stage:
            task = await leave(stage)
            if cut:
                stage.source.fail(UpstreamFault(Code.CUT))
            else:
                stage.pump.interrupt(EndReason.DRAIN)
            await task
            assert stage.pump.ended is (EndReason.UPSTREAM_CUT if cut else EndReason.DRAIN)
            assert stage.source.aborted


async def test_a_source_that_was_held_is_let_go_on() -> None:
    async with translated("anthropic", "openai-chat", lingers=True, hanging=("drain",)) as stage:
        stage.sink.full = True
        stage.source.feed(BEGUN)
        await turn()
        assert stage.steps[-2:] == ["pause", "drain"]
        stage.sink.lose()
        await stage.task
        assert stage.pump.left
        stage.staged.detach()
        task = asyncio.ensure_future(stage.pump.linger(20))
        await turn()
        assert stage.steps[-1] == "resume"
        stage.source.feed(REST)
        stage.source.end()
        await task
        assert stage.pump.ended is EndReason.DONE


async def test_a_client_that_a_heartbeat_finds_gone_is_lingered_for_too() -> None:
    async with translated("anthropic", "openai-chat", Clocks(0, 0, 10), lingers=True) as stage:
        stage.sink.lose()
        stage.ticker.advance(10)
        await stage.task
        assert (stage.pump.left, stage.pump.heartbeats, stage.source.aborted) == (True, 0, 0)


async def test_a_task_that_is_cancelled_leaves_the_source_to_who_lingers() -> None:
    async with translated("anthropic", "openai-chat", lingers=True) as stage:
        stage.source.feed(BEGUN)
        stage.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stage.task
        assert stage.source.aborted == 0
        stage.staged.detach()
        task = asyncio.ensure_future(stage.pump.linger(20))
        await turn()
        stage.source.feed(REST)
        stage.source.end()
        await task
        assert stage.pump.ended is EndReason.DONE


async def test_who_stops_lingering_closes_the_connection() -> None:
    async with translated("anthropic", "openai-chat", lingers=True) as stage:
        task = await leave(stage)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert stage.source.aborted
        assert len(stage.ticker) == 0


async def test_an_answer_that_was_complete_is_not_lingered_for() -> None:
    async with translated("anthropic", "openai-chat", lingers=True, hanging=("finish",)) as stage:
        stage.source.feed(SPOKEN.whole)
        stage.source.end()
        await turn()
        stage.sink.lose()
        assert await stage.over() is EndReason.DONE
        assert not stage.pump.left


async def test_a_bug_in_the_client_s_side_is_no_client_that_left() -> None:
    async with translated("anthropic", "openai-chat", OFF, lingers=True) as stage:
        stage.sink.fault = RuntimeError("a bug")
        stage.source.feed(BEGUN)
        assert await stage.over() is EndReason.ERROR
        assert (stage.pump.left, stage.source.aborted > 0) == (False, True)
