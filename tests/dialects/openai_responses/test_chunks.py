"""Events of any shape: what does not fit is read anyway or passed over."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.answer import fold
from proxy.dialects.json_text import encode_json
from proxy.dialects.openai_responses import PROVIDER
from proxy.dialects.parts import Json, Text
from tests.helpers.order import decode_stream
from tests.helpers.responses import decode, make_turn, stream
from tests.helpers.responses_stream import CREATED, completed, done, message, parts, said


class TestTolerance:
    def test_what_is_no_json_is_counted_and_skipped(self) -> None:
        decoder = PROVIDER.open_decoder(make_turn())
        data = stream(CREATED, said("a")) + b"data: {oops\n\ndata: [1]\n\ndata: 7\n\n" + stream(said("b"), completed())
        assert fold(decode_stream(decoder, data)).parts == [Text("ab")]
        assert decoder.malformed == 3

    @pytest.mark.parametrize(
        "event",
        [
            {"type": "response.web_search_call.searching", "output_index": 0},
            {"type": "response.brand_new", "delta": {"a": 1}},
            {"type": 7},
            {"type": None, "response": []},
            {"type": "response.output_item.added", "item": "x"},
            {"type": "response.output_item.done", "item": None},
            {"type": "response.output_item.done", "output_index": 3, "item": {"type": "x", "id": [], "call_id": {}}},
            {"type": "response.output_item.done", "output_index": 3, "item": {"type": "message", "id": {}}},
            {"type": "response.output_item.done", "output_index": 3, "item": {"type": "message", "content": 5}},
            {"type": "response.output_item.done", "output_index": 3, "item": {"type": "message", "content": [5, {}]}},
            {"type": "response.output_item.done", "output_index": 3, "item": {"type": "reasoning", "summary": {}}},
            {"type": "response.output_text.delta", "delta": None, "output_index": "x"},
            {"type": "response.output_text.done", "text": 3, "output_index": 4},
            {"type": "response.in_progress", "response": "?"},
        ],
    )
    def test_odd_events_do_no_harm(self, event: dict[str, Json]) -> None:
        told = b"data: " + encode_json(event) + b"\n\n"
        data = stream(CREATED, said("a")) + told + stream(said("b"), completed())
        assert fold(decode(data)).parts[0] == Text("ab")

    @pytest.mark.parametrize("text", ["\ud83d", "\u2028\x85", "1" * 30, "\x00", "“"])
    def test_text_is_kept_as_it_is(self, text: str) -> None:
        assert parts(CREATED, said(text), said("b"), completed()) == [Text(text + "b")]
        assert parts(CREATED, done(0, **message(text)), completed()) == [Text(text)]

    @given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner)
                        | st.dictionaries(st.sampled_from(["id", "type", "content", "text", "summary", "error",
                                                           "status", "output", "usage", "name"]), inner)),
           st.sampled_from(["response.created", "response.output_item.added", "response.output_item.done",
                            "response.completed", "response.failed", "error"]))  # fmt: skip
    def test_no_shape_of_object_raises(self, value: Json, name: str) -> None:
        event = {"type": name, "item": value, "response": value, "error": value, "output_index": 0}
        decode(stream(CREATED, event, completed()))
