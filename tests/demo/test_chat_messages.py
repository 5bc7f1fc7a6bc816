"""Messages of the OpenAI family: a conversation that is well formed, and every way in which one is not."""

from collections.abc import Callable
from typing import Any

import pytest

from proxy.demo import DemoUpstream
from tests.helpers.demo_dialects import find_speaker

CHAT, GLM, ROUTER = (find_speaker(name) for name in ("openai-chat", "glm", "openrouter"))
Change = Callable[[list[Any]], Any]


def conversation() -> list[Any]:
    """system, user, assistant with two calls, two results, user."""
    calls = [{"id": f"c{n}", "type": "function", "function": {"name": "w", "arguments": "{}"}} for n in (1, 2)]
    results = [{"role": "tool", "tool_call_id": f"c{n}", "content": "9"} for n in (2, 1)]
    return [
        {"role": "system", "content": "Be brief"},
        {"role": "user", "content": [{"type": "text", "text": "weather"}]},
        {"role": "assistant", "content": "", "tool_calls": calls},
        *results,
        {"role": "user", "content": "Thanks"},
    ]


@pytest.mark.parametrize("speaker", [CHAT, GLM, ROUTER], ids=lambda speaker: speaker.name)
async def test_a_conversation_is_taken(demo: DemoUpstream, speaker: Any) -> None:
    reply = await speaker.send(demo.port, {"model": "m", "messages": conversation()})
    assert reply.status == 200
    assert "6 characters" in reply.json["choices"][0]["message"]["content"]


FAULTS: dict[str, tuple[Change, str]] = {
    "unknown role": (lambda m: m[1].update(role="robot"), "messages[1].role"),
    "no role": (lambda m: m[1].pop("role"), "messages[1].role"),
    "no content": (lambda m: m[1].pop("content"), "messages[1].content"),
    "empty content": (lambda m: m[1].update(content=[]), "messages[1].content"),
    "part of another dialect": (lambda m: m[1].update(content=[{"type": "input_text"}]), "messages[1].content[0].type"),
    "unknown field": (lambda m: m[1].update(cache_control={}), "messages[1].cache_control"),
    "result without its call": (lambda m: m[3].update(tool_call_id="zz"), "messages[3].tool_call_id"),
    "result twice": (lambda m: m[3].update(tool_call_id="c1"), "messages[4].tool_call_id"),
    "call without its result": (lambda m: m.pop(3), "messages[4].role"),
    "calls at the end": (lambda m: [m.pop() for _ in range(3)], "messages"),
    "text between": (lambda m: m.insert(4, {"role": "user", "content": "x"}), "messages[4].role"),
    "no calls in the array": (lambda m: m[2].update(tool_calls=[]), "messages[2].tool_calls"),
    "arguments that are an object": (
        lambda m: m[2]["tool_calls"][0]["function"].update(arguments={}),
        "messages[2].tool_calls[0].function.arguments",
    ),
    "bad name": (
        lambda m: m[2]["tool_calls"][0]["function"].update(name="a.b"),
        "messages[2].tool_calls[0].function.name",
    ),
    "same id": (lambda m: m[2]["tool_calls"][0].update(id="c2"), "messages[2].tool_calls[1].id"),
    "long id": (lambda m: m[2]["tool_calls"][0].update(id="c" * 65), "messages[2].tool_calls[0].id"),
    "image in a result": (
        lambda m: m[3].update(content=[{"type": "image_url", "image_url": {"url": "https://x/y"}}]),
        "messages[3].content[0].type",
    ),
    "no image": (
        lambda m: m[1].update(content=[{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]),
        "messages[1].content[0].image_url",
    ),
    "nothing": (lambda m: m.clear(), "messages"),
}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("speaker", [CHAT, GLM, ROUTER], ids=lambda speaker: speaker.name)
async def test_a_fault_is_named_by_its_place(demo: DemoUpstream, speaker: Any, name: str) -> None:
    change, place = FAULTS[name]
    messages = conversation()
    change(messages)
    reply = await speaker.send(demo.port, {"model": "m", "messages": messages})
    assert reply.status == 400
    assert place in reply.json["error"]["message"]


@pytest.mark.parametrize(
    ("message", "refusers"),
    [
        ({"role": "developer", "content": "x"}, {"glm"}),
        ({"role": "function", "name": "f", "content": "x"}, {"glm", "openrouter"}),
        ({"role": "user", "content": "x", "name": "n"}, {"glm"}),
        ({"role": "user", "content": ""}, {"glm"}),
        ({"role": "assistant", "content": None}, {"openai-chat", "glm", "openrouter"}),
        ({"role": "assistant", "content": None, "refusal": "no"}, {"glm"}),
        ({"role": "assistant", "content": "x", "reasoning_content": "y"}, {"openai-chat"}),
        ({"role": "assistant", "content": "x", "reasoning": "y"}, {"openai-chat", "glm"}),
        ({"role": "user", "content": [{"type": "text", "text": "x", "cache_control": {}}]}, {"openai-chat", "glm"}),
    ],
)
@pytest.mark.parametrize("speaker", [CHAT, GLM, ROUTER], ids=lambda speaker: speaker.name)
async def test_dialects_differ(demo: DemoUpstream, speaker: Any, message: Any, refusers: set[str]) -> None:
    reply = await speaker.send(demo.port, {"model": "m", "messages": [message]})
    assert reply.status == (400 if speaker.name in refusers else 200)


async def test_ids_of_openai_are_short(demo: DemoUpstream) -> None:
    messages = conversation()
    for message in messages[2]["tool_calls"][:1]:
        message["id"] = messages[4]["tool_call_id"] = "c" * 41
    body = {"model": "m", "messages": messages}
    assert (await CHAT.send(demo.port, body)).status == 400
    assert (await ROUTER.send(demo.port, body)).status == 200
