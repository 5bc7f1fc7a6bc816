"""Messages for a provider: their order, their parts, and the places of what cannot be told."""

import base64
import json
from typing import Any

import pytest

from proxy.dialects.capabilities import Capabilities
from proxy.dialects.chat import Invalid, Target
from proxy.dialects.openai_chat import PROVIDER
from proxy.dialects.openai_chat.messages_out import fit_tool_id
from proxy.dialects.parts import (
    Audio,
    File,
    Image,
    Media,
    Message,
    Opaque,
    Part,
    Redacted,
    Refusal,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from tests.helpers.openai_chat import build, make_request, make_target, parse

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(8)).decode()
PICTURE = Image(Media("image/png", PNG), "low", at="here")
SHOWN = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": "low"}}
CALL = ToolCall("c1", "f", '{"a": 1}')
SENT = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}


def user(*parts: Part) -> Message:
    return Message("user", parts, "messages[0]")


def assistant(*parts: Part) -> Message:
    return Message("assistant", parts, "messages[1]")


def write(*messages: Message, target: Target | None = None, **fields: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = build(make_request(*messages, **fields), target)["messages"]
    return found


def test_the_system_prompt_is_first() -> None:
    written = write(user(Text("hi")), system=[Text("a"), Text(""), Text("b")])
    texts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert written == [{"role": "system", "content": texts}, {"role": "user", "content": "hi"}]
    written = write(user(Text("hi"), Text("you")), system=[Text("a"), Text("b")], target=make_target("vllm"))
    assert [message["content"] for message in written] == ["a\n\nb", "hi\n\nyou"]


def test_a_system_message_in_the_middle() -> None:
    messages = (user(Text("a")), Message("system", (Text("b"),)), user(Text("c")))
    assert [each["role"] for each in write(*messages)] == ["user", "system", "user"]
    assert write(*messages, target=make_target("mistral"))[1] == {"role": "user", "content": "<system>b</system>"}
    assert write(*messages, target=make_target("vllm")) == [
        {"role": "user", "content": "a\n\n<system>b</system>\n\nc"}
    ]  # fmt: skip


def test_a_turn_with_calls() -> None:
    result = ToolResult("c1", (Text("one"), Text("two")))
    assert write(user(Text("a")), assistant(Text("b"), Text("c"), CALL), user(result, Text("d")))[1:] == [
        {"role": "assistant", "content": "bc", "tool_calls": [SENT]},
        {"role": "tool", "tool_call_id": "c1", "content": "one\ntwo"},
        {"role": "user", "content": "d"},
    ]


def test_a_result_that_is_an_error_says_so() -> None:
    for text, shown in (("no", "Error: no"), ("Error: no", "Error: no"), ("", "Error: ")):
        written = write(assistant(CALL), user(ToolResult("c1", (Text(text),), is_error=True)))
        assert written[1]["content"] == shown


def test_an_image_in_a_result_follows_it() -> None:
    results = user(ToolResult("c1", (PICTURE,)), ToolResult("c2", (Text("x"),)), Text("and?"))
    written = write(assistant(CALL, ToolCall("c2", "f", "{}")), results)
    assert [(each["role"], each.get("tool_call_id")) for each in written] == [
        ("assistant", None), ("tool", "c1"), ("tool", "c2"), ("user", None),
    ]  # fmt: skip
    assert written[3]["content"][1:] == [SHOWN, {"type": "text", "text": "and?"}]
    assert "c1" in written[3]["content"][0]["text"]


@pytest.mark.parametrize(
    ("parts", "quirks", "content"),
    [
        ((CALL,), "openai", None),
        ((CALL,), "compatible", ""),
        ((Thinking("x"),), "openai", ""),
        ((Refusal("no"),), "openai", None),
        ((Refusal("no"),), "compatible", "no"),
    ],
)
def test_content_of_an_assistant_without_text(parts: tuple[Part, ...], quirks: str, content: Any) -> None:
    written = write(assistant(*parts), target=make_target(quirks))
    assert written[0]["content"] == content
    assert ("refusal" in written[0]) == (quirks == "openai" and isinstance(parts[0], Refusal))


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [("", "{}"), (" ", "{}"), ('{"a" :1}', '{"a" :1}'), ("[1]", '{"_raw":"[1]"}'), ('{"a', '{"_raw":"{\\"a"}')],
)
def test_arguments_are_always_an_object(arguments: str, sent: str) -> None:
    (message, _) = write(assistant(ToolCall("c", "f", arguments)))
    assert message["tool_calls"][0]["function"]["arguments"] == sent


def test_calls_of_free_text() -> None:
    call = ToolCall("c", "patch", "x\n", custom=True)
    (message, _) = write(assistant(call))
    assert message["tool_calls"] == [{"id": "c", "type": "custom", "custom": {"name": "patch", "input": "x\n"}}]
    (message, _) = write(assistant(call), target=make_target("groq"))
    assert message["tool_calls"][0]["function"] == {"name": "patch", "arguments": '{"input":"x\\n"}'}


@pytest.mark.parametrize(
    ("call_id", "form", "sent"),
    [
        ("call_1", "any", "call_1"),
        ("a" * 64, "any", "a" * 64),
        ("a" * 40, "short", "a" * 40),
        ("abcdefghi", "nine", "abcdefghi"),
    ],
)
def test_ids_that_fit_stay(call_id: str, form: str, sent: str) -> None:
    assert fit_tool_id(call_id, form) == sent


@pytest.mark.parametrize(
    ("call_id", "form", "longest"),
    [("a" * 41, "short", 40), ("functions.f:0", "any", 64), ("call_1", "nine", 9), ("abcdefgh-", "nine", 9)],
)
def test_ids_that_do_not_fit_are_changed_the_same_way_everywhere(call_id: str, form: str, longest: int) -> None:
    changed = fit_tool_id(call_id, form)
    assert changed != call_id
    assert len(changed) <= longest
    assert fit_tool_id(call_id, form) == changed != fit_tool_id(call_id + "x", form)
    quirks = {"nine": "mistral", "any": "vllm", "short": "openai"}[form]
    messages = (assistant(ToolCall(call_id, "f", "{}")), user(ToolResult(call_id, (Text("x"),))))
    written = write(*messages, target=make_target(quirks))
    assert written[0]["tool_calls"][0]["id"] == written[1]["tool_call_id"] == changed


THOUGHTS = (
    user(Text("a")),
    assistant(Thinking("old"), CALL),
    user(ToolResult("c1", (Text("x"),))),
    assistant(Thinking("b"), Redacted(Signature("a", "x")), Text("y")),
    user(Text("c")),
    assistant(Thinking("new", Signature("a", "s")), ToolCall("c2", "f", "{}")),
    user(ToolResult("c2", (Text("z"),))),
)


@pytest.mark.parametrize(
    ("quirks", "replayed"),
    [("openai", []), ("compatible", []), ("moonshot", ["old", "new"]), ("deepseek", ["new"]), ("vllm", ["new"])],
)
def test_thoughts_go_back_where_they_are_wanted(quirks: str, replayed: list[str]) -> None:
    written = write(*THOUGHTS, target=make_target(quirks))
    assert [message["reasoning_content"] for message in written if "reasoning_content" in message] == replayed
    assert "old" not in json.dumps([message.get("content") for message in written])


def test_signatures_of_googles_endpoint() -> None:
    signed = ToolCall("c", "f", "{}", Signature("g", "QUJD"))
    (message, _) = write(assistant(signed), target=make_target("google"))
    assert message["tool_calls"][0]["extra_content"] == {"google": {"thought_signature": "QUJD"}}
    (message, _) = write(assistant(signed))
    assert "extra_content" not in message["tool_calls"][0]


TEXT_FILE = File(Media("text/plain", "w6k="), "a.txt")
PDF = File(Media("application/pdf", "JVBERg=="), "a.pdf")


@pytest.mark.parametrize(
    ("part", "quirks", "sent"),
    [
        (Image(Media("", url="https://x"), at="here"), "openai", {"type": "image_url", "image_url": {"url": "https://x"}}),
        (File(Media("image/jpg", PNG)), "openai", {**SHOWN, "image_url": {"url": SHOWN["image_url"]["url"]}}),  # type: ignore[index]
        (Audio("wav", "AAAA"), "openai", {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}),
        (TEXT_FILE, "groq", {"type": "text", "text": "a.txt:\né"}),
        (
            PDF,
            "openai",
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERg=="}},
        ),
    ],
)  # fmt: skip
def test_parts(part: Part, quirks: str, sent: Any) -> None:
    assert write(user(Text("a"), part), target=make_target(quirks))[0]["content"][1] == sent


BLIND = Capabilities(images=False)


@pytest.mark.parametrize(
    ("message", "target"),
    [
        (user(PICTURE), make_target("openai", BLIND)),
        (user(Image(Media("image/tiff", "AAAA"), at="here")), make_target()),
        (user(Image(Media("", url="https://x"), at="here")), make_target("ollama")),
        (user(Image(Media("", file_id="f"), at="here")), make_target()),
        (user(Audio("wav", "AAAA", at="here")), make_target("groq")),
        (user(File(Media("application/pdf", "JVBERg=="), at="here")), make_target("groq")),
        (user(File(Media("application/pdf", url="https://x"), at="here")), make_target()),
        (user(File(Media("", file_id="f"), at="here")), make_target()),
        (user(Opaque("anthropic", {}, at="here")), make_target()),
        (assistant(PICTURE), make_target()),
    ],
)
def test_what_cannot_be_told_is_refused_by_its_place(message: Message, target: Target) -> None:
    with pytest.raises(Invalid) as refused:
        write(message, target=target)
    assert refused.value.param == "here"


def test_a_block_of_a_server_tool_is_dropped_with_its_place() -> None:
    request = make_request(assistant(Opaque("anthropic", {"type": "server_tool_use"}, at="there"), Text("x")))
    outgoing = PROVIDER.build_request(request, make_target())
    assert outgoing.dropped == ("there",)
    assert build(request)["messages"] == [{"role": "assistant", "content": "x"}]


def test_what_the_same_dialect_said_stays_as_it_was() -> None:
    part = {"type": "video_url", "video_url": {"url": "x"}}
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "a"}, part], "name": "ann"},
        {"role": "assistant", "content": None, "audio": {"id": "x"}},
        {"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]},
    ]
    assert build(parse({"messages": messages}))["messages"] == messages
