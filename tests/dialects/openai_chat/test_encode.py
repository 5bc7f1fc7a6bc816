"""Events to OpenAI's stream: what its SDKs read out of it."""

import json
from typing import Any

import pytest

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
    Sign,
    Start,
    Usage,
)
from proxy.dialects.openai_chat import CLIENT
from proxy.dialects.parts import Signature
from proxy.dialects.signatures import seal
from tests.helpers.openai_chat import block, decode, encode, make_turn, parse, read_deltas, read_stream

START, STOP = Start("id1", "model1"), Finish(Reason.STOP)
ROLE = {"role": "assistant", "content": ""}
CLAUDE, GEMINI = Signature("a", "EpAB"), Signature("g", "QUJD")


def test_a_text_byte_by_byte() -> None:
    frame = b'data: {"id":"id1","object":"chat.completion.chunk","created":1700000000,"model":"model1","choices":'
    assert encode([START, *block(Kind.TEXT, 'a"\n'), Usage(1, output=2), STOP]) == (
        frame + b'[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n'
        + frame + b'[{"index":0,"delta":{"content":"a\\"\\n"},"finish_reason":null}]}\n\n'
        + frame + b'[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
        + b"data: [DONE]\n\n"
    )  # fmt: skip


ASKED = {"stream": True, "stream_options": {"include_usage": True}}


def test_usage_for_who_asked() -> None:
    stream = read_stream(encode([START, *block(Kind.TEXT, "a"), Usage(1, output=2), STOP], make_turn(parse(ASKED))))
    assert all(chunk["usage"] is None for chunk in stream[:-2])
    assert (stream[-2]["choices"], stream[-2]["usage"]["total_tokens"]) == ([], 3)
    assert {chunk["id"] for chunk in stream[:-1]} == {"id1"}
    assert stream[-1] == "[DONE]"


def test_usage_that_nobody_knows_is_not_made_up() -> None:
    assert len(read_stream(encode([START, STOP], make_turn(parse(ASKED))))) == 3


def test_usage_comes_together_from_the_start_and_later() -> None:
    events = [Start("i", "m", Usage(7)), Usage(output=2), STOP]
    assert read_stream(encode(events, make_turn(parse(ASKED))))[-2]["usage"]["total_tokens"] == 9


def test_names_that_the_provider_did_not_say() -> None:
    chunk = read_stream(encode([Start()]))[0]
    assert (chunk["id"][:9], chunk["model"], chunk["created"]) == ("chatcmpl-", "m", 1700000000)
    assert read_stream(encode([Start()]))[0] == chunk


def test_thoughts_and_refusals_have_fields_of_their_own() -> None:
    events = [START, *block(Kind.THINKING, "a"), *block(Kind.REFUSAL, "b"), Finish(Reason.REFUSAL)]
    assert read_deltas(encode(events)) == [ROLE, {"reasoning_content": "a"}, {"refusal": "b"}, {}]
    assert read_stream(encode(events))[-2]["choices"][0]["finish_reason"] == "stop"


def test_calls_are_counted_over_the_whole_message() -> None:
    events = [
        START,
        *block(Kind.TOOL, '{"a"', ":1}", id="c1", name="f"),
        *block(Kind.TEXT, "x"),
        *block(Kind.TOOL, "{}", id="c2", name="g"),
        Finish(Reason.TOOL_USE),
    ]
    deltas = read_deltas(encode(events))
    assert deltas[1:] == [
        {"tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"a"'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]},
        {"content": "x"},
        {"tool_calls": [{"index": 1, "id": "c2", "type": "function", "function": {"name": "g", "arguments": ""}}]},
        {"tool_calls": [{"index": 1, "function": {"arguments": "{}"}}]},
        {},
    ]


def test_a_call_without_arguments_gets_some() -> None:
    deltas = read_deltas(encode([START, *block(Kind.TOOL, id="c", name="f"), Finish(Reason.TOOL_USE)]))
    assert deltas[2] == {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}


def test_a_call_of_free_text() -> None:
    deltas = read_deltas(encode([START, *block(Kind.TOOL, "x", id="c", name="f", custom=True)]))
    assert deltas[1:] == [
        {"tool_calls": [{"index": 0, "id": "c", "type": "custom", "custom": {"name": "f", "input": ""}}]},
        {"tool_calls": [{"index": 0, "custom": {"input": "x"}}]},
    ]


OLD = {"functions": [{"name": "f"}]}


def test_who_asked_with_functions_is_answered_so() -> None:
    events = [
        START,
        *block(Kind.TOOL, '{"a":1}', id="c1", name="f"),
        *block(Kind.TOOL, "{}", id="c2", name="f"),  # has no room
        Finish(Reason.TOOL_USE),
    ]
    data = encode(events, make_turn(parse(OLD)))
    assert read_deltas(data)[1:] == [
        {"function_call": {"name": "f", "arguments": ""}},
        {"function_call": {"arguments": '{"a":1}'}},
        {},
    ]
    assert read_stream(data)[-2]["choices"][0]["finish_reason"] == "function_call"
    assert {"function_call": {"arguments": "{}"}} in read_deltas(
        encode([START, *block(Kind.TOOL, id="c", name="f")], make_turn(parse(OLD)))
    )


def detail(carried: Signature, index: int, **more: Any) -> dict[str, Any]:
    form = {"a": "anthropic-claude-v1", "g": "google-gemini-v1"}[carried.origin]
    return {"reasoning_details": [{**more, "format": form, "index": index}]}


def test_signed_thoughts_are_carried_whole() -> None:
    signed: list[Event] = [BlockStart(Kind.THINKING), Delta("a"), Delta("b"), Sign(CLAUDE), BlockEnd()]
    deltas = read_deltas(encode([START, *signed, BlockStart(Kind.REDACTED, signature=CLAUDE), BlockEnd()]))
    assert deltas[3:] == [
        detail(CLAUDE, 0, type="reasoning.text", text="ab", signature=seal(CLAUDE)),
        detail(CLAUDE, 1, type="reasoning.encrypted", data=seal(CLAUDE)),
    ]


def test_a_signed_call_is_carried_in_both_ways() -> None:
    deltas = read_deltas(encode([START, *block(Kind.TOOL, "{}", id="c", name="f", signature=GEMINI)]))
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}
    assert deltas[1] == {
        "tool_calls": [{**call, "extra_content": {"google": {"thought_signature": "QUJD"}}}],
        **detail(GEMINI, 0, type="reasoning.encrypted", data=seal(GEMINI), id="c"),
    }
    late: list[Event] = [BlockStart(Kind.TOOL, "c", "f"), Delta("{}"), Sign(CLAUDE), BlockEnd()]
    assert read_deltas(encode([START, *late]))[-1] == {
        "tool_calls": [
            {
                "index": 0,
                "function": {"arguments": ""},
                "extra_content": {"google": {"thought_signature": seal(CLAUDE)}},
            }
        ],
        **detail(CLAUDE, 0, type="reasoning.encrypted", data=seal(CLAUDE), id="c"),
    }


def test_openrouters_own_items_stay_as_they_were() -> None:
    item = {"type": "reasoning.text", "signature": "s", "format": "x", "index": 5}
    own = Signature("o", json.dumps(item))
    signed: list[Event] = [BlockStart(Kind.THINKING), Delta("a"), Sign(own), BlockEnd()]
    assert read_deltas(encode([START, *signed]))[-1] == {"reasoning_details": [{**item, "text": "a"}]}


def test_a_signature_of_no_text() -> None:
    assert read_deltas(encode([START, *block(Kind.SIGNATURE, signature=GEMINI)]))[-1] == {
        "extra_content": {"google": {"thought_signature": "QUJD"}}
    }


def test_images() -> None:
    assert read_deltas(encode([START, *block(Kind.IMAGE, name="image/png", data="AAAA")]))[-1] == {
        "images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]
    }


def test_who_wants_no_thoughts_gets_none() -> None:
    turn = make_turn(parse({"reasoning": {"exclude": True}}))
    signed: list[Event] = [BlockStart(Kind.THINKING), Delta("a"), Sign(CLAUDE), BlockEnd()]
    events = [START, *signed, *block(Kind.REDACTED, signature=CLAUDE), *block(Kind.TEXT, "x"), STOP]
    assert read_deltas(encode(events, turn)) == [ROLE, {"content": "x"}, {}]


def test_blocks_of_other_dialects_are_not_shown() -> None:
    events = [START, *block(Kind.OPAQUE, name="anthropic", data={}), STOP]
    assert read_deltas(encode(events)) == [ROLE, {}]


@pytest.mark.parametrize("before", [[], [START], [START, BlockStart(Kind.TOOL, "c", "f"), Delta('{"a')]])
def test_a_failure_is_last(before: list[Event]) -> None:
    encoder = CLIENT.open_encoder(make_turn())
    for event in before:
        encoder.encode(event)
    assert encoder.keepalive == b": keepalive\n"
    data = encoder.encode(Failure(FailureKind.DISCONNECT, "cut"))
    assert json.loads(data[6:])["error"]["message"] == "cut"
    assert b"[DONE]" not in data
    assert encoder.keepalive == b""


@pytest.mark.parametrize("text", ["\u2028\u2029\x85", "a\x00b", "\ud83d", "𝄞", '"\\', "\ufeff", "’€"])
def test_text_survives(text: str) -> None:
    data = encode([START, *block(Kind.TEXT, text, text), *block(Kind.TOOL, "x" + text, id="c", name="f"), STOP])
    assert len(data.decode().splitlines()) == data.count(b"\n")
    assert [each.text for each in decode(data) if isinstance(each, Delta)] == [text + text, "x" + text]


def test_an_empty_answer_is_valid() -> None:
    stream = read_stream(encode([START, Finish(Reason.CONTENT_FILTER)]))
    assert [chunk["choices"][0]["delta"] for chunk in stream[:-1]] == [ROLE, {}]
    assert stream[1]["choices"][0]["finish_reason"] == "content_filter"
