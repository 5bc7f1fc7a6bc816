"""Anthropic's parameters: what goes together, and what each generation of models takes."""

from typing import Any

import pytest

from proxy.demo import DemoUpstream
from tests.helpers.demo_dialects import CLOSED, SCHEMA, Wish, find_speaker

MESSAGES = find_speaker("anthropic")
OLD, MIDDLE, NEW = "claude-haiku-4-5", "claude-opus-4-6", "claude-opus-4-7"
ENABLED = {"type": "enabled", "budget_tokens": 1024}
TOOLS = [{"name": "w", "input_schema": SCHEMA}]
FORMAT = {"type": "json_schema", "schema": CLOSED}


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"temperature": 1.5}, 400),
        ({"stop_sequences": [" "]}, 400),
        ({"stop": ["x"]}, 400),
        ({"metadata": {"user_id": "x"}}, 200),
        ({"metadata": {"other": "x"}}, 400),
        ({"tool_choice": {"type": "auto"}}, 400),
        ({"tools": TOOLS, "tool_choice": "auto"}, 400),
        ({"tools": TOOLS, "tool_choice": {"type": "tool", "name": "x"}}, 400),
        ({"tools": TOOLS, "tool_choice": {"type": "none"}}, 200),
        ({"tools": TOOLS * 2}, 400),
        ({"tools": [{"name": "a.b", "input_schema": SCHEMA}]}, 400),
        ({"tools": [{"name": "w"}]}, 400),
        ({"tools": [{"name": "w", "input_schema": {"type": "string"}}]}, 400),
        ({"tools": [{"name": "w", "input_schema": {"type": "object", "anyOf": []}}]}, 400),
        ({"tools": [{"name": "w", "input_schema": SCHEMA, "strict": True}]}, 400),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, 200),
        ({"tools": [{"type": "function", "function": {"name": "w"}}]}, 400),
        ({"thinking": ENABLED}, 200),
        ({"thinking": {"type": "enabled", "budget_tokens": 1023}}, 400),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, 400),
        ({"thinking": ENABLED, "temperature": 0.5}, 400),
        ({"thinking": ENABLED, "top_k": 5}, 400),
        ({"thinking": ENABLED, "top_p": 0.9}, 400),
        ({"thinking": ENABLED, "tools": TOOLS, "tool_choice": {"type": "any"}}, 400),
        ({"thinking": {"type": "disabled"}, "tools": TOOLS, "tool_choice": {"type": "any"}}, 200),
        ({"output_config": {"effort": "low", "format": FORMAT}}, 200),
        ({"output_config": {"effort": "minimal"}}, 400),
        ({"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}, 400),
        ({"model": OLD, "temperature": 0.5, "top_p": 0.5}, 400),
        ({"model": MIDDLE, "thinking": ENABLED, "temperature": 1}, 200),
        ({"model": NEW, "temperature": 1}, 400),
        ({"model": NEW, "thinking": ENABLED}, 400),
        ({"model": NEW, "thinking": {"type": "adaptive"}}, 200),
    ],
)
async def test_parameters(demo: DemoUpstream, more: Any, status: int) -> None:
    reply = await MESSAGES.send(demo.port, {**MESSAGES.build(Wish(), False), **more})
    assert reply.status == status, reply.body


@pytest.mark.parametrize(("model", "status"), [(OLD, 200), (MIDDLE, 400), (NEW, 400)])
async def test_prefill_is_for_older_models(demo: DemoUpstream, model: str, status: int) -> None:
    body = {**MESSAGES.build(Wish(), False), "model": model}
    body["messages"] += [{"role": "assistant", "content": "{"}]
    assert (await MESSAGES.send(demo.port, body)).status == status


@pytest.mark.parametrize(
    ("model", "display", "shown"),
    [(OLD, None, True), (NEW, None, False), (NEW, "summarized", True), (OLD, "omitted", False)],
)
async def test_thoughts_stay_hidden_as_the_model_has_it(
    demo: DemoUpstream, model: str, display: str | None, shown: bool
) -> None:
    thinking = {"type": "adaptive", **({"display": display} if display else {})}
    body = {**MESSAGES.build(Wish(), False), "model": model, "thinking": thinking}
    block = (await MESSAGES.send(demo.port, body)).json["content"][0]
    assert bool(block["thinking"]) is shown
    assert block["signature"]
    events = (await MESSAGES.send(demo.port, {**body, "stream": True})).data
    deltas = {event["delta"]["type"] for event in events if event.get("index") == 0 and "delta" in event}
    assert deltas == ({"thinking_delta", "signature_delta"} if shown else {"signature_delta"})
