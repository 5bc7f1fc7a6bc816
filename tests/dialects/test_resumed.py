"""The stage that goes on with somebody else's stream: what is withheld until then, what differs, what continues."""

from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.dialects.events import (
    BlockEnd,
    BlockStart,
    Delta,
    Event,
    FailureKind,
    Finish,
    Kind,
    Reason,
    Sign,
    Start,
    Usage,
)
from proxy.dialects.parts import Signature
from proxy.dialects.reading import Reading
from proxy.dialects.translate import Stage, build_whole
from tests.helpers.crossing import (
    BOTH,
    CLIENTS,
    find_client,
    find_provider,
    has_error,
    make_turn,
    open_passage,
    open_reading,
    open_translation,
    opening,
)
from tests.helpers.feeds import one_by_one
from tests.helpers.rescues import (
    BUSY,
    CALL,
    CUT,
    FIRST,
    SECOND,
    TEXT,
    break_off,
    check_whole,
    find_other,
    finish,
    open_stage,
    speak,
    stop,
)
from tests.helpers.strict import list_events, read_strictly

STAGES = pytest.mark.parametrize(
    ("client", "provider"), [*((client, find_other(client)) for client in CLIENTS), *((name, name) for name in BOTH)]
)
TOLD: Final = FIRST[:4]
"""Up to within the text."""

END: Final[list[Event]] = [Usage(8, output=9), Finish(Reason.STOP, "stop")]


def go_on(stage: Stage, provider: str, events: list[Event], *, continues: bool = False) -> tuple[Stage, bytes]:
    again = stage.resume(open_reading(provider), continues=continues)
    return again, finish(again, [speak(provider, events)])


@STAGES
def test_an_error_of_the_provider_s_own_is_withheld_too(client: str, provider: str) -> None:
    body = speak(provider, [*TOLD, BUSY])
    body += b"data: [DONE]\n\n" if provider == "openrouter" else b""
    told = finish(open_stage(client, provider), [body])
    assert has_error(client, told)
    for pieces in ([body], one_by_one(body)):
        stage = open_stage(client, provider)
        stage.withhold = True
        out = finish(stage, pieces)
        assert not has_error(client, out)
        assert b"busy" not in out
        assert stage.seen.failure is not None
        assert (stage.seen.failure.message, stage.withheld) == ("busy", True)
        _, rest = go_on(stage, find_other(provider), SECOND)
        check_whole(read_strictly(client, out + rest), 9)
    stage = open_stage(client, provider)
    stage.withhold = True
    assert finish(stage, [body]) + stage.settle() == told
    assert (stage.withheld, stage.keepalive, stage.settle()) == (False, b"", b"")


def test_what_stands_in_the_block_of_an_error_is_not_delivered() -> None:
    stage = open_stage("openrouter", "openrouter")
    stage.withhold = True
    stage.feed(speak("openrouter", TOLD))
    last = (
        b'data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"error"}],"error":{"message":"b"}}\n\n'
    )
    assert stage.feed(last) == b""
    assert stage.seen.delivered is not None
    assert stage.seen.delivered.text == TEXT[:9]
    assert stage.settle() == last


DIFFERENT: Final[list[list[Event]]] = [
    [SECOND[0], BlockStart(Kind.TEXT), Delta("Hello"), Delta(" you"), BlockEnd(), *END],
    [SECOND[0], BlockStart(Kind.TEXT), Delta(TEXT[:5]), BlockEnd(), *END],
    [SECOND[0], *CALL, *END],
    [SECOND[0], BlockStart(Kind.TEXT), Delta(TEXT[:5]), BlockEnd(), *CALL, *END],
]


@STAGES
@pytest.mark.parametrize("events", DIFFERENT)
def test_an_answer_that_differs_is_none(client: str, provider: str, events: list[Event]) -> None:
    """What broke off can still be settled, or resumed by a third, from either."""
    told = stop(open_stage(client, provider), speak(provider, TOLD), clean=False)
    for third in ("original", "other", ""):
        stage, out = break_off(client, provider, TOLD)
        other, nothing = go_on(stage, provider, events)
        assert nothing == b""
        assert (other.mismatch, other.ended, other.complete, other.seen.committed) == (True, True, False, False)
        failure = other.seen.failure
        assert failure is not None
        assert (failure.kind, "9 characters" in failure.message) == (FailureKind.DISCONNECT, True)
        assert TEXT[:4] not in failure.message
        assert stage.keepalive
        if third:
            _, rest = go_on(other if third == "other" else stage, provider, SECOND)
            check_whole(read_strictly(client, out + rest), 9)
        else:
            assert out + stage.settle() == told


@STAGES
@pytest.mark.parametrize("size", range(len(SECOND) - 1))
def test_a_second_answer_may_break_off_as_well(client: str, provider: str, size: int) -> None:
    """Before something new was said it leaves no trace, after it a third goes on where it ended."""
    stage, out = break_off(client, provider, TOLD)
    other = stage.resume(open_reading(provider), continues=False)
    said = other.feed(speak(provider, SECOND[:size]))
    other.withhold = True
    said += other.fail(BUSY)
    assert other.withheld
    assert bool(said) >= other.seen.committed
    if not other.seen.committed:
        other, said = stage, b""
    delivered = other.seen.delivered
    assert delivered is not None
    if delivered.plain:
        third, rest = go_on(other, find_other(provider), SECOND)
        check_whole(read_strictly(client, out + said + rest), 9)
        assert third.seen.model == "model-2"
    else:
        end = read_strictly(client, out + said + other.settle())
        assert (end.finished, end.failed) == (False, True)


CONTINUED: Final[list[tuple[list[Event], str, str]]] = [
    ([BlockStart(Kind.TEXT), Delta("two"), BlockEnd()], "One ", "One two"),
    ([BlockStart(Kind.TEXT), Delta(" "), Delta("two"), BlockEnd()], "One ", "One two"),
    ([BlockStart(Kind.TEXT), Delta("\n"), Delta("\n two"), BlockEnd()], "One\n", "One\n\n two"),
    ([BlockStart(Kind.TEXT), Delta("\ntwo"), BlockEnd()], "One ", "One \ntwo"),
    ([BlockStart(Kind.TEXT), Delta(" two"), BlockEnd()], "One", "One two"),
    ([BlockStart(Kind.TEXT), Delta("One"), BlockEnd()], "One", "OneOne"),
    ([BlockStart(Kind.THINKING), Delta("hm"), BlockEnd(), BlockStart(Kind.TEXT), Delta("."), BlockEnd()], "On", "On."),
    ([], "One", "One"),
    ([BlockStart(Kind.TEXT), Delta("two"), BlockEnd()], "", "two"),
]


@STAGES
@pytest.mark.parametrize(("events", "had", "wanted"), CONTINUED)
def test_an_answer_is_continued(client: str, provider: str, events: list[Event], had: str, wanted: str) -> None:
    first = [FIRST[0], BlockStart(Kind.TEXT), *([Delta(had)] if had else [])]
    stage, out = break_off(client, provider, first)
    if not stage.seen.committed:
        assert (had, client == provider or provider != "gemini") == ("", True)
        return
    again, rest = go_on(stage, find_other(provider), [SECOND[0], *events, *END], continues=True)
    said = read_strictly(client, out + rest)
    assert (said.text, said.starts, said.finished, said.output, len(said.names)) == (wanted, 1, True, 9, 1)
    assert not again.mismatch


@STAGES
def test_a_call_may_be_all_that_was_missing(client: str, provider: str) -> None:
    whole = [FIRST[0], BlockStart(Kind.TEXT), Delta(TEXT)]
    for first in (whole, [*whole, BlockEnd()]):
        stage, out = break_off(client, provider, first)
        _, rest = go_on(stage, find_other(provider), [SECOND[0], *CALL, *END], continues=True)
        check_whole(read_strictly(client, out + rest), 9)


def test_a_text_that_was_complete_is_continued_in_a_block_of_its_own() -> None:
    stage, out = break_off("anthropic", "anthropic", FIRST[:6])
    _, rest = go_on(
        stage, "gemini", [SECOND[0], BlockStart(Kind.TEXT), Delta("More"), BlockEnd(), *END], continues=True
    )
    assert read_strictly("anthropic", out + rest).text == TEXT + "More"
    stage, _ = break_off("anthropic", "anthropic", FIRST[:6])
    other, _ = go_on(stage, "gemini", [SECOND[0], BlockStart(Kind.TEXT), Delta(TEXT + "More"), BlockEnd(), *END])
    assert other.mismatch


@pytest.mark.parametrize(("events", "whole"), [(SECOND, True), (DIFFERENT[1], False)])
def test_a_finish_counts_once_all_of_the_text_was_said(events: list[Event], whole: bool) -> None:
    """Its end mark may be lost then, and nothing else."""
    stage, out = break_off("anthropic", "openai-chat", TOLD)
    again = stage.resume(open_reading("openai-chat"), continues=False)
    out += again.feed(speak("openai-chat", events).removesuffix(b"data: [DONE]\n\n"))
    assert again.complete is whole
    out += again.fail(CUT)
    assert (again.seen.failure is None, again.ended) == (whole, True)
    assert read_strictly("anthropic", out).finished is whole


SIGNED: Final[list[Event]] = [FIRST[0], BlockStart(Kind.THINKING), Delta("hm"), Sign(Signature("a", "c2ln"))]


@pytest.mark.parametrize("events", [SIGNED, [*SIGNED, BlockEnd(), *TOLD[1:]], FIRST[:7]])
def test_nobody_goes_on_after_anything_but_text(events: list[Event]) -> None:
    stage, _ = break_off("anthropic", "anthropic", events)
    with pytest.raises(ValueError, match="cannot be resumed"):
        stage.resume(open_reading("anthropic"), continues=False)


@pytest.mark.parametrize("dialect", BOTH)
def test_nobody_goes_on_where_nothing_was_withheld_or_tracked(dialect: str) -> None:
    for stage in (open_stage(dialect, dialect), open_passage(dialect), open_translation(dialect, dialect)):
        stage.withhold = stage.seen.delivered is None
        stop(stage, opening(dialect), clean=False)
        with pytest.raises(ValueError, match="cannot be resumed"):
            stage.resume(open_reading(dialect), continues=False)


@STAGES
def test_a_document_goes_on_with_a_stream(client: str, provider: str) -> None:
    stage, out = break_off(client, provider, TOLD)
    turn = make_turn("openai-chat", stream=False)
    body = build_whole(find_client("openai-chat"), turn, SECOND)[1]
    again = stage.resume(Reading(find_provider("openai-chat"), turn, streamed=False), continues=False)
    check_whole(read_strictly(client, out + finish(again, one_by_one(body))), 9)


@STAGES
def test_what_the_first_counted_is_forgotten(client: str, provider: str) -> None:
    rests = []
    for counted in (Usage(4321, cache_read=1234, cost=0.5), Usage(4321)):
        stage, _ = break_off(client, provider, [Start("id_1", "model-1", counted), *TOLD[1:], counted])
        rests.append(go_on(stage, "gemini", SECOND)[1])
    assert rests[0] == rests[1]
    assert b"4321" not in rests[0]


@STAGES
def test_an_answer_that_differs_and_fails_is_one_failure(client: str, provider: str) -> None:
    """Its own failure in the same read is said by nobody: what broke off is."""
    stage, out = break_off(client, provider, TOLD)
    body = speak(provider, [SECOND[0], BlockStart(Kind.TEXT), Delta("Hello"), BUSY])
    again = stage.resume(open_reading(provider), continues=False)
    assert again.feed(body) + again.end() == b""
    said = read_strictly(client, out + again.settle())
    assert (again.mismatch, said.failed, said.finished) == (True, True, False)
    assert again.settle() == b""


def test_a_long_text_is_swallowed_in_linear_time() -> None:
    text = "word " * 150_000
    stage, _ = break_off("gemini", "anthropic", [FIRST[0], BlockStart(Kind.TEXT), Delta(text)])
    again = stage.resume(open_reading("anthropic"), continues=False)
    body = [SECOND[0], BlockStart(Kind.TEXT), *([Delta("word ")] * 150_000), Delta("end"), BlockEnd(), *END]
    out = finish(again, [speak("anthropic", body)])
    assert list_events("gemini", out)[0]["candidates"][0]["content"]["parts"] == [{"text": "end"}]


pieces = st.lists(st.text(st.characters(), min_size=1, max_size=6), min_size=1, max_size=6)


@STAGES
@settings(max_examples=25, deadline=None, database=None)
@given(first=pieces, after=pieces, data=st.data())
def test_any_text_is_told_once(
    client: str, provider: str, first: list[str], after: list[str], data: st.DataObject
) -> None:
    whole = "".join(first + after)
    cuts = [*sorted(data.draw(st.sets(st.integers(1, len(whole)), max_size=5))), len(whole)]
    second = [whole[start:end] for start, end in zip([0, *cuts], cuts, strict=False) if start < end]
    stage, out = break_off(client, provider, [FIRST[0], BlockStart(Kind.TEXT), *map(Delta, first)])
    events = [SECOND[0], BlockStart(Kind.TEXT), *map(Delta, second), BlockEnd(), *END]
    again, rest = go_on(stage, find_other(provider), events)
    said = read_strictly(client, out + rest)
    assert (said.text, said.starts, said.finished, again.mismatch) == (whole, 1, True, False)
