"""A client that nobody has begun to answer: held, then kept waiting; on a socket, and on a clock moved by hand."""

import pytest

from proxy.dialects.events import Failure, FailureKind
from proxy.edge.waiting import Keeper
from tests.helpers.fakes import FakeSink, FakeTicker, Step, turn
from tests.helpers.models import SAY
from tests.helpers.waited import ARRAY, FIELDS, waited

NO = Failure(FailureKind.OVERLOADED, "nobody is there", 503)
COMMENT = b": keepalive\n"
OWN: list[tuple[bytes, bytes]] = [(b"X-Made", b"of the answer")]

# Held.


async def test_a_client_is_held_to_the_tick_and_then_gets_the_head_and_a_keep_alive() -> None:
    async with waited() as one:
        await one.advance(9.75)
        assert (one.waiting.began, one.built) == (False, 0)
        await one.advance(0.25)
        assert (one.waiting.began, one.built, one.waiting.beats) == (True, 1, 1)
        head = await one.client.head()
        assert (head.status, head.headers["x-made"]) == (200, "while waiting")
        assert await one.client.chunk() == COMMENT


async def test_the_time_counts_from_the_request_s_beginning() -> None:
    async with waited(hold=0.5) as one:
        await one.advance(0.5)
        assert one.waiting.began


async def test_without_a_limit_it_is_held_for_ever() -> None:
    async with waited(hold=0.0) as one:
        one.ticker.advance(10_000, tick=100)
        await turn()
        assert not one.waiting.began


async def test_an_answer_in_time_has_the_head_of_its_own() -> None:
    async with waited() as one:
        await one.advance(5)
        response, stream = await one.waiting.take(OWN)
        assert not one.waiting.began
        stream.write(b"answer")
        await stream.finish()
        one.end(response)
        head = await one.client.head()
        assert head.headers["x-made"] == "of the answer"
        assert await one.client.chunk() == b"answer"
        assert (one.built, one.waiting.beats, len(one.ticker)) == (0, 0, 0)


async def test_one_that_is_closed_is_not_kept_waiting() -> None:
    async with waited() as one:
        one.waiting.close()
        await one.advance(60)
        assert not one.waiting.began
        one.waiting.close()


# Waiting.


@pytest.mark.parametrize("who", [*SAY, ARRAY])
async def test_keep_alives_come_in_the_dialect_s_form_until_an_answer_does(who: str) -> None:
    keepalive = b"\n" if who in ("gemini", ARRAY) else COMMENT
    async with waited(who) as one:
        await one.advance(10)
        await one.client.head()
        assert await one.client.chunk() == keepalive
        await one.advance(14.75)
        assert one.waiting.beats == 1
        await one.advance(0.25)
        assert one.waiting.beats == 2
        assert await one.client.chunk() == keepalive
        response, stream = await one.waiting.take(OWN)
        await one.advance(60)
        stream.write(b"answer")
        await stream.finish()
        one.end(response)
        assert await one.client.chunk() == b"answer"
        assert await one.client.chunk() == b""
        assert (one.waiting.beats, len(one.ticker)) == (2, 0)


async def test_without_a_heartbeat_there_is_the_first_one_only() -> None:
    async with waited(heartbeat=0.0) as one:
        await one.advance(10)
        one.ticker.advance(10_000, tick=100)
        await turn()
        assert one.waiting.beats == 1


@pytest.mark.parametrize("who", [*SAY, ARRAY])
async def test_a_failure_is_said_in_band_and_the_answer_ends_in_good_order(who: str) -> None:
    async with waited(who) as one:
        await one.advance(10)
        one.end(await one.waiting.fail(NO))
        reply = await one.client.reply()
        assert reply.status == 200
        error = reply.body.removeprefix(b"\n").removeprefix(COMMENT)
        assert b"nobody is there" in error
        assert SAY.get(who, SAY["gemini"]).end not in error
        assert len(one.ticker) == 0


async def test_an_answer_that_comes_while_the_head_is_made_goes_behind_it() -> None:
    """Both in one turn of the loop: there is one head, and no keep-alive within the answer."""
    async with waited() as one:
        one.ticker.advance(10)
        assert one.waiting.began
        response, stream = await one.waiting.take(OWN)
        stream.write(b"answer")
        await one.advance(60)
        await stream.finish()
        one.end(response)
        reply = await one.client.reply()
        assert reply.headers["x-made"] == "while waiting"
        assert reply.body.removeprefix(COMMENT) == b"answer"
        assert len(one.ticker) == 0


async def test_a_request_that_is_over_while_the_head_is_made_leaves_no_clock_behind() -> None:
    async with waited() as one:
        one.ticker.advance(10)
        one.waiting.close()
        await turn(5)
        assert len(one.ticker) == 0


async def test_a_client_that_leaves_is_told_of_by_who_takes_its_stream() -> None:
    async with waited() as one:
        one.client.writer.transport.abort()
        await one.advance(10)
        await one.wait_until_left()
        with pytest.raises(ConnectionError):
            await one.waiting.fail(NO)


async def test_a_client_that_is_gone_before_the_head_is_none_either() -> None:
    async with waited() as one:
        one.client.writer.transport.abort()
        await one.wait_until_left()
        await one.advance(10)
        with pytest.raises(ConnectionError):
            await one.waiting.take(FIELDS)
        assert len(one.ticker) == 0


# The keeper.


class Kept:
    def __init__(self, said: bytes = b"k", heartbeat: float = 10.0) -> None:
        self.steps: list[Step] = []
        self.sink = FakeSink(self.steps)
        self.ticker = FakeTicker()
        self.said = said
        self.keeper = Keeper(self.sink, lambda: self.said, heartbeat, self.ticker)


async def test_it_beats_to_the_tick() -> None:
    kept = Kept()
    kept.ticker.advance(9.75)
    assert kept.steps == []
    kept.ticker.advance(0.25)
    kept.ticker.advance(10)
    assert (kept.steps, kept.keeper.beats) == ([("write", b"k")] * 2, 2)
    kept.keeper.close()
    kept.ticker.advance(60)
    assert kept.keeper.beats == 2


async def test_it_says_what_is_to_be_said_then() -> None:
    kept = Kept(b"")
    kept.ticker.advance(10)
    assert (kept.steps, kept.keeper.beats) == ([], 0)
    kept.said = b"other"
    kept.ticker.advance(10)
    assert kept.steps == [("write", b"other")]


async def test_it_stops_when_the_client_is_gone() -> None:
    kept = Kept()
    kept.sink.lose()
    kept.ticker.advance(10)
    assert (kept.keeper.beats, len(kept.ticker)) == (0, 0)
