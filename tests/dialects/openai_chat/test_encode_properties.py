"""What is encoded decodes to the same parts, however it is cut; what is truncated never looks finished."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.answer import Answer, fold, unfold
from proxy.dialects.events import Failure, Finish, Kind, Reason, Start, Usage
from proxy.dialects.json_text import encode_json
from proxy.dialects.openai_chat import CLIENT, PROVIDER
from proxy.dialects.parts import Part, Refusal, Text, Thinking, ToolCall
from tests.helpers.feeds import fuzz
from tests.helpers.openai_chat import block, decode, encode, make_turn, parse
from tests.helpers.order import check_order, decode_stream

TEXTS = st.text(st.characters(), min_size=1, max_size=8)
ARGUMENTS = st.dictionaries(TEXTS, st.integers() | TEXTS | st.none(), max_size=3).map(encode_json).map(bytes.decode)
CALLS = st.tuples(st.sampled_from(["f", "g"]), ARGUMENTS)
PARTS = st.lists(st.builds(Text, TEXTS) | st.builds(Thinking, TEXTS) | st.builds(Refusal, TEXTS) | CALLS, max_size=6)


def arrange(drawn: list[Any]) -> list[Part]:
    """Calls with ids, and no two neighbours of one kind of text: those are one on the wire."""
    parts: list[Part] = []
    for number, each in enumerate(drawn):
        part = ToolCall(f"id{number}", *each) if isinstance(each, tuple) else each
        if isinstance(part, ToolCall) or not parts or type(parts[-1]) is not type(part):
            parts.append(part)
    return parts


def build_answer(drawn: list[Any]) -> Answer:
    parts = arrange(drawn)
    called = any(isinstance(part, ToolCall) for part in parts)
    reason = Reason.TOOL_USE if called else Reason.LENGTH
    return Answer(Start("i", "m"), parts, Usage(1, output=2, reasoning=0), Finish(reason))


@fuzz
@given(PARTS, st.data())
def test_a_stream_there_and_back(drawn: list[Any], data: st.DataObject) -> None:
    answer = build_answer(drawn)
    turn = make_turn(parse({"stream": True, "stream_options": {"include_usage": True}}))
    encoder = CLIENT.open_encoder(turn)
    stream = b"".join(map(encoder.encode, unfold(answer)))
    cut = data.draw(st.integers(0, len(stream)))
    events = decode_stream(PROVIDER.open_decoder(turn), stream, [stream[:cut], stream[cut:]])
    check_order(events)
    found = fold(events)
    assert (found.parts, found.start, found.finish.reason) == (answer.parts, answer.start, answer.finish.reason)
    assert found.usage == answer.usage


@fuzz
@given(PARTS)
def test_a_whole_answer_there_and_back(drawn: list[Any]) -> None:
    """Whole, kinds are apart: texts in one place, thoughts in another, calls in a third."""
    answer = build_answer(drawn)
    events = PROVIDER.parse_answer(CLIENT.build_answer(answer, make_turn()), make_turn())
    check_order(events)
    found = fold(events)
    assert [part for part in found.parts if isinstance(part, ToolCall)] == [
        part for part in answer.parts if isinstance(part, ToolCall)
    ]
    for kind in (Text, Thinking, Refusal):
        texts = [
            "".join(part.text for part in parts if isinstance(part, kind)) for parts in (found.parts, answer.parts)
        ]
        assert texts[0] == texts[1]
    assert found.usage == answer.usage


def test_a_stream_that_is_cut_anywhere_is_never_complete() -> None:
    stream = encode([Start("i", "m"), *block(Kind.THINKING, "a"), *block(Kind.TOOL, '{"a":1}', id="c", name="f"),
                     Finish(Reason.TOOL_USE)])  # fmt: skip
    finish = stream.index(b'"finish_reason":"tool_calls"')
    whole = stream.index(b"\n", finish)
    for at in range(len(stream)):
        last = decode(stream[:at])[-1]
        assert isinstance(last, Finish if at >= whole else Failure), stream[:at]
