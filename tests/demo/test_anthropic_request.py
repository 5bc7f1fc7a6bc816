"""Messages of Anthropic's API: order, answers to calls, signed thoughts, and every fault of them."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from proxy.demo import DemoUpstream
from proxy.demo.signing import ANTHROPIC, sign
from tests.helpers.demo_dialects import PNG, Wish, find_speaker
from tests.helpers.rawhttp import fetch

MESSAGES = find_speaker("anthropic")
TOOLS = [{"name": "w", "input_schema": {"type": "object"}}]
DATA = base64.b64encode(PNG).decode()


def image(mime: str = "image/png", data: str = DATA) -> dict[str, Any]:
    return {"type": "image", "source": {"type": "base64", "media_type": mime, "data": data}}


def messages() -> list[Any]:
    calls = [{"type": "tool_use", "id": f"t{n}", "name": "w", "input": {}} for n in (1, 2)]
    results = [{"type": "tool_result", "tool_use_id": f"t{n}", "content": "9"} for n in (1, 2)]
    results[1]["content"] = [{"type": "text", "text": "9"}, image()]
    thought = {"type": "thinking", "thinking": "hm", "signature": sign(ANTHROPIC, "hm")}
    return [
        {"role": "user", "content": "weather"},
        {"role": "assistant", "content": [thought, {"type": "text", "text": "I look"}, *calls]},
        {"role": "user", "content": [*results, {"type": "text", "text": "Thanks"}]},
    ]


def body(given: Any, **more: Any) -> dict[str, Any]:
    return {"model": "m", "max_tokens": 2000, "messages": given, "tools": TOOLS, **more}


async def test_a_conversation_is_taken(demo: DemoUpstream) -> None:
    reply = await MESSAGES.send(demo.port, body(messages(), system=[{"type": "text", "text": "Be brief"}]))
    assert reply.status == 200, reply.body
    assert f"image/png of {len(PNG)} bytes" in reply.json["content"][0]["text"]
    assert reply.json["usage"]["cache_read_input_tokens"] == 5


async def test_a_system_message_in_the_middle_is_nobodys_turn(demo: DemoUpstream) -> None:
    given = messages()
    given.insert(3, {"role": "system", "content": "Be brief"})
    given.insert(
        1, {"role": "system", "content": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}]}
    )
    reply = await MESSAGES.send(demo.port, body(given))
    assert reply.status == 200, reply.body


def _swap(given: list[Any]) -> None:
    given[2]["content"].insert(0, given[2]["content"].pop())


FAULTS: dict[str, tuple[Callable[[list[Any]], Any], str]] = {
    "system role": (lambda m: m.insert(0, {"role": "system", "content": "x"}), "messages.0.role"),
    "system without words": (lambda m: m.insert(1, {"role": "system"}), "messages.1.content"),
    "system before a result": (lambda m: m.insert(2, {"role": "system", "content": "x"}), "without `tool_result`"),
    "tool role": (lambda m: m[0].update(role="tool"), "messages.0.role"),
    "assistant first": (lambda m: m.pop(0), "first message"),
    "twice the same role": (lambda m: m.insert(0, m[0]), "alternate"),
    "empty text": (lambda m: m[0].update(content=""), "non-empty"),
    "blank text block": (lambda m: m[1]["content"][1].update(text=" \n"), "non-empty"),
    "no content": (lambda m: m[0].update(content=[]), "non-empty content"),
    "result after text": (_swap, "must come before"),
    "result missing": (lambda m: m[2]["content"].pop(0), "without `tool_result`"),
    "results missing at the end": (lambda m: m.pop(), "without `tool_result`"),
    "result of nothing": (lambda m: m[2]["content"][0].update(tool_use_id="zz"), "unexpected `tool_use_id`"),
    "same id twice": (lambda m: m[1]["content"][3].update(id="t1"), "unique"),
    "id with a dot": (lambda m: m[1]["content"][3].update(id="t.2"), "messages.1.content.3.id"),
    "input as text": (lambda m: m[1]["content"][3].update(input="{}"), "messages.1.content.3.input"),
    "thought without signature": (lambda m: m[1]["content"][0].pop("signature"), "signature: Field required"),
    "thought with another's": (lambda m: m[1]["content"][0].update(signature="Zm9v"), "Invalid `signature`"),
    "thought that changed": (lambda m: m[1]["content"][0].update(thinking="hm "), "Invalid `signature`"),
    "image of another type": (lambda m: m[0].update(content=[image("image/jpeg")]), "declared type"),
    "image/jpg": (lambda m: m[0].update(content=[image("image/jpg")]), "messages.0.content.0.source.data"),
    "unpadded image": (lambda m: m[0].update(content=[image(data=DATA.rstrip("="))]), "base64"),
    "image of the assistant": (lambda m: m[1]["content"].insert(1, image()), "messages.1.content.1.type"),
    "part of another dialect": (
        lambda m: m[0].update(content=[{"type": "image_url", "image_url": {}}]),
        "messages.0.content.0.type",
    ),
    "unknown field": (lambda m: m[0].update(name="x"), "messages.0.name: Extra inputs"),
    "trailing blank of the assistant": (
        lambda m: m.append({"role": "assistant", "content": "{ "}),
        "trailing whitespace",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_is_named(demo: DemoUpstream, name: str) -> None:
    change, place = FAULTS[name]
    given = messages()
    change(given)
    reply = await MESSAGES.send(demo.port, body(given))
    assert reply.status == 400
    assert place in reply.json["error"]["message"]


async def test_version_header_and_limit_are_required(demo: DemoUpstream) -> None:
    good = body(messages())
    assert (await fetch(demo.port, "/v1/messages", body=good)).status == 400
    good.pop("max_tokens")
    assert "max_tokens" in (await MESSAGES.send(demo.port, good)).json["error"]["message"]


async def test_tools_must_be_declared_once_they_were_used(demo: DemoUpstream) -> None:
    reply = await MESSAGES.send(demo.port, body(messages(), tools=None))
    assert "must define tools" in reply.json["error"]["message"]


async def test_no_more_than_four_breakpoints(demo: DemoUpstream) -> None:
    mark = {"cache_control": {"type": "ephemeral"}}
    texts = [{"type": "text", "text": "x", **mark} for _ in range(4)]
    given = [{"role": "user", "content": texts}]
    assert (await MESSAGES.send(demo.port, body(given))).status == 200
    assert (await MESSAGES.send(demo.port, body(given, tools=[{**TOOLS[0], **mark}]))).status == 400


async def test_a_thought_comes_back_as_it_was_given(demo: DemoUpstream) -> None:
    wish = Wish("weather", tools=("w",), thinks=True)
    content = (await MESSAGES.fetch(demo.port, wish, stream=False)).json["content"]
    assert [block["type"] for block in content] == ["thinking", "text", "tool_use"]
    asked = MESSAGES.build(wish, False)
    result = {"type": "tool_result", "tool_use_id": content[-1]["id"]}
    asked["messages"] += [{"role": "assistant", "content": content}, {"role": "user", "content": [result]}]
    assert (await MESSAGES.send(demo.port, asked)).status == 200
    asked["thinking"] = {"type": "enabled", "budget_tokens": 1024}
    assert (await MESSAGES.send(demo.port, asked)).status == 200
    asked["messages"][1]["content"] = content[1:]
    assert "Expected `thinking`" in (await MESSAGES.send(demo.port, asked)).json["error"]["message"]


async def test_tokens_are_counted(demo: DemoUpstream) -> None:
    given = body(messages())
    given.pop("max_tokens")
    reply = await fetch(demo.port, "/v1/messages/count_tokens", body=given, headers=MESSAGES.headers)
    assert reply.json == {"input_tokens": 6}
