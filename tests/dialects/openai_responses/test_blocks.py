"""Blocks in order: items that grow side by side, and what only the repeating events say."""

import pytest

from proxy.dialects.answer import fold
from proxy.dialects.events import Finish, Reason
from proxy.dialects.names import NameMap
from proxy.dialects.openai_responses import PROVIDER
from proxy.dialects.parts import Image, Json, Opaque, Refusal, Text, Thinking, ToolCall
from tests.helpers.order import decode_stream
from tests.helpers.responses import decode, make_turn, stream
from tests.helpers.responses_stream import CREATED, added, argued, call, completed, done, message, parts, said


class TestBlocks:
    def test_parts_of_a_message_and_messages_are_blocks(self) -> None:
        assert parts(CREATED, said("a"), said("b", part=1), said("no", part=2, kind="refusal"), said("c", 1),
                     completed()) == [Text("a"), Text("b"), Refusal("no"), Text("c")]  # fmt: skip

    def test_calls_that_grow_side_by_side_come_one_after_the_other(self) -> None:
        events = decode(stream(
            CREATED, added(0, **call(0, "")), added(1, **call(1, "")), argued('{"x"', 1), argued("{", 0),
            argued(":1}", 1), argued("}", 0), done(1, **call(1, '{"x":1}')), done(0, **call(0, "{}")), completed(),
        ))  # fmt: skip
        assert fold(events).parts == [ToolCall("call_0", "add", "{}"), ToolCall("call_1", "add", '{"x":1}')]
        assert events[-1] == Finish(Reason.TOOL_USE, "completed")

    def test_a_text_waits_for_the_thought_before_it(self) -> None:
        thought = {"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm"}]}
        assert parts(CREATED, added(0, type="reasoning"), said("a", 1), done(0, **thought), said("b", 1),
                     completed()) == [Thinking("Hm"), Text("ab")]  # fmt: skip

    @pytest.mark.parametrize("item", [message("Hello"), {**message("Hello"), "id": None}])
    def test_what_no_delta_said_comes_from_the_item(self, item: dict[str, Json]) -> None:
        assert parts(CREATED, done(0, **item), completed(item)) == [Text("Hello")]
        assert parts(CREATED, said("Hel"), done(0, **item), completed(item)) == [Text("Hello")]
        assert parts(CREATED, said("Hel"), completed(item)) == [Text("Hello")]
        assert parts(completed(item)) == [Text("Hello")]

    def test_a_done_text_completes_its_block_only(self) -> None:
        end = {"type": "response.output_text.done", "output_index": 0, "content_index": 0, "text": "Hello"}
        assert parts(CREATED, said("Hel"), end, said("late"), completed()) == [Text("Hello")]
        assert parts(CREATED, said("Bye"), end, completed()) == [Text("Bye")]

    def test_items_whose_indexes_have_gaps_are_not_said_twice(self) -> None:
        item = call(5, "{}")
        assert parts(CREATED, added(5, **item), done(5, **item), completed(item)) == [ToolCall("call_5", "add", "{}")]

    def test_a_call_without_arguments_has_an_empty_object(self) -> None:
        assert parts(CREATED, done(0, **call(0, "")), completed()) == [ToolCall("call_0", "add", "{}")]

    def test_a_name_that_comes_late_is_waited_for(self) -> None:
        late = decode(stream(CREATED, argued('{"a":1}'), done(0, **call(0, '{"a":1}')), completed()))
        assert fold(late).parts == [ToolCall("call_0", "add", '{"a":1}')]

    def test_a_call_without_an_id_gets_one_and_without_a_name_is_none(self) -> None:
        found = parts(CREATED, done(0, **{**call(0, "{}"), "call_id": ""}), completed())
        assert found[0].id.startswith("call_g")
        decoder = PROVIDER.open_decoder(make_turn())
        events = decode_stream(decoder, stream(CREATED, done(0, **call(0, "{}", name="")), completed()))
        assert (fold(events).parts, decoder.malformed) == ([], 1)
        assert events[-1] == Finish(Reason.STOP, "completed")

    def test_the_client_s_names_come_back(self) -> None:
        names = NameMap(["fs.read/file"])
        turn = make_turn(names=names)
        events = decode(stream(CREATED, done(0, **call(0, "{}", names.there("fs.read/file"))), completed()), turn)
        assert fold(events).parts == [ToolCall("call_0", "fs.read/file", "{}")]

    def test_a_custom_call_has_text_for_input(self) -> None:
        item = {"id": "ctc_1", "type": "custom_tool_call", "call_id": "call_1", "name": "patch", "input": "*** x"}
        delta = {"type": "response.custom_tool_call_input.delta", "output_index": 0, "delta": "*** "}
        expected = [ToolCall("call_1", "patch", "*** x", custom=True)]
        assert parts(CREATED, added(0, **{**item, "input": ""}), delta, done(0, **item), completed()) == expected

    def test_an_image_is_one_and_other_items_are_opaque(self) -> None:
        image = {"id": "ig_1", "type": "image_generation_call", "result": "iVBORw==", "output_format": "webp"}
        search = {"id": "ws_1", "type": "web_search_call", "status": "completed"}
        found = parts(CREATED, added(0, **search), done(0, **search), done(1, **image), completed())
        assert isinstance(found[0], Opaque)
        assert (found[0].dialect, found[0].json) == ("openai-responses", search)
        assert isinstance(found[1], Image)
        assert (found[1].media.mime, found[1].media.data) == ("image/webp", "iVBORw==")
