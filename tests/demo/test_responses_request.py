"""Requests of the Responses API: items that belong together, and every way in which they do not."""

from collections.abc import Callable
from typing import Any

import pytest

from proxy.demo import DemoUpstream
from proxy.demo.signing import OPENAI, sign
from tests.helpers.demo_dialects import CLOSED, SCHEMA, Wish, find_speaker

RESPONSES = find_speaker("openai-responses")


def items() -> list[Any]:
    return [
        {"role": "user", "content": "weather"},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": sign(OPENAI, "x")},
        {"type": "function_call", "call_id": "c1", "name": "w", "arguments": "{}"},
        {"type": "function_call", "id": "fc_2", "call_id": "c2", "name": "w", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "9"}]},
        {"type": "function_call_output", "call_id": "c1", "output": "9"},
        {"type": "message", "id": "msg_1", "role": "assistant", "content": [{"type": "output_text", "text": "done"}]},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Thanks"}]},
    ]


async def test_a_conversation_is_taken(demo: DemoUpstream) -> None:
    reply = await RESPONSES.send(demo.port, {"model": "m", "input": items(), "instructions": "Be brief"})
    assert reply.status == 200
    assert (reply.json["usage"]["input_tokens"], reply.json["usage"]["input_tokens_details"]) == (
        7,
        {"cached_tokens": 6},
    )
    assert (await RESPONSES.send(demo.port, {"model": "m", "input": "Hi"})).status == 200


FAULTS: dict[str, tuple[Callable[[list[Any]], Any], str]] = {
    "unknown type": (lambda i: i[0].update(type="thing"), "input[0].type"),
    "unknown role": (lambda i: i[0].update(role="tool"), "input[0].role"),
    "part of another dialect": (lambda i: i[7]["content"][0].update(type="text"), "input[7].content[0].type"),
    "user's part of the assistant": (lambda i: i[6]["content"][0].update(type="input_text"), "input[6].content[0]"),
    "id of another kind": (lambda i: i[3].update(id="call_1"), "input[3].id"),
    "message id": (lambda i: i[6].update(id="chatcmpl-1"), "input[6].id"),
    "output without its call": (lambda i: i[4].update(call_id="zz"), "input[4].call_id"),
    "call without its output": (lambda i: i.pop(4), "No tool output found"),
    "reasoning alone": (lambda i: [i.pop() for _ in range(6)], "without its required following item"),
    "reasoning before a user": (lambda i: i.insert(2, i[0]), "without its required following item"),
    "reasoning from elsewhere": (lambda i: i[1].update(encrypted_content="Zm9v"), "input[1].encrypted_content"),
    "no arguments": (lambda i: i[2].pop("arguments"), "input[2].arguments"),
    "unknown field": (lambda i: i[2].update(tool_call_id="c"), "input[2].tool_call_id"),
    "image as in chat": (
        lambda i: i[7].update(content=[{"type": "input_image", "image_url": {"url": "https://x"}}]),
        "input[7].content[0].image_url",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_is_named(demo: DemoUpstream, name: str) -> None:
    change, place = FAULTS[name]
    given = items()
    change(given)
    reply = await RESPONSES.send(demo.port, {"model": "m", "input": given})
    assert reply.status == 400
    assert place in reply.json["error"]["message"]


async def test_reasoning_that_was_not_kept_is_a_404(demo: DemoUpstream) -> None:
    given = items()
    given[1].pop("encrypted_content")
    assert (await RESPONSES.send(demo.port, {"model": "m", "input": given})).status == 404


def tool(**more: Any) -> dict[str, Any]:
    return {"type": "function", "name": "w", "parameters": SCHEMA, **more}


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"max_tokens": 5}, 400),
        ({"messages": []}, 400),
        ({"max_output_tokens": 15}, 400),
        ({"stop": ["a"]}, 400),
        ({"previous_response_id": "resp_1"}, 400),
        ({"previous_response_id": None}, 200),
        ({"include": ["everything"]}, 400),
        ({"stream_options": {"include_usage": True}, "stream": True}, 400),
        ({"tools": [{"type": "function", "function": {"name": "w"}}]}, 400),
        ({"tools": [tool(strict=True)]}, 400),
        ({"tools": [tool(strict=True, parameters={**CLOSED})]}, 200),
        ({"tools": [tool(), {"type": "web_search"}]}, 200),
        ({"tool_choice": "auto"}, 200),
        ({"tool_choice": "required"}, 400),
        ({"tools": [tool()], "tool_choice": {"type": "function", "name": "x"}}, 400),
        ({"tools": [tool()], "tool_choice": {"type": "function", "function": {"name": "w"}}}, 400),
        ({"text": {"format": {"type": "json_object"}}}, 400),
        ({"text": {"format": {"type": "json_schema", "json_schema": {"name": "x", "schema": CLOSED}}}}, 400),
        ({"text": {"verbosity": "low"}}, 200),
        ({"reasoning": {"effort": "loud"}}, 400),
        ({"model": "gpt-5", "temperature": 0.5}, 400),
        ({"response_format": {"type": "text"}}, 400),
    ],
)
async def test_parameters(demo: DemoUpstream, more: Any, status: int) -> None:
    body = {"model": "m", "input": "Hi", **more}
    assert (await RESPONSES.send(demo.port, body)).status == status


@pytest.mark.parametrize(
    "choice",
    [{"type": "function", "name": "b"}, {"type": "allowed_tools", "mode": "required", "tools": [tool(name="b")]}],
)
async def test_choice_is_heeded(demo: DemoUpstream, choice: Any) -> None:
    body = {**RESPONSES.build(Wish(tools=("a", "b")), False), "tool_choice": choice}
    output = (await RESPONSES.send(demo.port, body)).json["output"]
    assert [item["name"] for item in output if item["type"] == "function_call"] == ["b"]
