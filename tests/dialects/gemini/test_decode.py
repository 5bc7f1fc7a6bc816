"""Google's streams as events: whole, cut anywhere, in an envelope, without a finish, with an error inside."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.dialects.events import (
    BlockEnd,
    BlockStart,
    Delta,
    Failure,
    FailureKind,
    Finish,
    Kind,
    Reason,
    Sign,
    Start,
    Usage,
)
from proxy.dialects.gemini.decode import ORIGIN_FORM, Decoder, parse_answer, parse_count
from proxy.dialects.parts import Signature
from proxy.wire.sse import Parser
from tests.helpers.feeds import every_cut, one_by_one
from tests.helpers.gemini import chunk, decode, decode_parts, list_recordings, make_turn, read_recording, to_sse
from tests.helpers.order import check_order, merge_deltas

RECORDINGS = list_recordings("gemini", ".sse") + list_recordings("antigravity", ".sse")
CUT = {"malformed-content.sse", "err-midstream.sse", "err-midstream-data-error.sse"}


@pytest.mark.parametrize("recording", RECORDINGS)
def test_recordings_keep_the_order_and_end_well(recording: Path) -> None:
    events = decode(recording.read_bytes())
    check_order(events)
    assert isinstance(events[-1], Failure if recording.name in CUT else Finish)


@pytest.mark.parametrize("recording", RECORDINGS)
def test_recordings_are_the_same_byte_by_byte_and_with_other_line_ends(recording: Path) -> None:
    data = recording.read_bytes()
    events = decode(data)
    assert decode(data, pieces=one_by_one(data)) == events
    assert decode(data.replace(b"\r\n", b"\n")) == events
    assert decode(data.rstrip()) == events


@settings(max_examples=25, deadline=None, database=None)
@given(st.data())
@pytest.mark.parametrize("recording", RECORDINGS)
def test_a_recording_that_breaks_off_never_looks_finished(recording: Path, data: st.DataObject) -> None:
    body = recording.read_bytes()
    at = data.draw(st.integers(0, len(body)))
    whole, events = decode(body), decode(body[:at])
    check_order(events)
    if isinstance(events[-1], Finish):
        assert events[-1] == whole[-1] or isinstance(whole[-1], Failure)
        said = "".join(event.text for event in events if isinstance(event, Delta))
        assert "".join(event.text for event in whole if isinstance(event, Delta)).startswith(said)


def test_every_cut_of_a_small_stream() -> None:
    data = to_sse(chunk({"text": "né"}), chunk({"text": "", "thought": True}), chunk(finish="STOP"))
    events = decode(data)
    assert events == [
        Start(), BlockStart(Kind.TEXT), Delta("né"), BlockEnd(), Finish(Reason.STOP, "STOP"),
    ]  # fmt: skip
    for pieces in every_cut(data):
        assert decode(data, pieces=pieces) == events


def test_a_turn_with_thoughts_and_a_call() -> None:
    usage = {"promptTokenCount": 20, "candidatesTokenCount": 8, "thoughtsTokenCount": 5, "totalTokenCount": 33}
    called = {"functionCall": {"name": "add", "args": {"a": 2, "b": 3}, "id": "x"}, "thoughtSignature": "QUJD"}
    data = to_sse(
        chunk({"text": "Sum", "thought": True}, responseId="r1", modelVersion="m1"),
        chunk(called, finish="STOP", usageMetadata=usage),
    )
    assert decode(data) == [
        Start("r1", "m1"),
        BlockStart(Kind.THINKING),
        Delta("Sum"),
        BlockEnd(),
        BlockStart(Kind.TOOL, "x", "add", signature=Signature("g", "QUJD")),
        Delta('{"a": 2, "b": 3}'),
        BlockEnd(),
        Usage(input=20, output=13, reasoning=5),
        Finish(Reason.TOOL_USE, "STOP"),
    ]


def test_a_signature_stands_behind_its_text_and_on_its_thought() -> None:
    sign = Signature("g", "QUJD")
    assert decode_parts({"text": "a", "thoughtSignature": "QUJD"}, {"text": "b"}) == [
        BlockStart(Kind.TEXT), Delta("a"), BlockEnd(), BlockStart(Kind.SIGNATURE, signature=sign), BlockEnd(),
        BlockStart(Kind.TEXT), Delta("b"), BlockEnd(),
    ]  # fmt: skip
    thought = {"text": "a", "thought": True}
    signed = {"thoughtSignature": "QUJD", "thought": True}
    assert decode_parts(thought, signed, thought) == [
        BlockStart(Kind.THINKING), Delta("a"), Sign(sign), BlockEnd(),
        BlockStart(Kind.THINKING), Delta("a"), BlockEnd(),
    ]  # fmt: skip
    assert decode_parts(signed) == [BlockStart(Kind.THINKING), Sign(sign), BlockEnd()]
    assert decode_parts({"thoughtSignature": "QUJD"}) == [BlockStart(Kind.SIGNATURE, signature=sign), BlockEnd()]


def test_whose_signatures_come_is_said_with_the_request() -> None:
    turn = make_turn(forms={ORIGIN_FORM: "yc"})
    events = decode_parts({"thoughtSignature": "RXZz", "thought": True}, turn=turn)
    assert events[1] == Sign(Signature("yc", "RXZz"))


@pytest.mark.parametrize(
    ("part", "start"),
    [
        (
            {"inlineData": {"mimeType": "image/png", "data": "QUJD"}},
            BlockStart(Kind.IMAGE, name="image/png", data="QUJD"),
        ),
        (
            {"inlineData": {"mimeType": "audio/wav", "data": "QUJD"}},
            BlockStart(Kind.OPAQUE, name="gemini", data={"inlineData": {"mimeType": "audio/wav", "data": "QUJD"}}),
        ),
        (
            {"executableCode": {"code": "1"}, "thoughtSignature": "QUJD"},
            BlockStart(Kind.OPAQUE, name="gemini", data={"executableCode": {"code": "1"}, "thoughtSignature": "QUJD"}),
        ),
        (
            {"codeExecutionResult": {"output": "1"}},
            BlockStart(Kind.OPAQUE, name="gemini", data={"codeExecutionResult": {"output": "1"}}),
        ),
    ],
)  # fmt: skip
def test_what_is_neither_text_nor_call(part: dict[str, Any], start: BlockStart) -> None:
    assert decode_parts({"text": "a"}, part) == [
        BlockStart(Kind.TEXT), Delta("a"), BlockEnd(), start, BlockEnd(),
    ]  # fmt: skip


@pytest.mark.parametrize("part", [{}, {"text": ""}, {"future": {"x": 1}}, {"inlineData": {}}, {"functionCall": {}}])
def test_what_says_nothing_opens_no_block(part: dict[str, Any]) -> None:
    assert decode_parts(part) == []


def test_only_the_first_candidate_counts() -> None:
    second = {"content": {"parts": [{"text": "second"}]}, "index": 1}
    first = {"content": {"parts": [{"text": "first"}]}, "index": 0, "finishReason": "STOP"}
    events = decode(to_sse({"candidates": [second, first]}, {"candidates": [second]}))
    assert [event for event in events if isinstance(event, Delta)] == [Delta("first")]


def test_counts_that_come_after_the_finish_are_told_before_it() -> None:
    events = decode(to_sse(chunk({"text": "a"}), chunk(finish="STOP"), {"usageMetadata": {"promptTokenCount": 9}}))
    assert events[-2:] == [Usage(input=9), Finish(Reason.STOP, "STOP")]


def test_a_long_stream_tells_its_counts_now_and_then() -> None:
    decoder = Decoder(make_turn())
    chunks = [chunk({"text": "a"}, usageMetadata={"promptTokenCount": 1, "candidatesTokenCount": n}) for n in range(40)]
    events = [event for block in Parser().feed(to_sse(*chunks)) for event in decoder.feed(block)]
    assert [event.output for event in events if isinstance(event, Usage)] == [15, 31]


def test_a_blocked_prompt_is_a_finish() -> None:
    feedback = {"blockReason": "BLOCKLIST", "safetyRatings": []}
    assert decode(to_sse({"promptFeedback": feedback})) == [
        Start(), Finish(Reason.CONTENT_FILTER, "BLOCKLIST", details={"promptFeedback": feedback}),
    ]  # fmt: skip


def test_what_is_no_json_is_counted_and_skipped() -> None:
    decoder = Decoder(make_turn())
    data = b"data: {oops\n\ndata: [DONE]\n\n: comment\n\nevent: x\n\n" + to_sse(chunk({"text": "a"}, finish="STOP"))
    events = [event for block in Parser().feed(data) for event in decoder.feed(block)]
    assert decoder.malformed == 1
    assert decoder.complete
    assert not decoder.ended
    assert Delta("a") in events
    assert isinstance(decoder.end()[-1], Finish)
    assert decoder.ended
    assert decoder.end() == []


def test_half_an_event_at_the_end_is_left_out() -> None:
    data = to_sse(chunk({"text": "a"}, finish="STOP"))
    events = decode(data + b'data: {"candidates":[{"content":{"parts":[{"te')
    assert events == decode(data)
    decoder = Decoder(make_turn())
    assert isinstance(decoder.end(b'data: {"candi')[-1], Failure)
    assert decoder.malformed == 0


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("framing", ["data: ", "", "[", " \n"])
@pytest.mark.parametrize("spoken", [[], [{"text": "Part"}]])
def test_an_error_in_the_stream(end: str, framing: str, spoken: list[dict[str, Any]]) -> None:
    error = json.dumps(
        {"error": {"code": 503, "message": "Later.", "status": "UNAVAILABLE"}},
        indent=None if framing == "data: " else 1,
    )
    closing = "]" if framing == "[" else ""
    data = to_sse(*(chunk(part) for part in spoken), end=end) + f"{framing}{error}{closing}{end}{end}".encode()
    for pieces in ([data], one_by_one(data), [data[:-2]]):
        events = decode(data, pieces=pieces)
        check_order(events)
        assert events[-1] == Failure(FailureKind.OVERLOADED, "Later.", 503, "UNAVAILABLE")
        assert (Delta("Part") in events) is bool(spoken)


def test_an_error_counts_after_a_finish_and_nothing_after_an_error() -> None:
    error = {"error": {"code": 500, "message": "Broken."}}
    decoder = Decoder(make_turn())
    events = []
    for block in Parser().feed(to_sse(chunk({"text": "a"}, finish="STOP"), error, chunk({"text": "b"}))):
        events += decoder.feed(block)
    assert isinstance(events[-1], Failure)
    assert (decoder.complete, decoder.ended, decoder.end()) == (False, True, [])


def test_an_error_that_is_null_is_none() -> None:
    assert isinstance(decode(to_sse({**chunk(finish="STOP"), "error": None}))[-1], Finish)


@pytest.mark.parametrize("recording", list_recordings("gemini", ".json"))
def test_recorded_answers(recording: Path) -> None:
    events = parse_answer(recording.read_bytes(), make_turn())
    check_order(events)
    assert isinstance(events[-1], Failure if recording.name.startswith("err-") else Finish)


def test_an_array_tells_what_its_events_would() -> None:
    data = read_recording("gemini/thinking-tool-25flash.sse")
    chunks = [json.loads(block.data) for block in Parser().feed(data) if block.data]
    assert _settle(parse_answer(json.dumps(chunks, indent=1).encode(), make_turn())) == _settle(decode(data))
    assert parse_answer(b" \n" + data, make_turn()) == merge_deltas(parse_answer(data, make_turn())) == decode(data)


def _settle(events: list[Any]) -> list[Any]:
    """Without the spacing of arguments."""
    return [Delta(event.text.replace(" ", "")) if isinstance(event, Delta) else event for event in merge_deltas(events)]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[{", b"{}", b"null", b'{"candidates":[]}', b"3"])
def test_what_is_no_answer_is_a_bad_gateway(body: bytes) -> None:
    (failure,) = parse_answer(body, make_turn())
    assert isinstance(failure, Failure)
    assert failure.kind is FailureKind.BAD_GATEWAY


def test_an_array_without_a_finish_was_cut_and_a_document_was_not() -> None:
    body = chunk({"text": "a"})
    assert parse_answer(json.dumps([body]).encode(), make_turn())[-1] == Failure(
        FailureKind.DISCONNECT, "the provider ended the answer before it was complete"
    )
    assert isinstance(parse_answer(json.dumps(body).encode(), make_turn())[-1], Finish)


@pytest.mark.parametrize(
    ("body", "count"),
    [
        (b'{"totalTokens": 31}', 31),
        (b'{"totalTokens": "x"}', None),
        (b'{"totalTokens": true}', None),
        (b"[]", None),
        (b"<", None),
    ],
)
def test_a_count_of_tokens(body: bytes, count: int | None) -> None:
    assert parse_count(body) == count
