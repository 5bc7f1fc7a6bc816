"""The pump's clocks and heartbeats, to the tick, on a clock that is moved by hand."""

import pytest

from proxy.errors import Code, UpstreamFault
from proxy.relay.outcome import EndReason
from proxy.relay.pump import AFTER_FAILURE, AFTER_FINISH, Clocks
from proxy.wire.sse import EventCounter
from tests.helpers.fakes import FakeTap, turn
from tests.helpers.stage import OFF, staged

BEATING = Clocks(idle=0, write_stall=0, heartbeat=15, keepalive=b": k\n")


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
        stage.ticker.advance(10)  # the first look notes what came meanwhile
        assert stage.pump.ended is None
        stage.ticker.advance(0.25)
        assert await stage.over() is EndReason.IDLE


async def test_the_idle_clock_stands_also_when_only_a_heartbeat_waits() -> None:
    clocks = Clocks(idle=30, write_stall=0, heartbeat=15, keepalive=b": k\n")
    async with staged(clocks, EventCounter(), hanging=("drain",)) as stage:
        stage.sink.full = True
        stage.ticker.advance(15)
        await turn()
        stage.ticker.advance(60)
        stage.sink.let_go()
        await turn()
        stage.ticker.advance(29.75)
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


@pytest.mark.parametrize(("failed", "limit"), [(False, AFTER_FINISH), (True, AFTER_FAILURE)])
async def test_a_source_whose_answer_is_over_has_a_moment_to_end_whatever_it_says(failed: bool, limit: float) -> None:
    async with staged(OFF) as stage:
        stage.ticker.advance(100)
        stage.pump.hurry(failed=failed)
        for _ in range(round(limit / 0.25) - 1):
            stage.source.feed(b": still here")
            stage.ticker.advance(0.25)
        assert stage.pump.ended is None
        stage.ticker.advance(0.25)
        assert await stage.over() is EndReason.IDLE
        assert stage.steps[-2:] == ["abort", "cut"]


async def test_the_moment_waits_for_a_client_that_has_to_read() -> None:
    async with staged(OFF, hanging=("drain",)) as stage:
        stage.sink.full = True
        stage.source.feed(b"a")
        stage.pump.hurry(failed=False)
        await turn()
        stage.ticker.advance(60)
        stage.sink.let_go()
        await turn()
        stage.ticker.advance(AFTER_FINISH - 0.25)
        assert stage.pump.ended is None
        stage.source.end()
        assert await stage.over() is EndReason.DONE


async def test_a_source_that_ends_in_its_moment_is_done() -> None:
    async with staged(OFF) as stage:
        stage.pump.hurry(failed=True)
        stage.source.feed(b"a")
        stage.source.end()
        assert await stage.over() is EndReason.DONE
        assert stage.steps[-1] == "finish"
