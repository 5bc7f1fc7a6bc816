"""A whole answer is the message that a page gathers from the stream, and can be sent back as it is."""

import json

import pytest

from proxy.dialects.answer import Answer, LoneSignature, fold, unfold
from proxy.dialects.events import Finish, Reason, Start, Usage
from proxy.dialects.parts import (
    Image,
    Media,
    Opaque,
    Part,
    Redacted,
    Refusal,
    Signature,
    Text,
    Thinking,
    ToolCall,
)
from proxy.dialects.ui_message import CLIENT
from tests.helpers.ui_message import HELLO, build_turn, encode, gather, parse, read

SIGNED = Signature("a", "QQ")
PARTS: list[Part] = [
    Thinking("hm\u2028", SIGNED),
    Redacted(SIGNED),
    Text("Hello \ud800"),
    Image(Media("image/png", "iVBORw0KGgo=")),
    Refusal("No."),
    Thinking("unsigned"),
    ToolCall("c1", "f", '{"a":1}', SIGNED),
    ToolCall("c2", "g", '{"a":', SIGNED),
]
ANSWER = Answer(Start("id", "model-1"), PARTS, Usage(input=1), Finish(Reason.TOOL_USE))


def test_the_message() -> None:
    message = json.loads(CLIENT.build_answer(ANSWER, build_turn()))
    assert (message["role"], message["finishReason"]) == ("assistant", "tool-calls")
    assert message["metadata"] == {"model": "model-1", "usage": {"inputTokens": 1}}
    assert len(message["parts"]) == 1 + len(PARTS)


@pytest.mark.parametrize(
    "parts",
    [PARTS, [LoneSignature(SIGNED)], [ToolCall("c", "f", "free {", custom=True)], [Opaque("gemini", {"x": 1})], []],
)
def test_it_is_what_the_stream_says(parts: list[Part]) -> None:
    answer = Answer(Start("id", "m"), parts, Usage(input=1, output=2), Finish(Reason.STOP))
    chunks = read(encode(unfold(answer)))
    message = json.loads(CLIENT.build_answer(answer, build_turn()))
    assert message["parts"] == gather(chunks)
    assert message["id"] == chunks[0]["messageId"]
    assert message["metadata"] == chunks[-2]["messageMetadata"]


def test_sent_back_it_says_the_same() -> None:
    message = json.loads(CLIENT.build_answer(ANSWER, build_turn()))
    said, results = parse(HELLO, message, HELLO).messages[1:3]
    assert list(said.parts) == PARTS
    assert [part.call_id for part in results.parts if hasattr(part, "call_id")] == ["c2"]
    assert fold(unfold(ANSWER)).parts == PARTS
