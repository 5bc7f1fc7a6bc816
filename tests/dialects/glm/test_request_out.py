"""Requests for GLM: what it does not take is said otherwise, left out with its name, or refused."""

import json
from typing import Any

import pytest

from proxy.dialects.capabilities import Capabilities
from proxy.dialects.chat import Invalid, Outgoing, Target
from proxy.dialects.glm import PROVIDER
from proxy.dialects.parts import (
    Effort,
    Message,
    OutputFormat,
    Reasoning,
    Request,
    Signature,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolMode,
    ToolResult,
)
from tests.helpers.openai_chat import make_request, parse

CAPABILITIES = Capabilities(efforts=tuple(Effort), json_schema=False)
TOOLS = [Tool("a", "x", {"type": "object", "properties": {}}, strict=True), Tool("b")]


def ask(request: Request, capabilities: Capabilities = CAPABILITIES, **options: str) -> Outgoing:
    return PROVIDER.build_request(request, Target("glm-5", capabilities, options=options))


def build(request: Request, capabilities: Capabilities = CAPABILITIES, **options: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(ask(request, capabilities, **options).body)
    return body


def test_a_plain_request() -> None:
    outgoing = ask(parse({"max_completion_tokens": 9, "stream": True, "temperature": 0.5, "stop": ["x"]}))
    assert (outgoing.path, outgoing.dropped) == ("/chat/completions", ())
    assert outgoing.headers == {"Accept-Language": "en-US,en"}
    assert json.loads(outgoing.body) == {
        "model": "glm-5",
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 9,
        "stop": ["x"],
        "temperature": 0.5,
    }


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"temperature": 1.7}, {"temperature": 1}),
        ({"top_p": 0}, {"top_p": 0.01}),
        ({"temperature": 0, "top_p": 1}, {"temperature": 0, "top_p": 1}),
        ({"user": "somebody"}, {"user_id": "somebody"}),
        ({"tool_stream": True, "request_id": "abcdef"}, {"tool_stream": True, "request_id": "abcdef"}),
    ],
)
def test_other_names_and_ranges(given: dict[str, Any], sent: dict[str, Any]) -> None:
    body = build(parse(given))
    assert {name: body.get(name) for name in sent} == sent
    assert "user" not in body


@pytest.mark.parametrize("user", ["short", "x" * 129])
def test_a_user_of_another_length_becomes_a_hash(user: str) -> None:
    name = build(parse({"user": user}))["user_id"]
    assert name != user
    assert 6 <= len(name) <= 128


@pytest.mark.parametrize(
    ("given", "dropped"),
    [
        ({"seed": 1}, "seed"),
        ({"presence_penalty": 1}, "presence_penalty"),
        ({"metadata": {"a": "b"}}, "metadata"),
        ({"service_tier": "auto"}, "service_tier"),
        ({"stop": ["x", "y"]}, "stop"),
        ({"prompt_cache_key": "x"}, "prompt_cache_key"),
    ],
)
def test_what_nobody_misses_is_named(given: dict[str, Any], dropped: str) -> None:
    outgoing = ask(parse(given))
    assert outgoing.dropped == (dropped,)
    assert json.loads(outgoing.body).get(dropped) in (None, ["x"])


@pytest.mark.parametrize(("given", "param"), [({"n": 2}, "n"), ({"logit_bias": {"1": 2}}, "logit_bias")])
def test_what_would_be_missed_is_refused(given: dict[str, Any], param: str) -> None:
    with pytest.raises(Invalid) as caught:
        ask(parse(given))
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("choice", "names", "sent"),
    [
        (ToolChoice(ToolMode.AUTO), ["a", "b"], "auto"),
        (ToolChoice(ToolMode.ANY), ["a", "b"], "auto"),
        (ToolChoice(ToolMode.ANY, ("b",)), ["b"], "auto"),
        (ToolChoice(ToolMode.AUTO, ("a",)), ["a"], "auto"),
        (ToolChoice(ToolMode.NONE), [], None),
    ],
)
def test_only_auto_is_known(choice: ToolChoice, names: list[str], sent: str | None) -> None:
    body = build(make_request(tools=list(TOOLS), tool_choice=choice))
    assert [tool["function"]["name"] for tool in body.get("tools", [])] == names
    assert body.get("tool_choice") == sent
    assert all("strict" not in tool["function"] for tool in body.get("tools", []))


def test_a_schema_goes_into_the_instructions() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    body = build(make_request(output=OutputFormat(schema), system=[Text("Be brief")]))
    assert body["response_format"] == {"type": "json_object"}
    system = body["messages"][0]
    assert system["role"] == "system"
    assert json.dumps(schema, separators=(",", ":")) in str([part["text"] for part in system["content"]])


@pytest.mark.parametrize(
    ("reasoning", "sent"),
    [
        (Reasoning("off"), {"thinking": {"type": "disabled"}}),
        (Reasoning("adaptive"), {"thinking": {"type": "enabled"}}),
        (Reasoning("adaptive", Effort.LOW), {"thinking": {"type": "enabled"}, "reasoning_effort": "low"}),
        (Reasoning("on", Effort.XHIGH), {"thinking": {"type": "enabled"}, "reasoning_effort": "xhigh"}),
        (Reasoning("on", budget=2000), {"thinking": {"type": "enabled"}, "reasoning_effort": "low"}),
        (Reasoning("on"), {"thinking": {"type": "enabled"}}),
    ],
)
def test_reasoning(reasoning: Reasoning, sent: dict[str, Any]) -> None:
    body = build(make_request(reasoning=reasoning))
    assert {name: body[name] for name in ("thinking", "reasoning_effort") if name in body} == sent
    plain = build(make_request(reasoning=reasoning), Capabilities(thinking="none"))
    assert "thinking" not in plain
    assert "reasoning_effort" not in plain


def history() -> list[Message]:
    thought, other = Thinking("first"), Thinking("second", Signature("a", "x"))
    return [
        Message("user", (Text("q"),)),
        Message("assistant", (thought, Text("a"))),
        Message("user", (Text("weather"),)),
        Message("assistant", (other, ToolCall("c", "a", "{}"))),
        Message("user", (ToolResult("c", (Text("9"),)),)),
    ]


def test_thoughts_go_back_as_text_within_the_turn() -> None:
    messages = build(make_request(*history(), tools=list(TOOLS)))["messages"]
    assert messages[1] == {"role": "assistant", "content": "a"}
    assert messages[3]["reasoning_content"] == "second"
    assert messages[3]["content"] == ""
    assert messages[4] == {"role": "tool", "tool_call_id": "c", "content": "9"}


def test_thoughts_of_all_turns_go_back_when_they_are_to_be_kept() -> None:
    body = build(make_request(*history()), clear_thinking="false")
    assert body["thinking"] == {"type": "enabled", "clear_thinking": False}
    assert [message.get("reasoning_content") for message in body["messages"]] == [None, "first", None, "second", None]
    body = build(make_request(*history(), reasoning=Reasoning("off")), clear_thinking="false")
    assert body["thinking"] == {"type": "disabled", "clear_thinking": False}


def test_developer_becomes_system_and_names_go() -> None:
    messages = [{"role": "developer", "content": "Be brief"}, {"role": "user", "content": "hi", "name": "n"}]
    outgoing = ask(parse({"messages": messages}))
    assert json.loads(outgoing.body)["messages"] == [
        {"role": "system", "content": "Be brief"},
        {"role": "user", "content": "hi"},
    ]
    assert outgoing.dropped == ("messages[1].name",)
