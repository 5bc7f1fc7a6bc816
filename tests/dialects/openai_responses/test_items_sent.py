"""Messages to input items of a Responses provider."""

from typing import Any

import pytest

from proxy.dialects.answer import LoneSignature
from proxy.dialects.capabilities import Capabilities
from proxy.dialects.chat import Invalid
from proxy.dialects.parts import (
    Audio,
    File,
    Image,
    Json,
    Media,
    Message,
    Opaque,
    Part,
    Redacted,
    Refusal,
    Request,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from tests.helpers.responses import ABLE, build, find_dropped, make_request

USER = Message("user", (Text("hi"),))


PNG = "iVBORw0KGgo="


OWN = Signature("r", '{"id":"rs_1","encrypted_content":"gAAA"}')


CALL = ToolCall("call_1", "add", '{"a":1}')


RESULT = ToolResult("call_1", (Text("2"),))


def items(*messages: Message, **fields: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = build(make_request(*messages, **fields))["input"]
    return found


def said(*parts: Part) -> Message:
    return Message("assistant", parts)


def heard(*parts: Part) -> Message:
    return Message("user", parts)


def refused(request: Request, able: Capabilities = ABLE) -> str:
    with pytest.raises(Invalid) as caught:
        build(request, able)
    return caught.value.param


class TestItems:
    def test_a_turn_with_everything(self) -> None:
        found = items(USER, said(Thinking("Hm", OWN), Text("So"), CALL), heard(RESULT, Text("go")))
        assert found[1:] == [
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm"}],
             "encrypted_content": "gAAA"},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "So"}]},
            {"type": "function_call", "call_id": "call_1", "name": "add", "arguments": '{"a":1}'},
            {"type": "function_call_output", "call_id": "call_1", "output": "2"},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "go"}]},
        ]  # fmt: skip

    def test_custom_calls_have_custom_results(self) -> None:
        found = items(USER, said(ToolCall("call_1", "patch", "*** x", custom=True)), heard(RESULT))
        assert [item["type"] for item in found[1:]] == ["custom_tool_call", "custom_tool_call_output"]
        assert found[1]["input"] == "*** x"

    def test_replayed_reasoning_asks_for_more_of_it(self) -> None:
        body = build(make_request(USER, said(Thinking("", OWN), Text("So")), USER))
        assert body["include"] == ["reasoning.encrypted_content"]

    @pytest.mark.parametrize(
        "part",
        [Thinking("Hm"), Thinking("Hm", Signature("a", "x")), Thinking("", Signature("r", "no JSON")),
         Thinking("", Signature("r", "[]")), Redacted(Signature("a", "x")), LoneSignature(Signature("g", "x"))],
    )  # fmt: skip
    def test_foreign_reasoning_stays_away(self, part: Part) -> None:
        assert len(items(USER, said(part, Text("So")), USER)) == 3

    def test_reasoning_that_nothing_follows_stays_away(self) -> None:
        assert len(items(USER, said(Thinking("Hm", OWN)), USER)) == 2
        assert len(items(USER, said(Thinking("Hm", OWN), Thinking("Hm", OWN), CALL), heard(RESULT))) == 5

    def test_an_id_that_is_unknown_is_not_said(self) -> None:
        own = Signature("r", '{"id":"","encrypted_content":"gAAA"}')
        assert "id" not in items(USER, said(Thinking("", own), Text("So")))[1]

    def test_system_messages_in_the_middle_stay_there(self) -> None:
        assert items(USER, Message("system", (Text("be brief"),)), USER)[1]["role"] == "system"

    def test_refusals_and_blank_arguments(self) -> None:
        found = items(USER, said(Refusal("no"), ToolCall("call_1", "add", "")), heard(RESULT))
        assert found[1]["content"] == [{"type": "refusal", "refusal": "no"}]
        assert found[2]["arguments"] == "{}"

    def test_ids_that_do_not_fit_are_changed_alike(self) -> None:
        found = items(USER, said(ToolCall("a b", "add", "{}")), heard(ToolResult("a b", (Text("2"),))))
        assert found[1]["call_id"] == found[2]["call_id"] != "a b"

    @pytest.mark.parametrize(
        ("result", "expected"),
        [
            (ToolResult("call_1", ()), ""),
            (ToolResult("call_1", (Text("2"),)), "2"),
            (ToolResult("call_1", (Text("bad"),), is_error=True), "Error: bad"),
            (ToolResult("call_1", (Text("Error: bad"),), is_error=True), "Error: bad"),
            (ToolResult("call_1", (), is_error=True), "Error: "),
            (ToolResult("call_1", (Text("a"), Text("b"))),
             [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}]),
            (ToolResult("call_1", (Image(Media("image/png", PNG)),)),
             [{"type": "input_image", "image_url": f"data:image/png;base64,{PNG}"}]),
        ],
    )  # fmt: skip
    def test_results(self, result: ToolResult, expected: Json) -> None:
        assert items(USER, said(CALL), heard(result))[2]["output"] == expected

    @pytest.mark.parametrize(
        ("part", "expected"),
        [
            (Image(Media("image/jpg", PNG), "low"), {"image_url": f"data:image/png;base64,{PNG}", "detail": "low"}),
            (Image(Media("", url="https://x/y"), "odd"), {"image_url": "https://x/y"}),
            (Image(Media("", file_id="f1")), {"file_id": "f1"}),
            (File(Media("application/pdf", "JVBERi0=")),
             {"filename": "file.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}),
            (File(Media("application/pdf", url="https://x/y"), "a"), {"file_url": "https://x/y"}),
            (File(Media("", file_id="f1")), {"file_id": "f1"}),
        ],
    )  # fmt: skip
    def test_media(self, part: Part, expected: dict[str, Json]) -> None:
        kind = "input_image" if isinstance(part, Image) else "input_file"
        assert items(heard(part))[0]["content"] == [{"type": kind, **expected}]

    @pytest.mark.parametrize(
        "part",
        [Audio("wav", "UklG", at="here"), Image(Media("image/bmp", "Qk0A"), at="here"),
         Image(Media("image/png", "???"), at="here")],
    )  # fmt: skip
    def test_media_that_are_not_taken_are_refused_by_place(self, part: Part) -> None:
        assert refused(make_request(heard(part))) == "here"

    def test_an_image_that_the_assistant_drew_is_shown_to_it(self) -> None:
        found = items(USER, said(Text("Here"), Image(Media("image/png", PNG))), USER)
        assert [item["role"] for item in found] == ["user", "assistant", "user", "user"]
        assert found[2]["content"][1]["type"] == "input_image"

    def test_opaque_items_go_home_and_others_are_dropped_by_place(self) -> None:
        shell: Json = {"type": "local_shell_call", "id": "x"}
        assert items(USER, said(Opaque("openai-responses", shell)))[1] == shell
        request = make_request(USER, said(Opaque("anthropic", {}, at="there"), Text("So")))
        assert find_dropped(request) == ["there"]
