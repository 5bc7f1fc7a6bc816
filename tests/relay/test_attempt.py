"""One try at one upstream: its clock, and what is noted of it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from proxy.errors import Code, Refused, UpstreamFault
from proxy.relay.attempt import open_attempt
from proxy.relay.outcome import Attempt
from proxy.relay.ports import Answer, UpstreamRequest
from proxy.wire.headers import Headers
from tests.helpers.fakes import FakeOpener, FakeSource, FakeTicker, reach, turn
from tests.helpers.tapes import FakeTape

ANSWER = Answer(200, "OK", Headers(()), 0, None)


class FakeUpload:
    length = None

    def __init__(self) -> None:
        self.taken = 0

    def take_whole(self) -> bytes | None:
        return None

    async def read(self) -> AsyncIterator[bytes]:
        yield b""


class Trial:
    """An attempt under way; `reply` answers it, with an answer or an error."""

    def __init__(self, first_byte: float, upload: FakeUpload | None = None, tape: FakeTape | None = None) -> None:
        loop = asyncio.get_running_loop()
        self.reply: asyncio.Future[Answer] = loop.create_future()
        self.ticker = FakeTicker()
        self.opener = FakeOpener(lambda: self.reply)
        self.noted = Attempt(self.opener.name, self.opener.account)
        self.request = UpstreamRequest("POST", "/", [], upload)
        self.task = loop.create_task(open_attempt(self.opener, self.request, first_byte, self.ticker, self.noted, tape))

    async def fault(self) -> UpstreamFault:
        with pytest.raises(UpstreamFault) as caught:
            await self.task
        assert len(self.ticker) == 0
        return caught.value


async def test_an_answer_is_returned_and_noted() -> None:
    trial = Trial(60)
    await reach(trial.opener.entered)
    trial.ticker.advance(1.5)
    trial.reply.set_result(ANSWER)
    assert await trial.task is ANSWER
    assert trial.opener.asked == [trial.request]
    assert trial.noted == Attempt(trial.opener.name, trial.opener.account, 1.5, 200, "")
    assert len(trial.ticker) == 0


async def test_an_upstream_that_is_silent_for_the_first_byte_time_is_given_up_to_the_tick() -> None:
    trial = Trial(10)
    await reach(trial.opener.entered)
    trial.ticker.advance(9.75)
    await turn()
    assert not trial.task.done()
    trial.ticker.advance(0.25)
    assert (await trial.fault()).code is Code.FIRST_BYTE_TIMEOUT
    assert trial.opener.cancelled
    assert (trial.noted.error, trial.noted.seconds) == ("first_byte_timeout", 10.0)


async def test_without_a_first_byte_time_it_waits_for_ever() -> None:
    trial = Trial(0)
    await reach(trial.opener.entered)
    trial.ticker.advance(100_000, tick=1000)
    await turn()
    trial.reply.set_result(ANSWER)
    assert await trial.task is ANSWER


async def test_an_upload_that_moves_restarts_the_clock() -> None:
    upload = FakeUpload()
    trial = Trial(10, upload)
    await reach(trial.opener.entered)
    for _ in range(5):
        trial.ticker.advance(9.75)
        upload.taken += 1
    trial.ticker.advance(10)  # the first look notes the last byte
    await turn()
    assert not trial.task.done()
    trial.ticker.advance(0.25)
    assert (await trial.fault()).code is Code.FIRST_BYTE_TIMEOUT


async def test_a_fault_is_noted_and_passes() -> None:
    trial = Trial(10)
    await reach(trial.opener.entered)
    fault = UpstreamFault(Code.REFUSED, "x")
    trial.reply.set_exception(fault)
    assert await trial.fault() is fault
    assert trial.noted.error == "upstream_refused"


async def test_a_fault_of_the_callers_side_passes_and_is_none_of_the_upstreams() -> None:
    trial = Trial(10)
    await reach(trial.opener.entered)
    trial.reply.set_exception(Refused(Code.BODY))
    with pytest.raises(Refused):
        await trial.task
    assert trial.noted.error == ""


async def test_a_tape_is_told_of_the_attempt_to_the_end_of_its_body() -> None:
    tape = FakeTape()
    trial = Trial(60, tape=tape)
    await reach(trial.opener.entered)
    ((attempt, request, take),) = tape.takes
    assert (attempt, request) == (trial.noted, trial.request)
    source = FakeSource([])
    answer = Answer(200, "OK", Headers(()), None, source)
    trial.reply.set_result(answer)
    got = await trial.task
    assert got.source is not None
    got.source.start(_Deaf())
    source.feed(b"a")
    source.end()
    assert take.steps == [answer, b"a", None]


async def test_a_taped_answer_without_a_body_is_over_with_its_head() -> None:
    tape = FakeTape()
    trial = Trial(60, tape=tape)
    trial.reply.set_result(ANSWER)
    assert await trial.task is ANSWER
    assert tape.takes[0][2].steps == [ANSWER, None]


async def test_a_tape_is_told_how_an_attempt_failed() -> None:
    tape = FakeTape()
    trial = Trial(60, tape=tape)
    await reach(trial.opener.entered)
    trial.ticker.advance(61)
    fault = await trial.fault()
    assert tape.takes[0][2].steps == [fault]


async def test_a_tape_is_told_that_an_attempt_was_cancelled() -> None:
    tape = FakeTape()
    trial = Trial(60, tape=tape)
    await reach(trial.opener.entered)
    trial.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await trial.task
    assert tape.takes[0][2].steps == ["aborted"]


class _Deaf:
    def feed(self, data: bytes) -> None: ...
    def end(self) -> None: ...
    def fail(self, fault: UpstreamFault) -> None: ...
