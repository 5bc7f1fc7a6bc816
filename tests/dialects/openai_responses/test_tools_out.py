"""Tools and their choice, to Responses providers."""

import pytest

from proxy.dialects.chat import Invalid
from proxy.dialects.parts import Json, Message, Opaque, Text, Tool, ToolChoice, ToolMode
from tests.helpers.responses import build, find_dropped, make_request

USER = Message("user", (Text("hi"),))


SCHEMA: Json = {"type": "object", "properties": {"a": {"type": "integer"}}}


SEARCH: Json = {"type": "web_search"}


class TestBuild:
    def test_functions_are_flat_and_not_strict(self) -> None:
        body = build(make_request(USER, tools=[Tool("add", "Adds.", SCHEMA), Tool("bare")]))
        assert body["tools"] == [
            {"type": "function", "name": "add", "description": "Adds.", "parameters": SCHEMA, "strict": False},
            {"type": "function", "name": "bare", "parameters": {"type": "object", "properties": {}}, "strict": False},
        ]

    def test_strict_is_openai_s_word(self) -> None:
        tools = [Tool("add", schema=SCHEMA, strict=True, at="tools[0]")]
        assert build(make_request(USER, dialect="openai-chat", tools=tools))["tools"][0]["strict"] is True
        request = make_request(USER, tools=tools)
        assert build(request)["tools"][0]["strict"] is False
        assert find_dropped(request) == ["tools[0].strict"]

    def test_custom_tools(self) -> None:
        body = build(make_request(USER, tools=[Tool("patch", "Edits.", custom=True)]))
        assert body["tools"] == [{"type": "custom", "name": "patch", "description": "Edits."}]

    def test_names_that_do_not_fit_are_changed_everywhere(self) -> None:
        body = build(make_request(USER, tools=[Tool("a.b")], tool_choice=ToolChoice(ToolMode.ANY, ("a.b",))))
        name = body["tools"][0]["name"]
        assert name.startswith("a_b_")
        assert body["tool_choice"] == {"type": "function", "name": name}

    @pytest.mark.parametrize(
        ("choice", "expected"),
        [
            (ToolChoice(ToolMode.AUTO), "auto"),
            (ToolChoice(ToolMode.NONE), "none"),
            (ToolChoice(ToolMode.NONE, ("add",)), "none"),
            (ToolChoice(ToolMode.ANY), "required"),
            (ToolChoice(ToolMode.ANY, ("add",)), {"type": "function", "name": "add"}),
            (ToolChoice(ToolMode.ANY, ("patch",)), {"type": "custom", "name": "patch"}),
            (
                ToolChoice(ToolMode.ANY, ("add", "patch")),
                {"type": "allowed_tools", "mode": "required",
                 "tools": [{"type": "function", "name": "add"}, {"type": "custom", "name": "patch"}]},
            ),
            (
                ToolChoice(ToolMode.AUTO, ("add",)),
                {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "add"}]},
            ),
        ],
    )  # fmt: skip
    def test_choices(self, choice: ToolChoice, expected: Json) -> None:
        tools = [Tool("add"), Tool("patch", custom=True)]
        body = build(make_request(USER, tools=tools, tool_choice=choice, parallel_tools=False))
        assert (body["tool_choice"], body["parallel_tool_calls"]) == (expected, False)

    def test_a_choice_without_tools_is_dropped(self) -> None:
        request = make_request(USER, tool_choice=ToolChoice(ToolMode.AUTO), parallel_tools=True)
        assert not build(request).keys() & {"tool_choice", "parallel_tool_calls", "tools"}
        assert find_dropped(request) == ["tool_choice_of_the_client", "parallel_tools_of_the_client"]

    def test_server_tools_go_to_their_own_vendor(self) -> None:
        own = make_request(USER, dialect="openai-responses", server_tools=[Opaque("openai-responses", SEARCH)])
        assert build(own)["tools"] == [SEARCH]
        foreign = [Opaque("anthropic", {"type": "web_search_20250305"}, at="tools[0]")]
        request = make_request(USER, server_tools=foreign, tools=[Tool("add")])
        assert len(build(request)["tools"]) == 1
        assert find_dropped(request) == ["server_tools_of_the_client"]
        with pytest.raises(Invalid) as caught:
            build(make_request(USER, server_tools=foreign))
        assert caught.value.param == "server_tools_of_the_client"
