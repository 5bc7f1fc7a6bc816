"""The messages of a request: who says what, and which result belongs to which call."""

from typing import Any

import pytest

from proxy.dialects.chat import Invalid
from proxy.dialects.parts import (
    Message,
    Opaque,
    Refusal,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from tests.helpers.openai_chat import parse, parts_of

USER = {"role": "user", "content": "hi"}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}


def read(*messages: Any) -> list[Message]:
    return parse({"messages": list(messages)}).messages


def test_the_system_prompt_comes_first() -> None:
    request = parse(
        {
            "messages": [
                {"role": "system", "content": "a"},
                {"role": "developer", "content": [{"type": "text", "text": "b"}, {"type": "text", "text": "c"}]},
                USER,
                {"role": "system", "content": "d"},
            ]
        }
    )
    assert request.system == [Text("a"), Text("b"), Text("c")]
    assert request.messages == [Message("user", (Text("hi"),)), Message("system", (Text("d"),))]
    assert [message.at for message in request.messages] == ["messages[2]", "messages[3]"]


def test_a_turn_with_calls() -> None:
    request = parse(
        {
            "messages": [
                USER,
                {
                    "role": "assistant",
                    "content": None,
                    "reasoning_content": "r",
                    "tool_calls": [
                        {**CALL, "extra_content": {"google": {"thought_signature": "QUJD"}}},
                        {"id": "c2", "type": "custom", "custom": {"name": "g", "input": "x"}},
                    ],
                },
                {"role": "tool", "tool_call_id": "c1", "content": "one"},
                {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "two"}]},
            ]
        }
    )
    assert parts_of(request)[1:] == [
        [Thinking("r"), ToolCall("c1", "f", '{"a":1}', Signature("g", "QUJD")), ToolCall("c2", "g", "x", custom=True)],
        [ToolResult("c1", (Text("one"),))],
        [ToolResult("c2", (Text("two"),))],
    ]


def test_whatever_an_assistant_may_say() -> None:
    (message,) = read({"role": "assistant", "content": [{"type": "text", "text": "a"}], "refusal": "b",
                       "audio": {"id": "x"}})  # fmt: skip
    assert message.parts == (Text("a"), Refusal("b"), Opaque("openai-chat", {"audio": {"id": "x"}}))


def test_functions_without_ids_are_paired_by_name() -> None:
    request = parse(
        {
            "messages": [
                USER,
                {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
                {"role": "function", "name": "f", "content": "one"},
                {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": ""}},
                {"role": "function", "name": "f", "content": "two"},
            ]
        }
    )
    _, (first,), (one,), (second,), (two,) = parts_of(request)
    assert isinstance(first, ToolCall)
    assert isinstance(second, ToolCall)
    assert second == ToolCall(second.id, "f", "{}")
    assert (one, two) == (ToolResult(first.id, (Text("one"),)), ToolResult(second.id, (Text("two"),)))
    assert first.id != second.id


def test_names_of_authors_are_hints() -> None:
    request = parse({"messages": [{**USER, "name": "ann"}]})
    assert request.extra == {"messages[0].name": "ann"}
    assert request.hints == {"messages[0].name"}


@pytest.mark.parametrize(
    ("messages", "param"),
    [
        (None, "messages"),
        ([], "messages"),
        ("hi", "messages"),
        ([7], "messages[0]"),
        ([{}], "messages[0].role"),
        ([{"role": "robot", "content": "x"}], "messages[0].role"),
        ([{"role": 7}], "messages[0].role"),
        ([USER, {"role": "tool", "content": "x"}], "messages[1].tool_call_id"),
        ([USER, {"role": "tool", "tool_call_id": "c9", "content": "x"}], "messages[1].tool_call_id"),
        ([USER, {"role": "function", "name": "f", "content": "x"}], "messages[1].name"),
        ([{"role": "assistant", "tool_calls": [{**CALL, "id": ""}]}], "messages[0].tool_calls[0].id"),
        ([{"role": "assistant", "tool_calls": [{"id": "c"}]}], "messages[0].tool_calls[0].function"),
        ([{"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": ""}}]}],
         "messages[0].tool_calls[0].function.name"),
        ([{"role": "assistant", "tool_calls": "x"}], "messages[0].tool_calls"),
        ([{"role": "system", "content": [{"type": "image_url", "image_url": "https://x"}]}],
         "messages[0].content[0].image_url"),
        ([{"role": "assistant", "reasoning_details": 7}], "messages[0].reasoning_details"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(messages: Any, param: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse({"messages": messages})
    assert refused.value.param == param
