"""OpenRouter's recordings: equal events at every cut, what each says, and back again through both sides."""

import json
from typing import Any

import pytest

from proxy.dialects.answer import Answer, fold
from proxy.dialects.capabilities import Capabilities
from proxy.dialects.chat import Asked, Target
from proxy.dialects.events import Event, Failure, FailureKind, Finish, Reason
from proxy.dialects.openrouter import CLIENT, PROVIDER
from proxy.dialects.parts import Part, Text, Thinking, ToolCall
from proxy.wire.headers import NO_FIELDS
from proxy.wire.sse import Parser
from tests.helpers.openai_chat import make_turn
from tests.helpers.order import check_order, decode_stream
from tests.helpers.recordings import list_recordings, load_recording

STREAMS = [each for each in list_recordings("openrouter/*.sse") if "responses" not in str(each.values[0])]


def decode(data: bytes, pieces: list[bytes] | None = None) -> list[Event]:
    events = decode_stream(PROVIDER.open_decoder(make_turn()), data, pieces)
    check_order(events)
    return events


def read(name: str) -> Answer:
    body = load_recording(name).body
    return fold(decode(body) if name.endswith(".sse") else PROVIDER.parse_answer(body, make_turn()))


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
    for count in range(len(blocks)):
        decoder = PROVIDER.open_decoder(make_turn())
        for block in blocks[:count]:
            decoder.feed(block)
        last = decode(b"".join(block.raw for block in blocks[:count]))[-1]
        assert isinstance(last, Finish if decoder.complete and not decoder.ended else Failure)
        if decoder.ended:
            return


RECORDED: dict[str, tuple[Reason | FailureKind, list[type[Part]]]] = {
    "openrouter/anthropic-thinking-tool": (Reason.TOOL_USE, [Thinking, ToolCall]),
    "openrouter/anthropic-tools-parallel": (Reason.TOOL_USE, [ToolCall, ToolCall]),
    "openrouter/err-midstream": (FailureKind.INVALID, [Thinking]),
    "openrouter/gemini-tools-parallel": (Reason.TOOL_USE, [ToolCall, ToolCall]),
    "openrouter/openai-tools-parallel": (Reason.TOOL_USE, [ToolCall, ToolCall]),
    "openrouter/reasoning-details-roundtrip-1": (Reason.TOOL_USE, [Thinking, ToolCall]),
    "openrouter/reasoning-streaming": (Reason.STOP, [Thinking, Text]),
    "openrouter/text-llama": (Reason.STOP, [Text]),
    "openrouter/usage-only-chunk": (Reason.STOP, [Text]),
    "openrouter/web-annotations": (Reason.STOP, [Text]),
    "openrouter/ns-anthropic-thinking-tool": (Reason.TOOL_USE, [Thinking, ToolCall]),
}
SIGNED = {"openrouter/anthropic-thinking-tool", "openrouter/reasoning-details-roundtrip-1",
          "openrouter/ns-anthropic-thinking-tool"}  # fmt: skip


@pytest.mark.parametrize("name", [*STREAMS, *list_recordings("openrouter/ns-*.json")])
def test_what_it_says(name: str) -> None:
    short = name.rpartition(".")[0]
    reason, kinds = RECORDED[short]
    answer = read(name)
    if isinstance(reason, FailureKind):
        assert answer.failure is not None
        assert answer.failure.kind is reason
        return
    assert (answer.finish.reason, [type(part) for part in answer.parts]) == (reason, kinds)
    assert answer.usage.input is not None
    assert answer.usage.cost is not None
    for part in answer.parts:
        if isinstance(part, Thinking) and short in SIGNED:
            assert part.signature is not None
            assert json.loads(part.signature.value)["signature"]
            assert part.text


def test_googles_signature_is_on_the_first_call() -> None:
    first, second = read(_find("openrouter/gemini-tools-parallel.sse")).parts
    assert isinstance(first, ToolCall)
    assert isinstance(second, ToolCall)
    assert first.signature is not None
    assert json.loads(first.signature.value)["id"] == first.id
    assert second.signature is None


@pytest.mark.parametrize("name", sorted(SIGNED))
def test_details_survive_a_client_and_come_back_as_they_were(name: str) -> None:
    """What OpenRouter sent, shown to a client of its own dialect, sent back by it: the same merged item."""
    answer = read(_find(name + (".json" if "/ns-" in name else ".sse")))
    message: Any = json.loads(CLIENT.build_answer(answer, make_turn()))["choices"][0]["message"]
    call = message["tool_calls"][0]
    result = {"role": "tool", "tool_call_id": call["id"], "content": "9"}
    body = {"model": "m", "messages": [{"role": "user", "content": "q"}, message, result]}
    request = CLIENT.parse_request(json.dumps(body).encode(), Asked())
    sent = json.loads(PROVIDER.build_request(request, Target("anthropic/claude", Capabilities())).body)
    (thinking,) = (part for part in answer.parts if isinstance(part, Thinking))
    (detail,) = sent["messages"][1]["reasoning_details"]
    assert thinking.signature is not None
    assert detail == {**json.loads(thinking.signature.value), "text": thinking.text}


def _find(name: str) -> str:
    if not list_recordings(name) or list_recordings(name)[0].id == "absent":
        pytest.skip("no recordings (PENSTOCK_FIXTURES)")
    return name


def test_a_recorded_error() -> None:
    recording = load_recording(_find("openrouter/err-429-headers.json"))
    failure = PROVIDER.parse_error(recording.status, recording.headers, recording.body)
    assert failure.kind in (FailureKind.RATE_LIMIT, FailureKind.QUOTA)
    assert failure.message.startswith("Rate limit exceeded")
    moderated = b'{"error":{"code":403,"message":"requires moderation","metadata":{"reasons":["x"]}}}'
    assert PROVIDER.parse_error(403, NO_FIELDS, moderated).kind is FailureKind.CONTENT_FILTER
