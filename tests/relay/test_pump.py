"""The pump between a source and a sink that are told what to do: each test is a script of who does what.

Its clocks and heartbeats are in test_pump_clocks.py, its cancellation in test_cancellation.py.
"""

import pytest

from proxy.errors import Code, UpstreamFault
from proxy.relay.outcome import EndReason
from tests.helpers.fakes import FakeTap, turn
from tests.helpers.stage import OFF, staged


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
        await turn()
        stage.source.end()
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


async def test_one_read_is_timed_and_the_next_is_not() -> None:
    async with staged() as stage:
        seconds: list[float] = []
        write = stage.sink.write

        def write_slowly(data: bytes) -> bool:
            stage.ticker.advance(0.25)
            return write(data)

        stage.pump._write = write_slowly
        for _ in range(2):
            stage.pump.time_next(seconds.append)
            stage.pump.time_next(seconds.append)
            stage.source.feed(b"a")
            stage.source.feed(b"b")
        assert seconds == [0.25, 0.25]
        assert stage.sink.body == b"abab"
        assert stage.pump._write == write_slowly


async def test_a_timed_read_that_fails_ends_the_stream_as_any_other() -> None:
    async with staged() as stage:
        seconds: list[float] = []
        stage.pump.time_next(seconds.append)
        stage.sink.fault = ConnectionResetError()
        stage.source.feed(b"a")
        assert await stage.over() is EndReason.CLIENT_GONE
        assert seconds == [0.0]
