"""OpenRouter's details to signatures: said once, signed by their item, sealed ones on their call or by themselves."""

import json
from typing import Any

import pytest

from proxy.dialects.answer import fold
from proxy.dialects.events import Event, Kind
from proxy.dialects.openrouter import PROVIDER
from proxy.dialects.parts import Part, Redacted, Signature, Text, Thinking, ToolCall
from tests.helpers.feeds import every_cut
from tests.helpers.openai_chat import DONE, chunk, make_turn
from tests.helpers.order import check_order, decode_stream


def decode(*pieces: bytes) -> list[Event]:
    events = decode_stream(PROVIDER.open_decoder(make_turn()), b"".join([*pieces, DONE]))
    check_order(events)
    return events


def parts(*pieces: bytes) -> list[Part]:
    return fold(decode(*pieces)).parts


def text(said: str | None, form: str | None = "anthropic-claude-v1", index: Any = 0, **more: Any) -> dict[str, Any]:
    kind = {"type": "reasoning.text", "format": form, "index": index, **more}
    return kind if said is None else {**kind, "text": said}


def delta(*details: Any, reasoning: str | None = None, **more: Any) -> bytes:
    return chunk({"content": "", "reasoning": reasoning, "reasoning_details": list(details), **more})


def signed(**item: Any) -> Signature:
    return Signature("o", json.dumps(item, separators=(",", ":")))


ITEM = {"type": "reasoning.text", "format": "anthropic-claude-v1", "index": 0}


def call(name: str = "f", call_id: str = "c", index: int = 0) -> bytes:
    return chunk({"tool_calls": [{"index": index, "id": call_id, "function": {"name": name, "arguments": "{}"}}]})


FINISH = chunk({"content": ""}, "stop")


def test_text_is_said_once_and_signed_at_its_end() -> None:
    stream = [
        delta(text("a"), reasoning="a"),
        delta(text(" b"), reasoning=" b"),
        delta(text(None, signature="Ep8=")),
        chunk({"content": "x"}),
        FINISH,
    ]
    assert parts(*stream) == [Thinking("a b", signed(**ITEM, signature="Ep8=")), Text("x")]
    whole = decode(*stream)
    for pieces in every_cut(b"".join([*stream, DONE])):
        assert decode_stream(PROVIDER.open_decoder(make_turn()), b"", pieces) == whole


def test_an_item_without_a_signature_signs_too_since_it_goes_back() -> None:
    summary = {"type": "reasoning.summary", "summary": "s", "format": "openai-responses-v1", "index": 0, "id": "rs_1"}
    sealed = {"type": "reasoning.encrypted", "data": "x", "format": "openai-responses-v1", "index": 1, "id": "rs_1"}
    found = parts(delta(summary, reasoning="s"), delta(sealed), chunk({"content": "x"}), FINISH)
    summary.pop("summary")
    assert found == [Thinking("s", signed(**summary)), Redacted(signed(**sealed)), Text("x")]


def test_reasoning_without_details_is_unsigned() -> None:
    assert parts(chunk({"reasoning": "a"}), delta(reasoning="b"), FINISH) == [Thinking("ab")]


def test_details_without_text_leave_the_text_to_reasoning() -> None:
    assert parts(delta(text(None, signature="Ep8="), reasoning="a"), FINISH) == [
        Thinking("a", signed(**ITEM, signature="Ep8="))
    ]


def test_a_signature_without_any_text_is_a_block() -> None:
    assert parts(delta(text("", signature="Ep8=")), chunk({"content": "x"}), FINISH) == [
        Thinking("", signed(**ITEM, signature="Ep8=")),
        Text("x"),
    ]


def test_an_item_that_tells_its_text_again_at_its_end_says_it_once() -> None:
    stream = [chunk({"reasoning": "a"}), chunk({"reasoning": "b"}), delta(text("ab", signature="Ep8=")), FINISH]
    assert parts(*stream) == [Thinking("ab", signed(**ITEM, signature="Ep8="))]


def test_empty_details_ask_for_nothing() -> None:
    empty = text("", signature="")
    assert parts(delta(empty), delta(), chunk({"content": "x"}), delta(empty), chunk({"content": "y"}), FINISH) == [
        Text("xy")
    ]


def test_items_of_other_indexes_are_other_blocks() -> None:
    stream = (delta(text("a", signature="1"), text("b", index=1, signature="2")), FINISH)
    assert parts(*stream) == [
        Thinking("a", signed(**ITEM, signature="1")),
        Thinking("b", signed(**{**ITEM, "index": 1}, signature="2")),
    ]


@pytest.mark.parametrize("late", [False, True])
def test_googles_signature_stands_on_its_call(late: bool) -> None:
    sealed = {"type": "reasoning.encrypted", "data": "x", "format": "google-gemini-v1", "id": "c", "index": 0}
    stream = [delta(sealed), call()]
    if late:
        stream.reverse()
    found = parts(*stream, call("g", "d", 1), FINISH)
    assert found == [ToolCall("c", "f", "{}", signed(**sealed)), ToolCall("d", "g", "{}")]


def test_sealed_data_in_pieces_is_one() -> None:
    first = {"type": "reasoning.encrypted", "data": "x", "format": "xai-responses-v1", "id": "rs", "index": 0}
    found = parts(delta(first), delta({**first, "data": "y"}), chunk({"content": "t"}), FINISH)
    assert found == [Redacted(signed(**{**first, "data": "xy"})), Text("t")]


def test_sealed_data_within_calls_waits_for_their_end() -> None:
    sealed = {"type": "reasoning.encrypted", "data": "x", "format": "openai-responses-v1", "id": "rs", "index": 0}
    begun = chunk({"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": '{"a"'}}]})
    ended = chunk({"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]})
    assert parts(begun, delta(sealed), ended, FINISH) == [ToolCall("c", "f", '{"a":1}'), Redacted(signed(**sealed))]


def test_whole_answer() -> None:
    message = {
        "content": "x",
        "reasoning": "ab",
        "reasoning_details": [text("a", signature="1"), text("b", index=1, signature="2"), {"type": "new"}, 3],
    }
    body = json.dumps({"id": "g", "model": "m", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
    events = PROVIDER.parse_answer(b"\n  \n" + body.encode(), make_turn())
    check_order(events)
    assert fold(events).parts == [
        Thinking("a", signed(**ITEM, signature="1")),
        Thinking("b", signed(**{**ITEM, "index": 1}, signature="2")),
        Text("x"),
    ]


@pytest.mark.parametrize(
    "details",
    ["x", {"type": "reasoning.text"}, [None, 1, "x", []], [{"type": 3}], [{"type": "reasoning.text", "text": 3}],
     [{"type": "reasoning.encrypted", "data": {}}], [{"type": "reasoning.text", "signature": 5, "index": []}]],
)  # fmt: skip
def test_what_is_no_detail_never_raises(details: Any) -> None:
    events = decode(chunk({"reasoning_details": details}), chunk({"content": "x"}), FINISH)
    assert any(getattr(event, "kind", None) is Kind.TEXT for event in events)


def test_a_signature_behind_the_end_of_its_thought_is_taken_once() -> None:
    stream = [
        delta(text("a", signature="Ep8=")),
        chunk({"content": "x"}),
        delta(text(None, index=1, signature="Ep9=")),
        delta(text(None, index=1, signature="Ep9=")),
        call(),
        delta(text(None, index=2, signature="Ep9=")),
        FINISH,
    ]
    assert [part.text for part in parts(*stream) if isinstance(part, Thinking)][:1] == ["a"]


@pytest.mark.parametrize("odd", [[1], {"a": 1}, None, 1.5])
def test_sealed_items_whose_index_or_id_is_neither_number_nor_text(odd: Any) -> None:
    sealed = {"type": "reasoning.encrypted", "data": "QUJD", "index": odd, "id": odd}
    found = parts(delta(sealed), chunk({"content": "x"}), FINISH)
    assert [type(part) for part in found] == [Redacted, Text]
