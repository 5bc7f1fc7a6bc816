"""The stages of an answer: what they say in each of their states, and what they remember."""

import pytest

from proxy.dialects.answer import fold
from proxy.dialects.events import BlockStart, Delta, Failure, FailureKind, Finish, Kind, Reason, Start, Usage
from proxy.dialects.parts import Text
from proxy.dialects.passage import Passage
from proxy.dialects.reading import TOO_LARGE, Reading
from proxy.dialects.registry import END_MARKS
from proxy.dialects.translate import Seen, Stage, Translation, build_whole, encode_failure
from tests.helpers.crossing import (
    ARRAY,
    BOTH,
    CLIENTS,
    ENDING,
    OPENING,
    encode,
    ending,
    find_client,
    find_marks,
    find_provider,
    has_error,
    make_turn,
    open_passage,
    open_reading,
    open_translation,
    opening,
    read,
    run,
)
from tests.helpers.feeds import one_by_one

CUT = Failure(FailureKind.DISCONNECT, "the connection broke", 502)
BUSY = Failure(FailureKind.OVERLOADED, "busy", 529)
NO_JSON = b"data: {no json\n\n"
SAME = pytest.mark.parametrize("dialect", BOTH)
EVERY = pytest.mark.parametrize("client", CLIENTS)
STAGES = pytest.mark.parametrize(
    ("client", "kind"), [*((client, "translated") for client in CLIENTS), *((client, "passed") for client in BOTH)]
)


def find_source(client: str, kind: str) -> str:
    """Another dialect than the client's, or the same."""
    if kind == "passed":
        return client
    return "anthropic" if client != "anthropic" else "openai-chat"


def open_stage(client: str, kind: str) -> tuple[Stage, str]:
    source = find_source(client, kind)
    return (open_passage(client) if kind == "passed" else open_translation(source, client)), source


@STAGES
def test_nothing_has_happened_yet(client: str, kind: str) -> None:
    stage, _ = open_stage(client, kind)
    assert stage.feed(b"") == b""
    assert (stage.complete, stage.ended, stage.seen) == (False, False, Seen())


@STAGES
def test_a_whole_answer(client: str, kind: str) -> None:
    stage, source = open_stage(client, kind)
    out = stage.feed(opening(source))
    assert (stage.complete, stage.ended) == (False, False)
    assert stage.seen.committed
    out += stage.feed(ending(source)) + stage.end()
    assert (stage.complete, stage.ended, stage.keepalive) == (True, True, b"")
    assert find_marks(client, out)
    assert not has_error(client, out)
    assert stage.feed(opening(source)) == stage.end() == stage.fail(CUT) == b""
    seen = stage.seen
    assert (seen.model, seen.usage.input, seen.usage.output, seen.failure) == ("model-1", 7, 2, None)
    assert seen.finish is not None
    assert seen.finish.reason is Reason.STOP
    assert seen.events >= 3
    if client in BOTH:
        answer = fold(read(client, [out]))
        assert (answer.parts, answer.finish.reason) == ([Text("Hello")], Reason.STOP)
        assert (answer.usage.input, answer.usage.output) == (7, 2)


@STAGES
def test_a_failure_before_anything(client: str, kind: str) -> None:
    stage, _ = open_stage(client, kind)
    out = stage.fail(BUSY)
    assert has_error(client, out)
    assert find_marks(client, out) == []
    assert (stage.ended, stage.complete, stage.keepalive) == (True, False, b"")
    assert stage.seen.failure == BUSY
    assert not stage.seen.committed
    assert stage.fail(CUT) == stage.end() == b""
    assert stage.seen.failure == BUSY


@STAGES
@pytest.mark.parametrize("clean", [True, False])
def test_a_failure_within(client: str, kind: str, clean: bool) -> None:
    stage, source = open_stage(client, kind)
    out = stage.feed(opening(source) + b'data: {"half')
    assert not has_error(client, out)
    out += stage.end() if clean else stage.fail(BUSY)
    assert has_error(client, out)
    assert find_marks(client, out) == []
    assert b"half" not in out
    assert (stage.ended, stage.complete, stage.seen.malformed) == (True, False, 0)
    assert stage.seen.failure is not None
    assert stage.seen.failure.kind is (FailureKind.DISCONNECT if clean else FailureKind.OVERLOADED)


@STAGES
def test_a_failure_after_the_finish_is_none(client: str, kind: str) -> None:
    """Only usage or the end mark was lost."""
    stage, source = open_stage(client, kind)
    finish = ending(source).removesuffix(END_MARKS.get(source, b""))
    out = stage.feed(opening(source) + finish)
    assert stage.complete
    out += stage.fail(CUT)
    assert find_marks(client, out)
    assert not has_error(client, out)
    assert (stage.ended, stage.seen.failure) == (True, None)
    assert stage.end() == b""


@STAGES
def test_a_failure_of_the_provider_s_own(client: str, kind: str) -> None:
    stage, source = open_stage(client, kind)
    out = stage.feed(opening(source)) + stage.feed(encode(source, [*OPENING, BUSY]).removeprefix(opening(source)))
    assert has_error(client, out)
    assert (stage.ended, stage.complete, stage.keepalive) == (True, False, b"")
    assert stage.seen.failure is not None
    assert stage.seen.failure.message == "busy"
    assert stage.end() == stage.fail(CUT) == b""


@STAGES
def test_what_is_no_json_is_left_out_and_counted(client: str, kind: str) -> None:
    stage, source = open_stage(client, kind)
    out = stage.feed(opening(source) + NO_JSON) + stage.feed(NO_JSON + ending(source)) + stage.end()
    assert out == run(open_stage(client, kind)[0], [opening(source) + ending(source)])
    assert (stage.seen.malformed, stage.complete) == (2, True)


def limit(stage: Stage, source: str, client: str) -> Stage:
    """The same stage with a limit of 1000 bytes for an event."""
    turn = make_turn(client)
    reading = Reading(find_provider(source), turn, streamed=True, max_event=1000)
    if isinstance(stage, Passage):
        return Passage(reading, lambda: find_client(client).open_encoder(turn), b"", END_MARKS.get(client, b""))
    return Translation(reading, find_client(client).open_encoder(turn))


HUGE = b"data: " + b"x" * 1000 + b"\n\n"


@STAGES
@pytest.mark.parametrize("apart", [True, False])
def test_an_event_that_is_too_large_is_missing_for_good(client: str, kind: str, apart: bool) -> None:
    """Also if the finish came with the same read."""
    stage, source = open_stage(client, kind)
    stage = limit(stage, source, client)
    pieces = [opening(source), HUGE, ending(source)]
    out = b"".join(map(stage.feed, pieces if apart else [pieces[0], b"".join(pieces[1:])])) + stage.end()
    assert has_error(client, out)
    assert find_marks(client, out) == []
    assert b"xxx" not in out
    assert (stage.ended, stage.seen.failure) == (True, TOO_LARGE)


@STAGES
def test_an_event_that_is_too_large_after_the_finish_harms_nothing(client: str, kind: str) -> None:
    stage, source = open_stage(client, kind)
    stage = limit(stage, source, client)
    out = stage.feed(opening(source) + ending(source)) + stage.feed(HUGE) + stage.end()
    assert find_marks(client, out)
    assert not has_error(client, out)


@EVERY
def test_a_translation_keeps_waiting_in_the_client_s_form(client: str) -> None:
    stage, source = open_stage(client, "translated")
    plain = open_stage(client, "translated")[0]
    out, expected = stage.keepalive, b""
    for piece in [opening(source), *one_by_one(ending(source))]:
        out += stage.feed(piece) + stage.keepalive
        expected += plain.feed(piece)
    out, expected = out + stage.end(), expected + plain.end()
    assert len(out) > len(expected)
    assert stage.keepalive == b""
    if client in BOTH:
        assert read(client, [out]) == read(client, [expected])


def test_what_is_remembered_of_events() -> None:
    seen = Seen()
    seen.note([Start("i", "m", Usage(3))])
    assert (seen.model, seen.usage, seen.committed) == ("m", Usage(3), False)
    seen.note([Usage(output=1), Usage(output=2, cost=0.5)])
    assert (seen.usage, seen.committed) == (Usage(3, output=2, cost=0.5), False)
    seen.note([BUSY])
    assert (seen.failure, seen.committed) == (BUSY, False)
    for event in (BlockStart(Kind.IMAGE, name="image/png", data="QUJD"), Delta("x"), Finish(Reason.LENGTH)):
        other = Seen()
        other.note([event])
        assert other.committed, event
    assert other.finish == Finish(Reason.LENGTH)


def test_text_is_measured_in_bytes_and_what_the_provider_has_counted_of_it_is_noted() -> None:
    seen = Seen()
    seen.note([Start("i", "m", Usage(3, output=1)), BlockStart(Kind.TEXT), Delta("abc"), Delta("äß")])
    assert (seen.size, seen.counted) == (7, 0), "what it said before the text counts none of it"
    seen.note([Usage(output=2), Delta("d"), Usage(3)])
    assert (seen.size, seen.counted) == (8, 7), "and of the input alone says nothing of the output"


@STAGES
def test_the_text_of_an_answer_is_measured_in_every_dialect(client: str, kind: str) -> None:
    stage, source = open_stage(client, kind)
    run(stage, [encode(source, [*OPENING, Delta(" wörld"), *ENDING])])
    texts = [event.text for event in [*OPENING, *ENDING] if isinstance(event, Delta)]
    assert stage.seen.size == len("".join(texts)) + len(" wörld".encode())


@EVERY
def test_a_whole_answer_is_built_from_events(client: str) -> None:
    turn = make_turn(client, stream=False)
    seen, body = build_whole(find_client(client), turn, iter([*OPENING, *ENDING]))
    assert (seen.model, seen.usage.output, seen.failure) == ("model-1", 2, None)
    assert b"Hello" in body
    seen, body = build_whole(find_client(client), turn, [*OPENING, BUSY])
    assert (seen.failure, body) == (BUSY, b"")


@SAME
def test_a_document_is_read_where_a_stream_was_asked_for(dialect: str) -> None:
    turn = make_turn(dialect, stream=False)
    body = build_whole(find_client(dialect), turn, [*OPENING, *ENDING])[1]
    for client in CLIENTS:
        reading = open_reading(dialect, turn, streamed=False)
        stage = Translation(reading, find_client(client).open_encoder(make_turn(client)))
        assert [stage.feed(piece) for piece in one_by_one(body)] == [b""] * len(body)
        out = stage.end()
        assert b"Hello" in out
        assert find_marks(client, out)
    small = Reading(find_provider(dialect), turn, streamed=False, max_event=10)
    assert small.feed(body) == [TOO_LARGE]


@SAME
@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b"[]", b"null", b"\xff\0"])
def test_a_document_that_is_no_answer_is_a_failure(dialect: str, body: bytes) -> None:
    (*_, last) = read(dialect, [body], streamed=False)
    assert isinstance(last, Failure)


def test_an_array_ends_however_the_answer_does() -> None:
    for fail in (None, CUT):
        stage = open_translation("anthropic", ARRAY)
        out = stage.feed(opening("anthropic"))
        out += stage.fail(fail) if fail else stage.feed(ending("anthropic")) + stage.end()
        assert out.startswith(b"[")
        assert out.rstrip().endswith(b"]")


@EVERY
def test_an_error_may_be_all_that_a_stream_says(client: str) -> None:
    out = encode_failure(find_client(client), make_turn(client), BUSY)
    assert has_error(client, out)
    assert find_marks(client, out) == []
    assert out.rstrip().endswith(b"]" if client == ARRAY else b"")
