"""The provider's side of Code Assist: its recordings, whole and cut, with the signatures of who answers."""

import json
from pathlib import Path

import pytest

from proxy.dialects.chat import Turn
from proxy.dialects.code_assist import PROVIDER
from proxy.dialects.events import BlockStart, Delta, Failure, FailureKind, Finish, Kind, Reason, Sign, Start, Usage
from proxy.dialects.parts import Message, Signature, Text, Thinking
from proxy.wire.headers import NO_FIELDS
from proxy.wire.sse import Parser
from tests.helpers.feeds import one_by_one
from tests.helpers.gemini import CLAUDE, GEMINI_3, list_recordings, make_request, make_target, read_recording
from tests.helpers.order import check_order, decode_stream


def open_turn(claude: bool = False) -> Turn:
    request = make_request(stream=True)
    return Turn(request, PROVIDER.build_request(request, make_target(CLAUDE if claude else GEMINI_3)), "req_1", 0)


@pytest.mark.parametrize("recording", list_recordings("antigravity", ".sse"))
def test_recordings(recording: Path) -> None:
    data, turn = recording.read_bytes(), open_turn(recording.name.startswith("claude"))
    events = decode_stream(PROVIDER.open_decoder(turn), data)
    check_order(events)
    assert isinstance(events[0], Start)
    assert events[0].model
    assert isinstance(events[-1], Finish)
    assert isinstance(events[-2], Usage)
    assert decode_stream(PROVIDER.open_decoder(turn), data, one_by_one(data)) == events


def test_claudes_thought_is_signed_and_comes_back_as_it_was() -> None:
    data = read_recording("antigravity/claude-thinking.sse")
    events = decode_stream(PROVIDER.open_decoder(open_turn(claude=True)), data)
    assert events[1] == BlockStart(Kind.THINKING)
    thought, sign = events[2], events[3]
    assert isinstance(thought, Delta)
    assert isinstance(sign, Sign)
    assert sign.signature.origin == "yc"
    request = make_request(
        Message("user", (Text("Hi"),)),
        Message("assistant", (Thinking(thought.text, sign.signature), Text("80"))),
        Message("user", (Text("Go on"),)),
    )
    body = json.loads(PROVIDER.build_request(request, make_target(CLAUDE)).body)
    assert body["request"]["contents"][1]["parts"][0] == {
        "text": thought.text, "thought": True, "thoughtSignature": sign.signature.value,
    }  # fmt: skip


def test_gpt_counts_after_its_finish() -> None:
    events = decode_stream(
        PROVIDER.open_decoder(open_turn()), read_recording("antigravity/gpt-thinking-usage-only-tail.sse")
    )
    assert events[-2:] == [Usage(input=13058, output=59), Finish(Reason.STOP, "STOP")]


def test_geminis_call_has_its_signature() -> None:
    events = decode_stream(
        PROVIDER.open_decoder(open_turn()), read_recording("antigravity/gemini-thinking-toolcall.sse")
    )
    (call,) = [event for event in events if isinstance(event, BlockStart) and event.kind is Kind.TOOL]
    assert call.id == "call_136903"
    assert isinstance(call.signature, Signature)
    assert call.signature.origin == "g"


def test_a_whole_answer_and_an_array_come_out_of_their_envelopes() -> None:
    data = read_recording("antigravity/gemini-text-cached.sse")
    chunks = [json.loads(block.data) for block in Parser().feed(data) if block.data]
    streamed = decode_stream(PROVIDER.open_decoder(open_turn()), data)
    assert PROVIDER.parse_answer(json.dumps(chunks).encode(), open_turn()) == streamed
    whole = PROVIDER.parse_answer(json.dumps(chunks[-1]).encode(), open_turn())
    assert whole[-1] == streamed[-1]


def test_an_error_beside_the_envelope() -> None:
    error = {"error": {"code": 429, "message": "Slow.", "status": "RESOURCE_EXHAUSTED"}}
    for value in (error, [error], {"response": error}):
        (*_, failure) = PROVIDER.parse_answer(json.dumps(value).encode(), open_turn())
        assert failure == Failure(FailureKind.RATE_LIMIT, "Slow.", 429, "RESOURCE_EXHAUSTED")


def test_a_quota_that_lasts_for_days() -> None:
    body = json.dumps({"error": {
        "code": 429, "message": "No capacity.", "status": "RESOURCE_EXHAUSTED",
        "details": [{
            "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "QUOTA_EXHAUSTED",
            "metadata": {"quotaResetDelay": "71h15m27.79s"},
        }],
    }}).encode()  # fmt: skip
    failure = PROVIDER.parse_error(429, NO_FIELDS, body)
    assert failure.kind is FailureKind.QUOTA
    assert failure.retry_after == pytest.approx(71 * 3600 + 15 * 60 + 27.79)
