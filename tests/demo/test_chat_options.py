"""Options of the OpenAI family: tools, their choice, formats and limits, accepted and refused."""

from typing import Any

import pytest

from proxy.demo import DemoUpstream
from tests.helpers.demo_dialects import CLOSED, SCHEMA, find_speaker

CHAT, GLM, ROUTER = (find_speaker(name) for name in ("openai-chat", "glm", "openrouter"))


def tool(name: str = "w", **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": SCHEMA, **more}}


def body(**more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": "Hi"}], **more}


def named(kind: str, inner: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, kind: inner}


TWO = [tool("a"), tool("b")]
ALLOWED = {"mode": "required", "tools": [named("function", {"name": "b"})]}


@pytest.mark.parametrize(
    ("more", "calls"),
    [
        ({"tools": TWO}, []),
        ({"tools": TWO, "tool_choice": "required"}, ["a"]),
        ({"tools": TWO, "tool_choice": named("function", {"name": "b"})}, ["b"]),
        ({"tools": TWO, "tool_choice": named("allowed_tools", ALLOWED)}, ["b"]),
        ({"tools": [named("custom", {"name": "c"})], "tool_choice": "required"}, ["c"]),
        ({"tools": [tool(parameters=None)], "tool_choice": "required"}, ["w"]),
        ({"response_format": {"type": "text"}, "stop": "x", "seed": 3, "logprobs": False, "n": 1}, []),
    ],
)
@pytest.mark.parametrize("speaker", [CHAT, ROUTER], ids=lambda speaker: speaker.name)
async def test_taken(demo: DemoUpstream, speaker: Any, more: Any, calls: list[str]) -> None:
    reply = await speaker.send(demo.port, body(**more))
    assert reply.status == 200
    message = reply.json["choices"][0]["message"]
    assert [call["function"]["name"] for call in message.get("tool_calls", [])] == calls


STRICT = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA, "strict": True}}
REFUSED = [
    {"tool_choice": "auto"},
    {"tools": TWO, "tool_choice": "any"},
    {"tools": TWO, "tool_choice": named("function", {"name": "c"})},
    {"tools": [tool("a"), tool("a")]},
    {"tools": [tool("a.b")]},
    {"tools": [tool(parameters={})]},
    {"tools": [tool(parameters={"type": "string"})]},
    {"tools": [tool(strict=True)]},
    {"tools": [{"name": "w", "input_schema": SCHEMA}]},
    {"tools": [{"type": "function", "name": "w"}]},
    {"stream_options": {"include_usage": True}},
    {"response_format": {"type": "json_object"}},
    {"response_format": {"type": "json_schema", "json_schema": {"schema": CLOSED}}},
    {"response_format": STRICT},
    {"max_tokens": 0},
    {"temperature": 3},
]


@pytest.mark.parametrize("more", REFUSED)
@pytest.mark.parametrize("speaker", [CHAT, ROUTER], ids=lambda speaker: speaker.name)
async def test_refused(demo: DemoUpstream, speaker: Any, more: Any) -> None:
    assert (await speaker.send(demo.port, body(**more))).status == 400


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"max_tokens": 5, "max_completion_tokens": 5}, 400),
        ({"parallel_tool_calls": True}, 400),
        ({"stop": ["a"] * 5}, 400),
        ({"model": "gpt-5", "max_tokens": 5}, 400),
        ({"model": "gpt-5", "max_completion_tokens": 5, "temperature": 1}, 200),
        ({"model": "gpt-5", "temperature": 0.5}, 400),
        ({"model": "o3-mini", "presence_penalty": 1}, 400),
        ({"model": "gpt-4.1", "reasoning_effort": "low"}, 400),
        ({"thinking": {"type": "enabled"}}, 400),
    ],
)
async def test_openais_own(demo: DemoUpstream, more: Any, status: int) -> None:
    assert (await CHAT.send(demo.port, body(**more))).status == status


async def test_deepseek_shows_its_reasoning_and_takes_it_back(demo: DemoUpstream) -> None:
    asked = body(model="deepseek-chat", reasoning_effort="low")
    message = (await CHAT.send(demo.port, asked)).json["choices"][0]["message"]
    assert message["reasoning_content"]
    asked["messages"] += [{"role": "assistant", "content": "x", "reasoning_content": "y"}, asked["messages"][0]]
    assert (await CHAT.send(demo.port, asked)).status == 200
