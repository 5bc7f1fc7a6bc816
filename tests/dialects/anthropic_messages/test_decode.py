"""Anthropic's event streams and messages as events, whatever a provider or a gateway makes of them."""

import json
from pathlib import Path
from typing import Any

import pytest

from proxy.dialects.answer import fold
from proxy.dialects.anthropic_messages import PROVIDER
from proxy.dialects.anthropic_messages.decode import parse_count
from proxy.dialects.events import (
    BlockEnd,
    BlockStart,
    Delta,
    Failure,
    FailureKind,
    Finish,
    Kind,
    Reason,
    Start,
    Usage,
)
from proxy.dialects.parts import Text, ToolCall
from tests.helpers.anthropic_turns import (
    MESSAGE_STOP,
    decode,
    delta,
    dump,
    finish,
    list_recordings,
    make_turn,
    start,
    stop,
    stream,
)
from tests.helpers.feeds import every_cut, one_by_one
from tests.helpers.order import check_order, decode_stream

TEXT = (start(0, type="text", text=""), delta(0, "text_delta", text="Hi"), stop(0))
TOLD = [Start("msg_1", "m"), BlockStart(Kind.TEXT), Delta("Hi"), BlockEnd()]
END = (finish("end_turn"), MESSAGE_STOP)
STREAMS = [*list_recordings("anthropic/*.sse"), *list_recordings("glm/anthropic*.sse")]


@pytest.mark.parametrize("path", STREAMS)
def test_a_recording_at_every_cut(path: Path) -> None:
    data = path.read_bytes()
    wanted = decode(data)
    assert isinstance(wanted[-1], Failure) == path.name.startswith("err-")
    cuts = every_cut(data) if len(data) < 2000 else [one_by_one(data), [data[:777], data[777:]]]
    for pieces in cuts:
        assert decode_stream(PROVIDER.open_decoder(make_turn()), data, pieces) == wanted


@pytest.mark.parametrize("path", STREAMS)
def test_a_recording_with_other_line_ends_and_comments(path: Path) -> None:
    data = path.read_bytes()
    wanted = decode(data)
    assert decode(data.replace(b"\n", b"\r\n")) == wanted
    assert decode(b": hello\n\n" + data.replace(b"\n\n", b"\n\n: keepalive\n\n")) == wanted


@pytest.mark.parametrize("path", STREAMS)
def test_a_recording_that_is_cut_never_finishes(path: Path) -> None:
    data = path.read_bytes()
    whole = fold(decode(data))
    told = data.find(b'"stop_reason":"') if b'"stop_reason":"' in data else data.find(b'"stop_reason": "')
    finished = data.find(b"\n", told) if told >= 0 else len(data)
    for at in range(0, len(data), max(1, len(data) // 300)):
        events = decode_stream(PROVIDER.open_decoder(make_turn()), data[:at])
        check_order(events)
        answer = fold(events)
        if at < finished - 40 and not path.name.startswith("err-"):
            assert answer.failure is not None
            assert answer.failure.kind is FailureKind.DISCONNECT
        elif answer.failure is None:
            assert answer.parts == whole.parts


@pytest.mark.parametrize("path", list_recordings("anthropic/ns-*.json"))
def test_a_recorded_message(path: Path) -> None:
    if path.name.endswith((".meta.json", ".request.json")):
        return
    message = json.loads(path.read_bytes())
    events = PROVIDER.parse_answer(path.read_bytes(), make_turn())
    check_order(events)
    answer = fold(events)
    assert len(answer.parts) == len(message["content"])
    assert answer.start.id == message["id"]
    assert answer.finish.raw == message["stop_reason"]
    assert answer.usage.output == message["usage"]["output_tokens"]


def test_a_text() -> None:
    data = stream(*TEXT, finish("end_turn", output_tokens=2), MESSAGE_STOP)
    assert decode(data) == [*TOLD, Usage(output=2), Finish(Reason.STOP, "end_turn")]


def test_usage_of_the_start_and_of_the_end() -> None:
    head = {"type": "message_start", "message": {"id": "msg_1", "model": "m", "usage": {
        "input_tokens": 5, "cache_read_input_tokens": 10, "output_tokens": 1,
    }}}  # fmt: skip
    events = decode(stream(head, *TEXT, finish("end_turn", output_tokens=2), MESSAGE_STOP))
    assert events[0] == Start("msg_1", "m", Usage(15, 10, None, 1))
    assert events[-2] == Usage(15, 10, None, 2)


def test_the_finish_waits_for_the_end() -> None:
    data = stream(*TEXT, finish("end_turn"), finish("max_tokens", output_tokens=3), MESSAGE_STOP)
    assert decode(data)[-2:] == [Usage(output=3), Finish(Reason.LENGTH, "max_tokens")]


def test_a_stop_sequence_and_details() -> None:
    last = {"type": "message_delta", "delta": {"stop_reason": "stop_sequence", "stop_sequence": "END"}}
    assert decode(stream(*TEXT, last, MESSAGE_STOP))[-1] == Finish(Reason.STOP_SEQUENCE, "stop_sequence", "END")
    details = {"type": "refusal", "category": "cyber"}
    last = {"type": "message_delta", "delta": {"stop_reason": "refusal", "stop_details": details}}
    assert decode(stream(last, MESSAGE_STOP))[-1] == Finish(Reason.REFUSAL, "refusal", None, details)


def test_an_answer_without_blocks() -> None:
    assert decode(stream(*END)) == [Start("msg_1", "m"), Finish(Reason.STOP, "end_turn")]


@pytest.mark.parametrize("events", [(*TEXT, END[0]), (*TEXT[:2], END[0]), (*TEXT[:2], *END), (*TEXT, MESSAGE_STOP)])
def test_an_end_that_lacks_something(events: Any) -> None:
    decoded = decode(stream(*events))
    assert decoded[:4] == TOLD
    assert isinstance(decoded[-1], Finish)


def test_a_last_event_without_its_blank_line() -> None:
    data = stream(*TEXT, *END)
    assert decode(data.removesuffix(b"\n")) == decode(data)
    assert decode(data.removesuffix(b"\n\n")) == decode(data)
    without_stop = stream(*TEXT, END[0])
    assert isinstance(decode(without_stop.removesuffix(b"\n\n"))[-1], Finish)
    assert isinstance(decode(without_stop.removesuffix(b"}\n\n"))[-1], Failure)


def test_a_stream_that_begins_in_the_middle() -> None:
    data = b"".join(stream(*TEXT, *END).partition(b"event: content_block_start")[1:])
    assert decode(data)[0] == Start()
    assert decode(data)[1:4] == TOLD[1:]


def test_a_second_start_is_ignored() -> None:
    head = {"type": "message_start", "message": {"id": "msg_2", "model": "x", "usage": {"input_tokens": 99}}}
    assert decode(stream(*TEXT, head, *END))[:4] == TOLD


@pytest.mark.parametrize("padding", [b"", b" \n\n  "])
def test_a_whole_message_where_a_stream_was_asked_for(padding: bytes) -> None:
    message = {
        "id": "msg_1", "model": "m", "stop_reason": "tool_use", "usage": {"input_tokens": 3, "output_tokens": 4},
        "content": [{"type": "text", "text": "Hi"}, {"type": "tool_use", "id": "t", "name": "add", "input": {"a": 1}}],
    }  # fmt: skip
    events = PROVIDER.parse_answer(padding + dump(message), make_turn())
    check_order(events)
    answer = fold(events)
    assert answer.parts == [Text("Hi"), ToolCall("t", "add", '{"a":1}')]
    assert (answer.usage, answer.finish) == (Usage(3, output=4), Finish(Reason.TOOL_USE, "tool_use"))


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", FailureKind.BAD_GATEWAY),
        (b"<html>", FailureKind.BAD_GATEWAY),
        (b"{}", FailureKind.BAD_GATEWAY),
        (b'{"content": "x"}', FailureKind.BAD_GATEWAY),
        (b"[1]", FailureKind.BAD_GATEWAY),
        (b'{"type":"error","error":{"type":"overloaded_error","message":"m"}}', FailureKind.OVERLOADED),
        (b'{"error":{"code":"1113","message":"m"}}', FailureKind.QUOTA),
    ],
)
def test_what_is_no_message(body: bytes, kind: FailureKind) -> None:
    (failure,) = PROVIDER.parse_answer(body, make_turn())
    assert isinstance(failure, Failure)
    assert failure.kind is kind


@pytest.mark.parametrize(
    ("body", "count"),
    [(b'{"input_tokens": 7}', 7), (b"{}", None), (b"[]", None), (b"x", None), (b'{"input_tokens": -1}', None)],
)
def test_a_count(body: bytes, count: int | None) -> None:
    assert parse_count(body) == count
