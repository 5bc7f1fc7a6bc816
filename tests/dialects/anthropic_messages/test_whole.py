"""Whole answers: the message that the stream would have added up to."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.answer import Answer, LoneSignature, fold, unfold
from proxy.dialects.anthropic_messages import CLIENT, PROVIDER
from proxy.dialects.events import Finish, Reason, Start, Usage
from proxy.dialects.parts import (
    Image,
    Media,
    Opaque,
    Part,
    Reasoning,
    Redacted,
    Refusal,
    Signature,
    Text,
    Thinking,
    ToolCall,
)
from proxy.dialects.signatures import seal
from tests.helpers.anthropic_turns import decode, encode, list_recordings, make_request, make_turn, read_events
from tests.helpers.feeds import fuzz

OWN = Signature("a", "EqQB")
FOREIGN = Signature("g", "QUJD")
ASKED = make_turn(make_request(reasoning=Reasoning("on")))
HIDDEN = make_turn(make_request(reasoning=Reasoning("on", show=False)))


def build(*parts: Part, turn: Any = None, reason: Reason = Reason.STOP, usage: Usage | None = None) -> dict[str, Any]:
    answer = Answer(Start("msg_1", "m"), list(parts), usage or Usage(5, output=1), Finish(reason))
    return dict(json.loads(CLIENT.build_answer(answer, turn or make_turn())))


def add_up(data: bytes) -> list[dict[str, Any]]:
    """The content that a client gathers from a stream, as Anthropic's SDKs do."""
    content: list[dict[str, Any]] = []
    arguments: dict[int, str] = {}
    for event in read_events(data):
        if event["type"] == "content_block_start":
            content.append(event["content_block"])
        elif event["type"] == "content_block_delta":
            for name, words in event["delta"].items():
                if name == "partial_json":
                    arguments[event["index"]] = arguments.get(event["index"], "") + words
                elif name != "type":
                    content[event["index"]][name] += words
    for index, text in arguments.items():
        content[index]["input"] = json.loads(text)
    return content


def test_a_message() -> None:
    assert build(Text("Hi"), usage=Usage(15, 10, None, 2)) == {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": "Hi"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 5, "cache_read_input_tokens": 10, "output_tokens": 2},
    }


def test_a_message_without_content() -> None:
    assert build(reason=Reason.REFUSAL)["content"] == []


def test_an_unknown_prompt_is_estimated() -> None:
    assert build(Text("Hi"), usage=Usage())["usage"]["input_tokens"] > 0


@pytest.mark.parametrize(
    ("part", "blocks"),
    [
        (Thinking("Hm", OWN), [{"type": "thinking", "thinking": "Hm", "signature": "EqQB"}]),
        (Thinking("Hm"), [{"type": "thinking", "thinking": "Hm", "signature": ""}]),
        (Redacted(FOREIGN), [{"type": "redacted_thinking", "data": seal(FOREIGN)}]),
        (ToolCall("c", "add", '{"a": 1}'), [{"type": "tool_use", "id": "c", "name": "add", "input": {"a": 1}}]),
        (ToolCall("c", "add", "[1]"), [{"type": "tool_use", "id": "c", "name": "add", "input": {"_raw": "[1]"}}]),
        (Refusal("No"), [{"type": "text", "text": "No"}]),
        (Opaque("anthropic", {"type": "novelty"}), [{"type": "novelty"}]),
        (Opaque("gemini", {}), []),
        (LoneSignature(FOREIGN), []),
        (Image(Media("image/png", "QUJD")), []),
    ],
)
def test_a_part(part: Part, blocks: list[Any]) -> None:
    assert build(part)["content"] == blocks


def test_reasons() -> None:
    assert build(ToolCall("c", "add", "{}"), reason=Reason.TOOL_USE)["stop_reason"] == "tool_use"
    assert build(Text("Hi"), reason=Reason.TOOL_USE)["stop_reason"] == "end_turn"
    assert build(Refusal("No"))["stop_reason"] == "refusal"


def test_a_call_that_a_limit_cut_is_no_call_of_anything() -> None:
    assert build(ToolCall("c", "add", '{"a": '), reason=Reason.LENGTH)["content"][0]["input"] == {}


SIGNED = ToolCall("c", "add", "{}", FOREIGN)


@pytest.mark.parametrize("turn", [make_turn(), ASKED, HIDDEN], ids=["plain", "asked", "hidden"])
@pytest.mark.parametrize(
    "parts",
    [
        [Thinking("Hm"), SIGNED],
        [Thinking("Hm", OWN), SIGNED],
        [SIGNED, ToolCall("d", "add", "{}")],
        [Thinking("Hm"), Text("Hi"), SIGNED],
        [Text("Hi"), LoneSignature(FOREIGN)],
        [Thinking("Hm", OWN), Text("Hi")],
    ],
)
def test_the_stream_adds_up_to_the_message(parts: list[Part], turn: Any) -> None:
    answer = Answer(Start("msg_1", "m"), parts, Usage(5), Finish(Reason.STOP))
    message = json.loads(CLIENT.build_answer(answer, turn))
    assert message["content"] == add_up(encode(list(unfold(answer)), turn))


@pytest.mark.parametrize("path", list_recordings("anthropic/[tcsr]*.sse"))
def test_a_recorded_stream_as_a_message(path: Path) -> None:
    answer = fold(decode(path.read_bytes()))
    message = json.loads(CLIENT.build_answer(answer, make_turn()))
    assert message["content"] == add_up(encode(list(unfold(answer))))
    again = fold(PROVIDER.parse_answer(json.dumps(message).encode(), make_turn()))
    assert (again.usage, again.finish.reason) == (answer.usage, answer.finish.reason)


_texts = st.text(min_size=1, max_size=8)
_parts: st.SearchStrategy[Part] = st.one_of(
    st.builds(Text, _texts),
    st.builds(Thinking, _texts, st.sampled_from([None, OWN, FOREIGN])),
    st.builds(ToolCall, st.sampled_from("abc"), st.just("add"), st.sampled_from(["{}", '{"a":1}']),
              st.sampled_from([None, FOREIGN])),
    st.builds(LoneSignature, st.just(FOREIGN)),
    st.builds(Redacted, st.sampled_from([OWN, FOREIGN])),
)  # fmt: skip


@fuzz
@given(st.lists(_parts, max_size=6), st.sampled_from([make_turn(), ASKED, HIDDEN]))
def test_every_stream_adds_up_to_its_message(parts: list[Part], turn: Any) -> None:
    test_the_stream_adds_up_to_the_message(parts, turn)
