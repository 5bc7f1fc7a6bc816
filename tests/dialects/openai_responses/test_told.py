"""What is read from the events of somebody else's stream, and a stream that goes on with it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.events import BlockEnd, BlockStart, Delta, Event, Finish, Kind, Reason, Start
from proxy.dialects.openai_responses.encode import Encoder
from proxy.dialects.openai_responses.told import Told, read_told
from proxy.dialects.parts import Json
from tests.helpers.crossing import make_turn
from tests.helpers.strict import list_events, read_strictly

ID = {"item_id": "msg_x", "output_index": 1, "content_index": 0}
THOUGHT = {"type": "reasoning", "id": "rs_x", "summary": []}
MESSAGE = {"type": "message", "id": "msg_x", "status": "in_progress", "role": "assistant", "content": [],
           "phase": "final_answer"}  # fmt: skip
PART = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
ANSWER = {"id": "9f-no-prefix", "created_at": 12, "model": "theirs"}

STREAM: list[dict[str, Json]] = [
    {"type": "response.created", "response": ANSWER},
    {"type": "response.output_item.added", "output_index": 0, "item": THOUGHT},
    {"type": "response.content_part.added", "item_id": "rs_x", "output_index": 0, "content_index": 0,
     "part": {"type": "reasoning_text", "text": ""}},
    {"type": "response.output_item.done", "output_index": 0, "item": THOUGHT},
    {"type": "response.output_item.added", "output_index": 1, "item": MESSAGE},
    {"type": "response.content_part.added", **ID, "part": PART},
    {"type": "response.output_text.delta", **ID, "delta": "Hello"},
]  # fmt: skip
CLOSING: list[dict[str, Json]] = [
    {"type": "response.output_text.done", **ID, "text": "Hello"},
    {"type": "response.content_part.done", **ID, "part": PART | {"text": "Hello"}},
    {"type": "response.output_item.done", "output_index": 1, "item": MESSAGE | {"status": "completed"}},
]


def number(events: list[dict[str, Json]]) -> list[bytes]:
    return [json.dumps(event | {"sequence_number": place}).encode() for place, event in enumerate(events)]


def test_ids_places_and_numbers_are_read() -> None:
    told = read_told(number(STREAM))
    assert (told.start, told.created) == (Start("9f-no-prefix", "theirs"), 12)
    assert (told.item_id, told.index, told.part, told.number) == ("msg_x", 1, 0, 7)
    assert {place: json.loads(item) for place, item in told.items.items()} == {0: THOUGHT}
    assert (told.parted, told.done, told.members) == (False, False, {"phase": "final_answer"})
    for count, known in ((1, (False, False)), (2, (True, False)), (3, (True, True))):
        told = read_told(number([*STREAM, *CLOSING[:count]]))
        assert (told.parted, told.done) == known


@given(st.lists(st.binary() | st.sampled_from([b"null", b"[]", b'{"type":3}', b'{"response":{"created_at":1e999}}'])))
def test_nothing_is_known_of_what_is_no_event(events: list[bytes]) -> None:
    told = read_told(events)
    assert (told.item_id, told.index, told.created, told.items) == ("", 0, None, {})


@pytest.mark.parametrize("place", [-1, 10**9, "x", None, True])
def test_a_place_that_cannot_be_is_the_first(place: Json) -> None:
    told = read_told([json.dumps({"type": "response.output_text.delta", "output_index": place}).encode()])
    assert told.index in (0, 1)
    assert Told().index == 0


@pytest.mark.parametrize("closing", range(4))
def test_a_stream_goes_on_under_the_same_names(closing: int) -> None:
    """However much of the text's end was told; items before the text stand in the final response."""
    encoder = Encoder(make_turn("openai-responses"))
    events: list[Event] = [Start("9f-no-prefix", "theirs"), BlockStart(Kind.TEXT), Delta("Hello")]
    for event in [*events, BlockEnd()] if closing else events:
        encoder.encode(event)
    told = number([*STREAM, *CLOSING[:closing]])
    out = encoder.adopt(told)
    assert bool(out) is (closing == 1)
    more: list[Event] = [BlockStart(Kind.TOOL, "call_1", "add"), Delta("{}"), BlockEnd(), Finish(Reason.TOOL_USE)]
    for event in more if closing else [BlockEnd(), *more]:
        out += encoder.encode(event)
    assert encoder.encode(Delta("late")) == b""
    before = b"".join(b"event: %b\ndata: %b\n\n" % (json.loads(data)["type"].encode(), data) for data in told)
    shown = [block for block in (before + out).split(b"\n\n") if b"rs_x" not in block or b"response.completed" in block]
    assert shown[-2].count(b"rs_x") == 1
    final = json.loads(shown[-2].partition(b"data: ")[2])["response"]
    assert [item["id"] for item in final["output"][:2]] == ["rs_x", "msg_x"]
    assert final["output"][1]["phase"] == "final_answer"
    assert [item["type"] for item in final["output"]] == ["reasoning", "message", "function_call"]
    assert (final["id"], final["created_at"], final["model"]) == ("9f-no-prefix", 12, "theirs")
    numbers = [
        json.loads(block.partition(b"data: ")[2])["sequence_number"] for block in (before + out).split(b"\n\n")[:-1]
    ]
    assert numbers == list(range(len(numbers)))
    places = {(event["item_id"], event["output_index"]) for event in list_texts(before + out)}
    assert places == {("msg_x", 1)}


def list_texts(out: bytes) -> list[Json]:
    texts = [event for event in list_events("openai-responses", out) if "output_text" in event["type"]]
    assert [event["text"] for event in texts if event["type"].endswith("done")] == ["Hello"]
    return texts


def test_an_error_before_any_text_goes_on_too() -> None:
    encoder = Encoder(make_turn("openai-responses"))
    encoder.encode(Start("9f-no-prefix", "theirs"))
    told = number(STREAM[:1])
    assert encoder.adopt(told) == b""
    out = b"event: response.created\ndata: " + told[0] + b"\n\n" + encoder.encode(Finish(Reason.STOP))
    said = read_strictly("openai-responses", out)
    assert said.names == {("9f-no-prefix", 12, "theirs")}
