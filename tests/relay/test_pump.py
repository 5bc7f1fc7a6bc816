"""The pump against a source, a sink and a clock that are told what to do: each test is a script of who does what."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from proxy.errors import Code, UpstreamFault
from proxy.relay.outcome import EndReason
from proxy.relay.pump import Clocks, Pump
from proxy.wire.sse import EventCounter
from tests.helpers.fakes import FakeSink, FakeSource, FakeTap, FakeTicker, Step, turn

OFF = Clocks(idle=0, write_stall=0)
BEATING = Clocks(idle=0, write_stall=0, heartbeat=15, keepalive=b": k\n")


class Stage:
    """A pump between fakes, and the task it runs in."""

    def __init__(self, clocks: Clocks = OFF, tap: Any = None, hanging: tuple[str, ...] = (), held: Any = ()) -> None:
        self.steps: list[Step] = []
        self.ticker = FakeTicker()
        self.source = FakeSource(self.steps, held)
        self.sink = FakeSink(self.steps, hanging)
        self.pump = Pump(self.source, self.sink, tap, clocks, self.ticker)
        self.task = asyncio.get_running_loop().create_task(self.pump.run())

    async def over(self) -> EndReason | None:
        async with asyncio.timeout(5):
            await self.task
        assert len(self.ticker) == 0
        return self.pump.ended


@asynccontextmanager
async def staged(*args: Any, **options: Any) -> AsyncIterator[Stage]:
    stage = Stage(*args, **options)
    await stage.source.started.wait()
    await turn()
    try:
        yield stage
    finally:
        stage.task.cancel()
        await asyncio.gather(stage.task, return_exceptions=True)


async def test_bytes_go_on_in_order_and_within_the_call_that_brings_them() -> None:
    async with staged() as stage:
        for data in (b"a", b"b", b"c"):
            stage.source.feed(data)
            assert stage.steps[-1] == ("write", data)
        stage.source.end()
        assert await stage.over() is EndReason.DONE
        assert stage.steps == ["start", "flush", ("write", b"a"), ("write", b"b"), ("write", b"c"), "finish"]
        assert stage.pump.received == 3


async def test_what_was_held_goes_before_the_head_is_flushed() -> None:
    async with staged(held=[b"a", None]) as stage:
        assert await stage.over() is EndReason.DONE
        assert stage.steps == ["start", ("write", b"a"), "flush", "finish"]


async def test_the_head_is_flushed_when_no_byte_is_there_yet() -> None:
    async with staged() as stage:
        assert stage.steps == ["start", "flush"]


async def test_a_client_that_reads_too_slowly_pauses_the_source_until_it_has_read() -> None:
    async with staged(hanging=("drain",)) as stage:
        stage.sink.full = True
        stage.source.feed(b"a")
        assert stage.steps[-1] == "pause"
        await turn()
        assert stage.steps[-1] == "drain"
        stage.sink.let_go()
        await turn()
        assert stage.steps[-1] == "resume"
        stage.source.feed(b"b")
        stage.source.end()
        assert await stage.over() is EndReason.DONE
        assert stage.sink.body == b"ab"


async def test_what_was_read_before_the_pause_is_still_written() -> None:
    async with staged(hanging=("drain",)) as stage:
        stage.sink.full = True
        stage.source.feed(b"a")
        stage.source.feed(b"b")
        assert stage.sink.body == b"ab"
        await turn()
        assert stage.steps.count("drain") == 1


async def test_a_body_that_ends_while_the_client_is_slow_is_drained_and_finished_without_a_resume() -> None:
    async with staged(hanging=("drain",)) as stage:
        stage.sink.full = True
        stage.source.feed(b"a")
        stage.source.end()
        await turn()
        stage.sink.let_go()
        assert await stage.over() is EndReason.DONE
        assert stage.steps[-2:] == ["drain", "finish"]
        assert stage.source.aborted == 0


async def test_back_pressure_comes_and_goes_many_times() -> None:
    async with staged(hanging=("drain",)) as stage:
        for _ in range(5):
            stage.sink.full = True
            stage.source.feed(b"a")
            await turn()
            stage.sink.let_go()
            await turn()
        assert [step for step in stage.steps if isinstance(step, str)][2:] == ["pause", "drain", "resume"] * 5


async def test_a_body_that_breaks_off_is_cut_visibly() -> None:
    async with staged() as stage:
        fault = UpstreamFault(Code.CUT, "x")
        stage.source.feed(b"a")
        stage.source.fail(fault)
        assert await stage.over() is EndReason.UPSTREAM_CUT
        assert stage.steps[-2:] == ["abort", "cut"]
        assert stage.pump.fault is fault


async def test_a_client_that_is_gone_when_written_to_aborts_the_source() -> None:
    async with staged() as stage:
        stage.sink.fault = ConnectionResetError("gone")
        stage.source.feed(b"a")
        assert stage.steps[-2:] == ["abort", "kill"]
        assert await stage.over() is EndReason.CLIENT_GONE


async def test_a_fault_of_the_sinks_own_does_not_reach_the_source() -> None:
    async with staged() as stage:
        stage.sink.fault = RuntimeError("a bug")
        stage.source.feed(b"a")
        assert await stage.over() is EndReason.ERROR
        assert stage.source.aborted


async def test_nothing_is_written_after_the_end() -> None:
    async with staged() as stage:
        stage.source.end()
        stage.source.feed(b"late")
        assert await stage.over() is EndReason.DONE
        assert stage.sink.body == b""


@pytest.mark.parametrize("step", ["drain", "finish"])
async def test_a_client_that_leaves_while_it_is_waited_for(step: str) -> None:
    async with staged(hanging=(step,)) as stage:
        if step == "drain":
            stage.sink.full = True
        stage.source.feed(b"a")
        if step == "finish":
            stage.source.end()
        await turn()
        stage.sink.lose()
        # A complete body that the client did not wait for is complete all the same.
        assert await stage.over() is (EndReason.CLIENT_GONE if step == "drain" else EndReason.DONE)
        assert bool(stage.source.aborted) is (step == "drain")


async def test_a_client_that_leaves_while_its_stream_is_cut_leaves_the_reason() -> None:
    async with staged(hanging=("cut",)) as stage:
        stage.source.fail(UpstreamFault(Code.CUT))
        await turn()
        stage.sink.lose()
        assert await stage.over() is EndReason.UPSTREAM_CUT


async def test_an_interrupted_stream_delivers_what_was_written_and_is_cut() -> None:
    async with staged() as stage:
        stage.source.feed(b"a")
        stage.pump.interrupt(EndReason.DRAIN)
        assert stage.source.aborted
        assert await stage.over() is EndReason.DRAIN
        assert stage.steps[-1] == "cut"


async def test_an_interruption_while_the_client_is_slow_waits_for_its_drain() -> None:
    async with staged(hanging=("drain",)) as stage:
        stage.sink.full = True
        stage.source.feed(b"a")
        await turn()
        stage.pump.interrupt(EndReason.DRAIN)
        await turn()
        assert stage.steps[-1] == "abort"
        stage.sink.let_go()
        assert await stage.over() is EndReason.DRAIN
        assert "resume" not in stage.steps


async def test_the_first_reason_stands() -> None:
    async with staged() as stage:
        stage.source.end()
        stage.source.fail(UpstreamFault(Code.CUT))
        stage.pump.interrupt(EndReason.DRAIN)
        assert await stage.over() is EndReason.DONE


# Clocks.


async def test_a_silent_source_is_cut_after_the_idle_time_and_not_before() -> None:
    async with staged(Clocks(idle=10, write_stall=0)) as stage:
        stage.ticker.advance(9.75)
        assert stage.pump.ended is None
        stage.source.feed(b"a")
        stage.ticker.advance(10)
        assert stage.pump.ended is None
        stage.ticker.advance(0.25)
        assert await stage.over() is EndReason.IDLE
        assert stage.steps[-2:] == ["abort", "cut"]


async def test_the_idle_clock_stands_while_the_client_has_to_read() -> None:
    async with staged(Clocks(idle=10, write_stall=0), hanging=("drain",)) as stage:
        stage.sink.full = True
        stage.source.feed(b"a")
        await turn()
        stage.ticker.advance(60)
        assert stage.pump.ended is None
        stage.sink.let_go()
        await turn()
        stage.ticker.advance(9.75)
        assert stage.pump.ended is None
        stage.ticker.advance(0.25)
        assert await stage.over() is EndReason.IDLE


async def test_a_client_that_takes_nothing_is_killed_after_the_stall_time() -> None:
    async with staged(Clocks(idle=0, write_stall=10), hanging=("drain",)) as stage:
        stage.sink.full, stage.sink.unsent = True, 500
        stage.source.feed(b"a")
        await turn()
        stage.ticker.advance(10)  # the first look only notes how much waits
        assert stage.pump.ended is None
        stage.ticker.advance(0.25)
        assert await stage.over() is EndReason.WRITE_STALL
        assert stage.steps[-2:] == ["abort", "kill"]


async def test_a_client_that_takes_a_little_lives_on() -> None:
    async with staged(Clocks(idle=0, write_stall=10), hanging=("drain",)) as stage:
        stage.sink.full, stage.sink.unsent = True, 500
        stage.source.feed(b"a")
        await turn()
        for _ in range(5):
            stage.ticker.advance(9.75)
            stage.sink.unsent -= 1
        assert stage.pump.ended is None


async def test_the_stall_time_counts_from_the_beginning_of_the_wait() -> None:
    async with staged(Clocks(idle=0, write_stall=10), hanging=("drain",)) as stage:
        stage.ticker.advance(60)
        stage.sink.full = True
        stage.source.feed(b"a")
        await turn()
        stage.ticker.advance(9.75)
        assert stage.pump.ended is None


@pytest.mark.parametrize("step", ["finish", "cut"])
async def test_a_client_that_takes_nothing_of_the_end_is_killed_too(step: str) -> None:
    async with staged(Clocks(idle=0, write_stall=10), hanging=(step,)) as stage:
        if step == "finish":
            stage.source.end()
        else:
            stage.source.fail(UpstreamFault(Code.CUT))
        await turn()
        assert stage.steps[-1] == step
        stage.ticker.advance(10)
        assert await stage.over() is (EndReason.WRITE_STALL if step == "finish" else EndReason.UPSTREAM_CUT)
        assert stage.steps[-1] == "kill"


async def test_clocks_that_are_off_never_end_a_stream() -> None:
    async with staged(hanging=("drain",)) as stage:
        stage.ticker.advance(10_000, tick=100)
        stage.sink.full = True
        stage.source.feed(b"a")
        await turn()
        stage.ticker.advance(10_000, tick=100)
        assert stage.pump.ended is None


# Heartbeats.


async def test_a_heartbeat_is_written_after_its_time_of_silence_and_again() -> None:
    async with staged(BEATING, EventCounter()) as stage:
        stage.source.feed(b"data: a\n\n")
        stage.ticker.advance(15)  # the first look notes that something came
        assert stage.pump.heartbeats == 0
        stage.ticker.advance(0.25)
        assert stage.steps[-1] == ("write", b": k\n")
        stage.ticker.advance(15)
        assert stage.pump.heartbeats == 2
        assert stage.pump.received == len(b"data: a\n\n")


@pytest.mark.parametrize("begun", [b"d", b"data: a\n", b": c\n", b"\xef", b"data: a\n\nid: 1\n"])
async def test_a_heartbeat_waits_for_an_event_boundary(begun: bytes) -> None:
    async with staged(BEATING, EventCounter()) as stage:
        stage.source.feed(begun)
        stage.ticker.advance(60)
        assert stage.pump.heartbeats == 0
        stage.source.feed(b"\n\n")
        stage.ticker.advance(15.25)
        assert stage.pump.heartbeats == 1


@pytest.mark.parametrize("first", [b"\xef\xbb\xbfdata: a\n\n", b"\xef\xbb\xbf"])
async def test_a_byte_order_mark_behind_a_heartbeat_is_left_out(first: bytes) -> None:
    async with staged(BEATING, EventCounter()) as stage:
        stage.ticker.advance(30)
        stage.source.feed(first)
        stage.source.feed(b"\xef\xbb\xbfx")
        assert stage.sink.body == b": k\n: k\n" + first[3:] + b"\xef\xbb\xbfx"
        assert stage.pump.received == len(first) + 4


async def test_a_byte_order_mark_without_a_heartbeat_stays() -> None:
    async with staged(BEATING, EventCounter()) as stage:
        stage.source.feed(b"\xef\xbb\xbfdata: a\n\n")
        assert stage.sink.body == b"\xef\xbb\xbfdata: a\n\n"


async def test_there_is_no_heartbeat_without_a_tap_that_knows_boundaries() -> None:
    tap = FakeTap()
    tap.fault = RuntimeError("a bug")
    async with staged(BEATING) as bare, staged(BEATING, tap) as blind:
        blind.source.feed(b"a")
        for stage in (bare, blind):
            stage.ticker.advance(60)
            assert stage.pump.heartbeats == 0


async def test_a_heartbeat_that_the_client_does_not_read_holds_the_source() -> None:
    async with staged(BEATING, EventCounter(), hanging=("drain",)) as stage:
        stage.sink.full = True
        stage.ticker.advance(15)
        assert stage.steps[-1] == "pause"
        await turn()
        stage.ticker.advance(60)
        assert stage.pump.heartbeats == 1


@pytest.mark.parametrize(
    ("fault", "reason"),
    [(ConnectionResetError("gone"), EndReason.CLIENT_GONE), (RuntimeError("a bug"), EndReason.ERROR)],
)
async def test_a_heartbeat_to_a_client_that_is_gone_does_not_stop_the_ticker(
    fault: Exception, reason: EndReason
) -> None:
    async with staged(BEATING, EventCounter()) as stage:
        stage.sink.fault = fault
        stage.ticker.advance(15)
        assert stage.pump.heartbeats == 0
        assert await stage.over() is reason


async def test_a_heartbeat_does_not_count_as_a_sign_of_life_of_the_source() -> None:
    async with staged(Clocks(30, 0, 15, b": k\n"), EventCounter()) as stage:
        stage.ticker.advance(30)
        assert await stage.over() is EndReason.IDLE
        assert stage.pump.heartbeats == 1


# The tap.


async def test_a_tap_sees_every_read() -> None:
    tap = FakeTap()
    async with staged(OFF, tap) as stage:
        for _ in range(3):
            stage.source.feed(b"a")
        assert tap.events == 3
        assert not stage.pump.tap_failed


async def test_a_tap_that_fails_is_switched_off_and_the_stream_goes_on() -> None:
    tap = FakeTap()
    async with staged(OFF, tap) as stage:
        stage.source.feed(b"a")
        tap.fault = ValueError("a bug")
        stage.source.feed(b"b")
        tap.fault = None
        stage.source.feed(b"c")
        stage.source.end()
        assert await stage.over() is EndReason.DONE
        assert stage.sink.body == b"abc"
        assert (tap.events, stage.pump.tap_failed) == (1, True)
