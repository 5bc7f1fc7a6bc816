"""Whole answers for clients of OpenAI's dialect."""

import json
from typing import Any

from proxy.dialects.answer import Answer, LoneSignature
from proxy.dialects.chat import Turn
from proxy.dialects.events import Finish, Reason, Start, Usage
from proxy.dialects.openai_chat import CLIENT
from proxy.dialects.parts import Image, Media, Opaque, Part, Redacted, Refusal, Signature, Text, Thinking, ToolCall
from tests.helpers.openai_chat import make_turn, parse

A, G = Signature("a", "EpAB"), Signature("g", "QUJD")


def build(*parts: Part, reason: Reason = Reason.STOP, turn: Turn | None = None, **more: Any) -> dict[str, Any]:
    answer = Answer(parts=list(parts), finish=Finish(reason), **more)
    found: dict[str, Any] = json.loads(CLIENT.build_answer(answer, turn or make_turn()))
    return found


def message(*parts: Part, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = build(*parts, **more)["choices"][0]["message"]
    return found


def test_a_whole_answer() -> None:
    assert build(Text("a"), Text("b"), start=Start("i", "m1"), usage=Usage(1, output=2)) == {
        "id": "i",
        "object": "chat.completion",
        "created": 1700000000,
        "model": "m1",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "ab", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
    }


def test_what_the_provider_did_not_say() -> None:
    found = build()
    assert (found["id"][:9], found["model"]) == ("chatcmpl-", "m")
    assert "usage" not in found


def test_content_is_null_beside_calls_only() -> None:
    call = ToolCall("c", "f", "")
    assert message()["content"] == ""
    assert message(call)["content"] is None
    assert message(Refusal("no"))["content"] is None
    assert message(Text("x"), call)["content"] == "x"


def test_calls() -> None:
    found = build(ToolCall("c", "f", ""), ToolCall("d", "g", "x", custom=True), reason=Reason.TOOL_USE)
    assert found["choices"][0]["message"]["tool_calls"] == [
        {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}},
        {"id": "d", "type": "custom", "custom": {"name": "g", "input": "x"}},
    ]
    assert found["choices"][0]["finish_reason"] == "tool_calls"


def test_the_old_form() -> None:
    turn = make_turn(parse({"functions": [{"name": "f"}]}))
    found = build(ToolCall("c", "f", '{"a":1}', G), reason=Reason.TOOL_USE, turn=turn)["choices"][0]
    assert found["message"] == {
        "role": "assistant",
        "content": None,
        "refusal": None,
        "function_call": {"name": "f", "arguments": '{"a":1}'},
    }
    assert found["finish_reason"] == "function_call"


def test_refusals() -> None:
    assert message(Refusal("no"))["refusal"] == "no"
    assert build(Refusal("no"), reason=Reason.REFUSAL)["choices"][0]["finish_reason"] == "stop"
    assert build(reason=Reason.REFUSAL)["choices"][0]["finish_reason"] == "content_filter"


def test_thoughts_and_signatures() -> None:
    found = message(Thinking("a", A), Thinking("b"), Redacted(A), ToolCall("c", "f", "{}", G), LoneSignature(G))
    assert found["reasoning_content"] == "ab"
    assert [(each["type"], each["index"], each.get("id")) for each in found["reasoning_details"]] == [
        ("reasoning.text", 0, None),
        ("reasoning.encrypted", 1, None),
        ("reasoning.encrypted", 2, "c"),
    ]
    google = {"google": {"thought_signature": "QUJD"}}
    assert found["tool_calls"][0]["extra_content"] == google
    assert found["extra_content"] == google


def test_who_wants_no_thoughts_gets_none() -> None:
    turn = make_turn(parse({"include_reasoning": False}))
    assert message(Thinking("a", A), Redacted(A), Text("x"), turn=turn) == {
        "role": "assistant",
        "content": "x",
        "refusal": None,
    }


def test_images_and_what_cannot_be_shown() -> None:
    found = message(Image(Media("image/png", "AAAA")), Opaque("anthropic", {}))
    assert found["images"] == [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]
