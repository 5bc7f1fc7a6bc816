"""Tools and their choice for Google."""

from dataclasses import replace
from typing import Any

import pytest

from proxy.dialects.fitting import Fitting
from proxy.dialects.gemini.rules import Rules, find_rules
from proxy.dialects.gemini.tools_out import build_tools, find_forms, find_names
from proxy.dialects.names import NameMap
from proxy.dialects.parts import Message, Opaque, Request, Tool, ToolCall, ToolChoice, ToolMode
from tests.helpers.gemini import make_request, make_target

RULES = find_rules(make_target())
SCHEMA = {"type": "object", "properties": {"a": {"type": ["string", "null"], "const": "x"}}}


def build(request: Request, rules: Rules = RULES) -> tuple[Any, list[str]]:
    fitting = Fitting(request, make_target())
    return build_tools(request, request.messages, rules, NameMap(), fitting), fitting.dropped


def declare(tool: Tool, rules: Rules = RULES) -> Any:
    return build(make_request(tools=[tool]), rules)[0]["tools"][0]["functionDeclarations"][0]


@pytest.mark.parametrize(
    "schema", [{"type": "object", "additionalProperties": True}, {"type": "object", "minProperties": 1}]
)
def test_an_object_without_named_properties_is_left_out_of_the_strict_subset(schema: Any) -> None:
    assert declare(Tool("f", schema=schema), replace(RULES, openapi=True)) == {"name": "f"}


def test_schemas_by_endpoint() -> None:
    assert declare(Tool("f", "does f", SCHEMA)) == {
        "name": "f", "description": "does f", "parametersJsonSchema": SCHEMA,
    }  # fmt: skip
    strict = declare(Tool("f", schema=SCHEMA), replace(RULES, openapi=True))
    assert strict["parameters"]["properties"]["a"]["nullable"] is True
    assert "const" not in strict["parameters"]["properties"]["a"]
    assert "parametersJsonSchema" not in strict


@pytest.mark.parametrize("schema", [None, {}, {"type": "object"}, {"type": "object", "properties": {}}, "x"])
def test_a_tool_that_takes_nothing_has_no_schema(schema: Any) -> None:
    assert declare(Tool("f", schema=schema)) == {"name": "f"}


@pytest.mark.parametrize(
    "schema", [{"type": "object", "additionalProperties": {"type": "string"}}, {"anyOf": [SCHEMA]}]
)
def test_a_schema_may_take_something_without_properties(schema: Any) -> None:
    assert declare(Tool("f", schema=schema))["parametersJsonSchema"]["type"] == "object"


def test_free_text_is_a_function_with_one_string() -> None:
    tool = Tool("sh", custom=True)
    assert declare(tool)["parametersJsonSchema"]["properties"] == {"input": {"type": "string"}}
    assert find_forms(make_request(tools=[tool, Tool("f")])) == {"sh": "custom"}


@pytest.mark.parametrize(
    ("choice", "calling", "left"),
    [
        (ToolChoice(ToolMode.AUTO), {"mode": "AUTO"}, ["f", "g"]),
        (ToolChoice(ToolMode.NONE), {"mode": "NONE"}, ["f", "g"]),
        (ToolChoice(ToolMode.ANY), {"mode": "ANY"}, ["f", "g"]),
        (ToolChoice(ToolMode.ANY, ("g",)), {"mode": "ANY", "allowedFunctionNames": ["g"]}, ["f", "g"]),
        (ToolChoice(ToolMode.AUTO, ("g",)), {"mode": "AUTO"}, ["g"]),
    ],
)
def test_choices(choice: ToolChoice, calling: Any, left: list[str]) -> None:
    found, dropped = build(make_request(tools=[Tool("f"), Tool("g")], tool_choice=choice))
    assert found["toolConfig"]["functionCallingConfig"] == calling
    assert [tool["name"] for tool in found["tools"][0]["functionDeclarations"]] == left
    assert dropped == []


def test_a_choice_without_tools_is_dropped() -> None:
    assert build(make_request(tool_choice=ToolChoice(ToolMode.AUTO))) == ({}, ["their_tool_choice"])


def test_tools_of_the_history_are_declared_where_that_is_needed() -> None:
    message = Message("assistant", (ToolCall("1", "f", "{}"), ToolCall("2", "f", "{}"), ToolCall("3", "g", "{}")))
    assert build(make_request(message))[0] == {}
    found, _ = build(make_request(message), replace(RULES, infer_tools=True))
    assert found["tools"] == [{"functionDeclarations": [{"name": "f"}, {"name": "g"}]}]
    assert set(find_names(make_request(message, tools=[Tool("h")]))) == {"f", "g", "h"}


def test_googles_own_tools_are_for_googles_models() -> None:
    search = Opaque("gemini", {"googleSearch": {}}, at="tools[1]")
    request = make_request(tools=[Tool("f")], server_tools=[search])
    assert build(request)[0]["tools"][1] == {"googleSearch": {}}
    found, dropped = build(request, replace(RULES, origin="yc"))
    assert len(found["tools"]) == 1
    assert dropped == ["tools[1]"]
