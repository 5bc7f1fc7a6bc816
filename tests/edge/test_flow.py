"""A stream from its first substance to its end, by one provider; how its end is noted. Rescues: test_flow_rescue.py."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from proxy.accounts.cooldown import Level
from proxy.dialects.events import Failure, FailureKind, Finish, Reason, Usage
from proxy.dialects.translate import Seen, Stage
from proxy.edge.flow import _note_end, note_seen
from proxy.errors import Code, UpstreamFault
from proxy.relay.outcome import EndReason, Phase, Record
from proxy.relay.pump import AFTER_FAILURE, AFTER_FINISH, Pump
from proxy.relay.staged import FAILURES
from proxy.types import ProviderName, RequestId
from proxy.usage.meter import Told
from tests.helpers.fakes import turn
from tests.helpers.flowed import BEGUN, OPENAI, REST, Flowing
from tests.helpers.models import chat_chunk, encode

CUT = UpstreamFault(Code.CUT, "ECONNRESET")
IN_BAND = b'data: {"error":'
COST = chat_chunk({}, choices=[], usage={"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7})
"""The answer's, behind its finish."""


async def test_an_answer_flows_to_its_end() -> None:
    flow = await Flowing().begin()
    assert flow.told == BEGUN
    assert flow.scope.look is not None
    assert flow.scope.look()[:3] == (len(BEGUN), 2, 2)
    flow.source.feed(REST)
    flow.source.end()
    assert await flow.over() is EndReason.DONE
    assert flow.told == OPENAI.whole
    record = flow.record
    assert (record.bytes_down, record.events, record.model, record.error) == (len(OPENAI.whole), 5, "m1", "")
    assert (record.phase, record.rescues) == (Phase.ENDED, 0)
    assert flow.board.list(flow.ticker.wall()) == []


@pytest.mark.parametrize(
    ("limits", "seconds", "end", "said"),
    [
        ({"progress": "8s"}, 8.25, EndReason.PROGRESS, b"made no progress"),
        ({"progress": "off"}, 300.25, EndReason.IDLE, b"silent for too long"),
    ],
)
async def test_a_provider_that_stalls_is_given_up_in_band(
    limits: dict[str, Any], seconds: float, end: EndReason, said: bytes
) -> None:
    flow = await Flowing(**limits).begin()
    flow.ticker.advance(seconds - 0.25)
    assert not flow.task.done()
    flow.ticker.advance(0.25)
    assert await flow.over() is end
    assert said in flow.told
    assert b"[DONE]" not in flow.told
    assert flow.source.aborted
    assert flow.read_trail() == [("oai", "timeout", "failed")]
    (cooldown,) = flow.board.list(flow.ticker.wall())
    assert cooldown.spot.level is Level.PROVIDER


async def test_a_client_is_kept_alive_while_nothing_comes() -> None:
    flow = await Flowing().begin()
    flow.ticker.advance(20.25)
    assert flow.told == BEGUN + b": keepalive\n" * 2
    flow.source.feed(REST)
    flow.source.end()
    await flow.over()
    assert flow.record.heartbeats == 2


@pytest.mark.parametrize("clean", [True, False])
async def test_a_cut_is_said_in_band_and_is_no_end(clean: bool) -> None:
    flow = await Flowing().begin()
    if clean:
        flow.source.end()
    else:
        flow.source.fail(CUT)
    assert await flow.over() is EndReason.UPSTREAM_CUT
    assert flow.told.startswith(BEGUN + IN_BAND)
    assert b"[DONE]" not in flow.told
    assert flow.steps[-1] == "finish"
    assert (flow.record.error, flow.record.detail) == ("upstream_disconnect", "" if clean else "ECONNRESET")
    assert flow.read_trail() == [("oai", "upstream_disconnect", "failed")]


async def test_a_cut_behind_the_finish_is_none() -> None:
    flow = await Flowing().begin()
    flow.source.feed(OPENAI.finish)
    flow.source.fail(CUT)
    assert await flow.over() is EndReason.LATE_CUT
    assert flow.told.endswith(b"data: [DONE]\n\n")
    assert flow.read_trail() == [("oai", "", "")]
    assert flow.board.list(flow.ticker.wall()) == []


async def test_a_finished_answer_whose_connection_stays_open_is_done() -> None:
    flow = await Flowing().begin()
    flow.source.feed(OPENAI.texts[1] + OPENAI.finish)
    flow.ticker.advance(AFTER_FINISH)
    assert await flow.over() is EndReason.DONE
    assert flow.told.endswith(b"data: [DONE]\n\n")
    assert flow.board.list(flow.ticker.wall()) == []


@pytest.mark.parametrize("stays_open", [True, False])
async def test_an_error_of_the_provider_s_is_judged_by_what_it_says(stays_open: bool) -> None:
    """And not by how its connection ends, which may take a moment."""
    flow = await Flowing().begin()
    error = {"message": "slow down", "type": "requests", "code": "rate_limit_exceeded"}
    flow.source.feed(b"data: " + encode({"error": error}) + b"\n\n")
    if stays_open:
        flow.ticker.advance(AFTER_FAILURE)
    else:
        flow.source.end()
    assert await flow.over() is EndReason.ERROR
    assert flow.read_trail() == [("oai", "rate_limit", "failed")]
    (cooldown,) = flow.board.list(flow.ticker.wall())
    assert (cooldown.spot.level, cooldown.why) == (Level.ACCOUNT, "rate_limit")


# The client leaves.


async def test_a_client_that_leaves_ends_its_answer_at_once() -> None:
    flow = await Flowing().begin()
    await flow.leave()
    assert flow.source.aborted
    assert flow.read_trail() == [("oai", "", "")]
    assert flow.board.list(flow.ticker.wall()) == []


async def test_a_client_that_leaves_behind_the_finish_has_what_it_wanted() -> None:
    flow = await Flowing().begin()
    flow.source.feed(OPENAI.texts[1] + OPENAI.finish)
    await flow.leave()
    assert (flow.record.end, flow.record.phase) == (EndReason.DONE, Phase.ENDED)
    assert flow.record.finish == "stop"


async def test_what_was_told_before_a_client_left_is_in_the_books_without_the_end_mark() -> None:
    flow = await Flowing().begin()
    flow.source.feed(OPENAI.finish + COST)
    await flow.leave()
    (attempt,) = flow.record.attempts
    assert attempt.told is not None
    assert (attempt.told.usage.input, attempt.told.usage.output, attempt.told.complete) == (5, 2, True)


@pytest.mark.parametrize("cancelled", [True, False])
async def test_a_drained_answer_is_read_on_for_its_cost(cancelled: bool) -> None:
    flow = await Flowing(on_disconnect="drain", drain_for="20s").begin()
    flow.sink.lose()
    if cancelled:
        flow.task.cancel()
    else:
        flow.source.feed(OPENAI.texts[1])
    await turn()
    assert flow.record.end is EndReason.CLIENT_GONE
    flow.ticker.advance(19)
    flow.source.feed(OPENAI.finish + COST + OPENAI.mark)
    flow.source.end()
    await asyncio.wait([flow.task])
    assert flow.record.usage is not None
    assert (flow.record.usage.input, flow.record.usage.output) == (5, 2)
    assert flow.record.end is EndReason.CLIENT_GONE
    flow.assert_clean()


async def test_a_drained_answer_is_read_on_behind_its_finish_too() -> None:
    """Its client has what it wanted, and its cost comes last."""
    flow = await Flowing(on_disconnect="drain", drain_for="20s").begin()
    flow.source.feed(OPENAI.finish)
    flow.sink.lose()
    flow.task.cancel()
    await turn()
    assert (flow.record.end, flow.record.phase) == (EndReason.DONE, Phase.ENDED)
    assert not flow.task.done()
    flow.source.feed(COST + OPENAI.mark)
    flow.source.end()
    await asyncio.wait([flow.task])
    assert flow.record.usage is not None
    assert (flow.record.usage.input, flow.record.usage.output) == (5, 2)
    assert flow.record.bytes_down == len(BEGUN + OPENAI.finish + COST + OPENAI.mark)
    flow.assert_clean()


@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize("cancelled", [True, False])
async def test_what_a_drain_was_told_counts_without_the_end_mark(cancelled: bool, finished: bool) -> None:
    flow = await Flowing(on_disconnect="drain", drain_for="20s").begin()
    if finished:
        flow.source.feed(OPENAI.finish)
    flow.sink.lose()
    if cancelled:
        flow.task.cancel()
        await turn()
    flow.source.feed((b"" if finished else OPENAI.finish) + COST)
    await turn()
    flow.source.fail(CUT)
    await asyncio.wait([flow.task])
    (attempt,) = flow.record.attempts
    assert attempt.told is not None
    assert (attempt.told.usage.input, attempt.told.usage.output, attempt.told.complete) == (5, 2, True)
    flow.assert_clean()


async def test_a_drain_is_bounded() -> None:
    flow = await Flowing(on_disconnect="drain", drain_for="20s").begin()
    flow.task.cancel()
    await turn()
    flow.ticker.advance(19.75)
    await turn()
    assert not flow.task.done()
    flow.ticker.advance(0.25)
    await asyncio.wait([flow.task])
    assert flow.source.aborted
    assert flow.board.list(flow.ticker.wall()) == [], "nobody is to blame"


async def test_an_answer_that_is_ended_from_outside_tells_its_client() -> None:
    flow = await Flowing().begin()
    assert flow.scope.stop is not None
    flow.scope.stop(EndReason.DRAIN)
    assert await flow.over() is EndReason.DRAIN
    assert b"shutting down" in flow.told
    assert flow.read_trail() == [("oai", "", "")]


# How an end is noted.

SAID = Failure(FailureKind.OVERLOADED, "said by the provider")
BROKEN = Failure(FailureKind.DISCONNECT, "no finish was seen")


def note(ended: EndReason | None, failure: Failure | None, *, complete: bool) -> Record:
    record = Record(RequestId("req_1"), 0.0, 0.0, phase=Phase.STREAMING)
    seen = Seen("m1", Usage(input=5), Finish(Reason.STOP) if complete else None, failure, 1, 3, 1)
    fault = SimpleNamespace(detail="ECONNRESET") if ended is EndReason.UPSTREAM_CUT else None
    run = SimpleNamespace(ended=ended, fault=fault)
    _note_end(record, cast(Pump, run), cast(Stage, SimpleNamespace(seen=seen, complete=complete)))
    note_seen(record, record.begin(ProviderName("oai"), None, 0.0), seen)
    return record


@pytest.mark.parametrize(
    ("ended", "failure", "complete", "end"),
    [
        (EndReason.DONE, None, True, EndReason.DONE),
        (EndReason.DONE, BROKEN, False, EndReason.UPSTREAM_CUT),
        (EndReason.DONE, SAID, False, EndReason.ERROR),
        (EndReason.UPSTREAM_CUT, FAILURES[EndReason.UPSTREAM_CUT], False, EndReason.UPSTREAM_CUT),
        (EndReason.UPSTREAM_CUT, None, True, EndReason.LATE_CUT),
        (EndReason.UPSTREAM_CUT, SAID, False, EndReason.ERROR),
        (EndReason.IDLE, FAILURES[EndReason.IDLE], False, EndReason.IDLE),
        (EndReason.IDLE, None, True, EndReason.DONE),
        (EndReason.IDLE, SAID, False, EndReason.ERROR),
        (EndReason.DRAIN, FAILURES[EndReason.DRAIN], False, EndReason.DRAIN),
        (EndReason.DRAIN, SAID, False, EndReason.DRAIN),
        (EndReason.CLIENT_GONE, None, False, EndReason.CLIENT_GONE),
        (EndReason.CLIENT_GONE, SAID, False, EndReason.CLIENT_GONE),
        (EndReason.WRITE_STALL, None, True, EndReason.WRITE_STALL),
        (None, None, False, None),
    ],
)
def test_why_a_stream_was_over(
    ended: EndReason | None, failure: Failure | None, complete: bool, end: EndReason | None
) -> None:
    record = note(ended, failure, complete=complete)
    assert record.end is end
    assert record.error == (failure.kind.value if failure else "")
    assert (record.phase is Phase.ENDED) is (complete and ended is not None)


def test_what_a_stream_was() -> None:
    record = note(EndReason.UPSTREAM_CUT, None, complete=True)
    assert (record.model, record.events, record.malformed, record.detail) == ("m1", 3, 1, "ECONNRESET")
    assert record.usage == Usage(input=5)
    assert (record.finish, record.attempts[0].told) == ("stop", Told(Usage(input=5), 0, 0, complete=True))
    attempt = record.begin(ProviderName("oai"), None, 0.0)
    seen = Seen("m2", Usage(input=7), substance=1, events=10, malformed=2, size=9, counted=4)
    note_seen(record, attempt, seen)
    assert (record.finish, attempt.told) == ("", Told(Usage(input=7), 9, 4, complete=False))
    assert (record.model, record.events, record.malformed) == ("m2", 13, 3), "of a rescued one all is counted"
    assert record.usage == Usage(input=7)
