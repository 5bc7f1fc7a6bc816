"""The beginning of an answer, looked at before it is sent. A whole answer, collected: test_collect.py."""

import asyncio

import pytest

from proxy.dialects.delivered import Delivered
from proxy.dialects.events import Failure, FailureKind
from proxy.errors import Code, UpstreamFault
from proxy.relay.peek import Peek
from tests.helpers.crossing import make_turn, open_passage, open_reading, open_translation
from tests.helpers.fakes import FakeSource, FakeTicker, Step, reach, turn
from tests.helpers.models import PROVIDERS
from tests.helpers.upstreams import Collector

CUT = UpstreamFault(Code.CUT, "x")
SPOKEN = PROVIDERS["claude"]
BEGUN = SPOKEN.opening + SPOKEN.texts[0]


class Looking:
    """A Peek on a source that a test speaks for, waited for by a task."""

    def __init__(self, silence: float = 0.0, ttft: float = 0.0) -> None:
        self.steps: list[Step] = []
        self.ticker = FakeTicker()
        self.source = FakeSource(self.steps)
        self.stage = open_passage("anthropic")
        self.peek = Peek(self.source, self.stage, asyncio.get_running_loop())
        self.task = asyncio.ensure_future(self.peek.wait(self.ticker, silence, ttft))

    async def begin(self) -> "Looking":
        await reach(self.source.started)
        return self

    async def result(self) -> Failure | None:
        async with asyncio.timeout(5):
            return await self.task

    async def go_on(self) -> Collector:
        """The Peek as a Source, started by who takes over."""
        collector = Collector()
        self.peek.start(collector)
        await turn()
        return collector


async def test_it_waits_until_there_is_substance_and_then_holds_the_source() -> None:
    look = await Looking().begin()
    look.source.feed(SPOKEN.opening[:20])
    await turn()
    assert not look.task.done()
    look.source.feed(SPOKEN.opening[20:])
    await turn()
    assert not look.task.done(), "a block without content is none"
    look.source.feed(SPOKEN.texts[0])
    assert await look.result() is None
    assert look.steps == ["start", "pause"]
    assert look.peek.out == BEGUN
    assert look.peek.received == len(BEGUN)


async def test_pings_and_comments_are_no_substance() -> None:
    look = await Looking().begin()
    look.source.feed(b': ping\n\nevent: ping\ndata: {"type":"ping"}\n\n')
    look.source.feed(SPOKEN.opening.partition(b"event: content_block_start")[0])
    await turn()
    assert not look.task.done()
    look.source.end()
    failure = await look.result()
    assert failure is not None
    assert failure.kind is FailureKind.DISCONNECT


async def test_a_failure_before_is_returned_and_nothing_was_lost_to_the_client() -> None:
    look = await Looking().begin()
    look.source.feed(SPOKEN.error)
    failure = await look.result()
    assert failure is not None
    assert (failure.kind, failure.message) == (FailureKind.OVERLOADED, "the tank is empty")
    assert look.steps == ["start", "pause"]


async def test_a_failure_that_was_said_counts_more_than_the_cut_behind_it() -> None:
    look = await Looking().begin()
    look.source.feed(SPOKEN.error)
    look.source.fail(CUT)
    failure = await look.result()
    assert failure is not None
    assert failure.message == "the tank is empty"


async def test_a_cut_before_is_raised() -> None:
    look = await Looking().begin()
    look.source.feed(SPOKEN.opening[:20])
    look.source.fail(CUT)
    with pytest.raises(UpstreamFault) as caught:
        await look.result()
    assert caught.value is CUT


async def test_a_cut_behind_substance_is_left_to_who_takes_over() -> None:
    look = await Looking().begin()
    look.source.feed(BEGUN)
    look.source.fail(CUT)
    assert await look.result() is None
    collector = await look.go_on()
    assert (collector.fault, collector.ended) == (CUT, 0)


async def test_an_end_without_a_word_is_a_failure() -> None:
    look = await Looking().begin()
    look.source.end()
    failure = await look.result()
    assert failure is not None
    assert failure.kind is FailureKind.DISCONNECT


async def test_an_answer_that_is_whole_before_anyone_looks() -> None:
    look = await Looking().begin()
    look.source.feed(SPOKEN.whole)
    look.source.end()
    assert await look.result() is None
    assert look.peek.out == SPOKEN.whole
    collector = await look.go_on()
    assert (collector.ended, bytes(collector.body)) == (1, b"")
    assert "resume" not in look.steps


async def test_silence_is_raised_and_every_byte_starts_it_over() -> None:
    look = await Looking(silence=5.0).begin()
    look.ticker.advance(4.75)
    look.source.feed(b":")
    look.ticker.advance(4.75)
    await turn()
    assert not look.task.done()
    look.ticker.advance(0.5)
    with pytest.raises(UpstreamFault) as caught:
        await look.result()
    assert caught.value.code is Code.IDLE_TIMEOUT
    assert len(look.ticker) == 0


async def test_without_a_limit_silence_lasts() -> None:
    look = await Looking().begin()
    look.ticker.advance(10_000, tick=100)
    await turn()
    assert not look.task.done()
    look.source.end()
    await look.result()


async def test_an_answer_without_substance_is_given_up_to_the_tick_whatever_it_says() -> None:
    look = await Looking(silence=3.0, ttft=10.0).begin()
    look.source.feed(SPOKEN.opening)
    for _ in range(9):
        look.ticker.advance(1)
        look.source.feed(b'event: ping\ndata: {"type":"ping"}\n\n')
    look.ticker.advance(0.75)
    await turn()
    assert not look.task.done()
    look.ticker.advance(0.25)
    with pytest.raises(UpstreamFault) as caught:
        await look.result()
    assert caught.value.code is Code.TTFT_TIMEOUT
    assert len(look.ticker) == 0


async def test_the_shorter_of_both_limits_counts() -> None:
    look = await Looking(silence=3.0, ttft=10.0).begin()
    look.ticker.advance(3)
    with pytest.raises(UpstreamFault) as caught:
        await look.result()
    assert caught.value.code is Code.IDLE_TIMEOUT


async def test_substance_just_in_time_is_in_time() -> None:
    look = await Looking(ttft=10.0).begin()
    look.ticker.advance(9.75)
    look.source.feed(BEGUN)
    assert await look.result() is None
    look.ticker.advance(60)
    collector = await look.go_on()
    assert collector.fault is None


async def test_who_gives_up_waiting_leaves_no_clock_behind() -> None:
    look = await Looking(silence=5.0).begin()
    look.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await look.result()
    assert len(look.ticker) == 0


async def test_what_comes_between_substance_and_hand_over_is_said_first() -> None:
    look = await Looking().begin()
    look.source.feed(BEGUN)
    look.source.feed(SPOKEN.texts[1])  # was read before the source could be held
    assert await look.result() is None
    assert look.peek.out == BEGUN + SPOKEN.texts[1]


@pytest.mark.parametrize("model", PROVIDERS)
@pytest.mark.parametrize("ahead", [0, 1, 2])
async def test_nothing_is_lost_or_said_twice_wherever_the_answer_is_cut(model: str, ahead: int) -> None:
    """At every cut: what the stage says before the hand-over and what it is fed after it are the whole. `ahead` pieces
    come after the answer has substance and before somebody takes over."""
    names = {"openai": "openai-chat", "claude": "anthropic", "gemini": "gemini"}
    whole = PROVIDERS[model].whole
    expected = open_translation(names[model], "openai-responses").feed(whole)
    for cut in range(1, len(whole)):
        stage = open_translation(names[model], "openai-responses")
        source = FakeSource([])
        peek = Peek(source, stage, asyncio.get_running_loop())
        source.receiver = peek
        pieces = [piece for piece in (whole[:cut], whole[cut : cut + 7], whole[cut + 7 :]) if piece]
        while pieces and not stage.seen.committed:
            source.feed(pieces.pop(0))
        for _ in range(min(ahead, len(pieces))):
            source.feed(pieces.pop(0))
        collector = Collector()
        peek.start(collector)
        for piece in pieces:
            source.feed(piece)
        assert peek.out + stage.feed(bytes(collector.body)) == expected
        assert peek.received == len(whole)


async def test_as_a_source_it_is_the_source() -> None:
    look = await Looking().begin()
    look.source.feed(BEGUN)
    await look.result()
    collector = await look.go_on()
    assert look.steps == ["start", "pause", "resume"]
    look.source.feed(b"abc")
    look.source.feed(b"d")
    look.peek.pause()
    look.peek.resume()
    assert bytes(collector.body) == b"abcd"
    assert look.peek.out == BEGUN
    look.source.end()
    assert collector.ended == 1
    look.peek.abort()
    assert look.steps[3:] == ["pause", "resume", "abort"]


async def test_a_cut_after_the_hand_over_goes_on() -> None:
    look = await Looking().begin()
    look.source.feed(BEGUN)
    await look.result()
    collector = await look.go_on()
    look.source.fail(CUT)
    assert collector.fault is CUT


async def test_what_another_answer_says_once_more_is_progress() -> None:
    """A rescue: what the client has already comes again, at its own pace, and nothing of it is committed to."""
    broken = open_translation("anthropic", "openai-chat")
    broken.seen.delivered = Delivered()
    broken.withhold = True
    broken.feed(BEGUN + SPOKEN.texts[1])
    broken.end()
    turn_of_chat = make_turn("openai-chat")
    stage = broken.resume(open_reading("anthropic", turn_of_chat), continues=False)
    ticker, source = FakeTicker(), FakeSource([])
    peek = Peek(source, stage, asyncio.get_running_loop())
    task = asyncio.ensure_future(peek.wait(ticker, 0.0, 10.0))
    await reach(source.started)
    ticker.advance(9.75)
    source.feed(BEGUN)
    ticker.advance(10)  # the first look notes it
    await turn()
    assert not task.done()
    ticker.advance(0.25)
    with pytest.raises(UpstreamFault) as caught:
        await task
    assert caught.value.code is Code.TTFT_TIMEOUT
