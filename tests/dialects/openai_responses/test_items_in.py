"""Input items to messages: turns, results, reasoning with what it carries, media, and what is refused where."""

from typing import Any

import pytest

from proxy.dialects.chat import Invalid
from proxy.dialects.parts import (
    Json,
    Message,
    Opaque,
    Redacted,
    Refusal,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from tests.helpers.responses import parse, parse_items

USER: Json = {"role": "user", "content": "hi"}
CALL: Json = {"type": "function_call", "call_id": "call_1", "name": "add", "arguments": '{"a":1}'}
RESULT: Json = {"type": "function_call_output", "call_id": "call_1", "output": "2"}


def refused(*items: Json) -> str:
    with pytest.raises(Invalid) as caught:
        parse_items(*items)
    return caught.value.param


class TestTurns:
    def test_a_text_is_a_user_message(self) -> None:
        assert parse(input="hello").messages == [Message("user", (Text("hello"),))]

    def test_an_assistant_s_turn_is_one_message_and_its_results_are_one(self) -> None:
        reasoning = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm"}]}
        said = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "So"}]}
        custom = {"type": "custom_tool_call", "call_id": "call_2", "name": "patch", "input": "*** x"}
        output = {"type": "custom_tool_call_output", "call_id": "call_2", "output": "ok"}
        assert parse_items(USER, reasoning, said, CALL, custom, RESULT, output, USER) == [
            Message("user", (Text("hi"),)),
            Message("assistant", (Thinking("Hm"), Text("So"), ToolCall("call_1", "add", '{"a":1}'),
                                  ToolCall("call_2", "patch", "*** x", custom=True))),
            Message("user", (ToolResult("call_1", (Text("2"),)), ToolResult("call_2", (Text("ok"),)))),
            Message("user", (Text("hi"),)),
        ]  # fmt: skip

    def test_two_texts_of_the_assistant_stay_two_messages(self) -> None:
        said = {"role": "assistant", "content": "A"}
        assert [len(message.parts) for message in parse_items(said, said, CALL)] == [1, 2]

    def test_system_texts_are_the_prompt_at_the_beginning_and_messages_later(self) -> None:
        told = {"role": "system", "content": [{"type": "input_text", "text": "S"}]}
        later = {"role": "system", "content": "L"}
        request = parse(instructions="I", input=[{"role": "developer", "content": "D"}, told, USER, later])
        assert [text.text for text in request.system] == ["I", "D", "S"]
        assert [(message.role, message.at) for message in request.messages] == [("user", "input[2]"),
                                                                                ("system", "input[3]")]  # fmt: skip

    def test_a_prompt_alone_is_enough(self) -> None:
        request = parse(input=[{"role": "system", "content": "S"}])
        assert (len(request.system), request.messages) == (1, [])

    def test_places_are_kept(self) -> None:
        parts = parse_items(USER, {"role": "user", "content": [{"type": "input_text", "text": "x"}]})[1].parts
        assert parts[0].at == "input[1].content[0]"

    def test_a_namespace_is_part_of_a_name(self) -> None:
        (call,) = parse_items({**CALL, "namespace": "files"})[0].parts
        assert isinstance(call, ToolCall)
        assert call.name == "files::add"

    def test_refusals_and_blank_arguments(self) -> None:
        (message,) = parse_items(
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}, {**CALL, "arguments": ""}
        )
        assert message.parts == (Refusal("no"), ToolCall("call_1", "add", "{}"))

    def test_tools_of_an_item_are_tools(self) -> None:
        item = {"type": "additional_tools", "role": "developer", "tools": [{"type": "function", "name": "late"}]}
        assert [tool.name for tool in parse(input=[USER, item], tool_choice={"type": "function", "name": "late"}).tools]


class TestReasoning:
    @staticmethod
    def item(content: str | None, text: str = "", item_id: str | None = "rs_1") -> Json:
        summary = [{"type": "summary_text", "text": text}] if text else []
        return {"type": "reasoning", "id": item_id, "summary": summary, "encrypted_content": content}

    def test_openai_s_own_keeps_id_and_content(self) -> None:
        (part,) = parse_items(self.item("gAAA", "Hm"))[0].parts
        assert part == Thinking("Hm", Signature("r", '{"id":"rs_1","encrypted_content":"gAAA"}'))
        (part,) = parse_items(self.item("gAAA", item_id=None))[0].parts
        assert part == Thinking("", Signature("r", '{"id":"","encrypted_content":"gAAA"}'))

    def test_envelopes_give_back_what_they_hold(self) -> None:
        assert parse_items(self.item("gw1.a.RXFRQg", "Hm"))[0].parts == (Thinking("Hm", Signature("a", "EqQB")),)
        assert parse_items(self.item("redacted:gw1.a.RW13Sw"))[0].parts == (Redacted(Signature("a", "EmwK")),)

    @pytest.mark.parametrize("first", [True, False])
    def test_a_call_s_signature_returns_to_it(self, first: bool) -> None:
        carrier = self.item("call=call_1:gw1.g.UVVKRA")
        (message,) = parse_items(*((carrier, CALL) if first else (CALL, carrier)))
        assert message.parts == (ToolCall("call_1", "add", '{"a":1}', Signature("g", "QUJD")),)

    def test_sections_are_joined_and_raw_thoughts_are_second(self) -> None:
        summary = [{"type": "summary_text", "text": "A"}, {"type": "summary_text", "text": "B"}]
        content = [{"type": "reasoning_text", "text": "raw"}]
        item: dict[str, Json] = {"type": "reasoning", "summary": summary, "content": content}
        assert parse_items(item)[0].parts == (Thinking("A\n\nB"),)
        assert parse_items({**item, "summary": []})[0].parts == (Thinking("raw"),)

    @pytest.mark.parametrize("content", [None, "", "gw1.", "gw1.a.", "gw1.a.!!", "redacted:gw1.x"])
    def test_what_carries_nothing_is_nothing(self, content: str | None) -> None:
        assert parse_items(USER, self.item(content)) == [Message("user", (Text("hi"),))]


class TestOpaque:
    @pytest.mark.parametrize(
        ("kind", "role"),
        [
            ("local_shell_call", "assistant"),
            ("local_shell_call_output", "user"),
            ("web_search_call", "assistant"),
            ("mcp_approval_response", "user"),
            ("compaction", "assistant"),
            ("brand_new", "assistant"),
        ],
    )
    def test_items_of_server_tools(self, kind: str, role: str) -> None:
        item: dict[str, Json] = {"type": kind, "id": "x"}
        assert parse_items(item) == [Message(role, (Opaque("openai-responses", item),))]  # type: ignore[arg-type]

    def test_a_result_may_answer_an_opaque_call(self) -> None:
        shell = {"type": "local_shell_call", "call_id": "call_1", "action": {}, "status": "completed"}
        assert len(parse_items(shell, RESULT)) == 2


@pytest.mark.parametrize(
    ("items", "param"),
    [
        (["x"], "input[0]"),
        ([{"type": "item_reference", "id": "msg_1"}], "input[0]"),
        ([{"id": "msg_1"}], "input[0]"),
        ([{"role": "robot", "content": "x"}], "input[0].role"),
        ([{"type": "message", "content": "x"}], "input[0].role"),
        ([{"role": "user"}], "input[0].content"),
        ([{"role": "user", "content": 7}], "input[0].content"),
        ([{"role": "user", "content": ["x"]}], "input[0].content[0]"),
        ([{"role": "user", "content": [{"text": "x"}]}], "input[0].content[0].type"),
        ([{"role": "user", "content": [{"type": "video"}]}], "input[0].content[0].type"),
        ([{"role": "user", "content": [{"type": "refusal", "refusal": "x"}]}], "input[0].content[0].type"),
        ([{"role": "assistant", "content": [{"type": "input_image"}]}], "input[0].content[0].type"),
        ([{"role": "user", "content": [{"type": "input_text"}]}], "input[0].content[0].text"),
        ([{"role": "user", "content": [{"type": "input_image"}]}], "input[0].content[0].image_url"),
        ([{"role": "user", "content": [{"type": "input_image", "image_url": {"url": "x"}}]}],
         "input[0].content[0].image_url"),
        ([{"role": "user", "content": [{"type": "input_image", "image_url": "data:image/png;base64,???"}]}],
         "input[0].content[0].image_url"),
        ([{"role": "user", "content": [{"type": "input_image", "image_url": "file:///etc/passwd"}]}],
         "input[0].content[0].image_url"),
        ([{"role": "user", "content": [{"type": "input_file"}]}], "input[0].content[0].file_data"),
        ([{"role": "user", "content": [{"type": "input_file", "file_data": "???"}]}], "input[0].content[0].file_data"),
        ([{"role": "user", "content": [{"type": "input_audio"}]}], "input[0].content[0].input_audio"),
        ([{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "?", "format": "wav"}}]}],
         "input[0].content[0].input_audio.data"),
        ([USER, {"type": "function_call", "name": "f", "arguments": "{}"}], "input[1].call_id"),
        ([{**CALL, "call_id": ""}], "input[0].call_id"),
        ([{**CALL, "name": ""}], "input[0].name"),
        ([{**CALL, "arguments": {}}], "input[0].arguments"),
        ([CALL, RESULT, CALL], "input[2].call_id"),
        ([RESULT], "input[0].call_id"),
        ([RESULT, CALL], "input[0].call_id"),
        ([CALL, {"type": "function_call_output", "call_id": "call_1"}], "input[1].output"),
        ([CALL, {**RESULT, "output": {"content": "x"}}], "input[1].output"),
        ([{"type": "reasoning", "summary": "x"}], "input[0].summary"),
        ([{"type": 7}], "input[0].type"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(items: list[Any], param: str) -> None:
    assert refused(*items) == param
