"""What no provider should send, and some do: the decoder passes over it, or says that the answer failed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.anthropic_messages import PROVIDER
from proxy.dialects.events import (
    BlockEnd,
    BlockStart,
    Delta,
    Event,
    Failure,
    FailureKind,
    Finish,
    Kind,
    Reason,
    Start,
)
from proxy.wire.sse import Block
from tests.helpers.anthropic_turns import (
    MESSAGE_STOP,
    decode,
    delta,
    dump,
    finish,
    make_turn,
    start,
    stop,
    stream,
)
from tests.helpers.feeds import fuzz

TEXT = (start(0, type="text", text=""), delta(0, "text_delta", text="Hi"), stop(0))
TOLD = [Start("msg_1", "m"), BlockStart(Kind.TEXT), Delta("Hi"), BlockEnd()]
END = (finish("end_turn"), MESSAGE_STOP)


def feed(*blocks: bytes) -> tuple[list[Event], Any]:
    """The events of single blocks, and the decoder, which has not heard of an end."""
    decoder = PROVIDER.open_decoder(make_turn())
    events = [event for data in blocks for event in decoder.feed(Block(b"", "message", data, ""))]
    return events, decoder


@pytest.mark.parametrize(
    "event",
    [
        {"type": "ping"},
        {"type": "novelty", "index": 0},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "novelty_delta", "text": "?"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "citations_delta", "citation": {}}},
        {"type": "content_block_delta", "index": 0, "delta": None},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": None}},
        {"type": "content_block_delta", "index": "0", "delta": {"type": "text_delta", "text": ""}},
        {"type": "content_block_delta"},
        {"type": "content_block_stop", "index": 7},
        {"type": "message_delta"},
        {"type": "message_delta", "delta": {"stop_reason": None}, "usage": None},
        {"type": "message_delta", "delta": {"stop_reason": 5}},
        {"type": "message_start"},
        {},
    ],
)
def test_what_says_nothing_is_passed_over(event: dict[str, Any]) -> None:
    data = stream(*TEXT[:2]) + b"data: %b\n\n" % dump(event) + stream({"type": "message_start"}, TEXT[2], *END)
    assert decode(data)[:4] == TOLD


def test_unknown_members_are_passed_over() -> None:
    novel = {**delta(0, "text_delta", text="Hi", novelty=[1]), "novelty": {"a": None}}
    assert decode(stream(TEXT[0], novel, TEXT[2], *END))[:4] == TOLD


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"5", b'"x"', b"\xff\xfe", b"[" * 100_000, b"nonsense"])
def test_what_is_no_json_is_counted(data: bytes) -> None:
    events, decoder = feed(data)
    assert (events, decoder.malformed, decoder.ended) == ([], 1, False)


def test_a_done_of_another_dialect_ends_what_has_finished() -> None:
    events, decoder = feed(b"[DONE]")
    assert (events, decoder.malformed) == ([], 0)
    events, decoder = feed(dump(END[0]), b"[DONE]", dump(TEXT[0]))
    assert events == [Start(), Finish(Reason.STOP, "end_turn")]
    assert decoder.ended


@pytest.mark.parametrize("text", ["\ud800", "\u2028\u2029\u0085", "\U0001f600", "e\u0301", " \n\t", "\0", "\\u0041"])
def test_a_text_comes_as_it_is(text: str) -> None:
    assert decode(stream(TEXT[0], delta(0, "text_delta", text=text), *END))[2] == Delta(text)


def test_bytes_that_are_no_utf8_are_replaced() -> None:
    data = stream(TEXT[0], delta(0, "text_delta", text="Hi"), *END).replace(b"Hi", b"H\xff")
    assert decode(data)[2] == Delta("H\ufffd")


def test_state_at_each_point() -> None:
    _, decoder = feed(dump(TEXT[0]))
    assert (decoder.complete, decoder.ended) == (False, False)
    _, decoder = feed(dump(END[0]))
    assert (decoder.complete, decoder.ended) == (True, False)
    _, decoder = feed(*map(dump, END))
    assert (decoder.complete, decoder.ended) == (True, True)
    assert decoder.end() == []
    assert decoder.feed(Block(b"", "x", dump(TEXT[0]), "")) == []


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, FailureKind.OVERLOADED),
        ({"type": "error", "error": {"type": "api_error", "message": "x"}}, FailureKind.SERVER),
        ({"error": {"code": "1302", "message": "x"}}, FailureKind.RATE_LIMIT),
        ({"type": "error"}, FailureKind.SERVER),
    ],
)
def test_an_error_within(event: dict[str, Any], kind: FailureKind) -> None:
    for before in ((), TEXT[:2]):
        data = (stream(*before) if before else b"") + b"event: error\ndata: %b\n\n" % dump(event)
        events = decode(data + stream(*TEXT, *END))
        assert isinstance(events[-1], Failure)
        assert events[-1].kind is kind
        assert events[:-1] == (TOLD[:3] if before else [])


def test_an_error_by_its_event_name_only() -> None:
    events = decode(stream(*TEXT[:2]) + b'event: error\ndata: {"message": "broken"}\n\n')
    assert isinstance(events[-1], Failure)
    assert events[-1].message == "broken"


def test_a_cut_leaves_the_block_open() -> None:
    events = decode(
        stream(start(0, type="tool_use", id="t", name="add"), delta(0, "input_json_delta", partial_json="{"))
    )
    assert [type(event) for event in events] == [Start, BlockStart, Delta, Failure]
    assert isinstance(events[-1], Failure)
    assert events[-1].kind is FailureKind.DISCONNECT


def test_an_empty_body_is_a_cut() -> None:
    (failure,) = decode(b"")
    assert isinstance(failure, Failure)
    assert failure.kind is FailureKind.DISCONNECT


_members = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([
        "type", "index", "delta", "text", "thinking", "signature", "partial_json", "content_block", "id", "name",
        "input", "message", "usage", "stop_reason", "error", "data",
    ]), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip
_types = st.sampled_from([
    "message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta",
    "message_stop", "error", "text_delta", "thinking_delta", "input_json_delta", "signature_delta", "tool_use", "text",
    "thinking", "x",
])  # fmt: skip
_events = st.builds(
    lambda kind, index, delta_, block, kinds, rest: {
        **rest,
        "type": kind,
        "index": index,
        "delta": {**delta_, "type": kinds[0]} if isinstance(delta_, dict) else delta_,
        "content_block": {**block, "type": kinds[1]} if isinstance(block, dict) else block,
    },
    _types, st.integers(0, 2), _members, _members, st.tuples(_types, _types),
    st.dictionaries(st.sampled_from(["message", "usage", "error"]), _members),
)  # fmt: skip


@fuzz
@given(st.lists(_events | _members, max_size=12))
def test_whatever_comes_keeps_the_order(values: list[Any]) -> None:
    decode(b"".join(b"data: %b\n\n" % dump(value) for value in values))
