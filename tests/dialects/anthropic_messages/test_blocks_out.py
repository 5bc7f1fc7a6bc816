"""Messages of the hub in the order and form that Anthropic's API demands."""

import base64
from typing import Any

import pytest

from proxy.dialects.capabilities import Capabilities
from proxy.dialects.chat import Invalid
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
from tests.helpers.anthropic_turns import CLAUDE, build, make_request

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 16).decode()
HELLO = Message("user", (Text("Hello"),))
CALL = ToolCall("call_1", "add", '{"a": 1}')
OWN = Signature("a", "EqQB")
FOREIGN = Signature("g", "QUJD")


def build_messages(*messages: Message, capabilities: Capabilities = CLAUDE, **fields: Any) -> list[dict[str, Any]]:
    return list(build(make_request(messages=list(messages), **fields), capabilities)["messages"])


def build_part(part: Part, role: str = "user", **fields: Any) -> Any:
    """The block of a part."""
    messages = [HELLO, Message("assistant", (part,)), HELLO] if role == "assistant" else [Message("user", (part,))]
    (block,) = build_messages(*messages, **fields)[role == "assistant"]["content"]
    return block


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (Text("Hi"), {"type": "text", "text": "Hi"}),
        (
            Image(Media("image/jpg", PNG)),
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
        ),
        (Image(Media("", url="https://x/i")), {"type": "image", "source": {"type": "url", "url": "https://x/i"}}),
        (
            File(Media("application/pdf", "JVBERi0="), "T"),
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
                "title": "T",
            },
        ),
        (
            File(Media("text/markdown", base64.b64encode("é".encode()).decode())),
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "é"}},
        ),
        (
            File(Media("image/png", PNG), "a.png"),
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
        ),
        (
            File(Media("application/pdf", url="https://x/d")),
            {"type": "document", "source": {"type": "url", "url": "https://x/d"}},
        ),
    ],
)
def test_a_users_part(part: Part, block: dict[str, Any]) -> None:
    assert build_part(part) == block


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (Refusal("No"), {"type": "text", "text": "No"}),
        (Thinking("Hm", OWN), {"type": "thinking", "thinking": "Hm", "signature": "EqQB"}),
        (Thinking("", OWN), {"type": "thinking", "thinking": "", "signature": "EqQB"}),
        (Redacted(Signature("a", "Em")), {"type": "redacted_thinking", "data": "Em"}),
    ],
)
def test_an_assistants_part(part: Part, block: dict[str, Any]) -> None:
    assert build_part(part, "assistant") == block


@pytest.mark.parametrize(
    ("call", "given"),
    [
        (CALL, {"a": 1}),
        (ToolCall("call_1", "add", "{}"), {}),
        (ToolCall("call_1", "add", " "), {}),
        (ToolCall("call_1", "add", '{"a": '), {"_raw": '{"a": '}),
        (ToolCall("call_1", "add", "[1]"), {"_raw": "[1]"}),
        (ToolCall("call_1", "add", '{"a": 1}', custom=True), {"input": '{"a": 1}'}),
    ],
)
def test_a_call_has_an_object(call: ToolCall, given: dict[str, Any]) -> None:
    messages = build_messages(HELLO, Message("assistant", (call,)), Message("user", (ToolResult("call_1", ()),)))
    assert messages[1]["content"] == [{"type": "tool_use", "id": "call_1", "name": "add", "input": given}]


@pytest.mark.parametrize(
    ("result", "members"),
    [
        (ToolResult("call_1", (Text("5"),)), {"content": "5"}),
        (ToolResult("call_1", ()), {}),
        (ToolResult("call_1", (Text(""),)), {}),
        (ToolResult("call_1", (Text("5"),), is_error=True), {"content": "5", "is_error": True}),
        (
            ToolResult("call_1", (Text("5"), Image(Media("", url="https://x/i")))),
            {"content": [
                {"type": "text", "text": "5"}, {"type": "image", "source": {"type": "url", "url": "https://x/i"}},
            ]},
        ),
    ],
)  # fmt: skip
def test_a_result(result: ToolResult, members: dict[str, Any]) -> None:
    messages = build_messages(HELLO, Message("assistant", (CALL,)), Message("user", (result,)))
    assert messages[2]["content"] == [{"type": "tool_result", "tool_use_id": "call_1", **members}]


def test_results_stand_first_and_in_the_order_of_the_calls() -> None:
    calls = (ToolCall("b", "add", "{}"), ToolCall("a", "add", "{}"), ToolCall("c", "add", "{}"))
    messages = build_messages(
        HELLO,
        Message("assistant", calls),
        Message("user", (Text("and"), ToolResult("a", (Text("1"),)))),
        Message("user", (ToolResult("b", (Text("2"),)),)),
    )
    assert [block.get("tool_use_id") for block in messages[2]["content"]] == ["b", "a", "c", None]
    assert messages[2]["content"][2]["is_error"] is True
    assert len(messages) == 3


def test_ids_that_do_not_fit_stay_a_pair() -> None:
    call = ToolCall("functions.add:0", "add", "{}")
    messages = build_messages(HELLO, Message("assistant", (call,)), Message("user", (ToolResult(call.id, ()),)))
    made = messages[1]["content"][0]["id"]
    assert made.replace("_", "").isalnum()
    assert messages[2]["content"][0]["tool_use_id"] == made


@pytest.mark.parametrize(
    "part", [Thinking("Hm"), Thinking("Hm", FOREIGN), Redacted(FOREIGN), Redacted(Signature("yc", "x"))]
)
def test_reasoning_of_others_is_left_out(part: Part) -> None:
    messages = build_messages(HELLO, Message("assistant", (part, Text("Hi"))), HELLO)
    assert messages[1]["content"] == [{"type": "text", "text": "Hi"}]
    # Alone it was a message: what stands around it becomes one.
    assert [message["role"] for message in build_messages(HELLO, Message("assistant", (part,)), HELLO)] == ["user"]


def test_the_user_opens() -> None:
    assert build_messages(Message("assistant", (Text("Hi"),)), HELLO)[0] == {
        "role": "user",
        "content": [{"type": "text", "text": "(continue)"}],
    }


@pytest.mark.parametrize("messages", [[], [Message("user", (Text(""),))]])
def test_there_is_something_to_answer(messages: list[Message]) -> None:
    assert build_messages(*messages, system=[Text("Be brief")]) == [
        {"role": "user", "content": [{"type": "text", "text": "."}]}
    ]


@pytest.mark.parametrize(
    ("texts", "wanted"), [(("Hi \n",), ["Hi"]), (("Hi", " \n "), ["Hi"]), ((" ",), None), (("Hi", "there"), None)]
)
def test_an_assistants_message_at_the_end_is_continued(texts: tuple[str, ...], wanted: list[str] | None) -> None:
    last = build_messages(HELLO, Message("assistant", tuple(map(Text, texts))))[-1]
    if wanted is None and texts == (" ",):
        assert last["role"] == "user"
    else:
        assert [block["text"] for block in last["content"]] == (wanted or list(texts))


def test_a_model_that_continues_nothing_is_told_to() -> None:
    capabilities = Capabilities(family="claude", thinking="adaptive", prefill=False)
    messages = build_messages(HELLO, Message("assistant", (Text("Hi "),)), capabilities=capabilities)
    assert messages[1]["content"] == [{"type": "text", "text": "Hi "}]
    assert messages[2] == {"role": "user", "content": [{"type": "text", "text": "Continue."}]}


def test_a_system_message_in_the_middle_stays_there() -> None:
    messages = build_messages(HELLO, Message("system", (Text("Be brief"),)), HELLO)
    assert [block["text"] for block in messages[0]["content"]] == ["Hello", "<system>Be brief</system>", "Hello"]


def test_opaque_blocks_return_to_their_own_dialect() -> None:
    block = {"type": "server_tool_use", "id": "s", "cache_control": {"type": "ephemeral"}}
    part = Opaque("anthropic", block, cache=block["cache_control"])  # type: ignore[arg-type]
    assert build_part(part, "assistant", dialect="anthropic") == block


@pytest.mark.parametrize(
    ("part", "role", "fields"),
    [
        (Audio("wav", "QUJD", at="here"), "user", {}),
        (Image(Media("image/png", PNG), at="here"), "assistant", {}),
        (Image(Media("image/tiff", "QUJD"), at="here"), "user", {}),
        (Image(Media("", url="gs://bucket/i"), at="here"), "user", {}),
        (Image(Media("", file_id="file_1"), at="here"), "user", {}),
        (Image(Media("image/png", PNG), at="here"), "user", {"capabilities": Capabilities(images=False)}),
        (File(Media("application/zip", "QUJD"), at="here"), "user", {}),
        (File(Media("text/plain", "/w=="), at="here"), "user", {}),
        (Opaque("gemini", {}, at="here"), "user", {}),
        (Opaque("anthropic", {}, at="here"), "user", {}),
    ],
)
def test_what_the_model_cannot_take_is_refused_by_its_place(part: Part, role: str, fields: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as caught:
        build_part(part, role, **fields)
    assert caught.value.param == "here"


def test_a_file_of_the_same_vendor() -> None:
    block = build_part(Image(Media("", file_id="file_1")), dialect="anthropic")
    assert block["source"] == {"type": "file", "file_id": "file_1"}
