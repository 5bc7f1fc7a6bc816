"""Tools, the choice among them and JSON output, in requests for Anthropic."""

from dataclasses import replace
from typing import Any

import pytest

from proxy.dialects.anthropic_messages import PROVIDER
from proxy.dialects.chat import Invalid, Target
from proxy.dialects.parts import (
    Message,
    Opaque,
    OutputFormat,
    Reasoning,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolMode,
    ToolResult,
)
from tests.helpers.anthropic_turns import CLAUDE, build, make_request

OBJECT = {"type": "object", "properties": {"a": {"type": "integer"}}}
ADD = Tool("add", "Adds", OBJECT)
MUL = Tool("mul")
OLDER = replace(CLAUDE, json_schema=False)
HISTORY = [
    Message("user", (Text("Hello"),)),
    Message("assistant", (ToolCall("c", "old.tool", "{}"),)),
    Message("user", (ToolResult("c", (Text("5"),)),)),
]


def choose(choice: ToolChoice | None, **fields: Any) -> Any:
    fields = {"tools": [ADD, MUL], "tool_choice": choice, "named": {"tool_choice": "tool_choice"}, **fields}
    return build(make_request(**fields)).get("tool_choice")


def test_a_tool() -> None:
    assert build(make_request(tools=[ADD, MUL]))["tools"] == [
        {"name": "add", "description": "Adds", "input_schema": OBJECT},
        {"name": "mul", "input_schema": {"type": "object", "properties": {}}},
    ]


def test_a_name_that_does_not_fit_is_changed_everywhere() -> None:
    request = make_request(
        messages=HISTORY, tools=[Tool("old.tool")], tool_choice=ToolChoice(ToolMode.ANY, ("old.tool",))
    )
    outgoing = PROVIDER.build_request(request, Target("claude", CLAUDE))
    body = build(request)
    short = body["tools"][0]["name"]
    assert "." not in short
    assert body["tool_choice"]["name"] == body["messages"][1]["content"][0]["name"] == short
    assert outgoing.names.back(short) == "old.tool"


def test_a_tool_for_free_text() -> None:
    request = make_request(tools=[Tool("patch", custom=True)])
    assert build(request)["tools"][0]["input_schema"]["properties"] == {"input": {"type": "string"}}
    assert PROVIDER.build_request(request, Target("claude", CLAUDE)).forms == {"patch": "custom"}


def test_a_strict_tool_is_closed() -> None:
    tool = build(make_request(tools=[replace(ADD, strict=True)]))["tools"][0]
    assert tool["strict"] is True
    assert tool["input_schema"]["additionalProperties"] is False


def test_what_cannot_be_strict_is_said() -> None:
    request = make_request(tools=[replace(ADD, strict=True, at="tools[0]")])
    outgoing = PROVIDER.build_request(request, Target("claude", OLDER))
    assert outgoing.dropped == ("tools[0].strict",)
    assert b"strict" not in outgoing.body


def test_only_so_many_tools_are_strict() -> None:
    tools = [Tool(f"t{number}", schema=OBJECT, strict=True, at=f"tools[{number}]") for number in range(21)]
    outgoing = PROVIDER.build_request(make_request(tools=tools), Target("claude", CLAUDE))
    assert outgoing.dropped == ("tools[20].strict",)


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        (None, None),
        (ToolChoice(ToolMode.AUTO), {"type": "auto"}),
        (ToolChoice(ToolMode.NONE), {"type": "none"}),
        (ToolChoice(ToolMode.ANY), {"type": "any"}),
        (ToolChoice(ToolMode.ANY, ("mul",)), {"type": "tool", "name": "mul"}),
        (ToolChoice(ToolMode.ANY, ("mul", "add")), {"type": "any"}),
        (ToolChoice(ToolMode.AUTO, ("mul",)), {"type": "auto"}),
    ],
)
def test_choice(choice: ToolChoice | None, wanted: Any) -> None:
    assert choose(choice) == wanted


def test_a_subset_is_all_that_is_sent() -> None:
    request = make_request(tools=[ADD, MUL], tool_choice=ToolChoice(ToolMode.AUTO, ("mul",)))
    assert [tool["name"] for tool in build(request)["tools"]] == ["mul"]


def test_a_choice_of_what_is_not_there() -> None:
    with pytest.raises(Invalid) as caught:
        choose(ToolChoice(ToolMode.ANY, ("div",)))
    assert caught.value.param == "tool_choice"


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        (None, {"type": "auto", "disable_parallel_tool_use": True}),
        (ToolChoice(ToolMode.ANY), {"type": "any", "disable_parallel_tool_use": True}),
        (ToolChoice(ToolMode.NONE), {"type": "none"}),
    ],
)
def test_one_call_at_a_time(choice: ToolChoice | None, wanted: Any) -> None:
    assert choose(choice, parallel_tools=False) == wanted


def test_thinking_forbids_a_forced_call() -> None:
    request = make_request(
        tools=[ADD],
        tool_choice=ToolChoice(ToolMode.ANY),
        reasoning=Reasoning("on"),
        named={"tool_choice": "tool_choice"},
    )
    outgoing = PROVIDER.build_request(request, Target("claude", CLAUDE))
    assert build(request)["tool_choice"] == {"type": "auto"}
    assert outgoing.dropped == ("tool_choice",)


def test_a_choice_without_tools_is_dropped() -> None:
    request = make_request(
        tool_choice=ToolChoice(ToolMode.ANY), parallel_tools=False,
        named={"tool_choice": "tool_choice", "parallel_tools": "parallel_tool_calls"},
    )  # fmt: skip
    assert "tool_choice" not in build(request)
    dropped = PROVIDER.build_request(request, Target("claude", CLAUDE)).dropped
    assert dropped == ("tool_choice", "parallel_tool_calls")


def test_tools_of_the_past_are_known_but_not_called() -> None:
    body = build(make_request(messages=HISTORY))
    assert [tool["input_schema"] for tool in body["tools"]] == [{"type": "object", "properties": {}}]
    assert body["tools"][0]["name"] == body["messages"][1]["content"][0]["name"]
    assert body["tool_choice"] == {"type": "none"}


def test_server_tools_go_to_their_own_dialect_only() -> None:
    search = {"type": "web_search_20250305", "name": "web_search"}
    fields = {"server_tools": [Opaque("anthropic", search)], "named": {"server_tools": "tools[1]"}}
    assert build(make_request(dialect="anthropic", **fields))["tools"] == [search]
    request = make_request(tools=[ADD], **fields)
    assert PROVIDER.build_request(request, Target("claude", CLAUDE)).dropped == ("tools[1]",)
    with pytest.raises(Invalid) as caught:
        build(make_request(**fields))
    assert caught.value.param == "tools[1]"


def test_json_output_where_the_model_takes_a_schema() -> None:
    body = build(make_request(output=OutputFormat(OBJECT)))
    assert body["output_config"]["format"]["type"] == "json_schema"
    assert body["output_config"]["format"]["schema"]["additionalProperties"] is False


def test_json_output_by_a_forced_tool() -> None:
    request = make_request(output=OutputFormat(OBJECT, description="A sum"))
    outgoing = PROVIDER.build_request(request, Target("claude", OLDER))
    body = build(request, OLDER)
    assert body["tools"] == [{"name": "json", "description": "A sum", "input_schema": OBJECT}]
    assert body["tool_choice"] == {"type": "tool", "name": "json", "disable_parallel_tool_use": True}
    assert outgoing.forms == {"json": "text"}


@pytest.mark.parametrize(
    "fields",
    [
        {"output": OutputFormat(OBJECT), "tools": [ADD]},
        {"output": OutputFormat(OBJECT), "reasoning": Reasoning("on")},
        {"output": OutputFormat({"type": "array"})},
        {"output": OutputFormat()},
    ],
)
def test_json_output_by_instruction(fields: dict[str, Any]) -> None:
    request = make_request(system=[Text("Be brief")], **fields)
    body = build(request, OLDER)
    assert "JSON" in body["system"][1]["text"]
    assert "output_config" not in body
    assert PROVIDER.build_request(request, Target("claude", OLDER)).forms == {}
