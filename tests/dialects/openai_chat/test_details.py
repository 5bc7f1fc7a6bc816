"""Thoughts and signatures through a client: there in an answer, back in the next request."""

import json
from typing import Any

import pytest

from proxy.dialects.answer import Answer, unfold
from proxy.dialects.events import Finish, Reason
from proxy.dialects.fields import Fields
from proxy.dialects.openai_chat import CLIENT
from proxy.dialects.openai_chat.details import (
    build_detail,
    build_encrypted,
    keep_item,
    merge_details,
    parse_thoughts,
)
from proxy.dialects.parts import Part, Redacted, Signature, Text, Thinking, ToolCall
from proxy.dialects.signatures import seal
from tests.helpers.openai_chat import encode, make_turn, parse, parts_of, read_deltas

A, G, R = Signature("a", "EpAB"), Signature("g", "QUJD"), Signature("r", '{"id":"rs_1"}')


def read(message: dict[str, Any], *call_ids: str) -> list[Part]:
    return parse_thoughts(Fields(message, "m"), call_ids).parts


def item(**fields: Any) -> dict[str, Any]:
    return {"type": "reasoning.text", **fields}


def test_text_alone() -> None:
    assert read({"reasoning_content": "a"}) == read({"reasoning": "a"}) == [Thinking("a")]
    assert read({"reasoning_content": "", "reasoning": None}) == []


def test_details_are_better_than_text() -> None:
    found = read({"reasoning_content": "ab", "reasoning_details": [build_detail(A, "a", 0), build_detail(R, "b", 1)]})
    assert found == [Thinking("a", A), Thinking("b", R)]


def test_a_detail_without_its_text_signs_the_text() -> None:
    assert read({"reasoning": "ab", "reasoning_details": [build_detail(A, "", 0)]}) == [Thinking("ab", A)]


def test_what_only_the_issuer_reads() -> None:
    assert read({"reasoning_details": [build_encrypted(A, 0)]}) == [Redacted(A)]


def test_the_signature_of_a_call_is_found_by_its_id() -> None:
    carried = build_encrypted(G, 0, "c1")
    assert parse_thoughts(Fields({"reasoning_details": [carried]}, "m"), ["c1"]).calls == {"c1": G}
    assert read({"reasoning_details": [carried]}, "c2") == [Redacted(G)]


def test_openrouters_items_are_kept_without_their_text() -> None:
    signed = item(text="a", signature="s", format="f", index=0)
    summary = {"type": "reasoning.summary", "summary": "b", "id": "rs", "index": 1}
    encrypted = {"type": "reasoning.encrypted", "data": "d", "index": 2}
    found = read({"reasoning": "x", "reasoning_details": [signed, summary, encrypted]})
    kept = [item(signature="s", format="f", index=0), {"type": "reasoning.summary", "id": "rs", "index": 1}, encrypted]
    assert found == [
        Thinking("a", keep_item(kept[0])),
        Thinking("b", keep_item(kept[1])),
        Redacted(keep_item(kept[2])),
    ]
    back = [
        build_detail(found[0].signature, "a", 9),  # type: ignore[attr-defined]
        build_detail(found[1].signature, "b", 9),  # type: ignore[attr-defined]
        build_encrypted(found[2].signature, 9),  # type: ignore[attr-defined]
    ]
    assert back == [signed, summary, encrypted]


@pytest.mark.parametrize("value", ["x", "[]", "{"])
def test_an_item_that_is_none(value: str) -> None:
    assert build_encrypted(Signature("o", value), 0) == {"type": "reasoning.encrypted", "data": value}


def test_fragments_are_merged_by_index_and_type() -> None:
    fragments = [
        item(index=0, text="a", format="x"),
        item(index=0, text="b", format=None),
        {"type": "reasoning.encrypted", "index": 0, "data": "1", "id": "i"},
        {"type": "reasoning.encrypted", "index": 0, "data": "2"},
        {"type": "reasoning.encrypted", "index": 0, "data": "3", "id": "j"},
        item(index=0, signature="s"),
        item(text="no index"),
        item(text="no index"),
        item(index=1, text="c"),
        7,
        {"index": 0},
    ]
    assert merge_details(fragments) == [
        item(index=0, text="ab", format="x", signature="s"),
        {"type": "reasoning.encrypted", "index": 0, "data": "12", "id": "i"},
        {"type": "reasoning.encrypted", "index": 0, "data": "3", "id": "j"},
        item(text="no index"),
        item(text="no index"),
        item(index=1, text="c"),
    ]


def test_an_id_that_comes_later() -> None:
    fragments = [item(index=0, text="a"), item(index=0, text="b", id="i"), item(index=0, text="c")]
    assert merge_details(fragments) == [item(index=0, text="abc", id="i")]


def test_blocks_as_litellm_writes_them() -> None:
    blocks = [
        {"type": "thinking", "thinking": "a", "signature": "EpAB"},
        {"type": "thinking", "thinking": "b", "signature": seal(G)},
        {"type": "thinking", "thinking": "c"},
        {"type": "redacted_thinking", "data": "EpAB"},
        {"type": "thinking", "thinking": ""},
        {"type": "other"},
        7,
    ]
    assert read({"thinking_blocks": blocks}) == [Thinking("a", A), Thinking("b", G), Thinking("c"), Redacted(A)]


def test_a_message_signed_by_google() -> None:
    message = {"content": "x", "extra_content": {"google": {"thought_signature": "QUJD"}}}
    assert read(message) == [Thinking("", G)]


@pytest.mark.parametrize(
    "odd",
    [item(), item(text=7), item(signature="gw1.a."), {"type": "reasoning.encrypted"}, {"type": "x", "text": "a"},
     {"type": "reasoning.encrypted", "data": "gw1.broken"}],
)  # fmt: skip
def test_odd_items_ask_for_nothing(odd: dict[str, Any]) -> None:
    assert [part for part in read({"reasoning_details": [odd]}) if part != Thinking("", keep_item(odd))] == []


PARTS: list[list[Part]] = [
    [Thinking("a", A), Text("x")],
    [Thinking("a", A), Redacted(A), Thinking("b", R), Text("x"), ToolCall("c1", "f", "{}", G)],
    [Thinking("", A), ToolCall("c1", "f", "{}", G), ToolCall("c2", "f", "{}")],
    [Thinking("a"), Text("x")],
    [ToolCall("c1", "f", "{}", A)],
]


@pytest.mark.parametrize("parts", PARTS)
@pytest.mark.parametrize("streamed", [True, False])
def test_what_a_client_echoes_is_what_the_model_said(parts: list[Part], streamed: bool) -> None:
    """The client does as OpenAI's SDK does: it joins texts, and keeps unknown members as they come."""
    answer = Answer(parts=list(parts), finish=Finish(Reason.STOP))
    if streamed:
        message = gather(read_deltas(encode(unfold(answer))))
    else:
        message = json.loads(CLIENT.build_answer(answer, make_turn()))["choices"][0]["message"]
    request = parse({"messages": [{"role": "user", "content": "hi"}, message]})
    assert parts_of(request)[1] == parts


def gather(deltas: list[dict[str, Any]]) -> dict[str, Any]:
    message: dict[str, Any] = {}
    for delta in deltas:
        for name, value in delta.items():
            if name == "tool_calls":
                calls = message.setdefault("tool_calls", {})
                for fragment in value:
                    call = calls.setdefault(fragment["index"], {"function": {"arguments": ""}})
                    function = fragment.pop("function", {})
                    call["function"]["arguments"] += function.pop("arguments", "")
                    call["function"].update(function)
                    call.update(fragment)
            elif isinstance(value, str):
                message[name] = message.get(name, "") + value
            else:
                message[name] = message.get(name, []) + value
    if "tool_calls" in message:
        message["tool_calls"] = list(message["tool_calls"].values())
    return message
