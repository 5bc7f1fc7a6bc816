"""Bytes of a provider for a client of its own dialect: what passes as it came, and what is added at the end."""

import re

import pytest

from proxy.dialects.events import Failure, FailureKind, Start, Usage
from proxy.dialects.openai_chat.usage_asked import is_usage_chunk
from proxy.dialects.passage import Passage
from proxy.dialects.registry import DIALECTS, END_MARKS
from tests.helpers.crossing import (
    BOTH,
    OPENING,
    encode,
    ending,
    find_client,
    find_marks,
    list_cuts,
    make_turn,
    open_passage,
    open_reading,
    opening,
    read,
    run,
)
from tests.helpers.feeds import one_by_one
from tests.helpers.rescues import CUT, FIRST, SECOND, open_stage, speak, stop
from tests.helpers.strict import read_strictly

TOLD = FIRST[:4]
"""Up to within the text."""

BUSY = Failure(FailureKind.OVERLOADED, "busy", 529)
SAME = pytest.mark.parametrize("dialect", BOTH)


@SAME
def test_a_passage_keeps_waiting_in_the_dialect_s_form(dialect: str) -> None:
    stage = open_passage(dialect)
    assert stage.keepalive
    data = opening(dialect) + ending(dialect)
    out = b"".join(stage.feed(piece) + stage.keepalive for piece in one_by_one(data)) + stage.end()
    assert read(dialect, [out]) == read(dialect, [data])


@SAME
def test_a_passage_adds_a_missing_end_mark(dialect: str) -> None:
    mark = END_MARKS.get(dialect, b"")
    data = opening(dialect) + ending(dialect)
    assert data.endswith(mark)
    assert run(open_passage(dialect), [data.removesuffix(mark)]) == data
    assert run(open_passage(dialect), [data]) == data


@SAME
@pytest.mark.parametrize("end", ["", "\n", "\r", "\r\n", "\r\n\r"])
def test_a_passage_completes_the_last_event(dialect: str, end: str) -> None:
    """Where it is the end mark, no other is added."""
    line, missing = end.encode(), b"\n" if end.endswith("\n") else b"\n\n" if end != "\r\n\r" else b""
    data = opening(dialect) + ending(dialect).rstrip(b"\n")
    assert run(open_passage(dialect), [data + line]) == data + line + missing


@SAME
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_a_passage_keeps_line_ends_and_all_else_as_it_came(dialect: str, end: bytes) -> None:
    data = b': hello\n\n\nid: 7\nretry: 5\nevent: novelty\ndata: {"type":"novelty"}\n\n'
    data = (data + opening(dialect) + b"\n\n" + ending(dialect) + b": bye\n\n").replace(b"\n", end)
    assert run(open_passage(dialect), [data]) == data
    assert run(open_passage(dialect), one_by_one(data)) == data


@SAME
def test_a_passage_makes_a_line_end_whole_before_it_says_something(dialect: str) -> None:
    """There are readers that look for two CRLF."""
    data = opening(dialect).replace(b"\n", b"\r\n")
    finish = ending(dialect).removesuffix(END_MARKS.get(dialect, b"")).replace(b"\n", b"\r\n")
    for cut in (data[:-1], data):
        stage = open_passage(dialect)
        out = b"".join(map(stage.feed, one_by_one(cut)))
        assert stage.keepalive.startswith(b"\n")
        assert (out + stage.fail(BUSY)).startswith(data)
        stage = open_passage(dialect)
        out = b"".join(map(stage.feed, one_by_one(cut))) + stage.end()
        assert out.startswith(data)
        stage = open_passage(dialect)
        out = run(stage, one_by_one(data + finish[: len(finish) + len(cut) - len(data)]))
        assert out.removesuffix(END_MARKS.get(dialect, b"")) in (data + finish, (data + finish)[:-1])


@SAME
@pytest.mark.parametrize(
    "tail", [b"event: mess", b": bye", b"data", b"data:", b"data: ", b"data: {", b'data: {"a', b"junk"]
)
def test_a_passage_leaves_out_half_an_event_at_the_end(dialect: str, tail: bytes) -> None:
    stage = open_passage(dialect)
    data = opening(dialect) + ending(dialect).removesuffix(END_MARKS.get(dialect, b""))
    assert run(stage, [data + tail]) == data + END_MARKS.get(dialect, b"")
    assert stage.seen.malformed == 0


def test_a_passage_tells_all_of_an_error_and_what_stands_behind_it() -> None:
    data = opening("openrouter") + b'data: {"error":{"code":502,"message":"busy"}}\n\ndata: [DONE]\n\n'
    assert run(open_passage("openrouter"), [data]) == run(open_passage("openrouter"), one_by_one(data)) == data


@pytest.mark.parametrize("end", [b"", b"\n", b"\n\n", b"\r\n\r\n"])
@pytest.mark.parametrize("dialect", ["gemini", "code-assist"])
def test_a_bare_error_is_one_wherever_it_stands(dialect: str, end: bytes) -> None:
    """Google's, outside of any event; a finish before it counts for nothing (old models say STOP all the time)."""
    chunk = b'data: {"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]}\r\n\r\n'
    bare = b'{\n "error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}\n}' + end
    for pieces in ([chunk + bare], one_by_one(chunk + bare)):
        last = read(dialect, pieces)[-1]
        assert isinstance(last, Failure)
        assert last.kind is FailureKind.OVERLOADED
        out = run(open_passage("gemini"), pieces)
        assert out.startswith(chunk)
        assert b"busy" in out[len(chunk) :]


def test_the_error_within_is_that_of_the_stream_under_way() -> None:
    """Its reader has seen the provider's beginning: an answer's id does not change."""
    stage = open_passage("openai-responses")
    out = stage.feed(encode("openai-responses", [Start("resp_1", "m"), *OPENING[1:]])) + stage.fail(BUSY)
    assert set(re.findall(rb'"id":"(resp_\w+)"', out)) == {b"resp_1"}
    assert out.count(b'"id":"resp_1"') == 3


@pytest.mark.parametrize("dialect", BOTH)
@pytest.mark.parametrize("end", [b"\r", b"\r\n"])
def test_a_line_end_that_was_cut_is_made_whole(dialect: str, end: bytes) -> None:
    """There are readers that look for two CRLF; until something new is said, whatever is said needs it."""
    body = speak(dialect, TOLD).replace(b"\n", b"\r\n").removesuffix(b"\r\n") + end
    stage = open_stage(dialect, dialect)
    stage.withhold = True
    out = b"".join(map(stage.feed, one_by_one(body))) + stage.fail(CUT)
    again = stage.resume(open_reading(dialect), continues=False)
    early = again.keepalive
    first, rest = again.feed(speak(dialect, SECOND[:-2])), again.keepalive
    assert early.startswith(b"\n")
    assert not rest.startswith(b"\n") or dialect == "gemini"
    assert (out + first).startswith(body.removesuffix(end) + b"\r\n")
    assert (first.startswith(b"\n"), first.startswith(b"\n\n")) == (True, False)


def test_a_stream_with_too_much_beside_its_text_is_not_remembered() -> None:
    """And one that says the same all the time is."""
    for count, plain in ((1, True), (300, False)):
        stage = open_stage("anthropic", "anthropic")
        stage.feed(speak("anthropic", TOLD))
        for number in range(300):
            stage.feed(b'event: novelty\ndata: {"type":"novelty","n":%d}\n\n' % (number % count))
        assert stage.seen.delivered is not None
        assert stage.seen.delivered.plain is plain


@pytest.mark.parametrize("dialect", BOTH)
def test_an_error_within_is_of_the_stream_under_way(dialect: str) -> None:
    """Id, time, model and numbers, whoever says it."""
    stage = open_stage(dialect, dialect)
    out = stop(stage, speak(dialect, TOLD), clean=True)
    said = read_strictly(dialect, out)
    assert (said.failed, len(said.names)) == (True, 1)
    assert find_marks(dialect, out) == []
    assert isinstance(stage.seen.failure, Failure)
    assert not re.search(rb'"created(_at)?":1700000000', out)


def test_what_is_said_behind_an_error_is_kept_in_bounds() -> None:
    stage = open_stage("anthropic", "anthropic")
    stage.withhold = True
    stage.feed(speak("anthropic", [*TOLD, BUSY]))
    for _ in range(100):
        assert stage.feed(b": %b\n\n" % (b"x" * 10_000)) == b""
    assert 256 * 1024 <= len(stage.settle()) <= 300_000


# What was asked for on the client's behalf.

CHUNK = b'data: {"id":"c","choices":[%b],"usage":%b}%b'
COUNTS = b'{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}'
CHOICE = b'{"index":0,"delta":{},"finish_reason":"stop"}'


def open_hiding(*, track: bool = False) -> Passage:
    turn, client = make_turn("openai-chat", include_usage=False), find_client("openai-chat")
    keepalive, mark = DIALECTS["openai-chat"].keepalive, END_MARKS["openai-chat"]
    reading = open_reading("openai-chat", turn)
    return Passage(reading, lambda: client.open_encoder(turn), keepalive, mark, track=track, hides=is_usage_chunk)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("place", ["before the finish", "behind it", "behind the end mark"])
def test_counts_that_the_client_did_not_ask_for_are_read_and_left_out(end: bytes, place: str) -> None:
    mark = END_MARKS["openai-chat"].replace(b"\n", end)
    text = encode("openai-chat", OPENING).replace(b"\n", end)
    finish, hidden = CHUNK % (CHOICE, b"null", end * 2), CHUNK % (b"", COUNTS, end * 2)
    others = CHUNK % (b"", b"null", end * 2)  # Azure's first chunk has no choices either
    parts = {
        "before the finish": [others, text, hidden, finish, mark],
        "behind it": [others, text, finish, hidden, mark],
        "behind the end mark": [others, text, finish, hidden, mark, b": bye" + end * 2],
    }[place]
    wanted = b"".join(part for part in parts if part is not hidden)
    for pieces in list_cuts(b"".join(parts)):
        stage = open_hiding()
        out = run(stage, pieces)
        if end == b"\r\n":  # where a read ends within a line end, its LF comes with what is left out
            out, told = out.replace(b"\r\n", b"\r").replace(b"\n", b""), wanted.replace(b"\r\n", b"\r")
            assert out == told
        else:
            assert out == wanted
        assert stage.seen.usage == Usage(7, None, None, 2)
        assert (stage.seen.malformed, stage.complete) == (0, True)


@pytest.mark.parametrize("tail", [b"", b"\n"])
def test_counts_at_a_stream_s_very_end_are_left_out_too(tail: bytes) -> None:
    data = encode("openai-chat", OPENING) + CHUNK % (CHOICE, b"null", b"\n\n")
    stage = open_hiding()
    assert run(stage, [data + CHUNK % (b"", COUNTS, tail)]) == data + END_MARKS["openai-chat"]
    assert stage.seen.usage == Usage(7, None, None, 2)


def test_counts_beside_a_choice_stay_with_it() -> None:
    data = encode("openai-chat", OPENING) + CHUNK % (CHOICE, COUNTS, b"\n\n") + END_MARKS["openai-chat"]
    stage = open_hiding()
    assert run(stage, [data]) == data
    assert stage.seen.usage == Usage(7, None, None, 2)


def test_who_asked_gets_them() -> None:
    data = encode("openai-chat", OPENING) + CHUNK % (CHOICE, b"null", b"\n\n") + CHUNK % (b"", COUNTS, b"\n\n")
    assert run(open_passage("openai-chat"), [data]) == data + END_MARKS["openai-chat"]


def test_an_answer_that_is_gone_on_with_tells_no_counts_either() -> None:
    stage = open_hiding(track=True)
    stage.withhold = True
    out = stage.feed(encode("openai-chat", OPENING)) + stage.fail(CUT)
    again = stage.resume(open_reading("openai-chat", make_turn("openai-chat")), continues=False)
    out += run(again, [opening("openai-chat") + ending("openai-chat")])
    assert find_marks("openai-chat", out) == find_marks("openai-chat", opening("openai-chat") + ending("openai-chat"))
    assert b'"prompt_tokens"' not in out
    assert again.seen.usage.input == 7
