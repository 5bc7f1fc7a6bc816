"""Tools and their choice, from Responses clients."""

from typing import Any

import pytest

from proxy.dialects.chat import Invalid
from proxy.dialects.parts import Json, Tool, ToolChoice, ToolMode
from tests.helpers.responses import parse

SCHEMA: Json = {"type": "object", "properties": {"a": {"type": "integer"}}}


ADD: Json = {"type": "function", "name": "add", "description": "Adds.", "parameters": SCHEMA, "strict": True}


PATCH: Json = {"type": "custom", "name": "patch", "description": "Edits."}


SEARCH: Json = {"type": "web_search"}


def refused(**members: Json) -> str:
    with pytest.raises(Invalid) as caught:
        parse(**members)
    return caught.value.param


class TestParse:
    def test_functions_and_custom_tools(self) -> None:
        request = parse(tools=[ADD, PATCH, {"type": "function", "name": "bare"}])
        assert request.tools == [
            Tool("add", "Adds.", SCHEMA, True, at="tools[0]"),
            Tool("patch", "Edits.", custom=True, at="tools[1]"),
            Tool("bare", at="tools[2]"),
        ]

    def test_a_grammar_is_told_to_the_model(self) -> None:
        form = {"type": "grammar", "syntax": "regex", "definition": "[0-9]+"}
        (tool,) = parse(tools=[{**PATCH, "format": form}]).tools
        assert tool.description == "Edits.\n\nThe input must match this regex grammar:\n[0-9]+"
        assert parse(tools=[{**PATCH, "format": {"type": "text"}}]).tools[0].description == "Edits."

    def test_a_namespace_is_flattened_and_its_description_told_once(self) -> None:
        namespace = {"type": "namespace", "name": "files", "description": "On disk.", "tools": [ADD, PATCH]}
        first, second = parse(tools=[namespace]).tools
        assert (first.name, second.name, second.custom) == ("files::add", "files::patch", True)
        assert first.description == "Adds.\n\nAbout all tools of files: On disk."
        assert (first.schema, first.strict, second.description) == (SCHEMA, True, "Edits.")

    def test_what_the_vendor_runs_is_opaque_and_named(self) -> None:
        request = parse(tools=[SEARCH, ADD, {"type": "mcp", "server_label": "x"}])
        assert [tool.json["type"] for tool in request.server_tools] == ["web_search", "mcp"]
        assert request.named["server_tools"] == "tools[0], tools[2]"

    def test_who_may_call_is_kept_by_name(self) -> None:
        assert parse(tools=[{**ADD, "async": True}]).extra == {"tools[0].async": True}
        assert parse(tools=[{**ADD, "allowed_callers": ["programmatic"]}]).extra.keys() == {"tools[0].allowed_callers"}
        assert parse(tools=[{**ADD, "allowed_callers": ["direct"], "defer_loading": True}]).extra == {}

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("auto", ToolChoice(ToolMode.AUTO)),
            ("none", ToolChoice(ToolMode.NONE)),
            ("required", ToolChoice(ToolMode.ANY)),
            ({"type": "function", "name": "add"}, ToolChoice(ToolMode.ANY, ("add",))),
            ({"type": "custom", "name": "patch"}, ToolChoice(ToolMode.ANY, ("patch",))),
            ({"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "add"}, SEARCH]},
             ToolChoice(ToolMode.AUTO, ("add",))),
            ({"type": "allowed_tools", "mode": "required", "tools": [{"name": "add"}, {"name": "patch"}]},
             ToolChoice(ToolMode.ANY, ("add", "patch"))),
        ],
    )  # fmt: skip
    def test_choices(self, value: Json, expected: ToolChoice) -> None:
        request = parse(tools=[ADD, PATCH], tool_choice=value)
        assert (request.tool_choice, request.named["tool_choice"]) == (expected, "tool_choice")

    @pytest.mark.parametrize(
        ("members", "param"),
        [
            ({"tools": {}}, "tools"),
            ({"tools": ["x"]}, "tools[0]"),
            ({"tools": [{"name": "x"}]}, "tools[0].type"),
            ({"tools": [{"type": "function"}]}, "tools[0].name"),
            ({"tools": [{"type": "function", "name": ""}]}, "tools[0].name"),
            ({"tools": [{**ADD, "parameters": "x"}]}, "tools[0].parameters"),
            ({"tools": [{**ADD, "strict": 1}]}, "tools[0].strict"),
            ({"tools": [{**PATCH, "format": {"type": "grammar"}}]}, "tools[0].format.definition"),
            ({"tools": [{"type": "namespace", "name": "n", "tools": [SEARCH]}]}, "tools[0].tools[0].type"),
            ({"tools": [ADD], "tool_choice": "maybe"}, "tool_choice"),
            ({"tools": [ADD], "tool_choice": 5}, "tool_choice"),
            ({"tools": [ADD], "tool_choice": {}}, "tool_choice.type"),
            ({"tools": [ADD], "tool_choice": {"type": "function", "name": "sub"}}, "tool_choice.name"),
            ({"tools": [ADD], "tool_choice": {"type": "allowed_tools", "tools": []}}, "tool_choice.tools"),
            ({"tools": [ADD], "tool_choice": {"type": "allowed_tools", "mode": "any", "tools": [{"name": "add"}]}},
             "tool_choice.mode"),
        ],
    )  # fmt: skip
    def test_what_is_wrong_is_named(self, members: dict[str, Any], param: str) -> None:
        assert refused(**members) == param
