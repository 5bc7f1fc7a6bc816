"""Requests from Anthropic's clients to Anthropic's models, taken apart and put together again."""

import json
from copy import deepcopy
from typing import Any

import pytest

from proxy.dialects.anthropic_messages import PROVIDER
from proxy.dialects.anthropic_messages.native import find_block
from proxy.dialects.chat import Target
from proxy.dialects.parts import Signature, Text, ToolCall, ToolResult
from proxy.dialects.signatures import seal
from tests.helpers.anthropic_turns import CLAUDE, HELLO, build, parse

CACHE = {"type": "ephemeral", "ttl": "1h"}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "a.b", "input": {"n": 1.0}, "caller": {"type": "direct"}}
FOREIGN = {"type": "thinking", "thinking": "Hm", "signature": seal(Signature("g", "QUJD"))}
DOCUMENT = {
    "type": "document",
    "source": {"type": "text", "media_type": "text/plain", "data": "x"},
    "citations": {"enabled": True},
    "title": "T",
}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "5"}]}


@pytest.mark.parametrize(
    ("role", "block"),
    [
        ("user", {"type": "text", "text": "Hi", "cache_control": CACHE}),
        ("user", DOCUMENT),
        ("user", {"type": "document", "source": {"type": "url", "url": "https://x"}, "context": "about"}),
        ("user", {"type": "document", "source": {"type": "content", "content": "x"}}),
        ("user", {"type": "search_result", "title": "t"}),
        ("user", {"type": "image", "source": {"type": "file", "file_id": "f"}, "novelty": 1}),
        ("assistant", {"type": "text", "text": "Hi", "citations": [{"type": "char_location"}]}),
        ("assistant", {"type": "redacted_thinking", "data": "Em"}),
    ],
)
def test_a_block_stays_as_it_came(role: str, block: dict[str, Any]) -> None:
    messages = [HELLO, {"role": role, "content": [block]}, HELLO]
    sent = [part for message in build(parse(messages=messages))["messages"] for part in message["content"]]
    hello = {"type": "text", "text": "Hello"}
    assert sent == [hello, block, hello]


def test_calls_results_and_tools_stay_as_they_came() -> None:
    tool = {"name": "a.b", "input_schema": {"type": "object"}, "eager_input_streaming": True}
    request = parse(
        tools=[tool],
        messages=[HELLO, {"role": "assistant", "content": [FOREIGN, CALL]}, {"role": "user", "content": [RESULT]}],
    )
    body = build(request)
    assert body["tools"] == [tool]
    # Reasoning of another provider would be refused; nothing else is touched.
    assert [message["content"] for message in body["messages"][1:]] == [[CALL], [RESULT]]
    assert PROVIDER.build_request(request, Target("claude", CLAUDE)).dropped == ()


def test_a_block_that_became_something_else_is_built_anew() -> None:
    request = parse(messages=[
        HELLO,
        {"role": "system", "content": [{"type": "text", "text": "Be brief"}]},
        {"role": "assistant", "content": [CALL]},
        {"role": "user", "content": [{"type": "text", "text": "and"}]},
    ])  # fmt: skip
    body = build(request)
    assert body["messages"][0]["content"][1]["text"] == "<system>Be brief</system>"
    assert body["messages"][2]["content"][0] == {
        "type": "tool_result", "tool_use_id": "toolu_1", "content": "(no result)", "is_error": True,
    }  # fmt: skip


def test_the_request_is_not_changed() -> None:
    content = [{**RESULT, "content": [{"type": "text", "text": str(n), "cache_control": CACHE} for n in range(6)]}]
    request = parse(messages=[HELLO, {"role": "assistant", "content": [CALL]}, {"role": "user", "content": content}])
    before = deepcopy(request)
    first = build(request)
    assert json.dumps(first).count("cache_control") == 4
    assert request == before
    assert build(request) == first


@pytest.mark.parametrize(
    ("part", "found"),
    [
        (Text("x", at="0"), True),
        (Text("y", at="0"), False),
        (Text("x", at="1"), False),
        (ToolCall("i", "n", "{}", at="0"), False),
        (ToolResult("i", (), at="2"), True),
        (Text("x", at="2"), False),
    ],
)
def test_a_block_is_found_by_place_and_kind(part: Any, found: bool) -> None:
    blocks = {"0": {"type": "text", "text": "x"}, "2": {"type": "tool_result"}}
    assert (find_block(blocks, part) is not None) == found
