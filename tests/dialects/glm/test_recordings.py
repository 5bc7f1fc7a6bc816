"""GLM's recordings: equal events at every cut, and what each says."""

import json

import pytest

from proxy.dialects.answer import fold
from proxy.dialects.events import Event, Failure, FailureKind, Finish, Reason
from proxy.dialects.glm import PROVIDER
from proxy.dialects.parts import Text, Thinking, ToolCall
from proxy.wire.sse import Parser
from tests.helpers.openai_chat import make_turn
from tests.helpers.order import check_order, decode_stream
from tests.helpers.recordings import list_recordings, load_recording

STREAMS = [each for each in list_recordings("glm/*.sse") if "anthropic" not in str(each.values[0])]


def decode(data: bytes, pieces: list[bytes] | None = None) -> list[Event]:
    events = decode_stream(PROVIDER.open_decoder(make_turn()), data, pieces)
    check_order(events)
    return events


@pytest.mark.parametrize("name", STREAMS)
def test_cuts_do_not_matter(name: str) -> None:
    data = load_recording(name).body
    whole = decode(data)
    assert decode(data, [data[at : at + 1] for at in range(len(data))]) == whole
    for at in range(1, len(data), max(1, len(data) // 60)):
        assert decode(data, [data[:at], data[at:]]) == whole


@pytest.mark.parametrize("name", STREAMS)
def test_a_cut_before_the_finish_fails(name: str) -> None:
    blocks = Parser().feed(load_recording(name).body)
    for count in range(0, len(blocks), max(1, len(blocks) // 30)):
        last = decode(b"".join(block.raw for block in blocks[:count]))[-1]
        decoder = PROVIDER.open_decoder(make_turn())
        for block in blocks[:count]:
            decoder.feed(block)
        assert isinstance(last, Finish if decoder.complete and not decoder.ended else Failure)


RECORDED: dict[str, tuple[Reason | FailureKind, list[type], int | None]] = {
    "glm/text-long-reasoning": (Reason.STOP, [Thinking, Text], 708),
    "glm/thinking-preserved": (Reason.STOP, [Thinking, Text], 561),
    "glm/thinking-tool": (Reason.TOOL_USE, [Thinking, Text, ToolCall], 63),
    "glm/tool-single": (Reason.TOOL_USE, [Thinking, Text, ToolCall], 65),
    "glm/tools-parallel-reasoning": (Reason.TOOL_USE, [Thinking, Text, ToolCall, ToolCall], 64),
    "glm/finish-sensitive": (Reason.CONTENT_FILTER, [Text], None),
    "glm/finish-network-error": (FailureKind.SERVER, [], None),
    "glm/ns-tools-parallel": (Reason.TOOL_USE, [Thinking, Text, ToolCall, ToolCall], 82),
    "glm/ns-reasoning-effort": (Reason.STOP, [Thinking, Text], 116),
}


@pytest.mark.parametrize("name", [*STREAMS, *list_recordings("glm/ns-*.json")])
def test_what_it_says(name: str) -> None:
    reason, kinds, reasoning = RECORDED[name.rpartition(".")[0]]
    body = load_recording(name).body
    answer = fold(decode(body) if name.endswith(".sse") else PROVIDER.parse_answer(body, make_turn()))
    if isinstance(reason, FailureKind):
        assert answer.failure is not None
        assert answer.failure.kind is reason
        return
    assert (answer.finish.reason, [type(part) for part in answer.parts]) == (reason, kinds)
    assert answer.usage.reasoning == reasoning
    assert answer.usage.input is not None
    for part in answer.parts:
        if isinstance(part, ToolCall):
            assert isinstance(json.loads(part.arguments), dict)
            assert part.id.startswith("call_")
