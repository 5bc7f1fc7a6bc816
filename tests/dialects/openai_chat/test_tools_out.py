"""Tools for a provider, and what a server's tool_choice does not know."""

from typing import Any

import pytest

from proxy.dialects.chat import Invalid
from proxy.dialects.openai_chat import PROVIDER
from proxy.dialects.openai_chat.tools_out import FREE_TEXT
from proxy.dialects.parts import Message, Opaque, Request, Text, Tool, ToolCall, ToolChoice, ToolMode
from tests.helpers.openai_chat import build, make_request, make_target

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
F, G = Tool("f", "d", SCHEMA), Tool("g")
AUTO, NONE, ANY = ToolChoice(ToolMode.AUTO), ToolChoice(ToolMode.NONE), ToolChoice(ToolMode.ANY)


def names(body: dict[str, Any]) -> list[str]:
    return [tool["function"]["name"] for tool in body.get("tools", ())]


def test_a_function() -> None:
    assert build(make_request(tools=[F, G]))["tools"] == [
        {"type": "function", "function": {"name": "f", "description": "d", "parameters": SCHEMA}},
        {"type": "function", "function": {"name": "g", "parameters": {"type": "object", "properties": {}}}},
    ]


@pytest.mark.parametrize(
    ("dialect", "quirks", "strict"),
    [("openai-chat", "openai", True), ("openai-responses", "openai", True), ("anthropic", "openai", None),
     ("openai-chat", "mistral", None)],
)  # fmt: skip
def test_strict_is_for_those_who_mean_the_same_by_it(dialect: str, quirks: str, strict: bool | None) -> None:
    request = make_request(tools=[Tool("f", strict=True)], dialect=dialect)
    assert build(request, make_target(quirks))["tools"][0]["function"].get("strict") is strict


def test_names_that_do_not_fit_are_changed_in_every_place() -> None:
    request = make_request(
        Message("assistant", (ToolCall("c", "my.tool", "{}"),)),
        tools=[Tool("my.tool"), F],
        tool_choice=ToolChoice(ToolMode.ANY, ("my.tool",)),
    )
    outgoing = PROVIDER.build_request(request, make_target())
    body = build(request)
    name = body["tools"][0]["function"]["name"]
    assert name != "my.tool"
    assert body["tool_choice"]["function"]["name"] == name
    assert body["messages"][0]["tool_calls"][0]["function"]["name"] == name
    assert outgoing.names.back(name) == "my.tool"


FREE = Tool("patch", "d", custom=True)


def test_free_text_tools() -> None:
    request = make_request(tools=[FREE], tool_choice=ToolChoice(ToolMode.ANY, ("patch",)))
    body = build(request)
    assert body["tools"] == [{"type": "custom", "custom": {"name": "patch", "description": "d"}}]
    assert body["tool_choice"] == {"type": "custom", "custom": {"name": "patch"}}
    outgoing, body = PROVIDER.build_request(request, make_target("groq")), build(request, make_target("groq"))
    assert body["tools"] == [
        {"type": "function", "function": {"name": "patch", "description": "d", "parameters": FREE_TEXT}}
    ]
    assert outgoing.forms["patch"] == "custom"
    assert body["tool_choice"] == {"type": "function", "function": {"name": "patch"}}


FORCED = {"type": "function", "function": {"name": "f"}}


@pytest.mark.parametrize(
    ("quirks", "choice", "wanted", "tools"),
    [
        ("openai", AUTO, "auto", ["f", "g"]),
        ("openai", NONE, "none", ["f", "g"]),
        ("openai", ANY, "required", ["f", "g"]),
        ("openai", ToolChoice(ToolMode.ANY, ("f",)), FORCED, ["f", "g"]),
        (
            "openai",
            ToolChoice(ToolMode.AUTO, ("f",)),
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [FORCED]}},
            ["f", "g"],
        ),
        ("groq", ToolChoice(ToolMode.ANY, ("f", "g")), "required", ["f", "g"]),
        ("groq", ToolChoice(ToolMode.AUTO, ("g",)), "auto", ["g"]),
        ("qwen", ANY, "auto", ["f", "g"]),
        ("qwen", ToolChoice(ToolMode.ANY, ("f",)), FORCED, ["f", "g"]),
        ("moonshot", ToolChoice(ToolMode.ANY, ("f",)), "auto", ["f"]),
        ("moonshot", NONE, "none", ["f", "g"]),
        ("ollama", NONE, None, []),
        ("openai", None, None, ["f", "g"]),
    ],
)
def test_tool_choice(quirks: str, choice: ToolChoice | None, wanted: Any, tools: list[str]) -> None:
    request = make_request(tools=[F, G], **({} if choice is None else {"tool_choice": choice}))
    body = build(request, make_target(quirks))
    assert (body.get("tool_choice"), names(body)) == (wanted, tools)


def test_what_cannot_be_forced_is_named() -> None:
    request = make_request(tools=[F], tool_choice=ANY)
    assert PROVIDER.build_request(request, make_target("ollama")).dropped == ("tool_choice",)


def test_without_tools_there_is_nothing_to_choose() -> None:
    request = make_request(tool_choice=ANY, parallel_tools=False)
    body = build(request)
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & body.keys()
    assert PROVIDER.build_request(request, make_target()).dropped == ("tool_choice", "parallel_tools")


def test_parallel_calls() -> None:
    request = make_request(tools=[F], parallel_tools=False)
    assert build(request)["parallel_tool_calls"] is False
    assert "parallel_tool_calls" not in build(request, make_target("ollama"))
    assert PROVIDER.build_request(request, make_target("ollama")).dropped == ("parallel_tools",)
    assert PROVIDER.build_request(make_request(tools=[F], parallel_tools=True), make_target("ollama")).dropped == ()


SEARCH = Opaque("anthropic", {"type": "web_search_20250305"}, at="tools[1]")


def searching(*tools: Tool, dialect: str = "anthropic") -> Request:
    request = make_request(Message("user", (Text("hi"),)), dialect=dialect, tools=list(tools), server_tools=[SEARCH])
    request.named["server_tools"] = "tools[1]"
    return request


def test_server_tools_stay_in_their_dialect() -> None:
    assert PROVIDER.build_request(searching(F), make_target()).dropped == ("tools[1]",)
    with pytest.raises(Invalid) as refused:
        build(searching())
    assert refused.value.param == "tools[1]"
    request = searching(F)
    request.server_tools = [Opaque("openai-chat", {"type": "x"})]
    assert build(request)["tools"][-1] == {"type": "x"}
