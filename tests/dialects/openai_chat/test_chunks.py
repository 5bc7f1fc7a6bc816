"""A chunk is read whatever its members are; only what is no JSON object is refused."""

import json
from typing import Any

import pytest

from proxy.dialects.openai_chat.chunks import Chunk, read_chunk, read_tail, read_value


def test_the_quick_way() -> None:
    chunk = read_chunk(b'{"id":"a","model":"m","new":{},"choices":[{"index":0,"delta":{"content":"x"}}]}')
    assert (chunk.id, chunk.model) == ("a", "m")
    assert chunk.choices is not None
    assert chunk.choices[0].delta is not None
    assert chunk.choices[0].delta.content == "x"


@pytest.mark.parametrize(
    "data",
    [
        b'{"id":"a","choices":[{"index":0,"delta":{"content":"x"}},5]}',
        b'{"id":"a","choices":{"index":0,"delta":{"content":"x"}}}',
        b'{"id":"a","choices":[{"index":0,"delta":{"content":"x","tool_calls":"no"}}]}',
        b'{"id":"a","choices":[{"index":0,"delta":{"content":"x","function_call":7}}],"x_groq":[1]}',
    ],
)
def test_the_slow_way_leaves_out_what_is_of_a_wrong_type(data: bytes) -> None:
    chunk = read_chunk(data)
    assert chunk.id == "a"
    assert chunk.choices is not None
    assert [choice.delta.content for choice in chunk.choices if choice.delta] == ["x"]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (rb'{"choices":[{"delta":{"content":"\ud83d"}}]}', "\ud83d"),
        (b'{"choices":[{"delta":{"content":"a\xffb"}}]}', "a\ufffdb"),
        ('{"choices":[{"delta":{"content":"\u2028"}}]}'.encode(), "\u2028"),
        (b'{"choices":[{"delta":{"content":"x"}}],"n":NaN}', "x"),
    ],
)
def test_text_that_is_not_quite_right(data: bytes, text: str) -> None:
    chunk = read_chunk(data)
    assert chunk.choices is not None
    assert chunk.choices[0].delta is not None
    assert chunk.choices[0].delta.content == text


def test_both_ways_read_the_same() -> None:
    value: dict[str, Any] = {
        "id": "a",
        "model": "m",
        "object": "o",
        "type": "t",
        "error": 1,
        "usage": {"prompt_tokens": 1},
        "x_groq": {"usage": {"prompt_tokens": 2}},
        "choices": [
            {
                "index": 1,
                "finish_reason": "stop",
                "stop_reason": "x",
                "usage": 3,
                "error": 4,
                "delta": {
                    "content": "c", "reasoning": "r", "reasoning_content": "rc", "refusal": "no", "images": [1],
                    "reasoning_details": [2], "extra_content": {"a": 1},
                    "function_call": {"name": "n", "arguments": "x"},
                    "tool_calls": [
                        {"index": 0, "id": "i", "function": {"name": "f", "arguments": "{}"}, "extra_content": 5},
                        {"index": 1, "id": "j", "custom": {"name": "f", "input": "t"}},
                    ],
                },
                "message": {"content": "m"},
            }
        ],
    }  # fmt: skip
    slow = read_value(value)
    quick = read_chunk(json.dumps(value).encode())
    assert slow.choices is not None
    assert slow.choices[0].message is not None
    slow.choices[0].message.tool_calls = None  # [] here, None there
    assert slow == quick
    assert slow != Chunk()


@pytest.mark.parametrize("data", [b"", b"x", b"[1]", b"3", b"null", b'"a"', b"{", b'{"a":1}}', b"[" * 100_000])
def test_what_is_no_object_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  any reader's
        read_chunk(data)


@pytest.mark.parametrize(
    ("tail", "data"),
    [
        (b"data: x", [b"x"]),
        (b"\n {\n1}\n", [b"{\n1}"]),
        (b": ping", [None]),
        (b"", []),
        (b" \n", []),
        (b"data: a\r", [b"a"]),
    ],
)
def test_the_end_of_a_body(tail: bytes, data: list[bytes | None]) -> None:
    assert [block.data for block in read_tail(tail)] == data
