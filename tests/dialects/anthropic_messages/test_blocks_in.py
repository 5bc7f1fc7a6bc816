"""Content blocks of Anthropic's clients as parts."""

import base64
from typing import Any

import pytest

from proxy.dialects.chat import Invalid
from proxy.dialects.parts import (
    File,
    Image,
    Media,
    Opaque,
    Part,
    Redacted,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from proxy.dialects.signatures import seal
from tests.helpers.anthropic_turns import parse

CACHE = {"type": "ephemeral"}
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 16).decode()
CALL = {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {"a": 1}}


def read(role: str, *blocks: Any) -> tuple[Part, ...]:
    """The parts of the last message; a call stands before a user's."""
    before = [{"role": "assistant", "content": [CALL]}] if role == "user" else []
    return parse(messages=[*before, {"role": role, "content": list(blocks)}]).messages[-1].parts


def source(kind: str, **members: Any) -> dict[str, Any]:
    return {"type": kind, **members}


@pytest.mark.parametrize(
    ("block", "parts"),
    [
        ({"type": "text", "text": "Hi", "cache_control": CACHE}, (Text("Hi", cache=CACHE),)),
        (
            {"type": "image", "source": source("base64", media_type="image/jpg", data=PNG)},
            (Image(Media("image/png", PNG)),),
        ),
        ({"type": "image", "source": source("url", url="https://x/i.png")}, (Image(Media("", url="https://x/i.png")),)),
        ({"type": "image", "source": source("file", file_id="file_1")}, (Image(Media("", file_id="file_1")),)),
        (
            {"type": "document", "title": "T",
             "source": source("base64", media_type="application/pdf", data="JVBERi0=")},
            (File(Media("application/pdf", "JVBERi0="), "T"),),
        ),
        (
            {"type": "document", "source": source("url", url="https://x/d"), "context": "about"},
            (File(Media("application/pdf", url="https://x/d")), Text("about")),
        ),
        (
            {"type": "document", "source": source("text", media_type="text/plain", data="body"), "title": "T"},
            (Text("<document>\n<source>T</source>\nbody\n</document>"),),
        ),
        (
            {"type": "document", "source": source("content", content="body"), "context": "about"},
            (Text("<document>\n<context>about</context>\nbody\n</document>"),),
        ),
        (
            {"type": "document", "source": source("content", content=[
                {"type": "text", "text": "one"}, {"type": "text", "text": "two"},
            ])},
            (Text("<document>\none\ntwo\n</document>"),),
        ),
        (
            {"type": "document", "source": source("content", content=[{"type": "image"}])},
            (Opaque("anthropic", {"type": "document", "source": source("content", content=[{"type": "image"}])}),),
        ),
        ({"type": "tool_result", "tool_use_id": "toolu_1"}, (ToolResult("toolu_1", ()),)),
        (
            {"type": "tool_result", "tool_use_id": "toolu_1", "content": "5", "is_error": True},
            (ToolResult("toolu_1", (Text("5"),), is_error=True),),
        ),
        (
            {"type": "tool_result", "tool_use_id": "toolu_1", "content": [
                {"type": "text", "text": "5"},
                {"type": "image", "source": source("base64", media_type="image/png", data=PNG)},
                {"type": "tool_reference", "tool_name": "x"},
            ]},
            (ToolResult("toolu_1", (
                Text("5"), Image(Media("image/png", PNG)),
                Text("The tool x can be called now."),
            )),),
        ),
        ({"type": "search_result", "title": "t"}, (Opaque("anthropic", {"type": "search_result", "title": "t"}),)),
    ],
)  # fmt: skip
def test_a_users_block(block: dict[str, Any], parts: tuple[Part, ...]) -> None:
    assert read("user", block) == parts


@pytest.mark.parametrize(
    ("block", "parts"),
    [
        (CALL, (ToolCall("toolu_1", "add", '{"a":1}'),)),
        ({**CALL, "input": {}}, (ToolCall("toolu_1", "add", "{}"),)),
        ({"type": "thinking", "thinking": "Hm", "signature": "EqQB"}, (Thinking("Hm", Signature("a", "EqQB")),)),
        ({"type": "thinking", "thinking": "Hm", "signature": ""}, (Thinking("Hm"),)),
        ({"type": "thinking", "thinking": "Hm"}, (Thinking("Hm"),)),
        (
            {"type": "thinking", "thinking": "Hm", "signature": seal(Signature("r", "x"))},
            (Thinking("Hm", Signature("r", "x")),),
        ),
        ({"type": "redacted_thinking", "data": "Em"}, (Redacted(Signature("a", "Em")),)),
        ({"type": "redacted_thinking", "data": seal(Signature("o", "{}"))}, (Redacted(Signature("o", "{}")),)),
        ({"type": "redacted_thinking", "data": "gw1.broken"}, ()),
        ({"type": "server_tool_use", "id": "s"}, (Opaque("anthropic", {"type": "server_tool_use", "id": "s"}),)),
    ],
)
def test_an_assistants_block(block: dict[str, Any], parts: tuple[Part, ...]) -> None:
    assert read("assistant", block) == parts


def test_arguments_keep_large_numbers_and_lone_surrogates() -> None:
    (call,) = read("assistant", {**CALL, "input": {"n": 123456789012345678901234567890, "s": "\ud800\u2028"}})
    assert isinstance(call, ToolCall)
    assert call.arguments == '{"n":123456789012345678901234567890,"s":"\\ud800\\u2028"}'


def test_a_signature_of_geminis_goes_back_to_its_call() -> None:
    signature = Signature("g", "QUJD")
    signed = ToolCall("toolu_1", "add", '{"a":1}', signature)
    thinking = {"type": "thinking", "thinking": "Sum", "signature": seal(signature)}
    assert read("assistant", thinking, CALL) == (Thinking("Sum"), signed)
    assert read("assistant", {**thinking, "thinking": ""}, CALL) == (signed,)
    assert read("assistant", {"type": "redacted_thinking", "data": seal(signature)}, CALL) == (signed,)
    # Those that a provider gives for its thoughts stay with them.
    own = {"type": "thinking", "thinking": "Sum", "signature": "EqQB"}
    assert read("assistant", own, CALL) == (
        Thinking("Sum", Signature("a", "EqQB")),
        ToolCall("toolu_1", "add", '{"a":1}'),
    )
    assert read("assistant", thinking, {"type": "text", "text": "x"}, CALL)[0] == Thinking("Sum", signature)


def test_every_part_knows_its_place() -> None:
    parts = read("user", {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "5"}]})
    assert parts[0].at == "messages[1].content[0]"
    assert isinstance(parts[0], ToolResult)
    assert parts[0].content[0].at == "messages[1].content[0].content[0]"
    assert parse().messages[0].parts[0].at == "messages[0].content"


def test_a_system_message_in_the_middle() -> None:
    request = parse(messages=[{"role": "user", "content": "Hi"}, {"role": "system", "content": "Be brief"}])
    assert request.messages[1].role == "system"
    assert request.messages[1].parts == (Text("Be brief"),)


def test_citations_that_are_wanted_are_no_secret() -> None:
    def ask(enabled: bool) -> Any:
        block = {"type": "document", "source": source("text", data="x"), "citations": {"enabled": enabled}}
        return parse(messages=[{"role": "user", "content": [block]}]).extra

    assert ask(True) == {"citations": True}
    assert ask(False) == {}


@pytest.mark.parametrize(
    ("role", "block", "param"),
    [
        ("user", "text", ""),
        ("user", {"text": "x"}, ".type"),
        ("user", {"type": "text"}, ".text"),
        ("user", {"type": "text", "text": 1}, ".text"),
        ("user", {"type": "text", "text": "x", "cache_control": 1}, ".cache_control"),
        ("user", CALL, ".type"),
        ("user", {"type": "thinking", "thinking": "x"}, ".type"),
        ("assistant", {"type": "tool_result", "tool_use_id": "toolu_1"}, ".type"),
        ("assistant", {**CALL, "id": ""}, ".id"),
        ("assistant", {**CALL, "name": None}, ".name"),
        ("assistant", {**CALL, "input": "{}"}, ".input"),
        ("user", {"type": "tool_result"}, ".tool_use_id"),
        ("user", {"type": "tool_result", "tool_use_id": "toolu_2"}, ".tool_use_id"),
        ("user", {"type": "tool_result", "tool_use_id": "toolu_1", "content": 5}, ".content"),
        ("user", {"type": "tool_result", "tool_use_id": "toolu_1", "content": ["x"]}, ".content[0]"),
        ("user", {"type": "image"}, ".source"),
        ("user", {"type": "image", "source": {}}, ".source.type"),
        ("user", {"type": "image", "source": source("ftp")}, ".source.type"),
        ("user", {"type": "image", "source": source("base64", media_type="image/png", data="?")}, ".source.data"),
        ("user", {"type": "image", "source": source("base64", media_type="image/png", data="")}, ".source.data"),
        ("user", {"type": "image", "source": source("base64", media_type="image/tiff", data="QUJD")}, ""),
        ("user", {"type": "image", "source": source("url")}, ".source.url"),
        ("user", {"type": "document", "source": source("text")}, ".source.data"),
    ],
)
def test_a_fault_is_named_by_its_path(role: str, block: Any, param: str) -> None:
    with pytest.raises(Invalid) as caught:
        read(role, block)
    assert caught.value.param == f"messages[{int(role == 'user')}].content[0]{param}"


@pytest.mark.parametrize("content", [None, 5, {}])
def test_content_is_a_text_or_blocks(content: Any) -> None:
    with pytest.raises(Invalid) as caught:
        parse(messages=[{"role": "user", "content": content}])
    assert caught.value.param == "messages[0].content"
