"""What an event says, in every dialect: the same answer comes out of each, and nothing of what is no answer."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.events import BlockEnd, BlockStart, Delta, Event, Failure, FailureKind, Finish, Kind, Reason, Start
from proxy.dialects.registry import CALLERS, CLIENTS
from proxy.ops.console.pieces import Piece, read_pieces
from proxy.wire.sse import Parser
from tests.helpers.crossing import make_turn
from tests.helpers.feeds import fuzz

ANSWER: list[Event] = [
    Start("id", "m"),
    BlockStart(Kind.THINKING),
    Delta("I "),
    Delta("think"),
    BlockEnd(),
    BlockStart(Kind.TEXT),
    Delta("Hel"),
    Delta("lo"),
    BlockEnd(),
    BlockStart(Kind.TOOL, "call_1", "get_weather"),
    Delta('{"city":'),
    Delta('"Oslo"}'),
    BlockEnd(),
    Finish(Reason.TOOL_USE),
]
FAILED: list[Event] = [Start("id", "m"), Failure(FailureKind.SERVER, "it broke", 500)]


def say(dialect: str, events: list[Event]) -> list[Piece]:
    """What a client of this dialect is sent for these events, read by itself event by event."""
    encoder = CLIENTS[dialect].open_encoder(make_turn(dialect))
    parser = Parser()
    blocks = [block for event in events for block in parser.feed(encoder.encode(event))]
    return [piece for block in blocks if block.data is not None for piece in read_pieces(dialect, block.data)]


def join(pieces: list[Piece]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for piece in pieces:
        found[piece.kind] = found.get(piece.kind, "") + piece.text
    return {kind: text for kind, text in found.items() if text}


@pytest.mark.parametrize("dialect", sorted(CLIENTS))
def test_every_client_dialect_is_read(dialect: str) -> None:
    pieces = say(dialect, ANSWER)
    told = join(pieces)
    assert (told["text"], told["reasoning"]) == ("Hello", "I think")
    assert "Oslo" in told["tool"]
    assert "get_weather" in {piece.name for piece in pieces if piece.kind == "tool"}
    assert set(told) == {"text", "reasoning", "tool"}


@pytest.mark.parametrize("dialect", sorted(CLIENTS))
def test_every_client_dialect_tells_its_failures(dialect: str) -> None:
    assert "it broke" in join(say(dialect, FAILED))["error"]


@pytest.mark.parametrize(
    ("dialect", "event", "pieces"),
    [
        ("glm", {"choices": [{"delta": {"reasoning_content": "so"}}]}, [Piece("reasoning", "so")]),
        ("openrouter", {"choices": [{"delta": {"reasoning": "so"}}]}, [Piece("reasoning", "so")]),
        ("openai-chat", {"choices": [{"delta": {"refusal": "no"}}]}, [Piece("refusal", "no")]),
        ("openai-chat", {"choices": [{"message": {"content": "all"}}]}, [Piece("text", "all")]),
        ("openai-chat", {"choices": [{"text": "old"}]}, [Piece("text", "old")]),
        ("openai-chat", {"choices": [], "usage": {"prompt_tokens": 1}}, []),
        ("openai-responses", {"type": "response.refusal.delta", "delta": "no"}, [Piece("refusal", "no")]),
        ("openai-responses", {"type": "error", "message": "bad"}, [Piece("error", "bad")]),
        ("openai-responses", {"type": "response.output_text.done", "text": "all"}, []),
        ("anthropic", {"type": "ping"}, []),
        ("code-assist", {"response": {"candidates": [{"content": {"parts": [{"text": "a"}]}}]}}, [Piece("text", "a")]),
        (
            "gemini",
            {"candidates": [{"content": {"parts": [{"text": "t", "thought": True}]}}]},
            [Piece("reasoning", "t")],
        ),
        ("raw", {"any": 1}, [Piece("other", '{"any": 1}')]),
        ("", {"any": 1}, [Piece("other", '{"any": 1}')]),
    ],
)
def test_what_only_providers_or_mounts_say(dialect: str, event: Any, pieces: list[Piece]) -> None:
    assert read_pieces(dialect, json.dumps(event).encode()) == pieces


@pytest.mark.parametrize("dialect", sorted(set(CALLERS) - {"raw"}))
@pytest.mark.parametrize("data", [b"", b"[DONE]", b"{", b"null", b"[]", b'"x"', b"\xff\xfe", b"[" * 5000])
def test_what_is_not_understood_says_nothing(dialect: str, data: bytes) -> None:
    assert read_pieces(dialect, data) == []


_KEYS = st.sampled_from([
    "choices", "delta", "message", "content", "tool_calls", "function", "arguments", "name", "type", "item", "error",
    "candidates", "parts", "text", "thought", "functionCall", "args", "content_block", "thinking", "response",
    "toolName", "inputTextDelta", "errorText",
])  # fmt: skip
_WORDS = st.sampled_from(["error", "response.failed", "response.output_item.added", "text-delta", "x"])
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | _WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)


@fuzz
@given(dialect=st.sampled_from(sorted(CALLERS)), value=_JSON)
def test_no_event_is_too_strange(dialect: str, value: Any) -> None:
    for piece in read_pieces(dialect, json.dumps(value).encode()):
        assert isinstance(piece.text, str)
        assert isinstance(piece.name, str)
