"""How many tokens a request is guessed to have."""

import pytest

from proxy.dialects.estimate import count_tokens, estimate_tokens, measure_text
from proxy.dialects.parts import (
    File,
    Image,
    Media,
    Message,
    Opaque,
    OutputFormat,
    Part,
    Redacted,
    Request,
    Signature,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
)


def count(*parts: Part, **fields: object) -> int:
    messages = [Message("user", parts)] if parts else []
    return estimate_tokens(Request(model="m", messages=messages, dialect="x", **fields))  # type: ignore[arg-type]


def test_four_bytes_are_a_token() -> None:
    assert count(Text("a" * 4000)) - count(Text("a" * 2000)) == 500


def test_bytes_count_and_not_characters() -> None:
    assert count(Text("\u4e2d" * 4000)) - count(Text("\u4e2d" * 2000)) == 1500


def test_an_empty_request_has_one_token() -> None:
    assert count() == 1


@pytest.mark.parametrize(
    "part",
    [
        Text("a" * 400),
        Thinking("a" * 400),
        Redacted(Signature("a", "a" * 400)),
        ToolCall("id", "name", "a" * 400),
        ToolResult("id", (Text("a" * 400),)),
        Image(Media("image/png", "a")),
        ToolResult("id", (Image(Media("image/png", "a")),)),
        File(Media("application/pdf", url="https://example.com")),
        Opaque("anthropic", {"a": "a" * 400}),
        Text("\ud800" * 200),
    ],
)
def test_every_part_counts(part: Part) -> None:
    assert count(part) >= 100


def test_an_image_counts_for_itself_and_not_for_its_bytes() -> None:
    assert count(Image(Media("image/png", "a" * 1_000_000))) == count(Image(Media("image/png", "a")))


@pytest.mark.parametrize(
    "fields",
    [
        {"system": [Text("a" * 400)]},
        {"tools": [Tool("name", "a" * 400)]},
        {"tools": [Tool("name", schema={"a": "a" * 400})]},
        {"server_tools": [Opaque("anthropic", {"a": "a" * 400})]},
        {"output": OutputFormat({"a": "a" * 400})},
    ],
)
def test_what_stands_beside_the_messages_counts(fields: dict[str, object]) -> None:
    assert count(**fields) >= 100


def test_text_is_measured_in_bytes_and_a_token_has_four() -> None:
    assert [measure_text(text) for text in ("", "abcd", "äß", "\ud800")] == [0, 4, 4, 3]
    assert [count_tokens(size) for size in (0, 1, 4, 5)] == [0, 1, 1, 2]
