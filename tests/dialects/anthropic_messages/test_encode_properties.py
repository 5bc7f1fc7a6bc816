"""Any parts through the encoder and back: nothing is lost, and no two blocks overlap."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.answer import Answer, LoneSignature, fold, unfold
from proxy.dialects.events import (
    Finish,
    Reason,
    Start,
    Usage,
)
from proxy.dialects.parts import (
    Image,
    Media,
    Opaque,
    Part,
    Reasoning,
    Redacted,
    Refusal,
    Signature,
    Text,
    Thinking,
    ToolCall,
)
from tests.helpers.anthropic_turns import decode, encode, make_request, make_turn, read_events
from tests.helpers.feeds import fuzz

OWN = Signature("a", "EqQB")
FOREIGN = Signature("g", "QUJD")
ASKED = make_turn(make_request(reasoning=Reasoning("on")))
HIDDEN = make_turn(make_request(reasoning=Reasoning("adaptive", show=False)))
FINISH = Finish(Reason.STOP)
_texts = st.text(st.characters(), min_size=1, max_size=8)
_signatures = st.builds(Signature, st.sampled_from(["a", "g", "r", "o", "yc"]), _texts)
_ids = st.integers(0, 10**6).map(lambda number: f"call_{number}")
_parts: st.SearchStrategy[Part] = st.one_of(
    st.builds(Text, _texts),
    st.builds(Thinking, _texts, st.none() | st.just(OWN)),
    st.builds(Redacted, st.just(OWN)),
    st.builds(ToolCall, _ids, st.sampled_from(["add", "mul"]), _texts),
    st.builds(Opaque, st.just("anthropic"), st.fixed_dictionaries({"type": st.just("novelty"), "x": _texts})),
)
_foreign: st.SearchStrategy[Part] = st.one_of(
    _parts,
    st.builds(Thinking, _texts, st.none() | _signatures),
    st.builds(ToolCall, _ids, st.just("add"), _texts, st.none() | _signatures),
    st.builds(Refusal, _texts),
    st.builds(LoneSignature, _signatures),
    st.builds(Redacted, _signatures),
    st.builds(Image, st.just(Media("image/png", "QUJD"))),
)


@fuzz
@given(st.lists(_parts, max_size=6, unique_by=lambda part: getattr(part, "id", id(part))))
def test_parts_of_this_dialect_come_back(parts: list[Part]) -> None:
    events = list(unfold(Answer(Start("msg_1", "m"), parts, Usage(5, output=1), Finish(Reason.LENGTH))))
    again = fold(decode(encode(events, ASKED)))
    assert again.parts == parts
    assert again.finish.reason is Reason.LENGTH


@fuzz
@given(st.lists(_foreign, max_size=6), st.sampled_from([None, ASKED, HIDDEN]))
def test_parts_of_any_dialect_make_a_stream_in_order(parts: list[Part], turn: Any) -> None:
    events = list(unfold(Answer(Start("msg_1", "m"), parts, Usage(), FINISH)))
    read = read_events(encode(events, turn))[2:-2]
    open_index, started = None, 0
    for event in read:
        if event["type"] == "content_block_start":
            assert open_index is None
            assert event["index"] == started
            open_index, started = started, started + 1
        else:
            assert event["index"] == open_index
            if event["type"] == "content_block_stop":
                open_index = None
    assert open_index is None
