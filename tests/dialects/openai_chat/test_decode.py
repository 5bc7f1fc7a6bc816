"""Streams of the OpenAI family to events: as OpenAI sends them, and each thing that some server does otherwise."""

from typing import Any

import pytest

from proxy.dialects.answer import fold
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
from proxy.dialects.openai_chat import PROVIDER
from proxy.dialects.openai_chat.decode import THINK
from proxy.dialects.parts import Signature, Text, Thinking, ToolCall
from proxy.wire.sse import Block
from tests.helpers.feeds import every_cut
from tests.helpers.openai_chat import DONE, block, chunk, decode, event, make_turn, parse
from tests.helpers.order import check_order, decode_stream

START = Start("chatcmpl-1", "gpt")


def finish(reason: Reason = Reason.STOP, raw: str = "stop") -> Finish:
    return Finish(reason, raw)


def test_text_as_openai_sends_it() -> None:
    events = decode(
        chunk({"role": "assistant", "content": "", "refusal": None}),
        chunk({"content": "Hel"}, usage=None, obfuscation="xxxx"),
        chunk({"content": "lo"}),
        chunk(finish="stop"),
        event({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}),
        DONE,
    )
    assert events == [START, *block(Kind.TEXT, "Hello"), Usage(3, output=2), finish()]


def test_kinds_follow_each_other() -> None:
    events = decode(
        chunk({"reasoning_content": "a", "content": "b"}),
        chunk({"reasoning": "c"}),
        chunk({"refusal": "d"}),
        chunk({"content": "e", "tool_calls": [{"index": 0, "id": "t", "function": {"name": "f", "arguments": "{}"}}]}),
        chunk({"content": "g"}, "tool_calls"),
        DONE,
    )
    assert events == [
        START,
        *block(Kind.THINKING, "a"),
        *block(Kind.TEXT, "b"),
        *block(Kind.THINKING, "c"),
        *block(Kind.REFUSAL, "d"),
        *block(Kind.TEXT, "e"),
        *block(Kind.TOOL, "{}", id="t", name="f"),
        *block(Kind.TEXT, "g"),
        finish(Reason.TOOL_USE, "tool_calls"),
    ]


def test_reasoning_under_both_names_is_said_once() -> None:
    events = decode(chunk({"reasoning_content": "a", "reasoning": "a"}), DONE)
    assert events[1:4] == block(Kind.THINKING, "a")


def test_text_between_the_pieces_of_a_call_waits() -> None:
    events = decode(
        chunk({"tool_calls": [{"index": 0, "id": "t", "function": {"name": "f", "arguments": '{"a"'}}]}),
        chunk({"content": "x"}),
        chunk({"content": "y"}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]}, "tool_calls"),
        DONE,
    )
    assert events[1:-1] == [*block(Kind.TOOL, '{"a":1}', id="t", name="f"), *block(Kind.TEXT, "xy")]


def test_the_old_form_of_a_call() -> None:
    events = decode(
        chunk({"function_call": {"name": "f", "arguments": ""}}),
        chunk({"function_call": {"arguments": '{"a":1}'}}),
        chunk(finish="function_call"),
        DONE,
    )
    call = fold(events).parts[0]
    assert isinstance(call, ToolCall)
    assert (call.name, call.arguments) == ("f", '{"a":1}')
    assert events[-1] == finish(Reason.TOOL_USE, "function_call")


MISTRAL = [{"type": "thinking", "thinking": [{"type": "text", "text": "a"}]}, {"type": "text", "text": "b"},
           {"type": "reference", "reference_ids": [1]}, "odd", None]  # fmt: skip


def test_content_in_parts() -> None:
    assert decode(chunk({"content": MISTRAL}), DONE)[1:-1] == [*block(Kind.THINKING, "a"), *block(Kind.TEXT, "b")]


@pytest.mark.parametrize(
    ("words", "reason", "raw"),
    [
        ([None, "", "stop"], Reason.STOP, "stop"),
        (["length", "stop"], Reason.LENGTH, "length"),  # the first counts
        ([""], Reason.STOP, ""),
        ([None], Reason.STOP, ""),
        ([7], Reason.STOP, ""),
        (["eos"], Reason.STOP, "eos"),
        (["tool_calls"], Reason.STOP, "tool_calls"),  # though there is none
    ],
)
def test_finish_reasons(words: list[Any], reason: Reason, raw: str) -> None:
    events = decode(chunk({"content": "x"}), *(chunk(finish=word) for word in words), DONE)
    assert events[-1] == Finish(reason, raw)


def test_vllm_says_which_stop_sequence_matched() -> None:
    turn = make_turn(parse({"stop": ["END"]}))
    choice = {"index": 0, "delta": {"content": "x"}, "finish_reason": "stop", "stop_reason": "END"}
    events = decode(event({"choices": [choice]}), DONE, turn=turn)
    assert events[-1] == Finish(Reason.STOP_SEQUENCE, "stop", "END")


USAGE = {"prompt_tokens": 3, "completion_tokens": 2}


@pytest.mark.parametrize(
    "pieces",
    [
        (chunk({"content": "x"}, "stop", usage=USAGE),),
        (
            chunk({"content": "x"}, usage={"prompt_tokens": 3, "completion_tokens": 1}),
            chunk(finish="stop", usage=USAGE),
        ),
        (chunk({"content": "x"}, "stop"), event({"choices": [], "usage": USAGE})),
        (chunk({"content": "x"}, "stop"), chunk({"content": ""}, "stop", usage=USAGE)),
        (chunk({"content": "x"}, "stop"), chunk({"content": ""}, usage=USAGE)),
        (event({"choices": [{"delta": {"content": "x"}, "finish_reason": "stop", "usage": USAGE}]}),),
        (chunk({"content": "x"}, "stop", x_groq={"id": "r", "usage": USAGE}),),
        (chunk({"content": "x"}, "stop", usage=USAGE), event({"choices": [], "usage": None})),
        (chunk({"content": "x"}, usage={"prompt_tokens": 3}), chunk(finish="stop", usage={"completion_tokens": 2})),
    ],
)
def test_usage_wherever_it_stands(pieces: tuple[bytes, ...]) -> None:
    events = decode(*pieces, DONE)
    assert events[-2:] == [Usage(3, output=2), finish()]


@pytest.mark.parametrize("ending", [DONE, b"data: [DONE] \n\n", b"data:[DONE]\n\n", b"", b"data: [DONE]"])
def test_ends_after_a_finish(ending: bytes) -> None:
    assert decode(chunk({"content": "x"}), chunk(finish="stop"), ending)[-1] == finish()


def test_nothing_counts_after_the_end() -> None:
    decoder = PROVIDER.open_decoder(make_turn())
    decode_stream(decoder, chunk({"content": "x"}) + DONE)
    assert decoder.ended
    assert decoder.feed(Block(b"", "message", chunk({"content": "y"})[6:], "")) == []
    assert decoder.end(b"data: {}") == []


@pytest.mark.parametrize("tail", [b"", b"data: {", b'data: {"choices":[{"delta":{"con', b": ping", b"data: x"])
def test_an_end_without_a_finish_is_a_cut(tail: bytes) -> None:
    events = decode(chunk({"content": "x"}), tail)
    assert events[:3] == [START, BlockStart(Kind.TEXT), Delta("x")]
    assert isinstance(events[-1], Failure)
    assert events[-1].kind is FailureKind.DISCONNECT


def test_a_whole_event_without_its_blank_line_counts() -> None:
    assert decode(chunk({"content": "x"}), chunk(finish="stop").rstrip())[-1] == finish()


def test_usage_is_known_of_a_cut_stream_too() -> None:
    assert decode(chunk({"content": "x"}, usage=USAGE))[-2] == Usage(3, output=2)


@pytest.mark.parametrize(
    ("data", "kind", "message"),
    [
        (event({"error": {"message": "oops", "type": "server_error"}}), FailureKind.SERVER, "oops"),
        (event({"error": "oops"}), FailureKind.SERVER, "oops"),
        (event({"error": {"message": "slow", "code": 429}}), FailureKind.RATE_LIMIT, "slow"),
        (event({"type": "error", "message": "oops"}), FailureKind.SERVER, "oops"),
        (event({"object": "error", "message": "no", "code": 400}), FailureKind.INVALID, "no"),
        (b"event: error\n" + event({"message": "oops"}), FailureKind.SERVER, "oops"),
        (chunk({"content": ""}, "error", error={"code": 502, "message": "bad"}), FailureKind.BAD_GATEWAY, "bad"),
        (event({"choices": [{"delta": {}, "error": {"code": 502, "message": "bad"}}]}), FailureKind.BAD_GATEWAY, "bad"),
        (chunk({}, "error"), FailureKind.SERVER, ""),
    ],
)
def test_errors_within(data: bytes, kind: FailureKind, message: str) -> None:
    for before in (b"", chunk({"content": "x"}), chunk({"content": "x"}, "stop")):
        events = decode(before, data, DONE)
        assert isinstance(events[-1], Failure)
        assert events[-1].kind is kind
        assert message in events[-1].message


def test_what_comes_with_an_error_is_told_first() -> None:
    events = decode(chunk({"content": "x"}, error={"message": "oops"}))
    assert Delta("x") in events
    assert isinstance(events[-1], Failure)


def test_a_body_that_is_json_after_all() -> None:
    events = decode(b'{\n "error": {"message": "no",\n "code": 429}}\n')
    assert isinstance(events[-1], Failure)
    assert events[-1].kind is FailureKind.RATE_LIMIT
    assert decode(b'{"choices": [{"message": {"content": "x"}, "finish_reason": "stop"}]}')[-1] == finish()


def test_a_stream_that_is_no_answer() -> None:
    events = decode(event({"type": "response.created"}), DONE)
    assert isinstance(events[-1], Failure)
    assert events[-1].kind is FailureKind.BAD_GATEWAY


def test_what_is_no_json_is_counted() -> None:
    decoder = PROVIDER.open_decoder(make_turn())
    events = decode_stream(decoder, b"data: {oops\n\ndata: 7\n\n" + chunk({"content": "x"}, "stop") + DONE)
    assert decoder.malformed == 2
    assert events == [START, *block(Kind.TEXT, "x"), finish()]


@pytest.mark.parametrize(
    "text", ["\u2028\u2029\x85", "a\x00b", "  ", "\ud83d", "𝄞", '"\\', "data: [DONE]\n\n", "9" * 30, "\ufeff"]
)
def test_text_survives(text: str) -> None:
    assert decode(chunk({"content": text}), chunk({"content": text}), DONE)[2] == Delta(text + text)


def test_a_small_stream_at_every_cut() -> None:
    data = chunk({"content": "é"}) + b": ping\n\n" + chunk({"reasoning": "\r"}, "stop").replace(b"\n", b"\r\n") + DONE
    wanted = decode(data)
    for pieces in every_cut(data):
        assert decode_stream(PROVIDER.open_decoder(make_turn()), data, pieces) == wanted


def test_thoughts_in_tags() -> None:
    turn = make_turn(**{THINK: "tags"})
    events = decode(
        chunk({"content": "<thi"}), chunk({"content": "nk>a</think>b"}), chunk(finish="stop"), DONE, turn=turn
    )
    assert events[1:-1] == [*block(Kind.THINKING, "a"), *block(Kind.TEXT, "b")]
    events = decode(chunk({"content": "<think>a</th"}, "stop"), DONE, turn=turn)
    assert events[1:-1] == block(Kind.THINKING, "a</th")


def test_thoughts_in_tags_before_a_call() -> None:
    call = {"index": 0, "id": "t", "function": {"name": "f", "arguments": "{}"}}
    events = decode(
        chunk({"content": "<think>a</"}), chunk({"tool_calls": [call]}), DONE, turn=make_turn(**{THINK: "tags"})
    )
    assert events[1:-1] == [*block(Kind.THINKING, "a</"), *block(Kind.TOOL, "{}", id="t", name="f")]


def test_signatures_and_images_of_compatible_endpoints() -> None:
    google = {"google": {"thought_signature": "QUJD"}}
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    events = decode(
        chunk({"content": "x", "extra_content": google, "images": [image, {"image_url": {"url": "https://x"}}, 7]}),
        DONE,
    )
    assert events[1:-1] == [
        *block(Kind.TEXT, "x"),
        *block(Kind.SIGNATURE, signature=Signature("g", "QUJD")),
        *block(Kind.IMAGE, name="image/png", data="iVBORw0KGgo="),
    ]


def test_a_signature_closes_its_thoughts() -> None:
    decoder = PROVIDER.open_decoder(make_turn())
    decoder.out = events = list[Event]([START])
    for act in ("a", Signature("o", "1"), "b", Signature("o", "2"), Signature("o", "3")):
        decoder.say(Kind.THINKING, act) if isinstance(act, str) else decoder.sign(act)
    decoder.say(Kind.TEXT, "c")
    events += [BlockEnd(), finish()]
    check_order(events)
    assert fold(events).parts == [
        Thinking("a", Signature("o", "1")),
        Thinking("b", Signature("o", "2")),
        Thinking("", Signature("o", "3")),
        Text("c"),
    ]
    assert events.count(Sign(Signature("o", "2"))) == 1


def test_usage_that_came_before_any_answer_stands_behind_a_start() -> None:
    """Checked by `decode`: an answer's events have their order also where there was nothing but a count."""
    found = decode(b'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1}}\n\n')
    assert [type(each).__name__ for each in found] == ["Start", "Usage", "Failure"]
