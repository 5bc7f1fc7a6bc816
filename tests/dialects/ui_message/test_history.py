"""UI messages become what `convertToModelMessages` of the SDK would send, in the hub's words."""

from typing import Any

import pytest

from proxy.dialects.chat import Invalid
from proxy.dialects.parts import (
    Image,
    Media,
    Message,
    Redacted,
    Refusal,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from proxy.dialects.ui_message.notes import build_note, build_signature
from tests.helpers.ui_message import HELLO, parse

SIGNED = Signature("a", "QQ")


def read(*parts: Any, role: str = "assistant") -> list[Message]:
    """The messages that a message with `parts` becomes, HELLO before it."""
    return parse(HELLO, {"id": "m2", "role": role, "parts": parts}).messages[1:]


def tool(state: str, **part: Any) -> dict[str, Any]:
    return {"type": "tool-f", "toolCallId": "call_1", "state": state, "input": {}} | part


def test_text_and_files_of_a_user() -> None:
    [message] = read(
        {"type": "text", "text": " a\u2028 "},
        {"type": "file", "mediaType": "image/png", "url": "https://x.example/a.png"},
        {"type": "data-theme", "data": {"dark": True}},
        role="user",
    )
    assert message == Message("user", (Text(" a\u2028 "), Image(Media("image/png", url="https://x.example/a.png"))))
    assert [part.at for part in message.parts] == ["messages[1].parts[0]", "messages[1].parts[1].url"]


def test_leading_system_messages_are_the_system_prompt_and_later_ones_stay() -> None:
    def say(text: str) -> Any:
        return {"id": "s", "role": "system", "parts": [{"type": "text", "text": text}, {"type": "step-start"}]}

    request = parse(say("one"), say("two"), HELLO, say("three"), system="zero")
    assert request.system == [Text("zero"), Text("one"), Text("two")]
    assert [(message.role, message.parts) for message in request.messages] == [
        ("user", (Text("hello"),)), ("system", (Text("three"),)),
    ]  # fmt: skip
    assert request.named["system"] == "system"
    assert parse(say("one"), HELLO).named["system"] == "messages[0].parts[0]"


def test_steps_are_messages_and_results_follow_their_step() -> None:
    assert read(
        {"type": "step-start"},
        {"type": "reasoning", "text": "hm", "providerMetadata": build_signature("signature", SIGNED)},
        {"type": "text", "text": "a"},
        tool("output-available", input={"x": 1}, output={"y": [1, "ü"]}),
        {"type": "dynamic-tool", "toolName": "g/h", "toolCallId": "call_2", "state": "output-available", "output": ""},
        {"type": "step-start"},
        {"type": "text", "text": "b"},
    ) == [
        Message("assistant", (
            Thinking("hm", SIGNED), Text("a"), ToolCall("call_1", "f", '{"x":1}'), ToolCall("call_2", "g/h", "{}"),
        )),
        Message("user", (ToolResult("call_1", (Text('{"y":[1,"ü"]}'),)), ToolResult("call_2", (Text(""),)))),
        Message("assistant", (Text("b"),)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("part", "text", "is_error"),
    [
        (tool("input-available"), None, False),
        (tool("approval-requested", approval={"id": "a"}), None, False),
        (tool("approval-responded", approval={"id": "a", "approved": True}), None, False),
        (tool("approval-responded", approval={"id": "a", "approved": False, "reason": "no"}), "no", True),
        (tool("output-denied", approval={"id": "a", "approved": False}), "Tool call execution denied.", True),
        (tool("output-denied"), "Tool call execution denied.", True),
        (tool("output-error", errorText="boom"), "boom", True),
        (tool("output-available", output="plain"), "plain", False),
        (tool("output-available", output=None), "null", False),
        (tool("output-available", output=[1.5, False]), "[1.5,false]", False),
        (tool("output-available", output=1, preliminary=True, providerExecuted=True), "1", False),
    ],
)
def test_each_state_of_a_call(part: Any, text: str | None, is_error: bool) -> None:
    messages = read(part)
    assert messages[0].parts == (ToolCall("call_1", "f", "{}"),)
    results = (ToolResult("call_1", (Text(text),), is_error=is_error),) if text is not None else None
    assert [message.parts for message in messages[1:]] == ([results] if results else [])


@pytest.mark.parametrize(
    ("part", "arguments"),
    [
        (tool("output-error", errorText="e", input=None, rawInput='{"a": '), '{"a": '),
        (tool("output-error", errorText="e", input='{"a": '), '{"a": '),
        (tool("output-error", errorText="e", input=None, rawInput={"a": 1}), '{"a":1}'),
        (tool("output-error", errorText="e", input={"a": 1}, rawInput="x"), '{"a":1}'),
        (tool("output-error", errorText="e", input=None), "{}"),
        (tool("input-available", input=None), "{}"),
        (tool("input-available", input=""), "{}"),
        (tool("input-available", input=10**30), "1" + "0" * 30),
        (tool("input-available", input={"a": "\ud800"}), '{"a":"\\ud800"}'),
    ],
)
def test_the_arguments_of_a_call(part: Any, arguments: str) -> None:
    assert read(part)[0].parts == (ToolCall("call_1", "f", arguments),)


@pytest.mark.parametrize("place", ["callProviderMetadata", "resultProviderMetadata"])
def test_a_call_keeps_its_signature(place: str) -> None:
    [message] = read(tool("input-available", **{place: build_signature("signature", SIGNED)}))
    assert message.parts == (ToolCall("call_1", "f", "{}", SIGNED),)


def test_what_was_redacted_or_refused_comes_back_as_such() -> None:
    [message] = read(
        {"type": "reasoning", "text": "", "providerMetadata": build_signature("redacted", SIGNED)},
        {"type": "text", "text": "No.", "providerMetadata": build_note("refusal", True)},
        {"type": "reasoning", "text": "", "providerMetadata": build_signature("signature", SIGNED)},
    )
    assert message.parts == (Redacted(SIGNED), Refusal("No."), Thinking("", SIGNED))


def test_what_is_only_shown_is_not_sent() -> None:
    assert read(
        {"type": "source-url", "sourceId": "s", "url": "https://x.example"},
        {"type": "source-document", "sourceId": "s", "mediaType": "text/plain", "title": "t"},
        {"type": "data-x", "data": 1},
        {"type": "custom", "kind": "openai.compaction"},
        {"type": "reasoning-file", "mediaType": "image/png", "url": "data:,"},
        {"type": "reasoning", "text": ""},
        tool("input-streaming", input={"half": 1}),
    ) == []  # fmt: skip


def test_words_of_the_user_within_an_answer_stand_between_its_steps() -> None:
    steering = {"type": "steering-message", "id": "s", "parts": [{"type": "text", "text": "faster"}]}
    assert read({"type": "text", "text": "a"}, steering, {"type": "text", "text": "b"}) == [
        Message("assistant", (Text("a"),)), Message("user", (Text("faster"),)), Message("assistant", (Text("b"),)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("message", "param"),
    [
        (1, "messages[1]"),
        ({"parts": []}, "messages[1].role"),
        ({"role": "tool", "parts": []}, "messages[1].role"),
        ({"role": "user"}, "messages[1].parts"),
        ({"role": "user", "content": "hello"}, "messages[1].parts"),
        ({"role": "user", "parts": "hello"}, "messages[1].parts"),
        ({"role": "user", "parts": ["hello"]}, "messages[1].parts[0]"),
        ({"role": "user", "parts": [{}]}, "messages[1].parts[0].type"),
        ({"role": "user", "parts": [{"type": "text"}]}, "messages[1].parts[0].text"),
        ({"role": "user", "parts": [{"type": "reasoning", "text": "x"}]}, "messages[1].parts[0].type"),
        ({"role": "user", "parts": [tool("input-available")]}, "messages[1].parts[0].type"),
        ({"role": "assistant", "parts": [{"type": "video", "url": "x"}]}, "messages[1].parts[0].type"),
        ({"role": "assistant", "parts": [{"type": "reasoning"}]}, "messages[1].parts[0].text"),
        ({"role": "assistant", "parts": [tool("output-available") | {"type": "tool-"}]}, "messages[1].parts[0].type"),
        ({"role": "assistant", "parts": [tool("done")]}, "messages[1].parts[0].state"),
        ({"role": "assistant", "parts": [tool("input-available", toolCallId="")]}, "messages[1].parts[0].toolCallId"),
        ({"role": "assistant", "parts": [tool("output-error")]}, "messages[1].parts[0].errorText"),
        ({"role": "assistant", "parts": [tool("approval-responded")]}, "messages[1].parts[0].approval"),
        ({"role": "assistant", "parts": [{"type": "dynamic-tool", "toolCallId": "c", "state": "input-available"}]},
         "messages[1].parts[0].toolName"),
        ({"role": "system", "parts": [{"type": "text"}]}, "messages[1].parts[0].text"),
    ],
)  # fmt: skip
def test_what_is_refused_with_its_place(message: Any, param: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(HELLO, message)
    assert caught.value.param == param
