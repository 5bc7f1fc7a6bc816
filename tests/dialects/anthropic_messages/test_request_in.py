"""Requests of Anthropic's clients: every member read, every fault named by its path."""

import json
from pathlib import Path
from typing import Any

import pytest

from proxy.dialects.anthropic_messages import CLIENT
from proxy.dialects.chat import Asked, Invalid
from proxy.dialects.parts import Effort, OutputFormat, Reasoning, Text, Tool, ToolChoice, ToolMode
from tests.helpers.anthropic_turns import HELLO, dump, list_recordings, parse

CACHE = {"type": "ephemeral"}


def test_a_request_with_everything() -> None:
    request = parse(
        system=[{"type": "text", "text": "Be brief", "cache_control": CACHE}],
        stream=True,
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        stop_sequences=["END"],
        service_tier="auto",
        tools=[{"name": "add", "description": "Adds", "input_schema": {"type": "object"}, "strict": True}],
        tool_choice={"type": "tool", "name": "add", "disable_parallel_tool_use": True},
        thinking={"type": "enabled", "budget_tokens": 2048, "display": "summarized"},
        metadata={"user_id": "u"},
    )
    assert (request.model, request.dialect, request.max_tokens, request.stream) == ("m", "anthropic", 100, True)
    assert request.system == [Text("Be brief", cache=CACHE)]
    assert request.messages[0].parts == (Text("Hello"),)
    assert (request.temperature, request.top_p, request.top_k, request.stop) == (0.5, 0.9, 40, ["END"])
    assert request.tools == [Tool("add", "Adds", {"type": "object"}, True, at="tools[0]")]
    assert request.tool_choice == ToolChoice(ToolMode.ANY, ("add",))
    assert request.parallel_tools is False
    assert request.reasoning == Reasoning("on", None, 2048, True)
    assert (request.user, request.service_tier) == ("u", "auto")
    assert request.extra == {}
    assert request.named == {
        "max_tokens": "max_tokens", "temperature": "temperature", "top_p": "top_p", "top_k": "top_k",
        "stop": "stop_sequences", "service_tier": "service_tier", "tools": "tools", "tool_choice": "tool_choice",
        "parallel_tools": "tool_choice.disable_parallel_tool_use", "reasoning": "thinking", "user": "metadata.user_id",
    }  # fmt: skip


def test_what_is_not_said_is_none() -> None:
    request = parse()
    assert request.named == {"max_tokens": "max_tokens"}
    assert (request.temperature, request.top_p, request.top_k, request.parallel_tools) == (None, None, None, None)
    assert (request.reasoning, request.output, request.tool_choice, request.user) == (None, None, None, None)
    assert request.stream is False


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        ({"type": "auto"}, ToolChoice(ToolMode.AUTO)),
        ({"type": "any"}, ToolChoice(ToolMode.ANY)),
        ({"type": "none"}, ToolChoice(ToolMode.NONE)),
        ({"type": "tool", "name": "x"}, ToolChoice(ToolMode.ANY, ("x",))),
    ],
)
def test_tool_choice(choice: dict[str, Any], wanted: ToolChoice) -> None:
    assert parse(tool_choice=choice).tool_choice == wanted


@pytest.mark.parametrize(
    ("members", "wanted"),
    [
        ({"thinking": {"type": "disabled"}}, Reasoning("off")),
        ({"thinking": {"type": "adaptive"}}, Reasoning("adaptive")),
        ({"thinking": {"type": "between_tools"}}, Reasoning("adaptive")),
        ({"thinking": {"type": "adaptive", "display": "omitted"}}, Reasoning("adaptive", show=False)),
        (
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}},
            Reasoning("adaptive", Effort.MAX),
        ),
        ({"output_config": {"effort": "low"}}, Reasoning("adaptive", Effort.LOW)),
        ({"thinking": {"type": "disabled"}, "output_config": {"effort": "low"}}, Reasoning("off")),
    ],
)
def test_reasoning(members: dict[str, Any], wanted: Reasoning) -> None:
    assert parse(**members).reasoning == wanted


@pytest.mark.parametrize("member", ["output_config.format", "output_format"])
def test_output(member: str) -> None:
    wanted = {"type": "json_schema", "schema": {"type": "object"}}
    outer, _, inner = member.partition(".")
    request = parse(**{outer: {inner: wanted} if inner else wanted})
    assert request.output == OutputFormat({"type": "object"})
    assert request.named["output"] == member
    assert request.extra == {}


def test_server_tools_stay_as_they_are() -> None:
    search = {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}
    custom = {"type": "custom", "name": "add", "input_schema": {"type": "object"}}
    request = parse(tools=[custom, search])
    assert [tool.name for tool in request.tools] == ["add"]
    assert [(tool.dialect, tool.json, tool.at) for tool in request.server_tools] == [("anthropic", search, "tools[1]")]
    assert request.named["server_tools"] == "tools[1]"


DEFERRED = {"name": "hidden", "input_schema": {"type": "object"}, "defer_loading": True}
FOUND = [
    {"role": "user", "content": "look"},
    {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "ToolSearch", "input": {}}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": [
        {"type": "tool_reference", "tool_name": "hidden"},
    ]}]},
]  # fmt: skip


@pytest.mark.parametrize(
    ("members", "seen"),
    [
        ({}, False),
        ({"messages": FOUND}, True),
        ({"tools": [DEFERRED, {"type": "tool_search_tool_regex_20251119", "name": "tool_search_tool_regex"}]}, True),
        ({"tools": [{**DEFERRED, "defer_loading": False}]}, True),
    ],
)
def test_a_deferred_tool_is_seen_when_a_search_has_found_it(members: dict[str, Any], seen: bool) -> None:
    request = parse(**{"tools": [DEFERRED], **members})
    assert [tool.name for tool in request.tools] == (["hidden"] if seen else [])
    assert (DEFERRED in [tool.json for tool in request.server_tools]) is not seen


def test_what_has_no_field_is_kept_by_its_name() -> None:
    request = parse(
        context_management={"edits": []},
        cache_control=CACHE,
        novelty=1,
        output_config={"effort": "low", "novelty": 2},
        metadata={"user_id": "u", "trace": "t", "depth": 3},
        tools=[{"name": "a", "input_schema": {}, "eager_input_streaming": True}],
    )
    assert request.extra == {
        "context_management": {"edits": []},
        "cache_control": CACHE,
        "novelty": 1,
        "output_config.novelty": 2,
        "metadata.depth": 3,
        "tools.eager_input_streaming": True,
    }
    assert request.metadata == {"trace": "t"}


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"model": None}, "model"),
        ({"model": 3}, "model"),
        ({"max_tokens": None}, "max_tokens"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": "9"}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": "Hello"}, "messages"),
        ({"messages": ["Hello"]}, "messages[0]"),
        ({"messages": [{"role": "robot", "content": ""}]}, "messages[0].role"),
        ({"messages": [{"content": ""}]}, "messages[0].role"),
        ({"system": 3}, "system"),
        ({"system": [{"type": "image"}]}, "system[0].type"),
        ({"system": [{"type": "text"}]}, "system[0].text"),
        ({"stream": "yes"}, "stream"),
        ({"temperature": 1.5}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"top_p": -1}, "top_p"),
        ({"top_k": 0.5}, "top_k"),
        ({"stop_sequences": [1]}, "stop_sequences"),
        ({"tools": {}}, "tools"),
        ({"tools": [{"input_schema": {}}]}, "tools[0].name"),
        ({"tools": [{"name": "", "input_schema": {}}]}, "tools[0].name"),
        ({"tools": [{"name": "a"}]}, "tools[0].input_schema"),
        ({"tools": [{"name": "a", "input_schema": []}]}, "tools[0].input_schema"),
        ({"tools": [{"name": "a", "input_schema": {"type": "array"}}]}, "tools[0].input_schema.type"),
        ({"tools": [{"name": "a", "input_schema": {}, "strict": 1}]}, "tools[0].strict"),
        ({"tool_choice": "auto"}, "tool_choice"),
        ({"tool_choice": {}}, "tool_choice.type"),
        ({"tool_choice": {"type": "maybe"}}, "tool_choice.type"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name"),
        ({"thinking": True}, "thinking"),
        ({"thinking": {}}, "thinking.type"),
        ({"thinking": {"type": "hard"}}, "thinking.type"),
        ({"thinking": {"type": "enabled"}}, "thinking.budget_tokens"),
        ({"thinking": {"type": "enabled", "budget_tokens": -1}}, "thinking.budget_tokens"),
        ({"output_config": {"effort": "huge"}}, "output_config.effort"),
        ({"output_config": {"format": {"type": "json_schema"}}}, "output_config.format.schema"),
        ({"output_config": {"format": {"type": "xml"}}}, "output_config.format.type"),
        ({"metadata": {"user_id": 1}}, "metadata.user_id"),
    ],
)
def test_a_fault_is_named_by_its_path(members: dict[str, Any], param: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(**members)
    assert caught.value.param == param


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"a"', b"\xff", b"[" * 100_000])
def test_what_is_no_json_object(body: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        CLIENT.parse_request(body, Asked())
    assert caught.value.param == ""


def test_a_path_may_say_the_model() -> None:
    body = dump({"max_tokens": 1, "messages": [HELLO]})
    request = CLIENT.parse_request(body, Asked(model="from-path", stream=True))
    assert (request.model, request.stream) == ("from-path", True)


@pytest.mark.parametrize("members", [{}, {"max_tokens": 10}, {"max_tokens": 0}])
def test_a_count_needs_no_limit(members: dict[str, int]) -> None:
    body = dump({"model": "m", "messages": [HELLO], "system": "s", **members})
    request = CLIENT.parse_count_request(body, Asked())
    assert request.max_tokens is None
    assert "max_tokens" not in request.named
    assert request.extra == {}
    assert request.system == [Text("s")]


@pytest.mark.parametrize("path", list_recordings("anthropic/*.request.json"))
def test_a_recorded_request(path: Path) -> None:
    body = json.loads(path.read_bytes())
    request = CLIENT.parse_request(path.read_bytes(), Asked())
    assert request.model == body["model"]
    assert len(request.messages) == len(body["messages"])
    assert len(request.tools) + len(request.server_tools) == len(body.get("tools", ()))
