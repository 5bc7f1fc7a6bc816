"""An answer that breaks off, and who goes on with it: who is asked for what, and what is left of it. That the texts are
one is shown in tests/dialects; here it is who, when and how often."""

import json
from typing import Any

import pytest

from proxy.errors import Code, UpstreamFault
from proxy.relay.outcome import EndReason, Phase
from tests.helpers.attempted import JSON
from tests.helpers.fakes import reach, turn
from tests.helpers.flowed import BEGUN, CLAUDE, OPENAI, Flowing, wake_at_once
from tests.helpers.models import chat_chunk, encode, named

CUT = UpstreamFault(Code.CUT, "ECONNRESET")
DONE = b"data: [DONE]\n\n"
CALL = chat_chunk({"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": "{"}}]})
DIFFERENT = CLAUDE.opening + named("content_block_delta", index=0, delta={"type": "text_delta", "text": "Guten Tag"})


def read_texts(told: bytes) -> list[str]:
    events = [json.loads(line[6:]) for line in told.split(b"\n") if line.startswith(b"data: {")]
    deltas = [choice["delta"] for event in events for choice in event.get("choices", ())]
    return [delta["content"] for delta in deltas if delta.get("content")]


async def broken(said: bytes = BEGUN, body: dict[str, Any] | None = None, **model: Any) -> Flowing:
    flow = await Flowing(body, **{"rescue": "restart", **model}).begin(said)
    flow.source.fail(CUT)
    await turn()
    return flow


def read_body(flow: Flowing, name: str) -> Any:
    upload = flow.desks[name].asked[-1].upload
    assert upload is not None
    return json.loads(upload.take_whole() or b"")


async def end_well(flow: Flowing) -> None:
    assert await flow.over() is EndReason.DONE
    assert "".join(read_texts(flow.told)) == "Hello"
    assert flow.told.count(DONE) == flow.told.count(b'"finish_reason":"stop"') == flow.told.count(b'"role"') == 1
    assert flow.steps[-1] == "finish"
    assert b"error" not in flow.told


# Somebody goes on.


async def test_the_next_target_gives_the_answer_once_more_and_the_client_gets_the_rest() -> None:
    flow = await broken()
    assert flow.told == BEGUN, "nothing of the cut is said"
    source = await flow.answer("ant", CLAUDE.whole)
    source.end()
    await end_well(flow)
    record = flow.record
    assert flow.read_trail() == [("oai", "upstream_disconnect", "rescued"), ("ant", "", "won")]
    assert (record.rescues, record.error, record.end, record.phase) == (1, "", EndReason.DONE, Phase.ENDED)
    assert (record.provider, record.bytes_down) == ("ant", len(BEGUN) + len(CLAUDE.whole))
    assert flow.source.aborted


async def test_the_client_is_kept_alive_meanwhile() -> None:
    flow = await broken()
    await reach(flow.desks["ant"].entered)
    flow.ticker.advance(9.75)
    assert flow.told == BEGUN
    flow.ticker.advance(10.25)
    assert flow.told == BEGUN + b": keepalive\n" * 2
    source = await flow.answer("ant", CLAUDE.whole)
    source.end()
    await end_well(flow)
    assert flow.record.heartbeats == 2


async def test_a_stall_is_rescued_too_and_its_provider_not_asked_again() -> None:
    flow = await Flowing(rescue="restart", progress="8s", targets=["oai/m1", "oai/m3", "ant/m2"]).begin()
    flow.ticker.advance(8.25)
    await turn()
    source = await flow.answer("ant", CLAUDE.whole)
    source.end()
    await end_well(flow)
    assert flow.read_trail()[0] == ("oai", "timeout", "rescued")


async def test_the_same_target_goes_on_where_there_is_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    flow = await wake_at_once(Flowing(rescue="restart", targets=["oai/m1"]), monkeypatch).begin()
    flow.source.fail(CUT)
    source = await flow.answer("oai", OPENAI.whole)
    source.end()
    await end_well(flow)


async def test_its_one_stream_is_free_by_then(monkeypatch: pytest.MonkeyPatch) -> None:
    flow = await wake_at_once(Flowing(rescue="restart", targets=["oai/m1"], max_streams=1), monkeypatch).begin()
    flow.source.fail(CUT)
    source = await flow.answer("oai", OPENAI.whole)
    source.end()
    await end_well(flow)


async def test_who_goes_on_may_break_off_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    flow = wake_at_once(await broken(), monkeypatch)
    second = await flow.answer(
        "ant",
        CLAUDE.opening
        + CLAUDE.texts[0]
        + named("content_block_delta", index=0, delta={"type": "text_delta", "text": "l"}),
    )
    second.fail(CUT)
    third = await flow.answer("oai", OPENAI.whole)
    third.end()
    assert await flow.over() is EndReason.DONE
    assert "".join(read_texts(flow.told)) == "Hello"
    assert [outcome for _, _, outcome in flow.read_trail()] == ["rescued", "rescued", "won"]
    assert flow.record.rescues == 2


async def test_a_new_deadline_begins() -> None:
    flow = await Flowing(rescue="restart", deadline="10s").begin()
    flow.ticker.advance(60)
    flow.source.fail(CUT)
    source = await flow.answer("ant", CLAUDE.whole)
    source.end()
    await end_well(flow)


# Going on where it ended.


async def test_who_can_go_on_is_given_what_was_delivered() -> None:
    flow = await broken(capabilities={"m2": {"prefill": True}}, rescue="continue")
    rest = named("content_block_delta", index=0, delta={"type": "text_delta", "text": "lo"})
    source = await flow.answer("ant", CLAUDE.opening + rest + CLAUDE.finish + CLAUDE.mark)
    source.end()
    await end_well(flow)
    assert read_body(flow, "ant")["messages"][-1] == {"role": "assistant", "content": [{"type": "text", "text": "Hel"}]}


async def test_who_cannot_is_asked_for_all_of_it() -> None:
    flow = await broken(rescue="continue")
    source = await flow.answer("ant", CLAUDE.whole)
    source.end()
    await end_well(flow)
    assert [message["role"] for message in read_body(flow, "ant")["messages"]] == ["user"]


async def test_who_could_after_all_not_is_asked_for_all_of_it_at_once() -> None:
    flow = await broken(capabilities={"m2": {"prefill": True}}, rescue="continue")
    error = {"type": "error", "error": {"type": "invalid_request_error", "message": "no prefill here"}}
    desk = flow.desks["ant"]
    await reach(desk.entered)
    desk.answer(JSON, status=400, body=[encode(error), None])
    source = await flow.answer("ant", CLAUDE.whole)
    source.end()
    await end_well(flow)
    assert [message["role"] for message in read_body(flow, "ant")["messages"]] == ["user"]
    assert [trail[0] for trail in flow.read_trail()] == ["oai", "ant", "ant"]
    assert flow.board.list(flow.ticker.wall()) == []


# Nobody can.


async def assert_told_of_the_cut(flow: Flowing) -> None:
    assert await flow.over() is EndReason.UPSTREAM_CUT
    assert read_texts(flow.told) == ["Hel"]
    assert flow.told.count(b'data: {"error":') == 1
    assert DONE not in flow.told
    assert b"closed the connection" in flow.told
    assert (flow.record.error, flow.record.rescues, flow.steps[-1]) == ("upstream_disconnect", 0, "finish")


@pytest.mark.parametrize("status", [400, 401, 429, 503])
async def test_the_client_is_told_of_the_cut_and_not_of_who_could_not_go_on(status: int) -> None:
    flow = await broken(attempts=2)
    desk = flow.desks["ant"]
    await reach(desk.entered)
    desk.answer(JSON, status=status, body=[encode({"error": {"message": "a refusal of its own"}}), None])
    await assert_told_of_the_cut(flow)
    assert b"a refusal of its own" not in flow.told
    assert flow.read_trail()[0] == ("oai", "upstream_disconnect", "failed")


async def test_an_answer_that_is_another_is_not_used_and_no_third_is_asked_for() -> None:
    flow = await broken()
    source = await flow.answer("ant", DIFFERENT)
    await assert_told_of_the_cut(flow)
    assert source.aborted
    assert flow.read_trail()[1][2] == "mismatch"
    assert [cooldown for cooldown in flow.board.list(flow.ticker.wall()) if cooldown.spot.provider == "ant"] == []


@pytest.mark.parametrize(
    ("said", "body"),
    [
        (
            OPENAI.opening + CALL,
            {},
        ),
        (
            BEGUN + CALL,
            {},
        ),
        (OPENAI.opening + chat_chunk({"reasoning_content": "Hm."}), {}),
        (BEGUN, {"n": 2}),
        (BEGUN, {"response_format": {"type": "json_object"}}),
        (BEGUN, {"temperature": "hot"}),
    ],
    ids=["call", "text and call", "thought", "two choices", "structured", "not understood"],
)
async def test_some_answers_are_not_rescued(said: bytes, body: dict[str, Any]) -> None:
    flow = await broken(said, body)
    assert await flow.over() is EndReason.UPSTREAM_CUT
    assert DONE not in flow.told
    assert flow.told.count(b'data: {"error":') == 1
    assert flow.desks["ant"].asked == []


async def test_what_the_caller_has_to_know_is_not_routed_around() -> None:
    flow = await Flowing(rescue="restart").begin()
    error = {"message": "not that", "type": "invalid_request_error", "code": "content_filter"}
    flow.source.feed(b"data: " + encode({"error": error}) + b"\n\n")
    flow.source.end()
    assert await flow.over() is EndReason.ERROR
    assert b"not that" in flow.told
    assert flow.desks["ant"].asked == []


# Ended meanwhile.


async def test_a_client_that_leaves_ends_the_rescue() -> None:
    flow = await broken()
    desk = flow.desks["ant"]
    await reach(desk.entered)
    await flow.leave()
    assert desk.cancelled
    assert flow.steps[-1] != "finish"


async def test_a_request_that_is_ended_from_outside_tells_its_client() -> None:
    flow = await broken()
    await reach(flow.desks["ant"].entered)
    flow.record.close(EndReason.DRAIN)
    flow.task.cancel()
    await turn()
    assert await flow.over() is EndReason.DRAIN
    assert flow.told.count(b'data: {"error":') == 1
    assert flow.steps[-1] == "finish"


async def test_a_client_that_is_gone_when_the_cut_is_told() -> None:
    flow = await Flowing(rescue="restart", attempts=1).begin()
    flow.sink.lose()
    flow.source.fail(CUT)
    assert await flow.over() is EndReason.UPSTREAM_CUT
