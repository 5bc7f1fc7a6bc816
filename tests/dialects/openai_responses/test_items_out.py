"""Items of a client's stream: the official order of their events, their ids, places and texts."""

from typing import Any

import pytest

from proxy.dialects.events import (
    BlockStart,
    Delta,
    Event,
    Kind,
)
from proxy.dialects.openai_responses import CLIENT
from tests.helpers.responses import (
    CALL_2,
    COMPLETE,
    CUSTOM,
    FAILED,
    IMAGE,
    INCOMPLETE,
    REFUSAL,
    TEXT,
    THOUGHT,
    encode,
    make_turn,
    read,
    tell,
)


def types(*events: Event) -> list[str]:
    return [event["type"].removeprefix("response.") for event in read(encode(events))]


def final(events: list[Event]) -> dict[str, Any]:
    response: dict[str, Any] = read(encode(events))[-1]["response"]
    return response


class TestOrder:
    def test_text(self) -> None:
        assert types(*tell(TEXT)) == [
            "created", "in_progress", "output_item.added", "content_part.added", "output_text.delta",
            "output_text.delta", "output_text.done", "content_part.done", "output_item.done", "completed",
        ]  # fmt: skip

    def test_reasoning(self) -> None:
        assert types(*tell(THOUGHT))[2:-1] == [
            "output_item.added", "reasoning_summary_part.added", "reasoning_summary_text.delta",
            "reasoning_summary_text.delta", "reasoning_summary_text.done", "reasoning_summary_part.done",
            "output_item.done",
        ]  # fmt: skip

    def test_calls(self) -> None:
        assert types(*tell(CALL_2, CUSTOM))[2:-1] == [
            "output_item.added", "function_call_arguments.delta", "function_call_arguments.done", "output_item.done",
            "output_item.added", "custom_tool_call_input.delta", "custom_tool_call_input.delta",
            "custom_tool_call_input.done", "output_item.done",
        ]  # fmt: skip

    def test_refusal_shares_the_message_with_the_text_before_it(self) -> None:
        assert types(*tell(TEXT, REFUSAL))[6:-1] == [
            "output_text.done", "content_part.done", "content_part.added", "refusal.delta", "refusal.delta",
            "refusal.done", "content_part.done", "output_item.done",
        ]  # fmt: skip

    @pytest.mark.parametrize("name", [*COMPLETE, *INCOMPLETE, *FAILED])
    def test_numbers_count_and_items_keep_their_places(self, name: str) -> None:
        told = read(encode({**COMPLETE, **INCOMPLETE, **FAILED}[name]))
        assert [event["sequence_number"] for event in told] == list(range(len(told)))
        ids = {event["output_index"]: event["item"]["id"] for event in told if event["type"].endswith("item.added")}
        assert list(ids) == list(range(len(ids)))
        assert len(set(ids.values())) == len(ids)
        for event in told:
            if "item_id" in event:
                assert ids[event["output_index"]] == event["item_id"]
            if event["type"].endswith("item.done"):
                assert ids[event["output_index"]] == event["item"]["id"]

    @pytest.mark.parametrize("name", [*COMPLETE, *INCOMPLETE])
    def test_the_final_output_is_the_items_that_were_done(self, name: str) -> None:
        told = read(encode({**COMPLETE, **INCOMPLETE}[name]))
        done = [event["item"] for event in told if event["type"] == "response.output_item.done"]
        assert told[-1]["response"]["output"] == done

    def test_deltas_joined_are_the_done_text(self) -> None:
        told = read(encode(tell(TEXT, THOUGHT, CALL_2, CUSTOM, REFUSAL)))
        names = {"output_text": "text", "refusal": "refusal", "reasoning_summary_text": "text",
                 "function_call_arguments": "arguments", "custom_tool_call_input": "input"}  # fmt: skip
        for kind, member in names.items():
            deltas = "".join(event["delta"] for event in told if event["type"] == f"response.{kind}.delta")
            (end,) = [event for event in told if event["type"] == f"response.{kind}.done"]
            assert end[member] == deltas != ""

    def test_an_item_opens_before_anything_is_known_to_follow_it(self) -> None:
        encoder = CLIENT.open_encoder(make_turn())
        for event in tell(CALL_2)[:3]:
            last = encoder.encode(event)
        assert read(last)[-1]["type"] == "response.function_call_arguments.delta"


class TestItems:
    def test_ids_say_what_an_item_is(self) -> None:
        output = final(tell(TEXT, THOUGHT, CALL_2, CUSTOM, IMAGE))["output"]
        assert [item["id"].partition("_")[0] for item in output] == ["msg", "rs", "fc", "ctc", "ig"]
        assert all(len(item["id"].partition("_")[2]) == 24 for item in output)

    def test_a_call_has_its_id_name_and_namespace(self) -> None:
        call = final(tell(CALL_2))["output"][0]
        assert (call["call_id"], call["namespace"], call["name"]) == ("call_2", "files", "read")
        assert (call["status"], call["arguments"]) == ("completed", "{}")
        assert "namespace" not in final(tell(CUSTOM))["output"][0]

    def test_an_image_is_a_generated_one(self) -> None:
        item = final(tell(IMAGE))["output"][0]
        assert (item["type"], item["output_format"], item["result"]) == ("image_generation_call", "png", "iVBORw0KGgo=")

    def test_an_opaque_item_goes_to_its_own_dialect_only(self) -> None:
        own = BlockStart(Kind.OPAQUE, name="openai-responses", data={"id": "ws_1", "type": "web_search_call"})
        foreign = BlockStart(Kind.OPAQUE, name="anthropic", data={"type": "server_tool_use"})
        assert final(tell([own], [foreign], TEXT))["output"][0] == {"id": "ws_1", "type": "web_search_call"}
        assert len(final(tell([own], [foreign], TEXT))["output"]) == 2

    @pytest.mark.parametrize("text", ["\ud83d", "\u2028\x85\u2029", "9" * 30, '"\\\x00', "\U0001f600"])
    def test_text_arrives_as_it_was_and_in_one_line(self, text: str) -> None:
        data = encode(tell([BlockStart(Kind.TEXT), Delta(text)]))
        assert final(tell([BlockStart(Kind.TEXT), Delta(text)]))["output"][0]["content"][0]["text"] == text
        assert not {"\u2028", "\u2029", "\x85"} & set(data.decode())
