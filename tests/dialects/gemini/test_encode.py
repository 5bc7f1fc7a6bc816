"""What Google's clients are sent: events, arrays and whole answers, in lines that their parsers survive."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from proxy.dialects.gemini.encode import Encoder, build_answer
from proxy.dialects.gemini.marks import read_mark
from proxy.dialects.parts import Signature
from tests.helpers.feeds import fuzz
from tests.helpers.gemini import answer, decode, encode, list_recordings, make_turn, read_sse, text_block
from tests.helpers.order import merge_deltas

RECORDINGS = list_recordings("gemini", ".sse") + list_recordings("antigravity", ".sse")


def parts_of(events: list[Event], *, show: bool = True) -> list[Any]:
    """The parts of all chunks but the last, which is checked to be a finish and no more."""
    *chunks, last = read_sse(encode(events, make_turn(show=show)))
    assert last["candidates"][0]["content"]["parts"] == [{"text": ""}]
    assert "finishReason" in last["candidates"][0]
    return [part for item in chunks for part in item["candidates"][0]["content"]["parts"]]


def test_a_whole_stream() -> None:
    usage = Usage(input=20, cache_read=4, output=13, reasoning=5)
    data = encode([*answer(*text_block("Hi"))[:-1], usage, Finish(Reason.STOP)])
    names = {"modelVersion": "model-1", "responseId": "answer_1"}
    counts = {
        "promptTokenCount": 20, "cachedContentTokenCount": 4, "candidatesTokenCount": 8, "thoughtsTokenCount": 5,
        "totalTokenCount": 33,
    }  # fmt: skip
    assert read_sse(data) == [
        {"candidates": [{"content": {"parts": [{"text": "Hi"}], "role": "model"}, "index": 0}], **names},
        {
            "candidates": [{"content": {"parts": [{"text": ""}], "role": "model"}, "finishReason": "STOP", "index": 0}],
            "usageMetadata": counts,
            **names,
        },
    ]


def test_names_that_the_provider_did_not_give() -> None:
    (last,) = read_sse(encode([Start(), Finish(Reason.STOP)]))
    assert last["modelVersion"] == "asked"
    assert len(last["responseId"]) >= 20
    assert read_sse(encode([Start(), Finish(Reason.STOP)])) == [last]


def test_thoughts_are_for_who_asked() -> None:
    events = answer(BlockStart(Kind.THINKING), Delta("Hm"), Sign(Signature("g", "QUJD")), BlockEnd(), *text_block("Hi"))
    assert parts_of(events) == [
        {"text": "Hm", "thought": True}, {"text": "", "thought": True, "thoughtSignature": "QUJD"}, {"text": "Hi"},
    ]  # fmt: skip
    assert parts_of(events, show=False) == [{"text": "Hi"}]


def test_signatures_of_others_are_base64_that_comes_back() -> None:
    signature = Signature("a", "EqQB+/=")
    (thought,) = parts_of(answer(BlockStart(Kind.THINKING), Sign(signature), BlockEnd()))
    assert base64.b64decode(thought["thoughtSignature"], validate=True)
    assert read_mark(thought["thoughtSignature"]) == signature
    (redacted,) = parts_of(answer(BlockStart(Kind.REDACTED, signature=signature), BlockEnd()))
    assert redacted["thought"] is True
    assert parts_of(answer(BlockStart(Kind.REDACTED, signature=signature), BlockEnd()), show=False) == []


def test_a_call_is_sent_complete() -> None:
    start = BlockStart(Kind.TOOL, "x1", "add", signature=Signature("g", "QUJD"))
    events = answer(start, Delta('{"a"'), Delta(":\r\n 2}"), BlockEnd(), reason=Reason.TOOL_USE)
    data = encode(events)
    assert data.count(b"data: ") == 2
    assert parts_of(events) == [
        {"functionCall": {"id": "x1", "name": "add", "args": {"a": 2}}, "thoughtSignature": "QUJD"},
    ]
    assert b'"finishReason":"STOP"' in data


def test_arguments_keep_every_digit_and_break_no_line() -> None:
    arguments = '{"n": ' + "1" * 30 + ', "s": "\u2028\u0085\ud800é"}'
    data = encode(answer(BlockStart(Kind.TOOL, "x", "f"), Delta(arguments), BlockEnd()))
    assert b"1" * 30 in data
    assert len(data.decode().splitlines()) == 4
    assert parts_of(answer(BlockStart(Kind.TOOL, "x", "f"), Delta(arguments), BlockEnd()))[0]["functionCall"][
        "args"
    ] == json.loads(arguments)


@pytest.mark.parametrize("arguments", ['{"a', "[1]", "3", "{'a': 1}"])
@pytest.mark.parametrize(
    ("reason", "word"),
    [(Reason.TOOL_USE, "MALFORMED_FUNCTION_CALL"), (Reason.LENGTH, "MAX_TOKENS"), (Reason.CONTENT_FILTER, "SAFETY")],
)
def test_arguments_that_are_no_object_are_no_success(arguments: str, reason: Reason, word: str) -> None:
    events = answer(BlockStart(Kind.TOOL, "x", "f"), Delta(arguments), BlockEnd(), reason=reason)
    assert parts_of(events) == [{"functionCall": {"id": "x", "name": "f", "args": {}}}]
    assert read_sse(encode(events))[-1]["candidates"][0]["finishReason"] == word


def test_free_text_is_one_argument() -> None:
    events = answer(BlockStart(Kind.TOOL, "x", "sh", custom=True), Delta("ls"), BlockEnd())
    assert parts_of(events)[0]["functionCall"]["args"] == {"input": "ls"}


def test_what_is_neither_text_nor_call() -> None:
    code = {"executableCode": {"code": "1"}}
    assert parts_of(answer(
        BlockStart(Kind.IMAGE, name="image/png", data="QUJD"), BlockEnd(),
        BlockStart(Kind.OPAQUE, name="gemini", data=code), BlockEnd(),
        BlockStart(Kind.OPAQUE, name="anthropic", data={"type": "x"}), BlockEnd(),
        BlockStart(Kind.SIGNATURE, signature=Signature("g", "QUJD")), BlockEnd(),
        *text_block("No.", Kind.REFUSAL),
    )) == [
        {"inlineData": {"mimeType": "image/png", "data": "QUJD"}}, code, {"text": "", "thoughtSignature": "QUJD"},
        {"text": "No."},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("failure", "code", "status"),
    [
        (Failure(FailureKind.OVERLOADED, "Later."), 503, "UNAVAILABLE"),
        (Failure(FailureKind.DISCONNECT, "Cut."), 503, "UNAVAILABLE"),
        (Failure(FailureKind.RATE_LIMIT, "Slow.", retry_after=3.0), 429, "RESOURCE_EXHAUSTED"),
    ],
)
def test_an_error_has_its_name_first_and_nothing_after_it(failure: Failure, code: int, status: str) -> None:
    encoder = Encoder(make_turn())
    said = b"".join(encoder.encode(event) for event in [Start(), BlockStart(Kind.TEXT), Delta("Hi")])
    error = encoder.encode(failure)
    assert error.startswith(b'data: {"error":{"code":')
    assert read_sse(said + error)[-1]["error"]["status"] == status
    assert read_sse(error)[0]["error"]["code"] == code
    assert b"finishReason" not in said + error
    assert encoder.keepalive == b""


def test_an_array_grows_and_closes() -> None:
    turn = make_turn(array=True)
    encoder = Encoder(turn)
    pieces = [encoder.encode(event) + encoder.keepalive for event in answer(*text_block("Hi"), *text_block("Ho"))]
    whole = b"".join(pieces)
    assert whole.strip().startswith(b"[{")
    assert whole.endswith(b"\n]")
    assert b"}\n,\n{" in whole.replace(b"\n\n", b"\n").replace(b"\n\n", b"\n")
    chunks = json.loads(whole)
    assert [item["candidates"][0]["content"]["parts"][0]["text"] for item in chunks] == ["Hi", "Ho", ""]


@pytest.mark.parametrize("said", [[], [Start(), BlockStart(Kind.TEXT), Delta("Hi")]])
def test_an_error_closes_the_array(said: list[Event]) -> None:
    whole = encode([*said, Failure(FailureKind.SERVER, "Broken.")], make_turn(array=True))
    assert json.loads(whole)[-1]["error"] == {
        "code": 500, "message": "Broken.", "status": "INTERNAL",
        "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVER", "domain": "penstock"}],
    }  # fmt: skip
    assert len(json.loads(whole)) == len(said[2:]) + 1


def test_keepalives_are_bare_line_feeds() -> None:
    encoder = Encoder(make_turn())
    assert encoder.keepalive == b"\n"
    data = b"".join(encoder.keepalive + encoder.encode(event) for event in answer(*text_block("Hi")))
    assert set(data.split(b"data: ")[0]) == {ord("\n")}
    encoder.encode(Finish(Reason.STOP))
    assert encoder.keepalive == b""


def test_a_refused_prompt_and_a_finish_message_go_back_as_they_came() -> None:
    feedback = {"blockReason": "SAFETY"}
    (last,) = read_sse(encode([Start(), Finish(Reason.CONTENT_FILTER, "SAFETY", details={"promptFeedback": feedback})]))
    assert last["promptFeedback"] == feedback
    assert "candidates" not in last
    (last,) = read_sse(encode([Start(), Finish(Reason.CONTENT_FILTER, "SPII", details={"finishMessage": "No."})]))
    assert last["candidates"][0]["finishMessage"] == "No."
    assert last["candidates"][0]["finishReason"] == "SPII"


@pytest.mark.parametrize("recording", RECORDINGS)
def test_recordings_survive_encoding(recording: Path) -> None:
    events = decode(recording.read_bytes())
    again = decode(encode(events, make_turn(show=True)))
    if isinstance(events[-1], Failure):
        assert isinstance(again[-1], Failure)
        events, again = events[:-1], again[:-1]
    assert _settle(again) == _settle(events)


@pytest.mark.parametrize("recording", RECORDINGS)
def test_a_whole_answer_says_what_its_stream_says(recording: Path) -> None:
    events = decode(recording.read_bytes())
    folded = fold(events)
    if folded.failure is not None:
        return
    turn = make_turn(show=True)
    body = json.loads(build_answer(folded, turn))
    streamed = read_sse(encode(events, turn))
    parts = [part for item in streamed[:-1] for part in item["candidates"][0]["content"]["parts"]]
    if "candidates" in body:
        assert _join(body["candidates"][0]["content"]["parts"]) == _join(parts or [{"text": ""}])
        assert body["candidates"][0]["finishReason"] == streamed[-1]["candidates"][0]["finishReason"]
    assert body["usageMetadata"] == streamed[-1]["usageMetadata"]


def test_neighbouring_texts_are_one_in_a_whole_answer_and_signed_ones_stand_alone() -> None:
    signed = [BlockStart(Kind.SIGNATURE, signature=Signature("g", "QUJD")), BlockEnd()]
    folded = fold(answer(*text_block("a"), *text_block("b"), *signed, *text_block("c")))
    (candidate,) = json.loads(build_answer(folded, make_turn()))["candidates"]
    assert candidate["content"]["parts"] == [{"text": "ab"}, {"text": "", "thoughtSignature": "QUJD"}, {"text": "c"}]


def test_an_empty_answer_is_a_valid_one() -> None:
    (candidate,) = json.loads(build_answer(fold(answer(reason=Reason.REFUSAL)), make_turn()))["candidates"]
    assert candidate == {"content": {"parts": [{"text": ""}], "role": "model"}, "finishReason": "SAFETY", "index": 0}


@fuzz
@given(st.lists(st.text(st.characters(exclude_categories=()), min_size=1), min_size=1, max_size=5))
def test_any_text_arrives_as_it_was(texts: list[str]) -> None:
    data = encode(answer(BlockStart(Kind.TEXT), *map(Delta, texts), BlockEnd()))
    assert len(data.decode().splitlines()) == 2 * (len(texts) + 1)
    said = [item["candidates"][0]["content"]["parts"][0]["text"] for item in read_sse(data)]
    assert said == [*texts, ""]


def _settle(events: list[Event]) -> list[Event]:
    """Without the counts told on the way and the names that were made."""
    return merge_deltas(event for event in events if not isinstance(event, Usage | Start))


def _join(parts: list[Any]) -> list[Any]:
    joined: list[Any] = []
    for part in parts:
        if joined and part.keys() == joined[-1].keys() <= {"text", "thought"}:
            joined[-1] = {**part, "text": joined[-1]["text"] + part["text"]}
        else:
            joined.append(part)
    return joined
