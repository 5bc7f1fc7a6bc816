"""Recorded streams of the OpenAI family: the same events at every cut, and no finish where one is cut."""

import json

import pytest

from proxy.dialects.answer import fold
from proxy.dialects.events import Failure, FailureKind, Finish, Reason
from proxy.dialects.openai_chat import CLIENT, PROVIDER
from proxy.dialects.parts import ToolCall
from proxy.wire.sse import Parser
from tests.helpers.openai_chat import decode, encode, make_turn, parse
from tests.helpers.order import check_order, decode_stream, merge_deltas
from tests.helpers.recordings import list_recordings, load_recording

STREAMS = [*list_recordings("openai_chat/*.sse"), *list_recordings("openai_compat/*.sse")]


@pytest.mark.parametrize("name", STREAMS)
def test_a_recording_is_the_same_at_every_cut(name: str) -> None:
    data = load_recording(name).body
    whole = decode(data)
    assert (
        decode_stream(PROVIDER.open_decoder(make_turn()), data, [data[at : at + 1] for at in range(len(data))]) == whole
    )
    step = max(1, len(data) // 400)
    for at in range(1, len(data), step):
        assert decode_stream(PROVIDER.open_decoder(make_turn()), data, [data[:at], data[at:]]) == whole


@pytest.mark.parametrize("name", STREAMS)
def test_a_recording_that_is_cut_before_its_finish_fails(name: str) -> None:
    data = load_recording(name).body
    parser, decoder = Parser(), PROVIDER.open_decoder(make_turn())
    blocks = parser.feed(data)
    for count, one in enumerate(blocks):
        events = decode(*(each.raw for each in blocks[:count]))
        assert isinstance(events[-1], Finish if decoder.complete else Failure), count
        decoder.feed(one)


RECORDED: dict[str, tuple[Reason | FailureKind, str, int]] = {
    "openai_chat/text-gpt5-simple": (Reason.STOP, "stop", 0),
    "openai_chat/tools-parallel-gpt5": (Reason.TOOL_USE, "tool_calls", 2),
    "openai_chat/tools-noargs-parallel": (Reason.TOOL_USE, "tool_calls", 2),
    "openai_chat/refusal": (Reason.REFUSAL, "stop", 0),
    "openai_chat/finish-length": (Reason.LENGTH, "length", 0),
    "openai_chat/finish-content-filter": (Reason.CONTENT_FILTER, "content_filter", 0),
    "openai_chat/azure-prompt-filter-first-chunk": (Reason.STOP, "stop", 0),
    "openai_chat/n3-choices-interleaved": (Reason.STOP, "stop", 0),
    "openai_chat/err-midstream-server-error": (FailureKind.SERVER, "", 0),
    "openai_chat/truncated-no-done": (FailureKind.DISCONNECT, "", 0),
    "openai_compat/groq-err-midstream-event-error": (FailureKind.INVALID, "", 0),
    "openai_compat/mistral-multi-tool-one-chunk": (Reason.TOOL_USE, "tool_calls", 2),
    "openai_compat/mistral-incremental-tool": (Reason.TOOL_USE, "tool_calls", 1),
    "openai_compat/alibaba-tool-empty-ids": (Reason.TOOL_USE, "tool_calls", 1),
    "openai_compat/variant-a": (Reason.TOOL_USE, "", 1),
    "openai_compat/variant-c": (Reason.TOOL_USE, "tool_calls", 1),
}


@pytest.mark.parametrize("name", [each for each in STREAMS if each.values[0].removesuffix(".sse") in RECORDED])
def test_what_a_recording_says(name: str) -> None:
    reason, raw, calls = RECORDED[name.removesuffix(".sse")]
    answer = fold(decode(load_recording(name).body))
    found = [part for part in answer.parts if isinstance(part, ToolCall)]
    assert len(found) == calls
    assert all(json.loads(call.arguments) is not None and call.id for call in found)
    if isinstance(reason, Reason):
        assert (answer.finish.reason, answer.finish.raw) == (reason, raw)
    else:
        assert answer.failure is not None
        assert answer.failure.kind is reason


@pytest.mark.parametrize("name", STREAMS)
def test_a_recording_survives_being_written_again(name: str) -> None:
    turn = make_turn(parse({"stream": True, "stream_options": {"include_usage": True}}))
    events = decode(load_recording(name).body, turn=turn)
    again = decode(encode(events, turn), turn=turn)
    first, second = fold(events), fold(again)
    assert again[:-1] == events[:-1] or first.usage.cost is not None
    assert (first.parts, first.start, first.finish.reason) == (second.parts, second.start, second.finish.reason)
    assert (first.failure is None) == (second.failure is None)


@pytest.mark.parametrize("name", STREAMS)
def test_a_recording_says_the_same_as_a_whole_answer(name: str) -> None:
    turn = make_turn()
    answer = fold(decode(load_recording(name).body))
    if answer.failure is not None:
        return
    events = merge_deltas(PROVIDER.parse_answer(CLIENT.build_answer(answer, turn), turn))
    check_order(events)
    assert fold(events).parts == answer.parts
    assert fold(events).finish.reason is answer.finish.reason
