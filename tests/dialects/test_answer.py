"""A whole answer and its events are the same thing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.answer import Answer, LoneSignature, fold, unfold
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
from proxy.dialects.parts import (
    Image,
    Media,
    Opaque,
    Part,
    Redacted,
    Refusal,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from tests.helpers.feeds import fuzz
from tests.helpers.order import check_order, merge_deltas

TEXTS = st.text(min_size=1, max_size=8)
COUNTS = st.none() | st.integers(0, 10**9)
SIGNATURES = st.builds(Signature, st.sampled_from(["a", "g", "yc", "r", "o"]), TEXTS)
PARTS: st.SearchStrategy[Part] = st.one_of(
    st.builds(Text, TEXTS),
    st.builds(Thinking, TEXTS, st.none() | SIGNATURES),
    st.builds(Redacted, SIGNATURES),
    st.builds(ToolCall, TEXTS, TEXTS, TEXTS, st.none() | SIGNATURES, st.booleans()),
    st.builds(Refusal, TEXTS),
    st.builds(Image, st.builds(Media, st.just("image/png"), TEXTS)),
    st.builds(Opaque, TEXTS, st.dictionaries(TEXTS, st.integers(), max_size=2)),
    st.builds(LoneSignature, SIGNATURES),
)
USAGES = st.builds(Usage, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS)
ANSWERS = st.builds(
    Answer,
    st.builds(Start, TEXTS, TEXTS),
    st.lists(PARTS, max_size=6),
    USAGES,
    st.builds(Finish, st.sampled_from(Reason), TEXTS),
)


@fuzz
@given(ANSWERS)
def test_folding_undoes_unfolding(answer: Answer) -> None:
    events = list(unfold(answer))
    check_order(events)
    assert fold(events) == answer


@fuzz
@given(ANSWERS, st.integers(1, 5))
def test_how_text_is_cut_does_not_matter(answer: Answer, size: int) -> None:
    cut: list[Event] = []
    for event in unfold(answer):
        if isinstance(event, Delta):
            cut += [Delta(event.text[at : at + size]) for at in range(0, len(event.text), size)]
        else:
            cut.append(event)
    assert fold(cut) == answer
    assert merge_deltas(cut) == list(unfold(answer))


def test_a_failed_answer_keeps_what_there_was() -> None:
    failure = Failure(FailureKind.DISCONNECT, "cut")
    events = [Start("id"), BlockStart(Kind.TEXT), Delta("a"), BlockEnd(), failure]
    answer = fold(events)
    assert answer.failure == failure
    assert answer.parts == [Text("a")]
    assert list(unfold(answer))[-1] == failure


def test_a_signed_text_leaves_its_signature_behind_it() -> None:
    signature = Signature("g", "x")
    events = [Start(), BlockStart(Kind.TEXT), Delta("a"), Sign(signature), BlockEnd(), Finish(Reason.STOP)]
    assert fold(events).parts == [Text("a"), LoneSignature(signature)]


def test_usages_are_merged_from_the_start_on() -> None:
    events = [Start(usage=Usage(input=5, output=1)), Usage(output=7), Usage(reasoning=2), Finish(Reason.STOP)]
    assert fold(events).usage == Usage(input=5, output=7, reasoning=2)


def test_what_no_answer_holds_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError, match="ToolResult"):
        list(unfold(Answer(parts=[ToolResult("id", ())])))
