"""The chunks of an answer, in order, and what a page makes of them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.events import Delta, Event, Failure, FailureKind, Finish, Kind, Reason, Sign, Start, Usage
from proxy.dialects.parts import Message, Signature, Text, ToolResult
from proxy.dialects.signatures import seal
from proxy.dialects.ui_message import CLIENT
from proxy.dialects.ui_message.inputs import BROKEN
from tests.helpers.ui_message import answer, block, build_turn, encode, gather, read

SIGNED = Signature("g", "QUJD")
ANSWER = answer(
    block(Kind.THINKING, "hm", " ö", sign=SIGNED),
    block(Kind.TEXT, "Hello", "\u2028\r\n\n\u0085", "\ud800"),
    block(Kind.TOOL, '{"a"', ":1}", id="call_1", name="f", signature=SIGNED),
    block(Kind.TOOL, "{}", id="call_2", name="g"),
    reason=Reason.TOOL_USE,
    usage=Usage(input=1, output=2),
)


def test_the_chunks_of_an_answer() -> None:
    note = {"providerMetadata": {"penstock": {"signature": seal(SIGNED)}}}
    first, *chunks = read(encode(ANSWER))
    assert first == {"type": "start", "messageId": first["messageId"]}
    assert chunks == [
        {"type": "start-step"},
        {"type": "reasoning-start", "id": "0"},
        {"type": "reasoning-delta", "id": "0", "delta": "hm"},
        {"type": "reasoning-delta", "id": "0", "delta": " ö"},
        {"type": "reasoning-end", "id": "0"} | note,
        {"type": "text-start", "id": "1"},
        {"type": "text-delta", "id": "1", "delta": "Hello"},
        {"type": "text-delta", "id": "1", "delta": "\u2028\r\n\n\u0085"},
        {"type": "text-delta", "id": "1", "delta": "\ud800"},
        {"type": "text-end", "id": "1"},
        {"type": "tool-input-start", "toolCallId": "call_1", "toolName": "f"},
        {"type": "tool-input-delta", "toolCallId": "call_1", "inputTextDelta": '{"a"'},
        {"type": "tool-input-delta", "toolCallId": "call_1", "inputTextDelta": ":1}"},
        {"type": "tool-input-available", "toolCallId": "call_1", "toolName": "f", "input": {"a": 1}} | note,
        {"type": "tool-input-start", "toolCallId": "call_2", "toolName": "g"},
        {"type": "tool-input-delta", "toolCallId": "call_2", "inputTextDelta": "{}"},
        {"type": "tool-input-available", "toolCallId": "call_2", "toolName": "g", "input": {}},
        {"type": "finish-step"},
        {"type": "finish", "finishReason": "tool-calls", "messageMetadata": {
            "model": "model-1", "usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}}},
        "[DONE]",
    ]  # fmt: skip


def test_events_are_data_lines_and_nothing_else() -> None:
    data = encode(ANSWER)
    assert all(line.startswith(b"data: ") for line in data.split(b"\n\n")[:-1])
    assert b"\r" not in data
    assert "\u2028".encode() not in data


@pytest.mark.parametrize(
    ("start", "chunk"),
    [
        (block(Kind.REDACTED, signature=SIGNED), {"redacted": seal(SIGNED)}),
        (block(Kind.SIGNATURE, signature=SIGNED), {"signature": seal(SIGNED)}),
        (block(Kind.THINKING, sign=SIGNED), {"signature": seal(SIGNED)}),
    ],
)
def test_what_has_no_text_is_an_empty_thought_with_a_note(start: list[Event], chunk: Any) -> None:
    assert read(encode(answer(start)))[2:4] == [
        {"type": "reasoning-start", "id": "0"},
        {"type": "reasoning-end", "id": "0", "providerMetadata": {"penstock": chunk}},
    ]


def test_an_image_is_a_file_and_a_refusal_is_marked_text() -> None:
    chunks = read(encode(answer(block(Kind.IMAGE, name="image/png", data="QQ=="), block(Kind.REFUSAL, "No."))))
    assert chunks[2] == {"type": "file", "mediaType": "image/png", "url": "data:image/png;base64,QQ=="}
    assert chunks[3] == {"type": "text-start", "id": "0", "providerMetadata": {"penstock": {"refusal": True}}}
    assert chunks[4]["delta"] == "No."


def test_blocks_of_other_dialects_are_not_shown() -> None:
    assert encode(answer(block(Kind.OPAQUE, name="anthropic", data={"x": 1}))) == encode(answer())


def test_broken_arguments_are_shown_as_the_model_wrote_them() -> None:
    chunks = read(encode(answer(block(Kind.TOOL, '{"a', "\n", id="c", name="f", sign=SIGNED))))
    assert chunks[5] == {
        "type": "tool-input-error", "toolCallId": "c", "toolName": "f", "input": '{"a\n', "errorText": BROKEN,
        "providerMetadata": {"penstock": {"signature": seal(SIGNED)}},
    }  # fmt: skip


def test_free_text_of_a_tool_is_its_input() -> None:
    chunks = read(encode(answer(block(Kind.TOOL, "{not json", id="c", name="f", custom=True))))
    assert (chunks[4]["type"], chunks[4]["input"]) == ("tool-input-available", "{not json")


@pytest.mark.parametrize("at", range(len(ANSWER)))
def test_a_failure_anywhere_ends_with_an_error_and_nothing_else(at: int) -> None:
    chunks = read(encode([*ANSWER[:at], Failure(FailureKind.DISCONNECT, 'It "broke" off.')]))
    assert chunks[-1] == {"type": "error", "errorText": 'It "broke" off.'}
    assert not {"finish", "finish-step"} & {chunk["type"] for chunk in chunks}


def test_usage_is_the_last_that_was_told_and_the_start_s_counts() -> None:
    events = [Start("", "", Usage(input=5, output=1)), Usage(output=9), Usage(output=10), Finish(Reason.STOP)]
    assert read(encode(events))[-2]["messageMetadata"] == {
        "usage": {"inputTokens": 5, "outputTokens": 10, "totalTokens": 15}
    }
    assert "messageMetadata" not in read(encode([Start(), Finish(Reason.STOP)]))[-2]


def test_the_id_is_made_from_the_request_s() -> None:
    first, again, other = (
        read(encode(answer(), build_turn(seed=seed)))[0]["messageId"] for seed in ("a", "a", "b")
    )  # fmt: skip
    assert first == again != other


@pytest.mark.parametrize(
    ("last", "continued"),
    [
        (Message("user", (Text("x"),)), False),
        (Message("user", ()), False),
        (Message("user", (ToolResult("c", ()),)), True),
        (Message("user", (ToolResult("c", ()), Text("x"))), False),
        (Message("assistant", (Text("x"),)), True),
    ],
)
def test_an_answer_that_continues_a_message_has_no_id_of_its_own(last: Message, continued: bool) -> None:
    chunk = read(encode(answer(), build_turn(last)))[0]
    assert ("messageId" not in chunk) is continued


def test_the_keepalive_is_a_comment_with_one_line_end_until_the_end() -> None:
    encoder = CLIENT.open_encoder(build_turn())
    assert encoder.keepalive == b": keepalive\n"
    encoder.encode(Finish(Reason.STOP))
    assert encoder.keepalive == b""


def test_a_delta_or_an_end_without_a_block_says_nothing() -> None:
    encoder = CLIENT.open_encoder(build_turn())
    assert encoder.encode(Delta("x")) == b""
    for event in block(Kind.TEXT, "x"):
        encoder.encode(event)
    assert encoder.encode(Delta("x")) == b""
    assert encoder.encode(Sign(SIGNED)) == b""


TEXTS = st.lists(st.text(st.characters(exclude_categories=())), max_size=3)
BLOCKS = st.one_of(
    TEXTS.map(lambda texts: block(Kind.TEXT, *texts)),
    TEXTS.map(lambda texts: block(Kind.THINKING, *texts, sign=SIGNED)),
    TEXTS.map(lambda texts: block(Kind.TOOL, *texts, id="c", name="f")),
)


@given(st.lists(BLOCKS, max_size=5))
def test_every_text_arrives_as_it_was(blocks: list[list[Event]]) -> None:
    parts = gather(read(encode(answer(*blocks))))[1:]
    for events, part in zip(blocks, parts, strict=True):
        text = "".join(event.text for event in events if isinstance(event, Delta))
        if part["type"] == "tool-f":
            assert part["state"] == "input-available" or part["rawInput"] == text
        else:
            assert (part["text"], part["state"]) == (text, "done")
