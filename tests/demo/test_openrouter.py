"""OpenRouter's own: comments, the doubled finish, reasoning details by vendor and back, cost, errors within."""

from typing import Any

import pytest

from proxy.demo import DemoUpstream
from tests.helpers.demo_dialects import Wish, find_speaker

ROUTER = find_speaker("openrouter")


def build(wish: Wish, model: str, *, stream: bool = True) -> dict[str, Any]:
    return {**ROUTER.build(wish, stream), "model": model}


async def test_comments_stand_before_and_between_events(demo: DemoUpstream) -> None:
    body = (await ROUTER.fetch(demo.port, Wish(), stream=True)).body
    comment = b": OPENROUTER PROCESSING\n\n"
    assert body.startswith(comment * 2 + b"data: ")
    assert body.count(comment) > 4
    assert body.endswith(b"data: [DONE]\n\n")


async def test_the_finish_comes_twice_and_then_with_usage(demo: DemoUpstream) -> None:
    *_, first, second = (await ROUTER.fetch(demo.port, Wish(), stream=True)).data
    assert first["choices"] == second["choices"]
    assert first["choices"][0]["native_finish_reason"] == "end_turn"
    assert "usage" not in first
    assert second["usage"]["cost"] > 0


@pytest.mark.parametrize(
    ("model", "kinds"),
    [
        ("anthropic/claude", {"reasoning.text"}),
        ("openai/gpt-5", {"reasoning.summary", "reasoning.encrypted"}),
        ("google/gemini-3", {"reasoning.text", "reasoning.encrypted"}),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
async def test_details_go_back_as_they_came(demo: DemoUpstream, model: str, kinds: set[str], stream: bool) -> None:
    wish = Wish("weather", tools=("w",), thinks=True)
    reply = await ROUTER.send(demo.port, build(wish, model, stream=stream), stream=stream)
    details, call_id = collect(reply.data) if stream else from_message(reply.json["choices"][0]["message"])
    assert {detail["type"] for detail in details} == kinds
    signed = [detail for detail in details if "signature" in detail or "data" in detail]
    assert len(signed) == 1
    if model.startswith("google"):
        assert signed[0]["id"] == call_id
    assert await send_back(demo, wish, model, details) == 200
    for name in ("signature", "data"):
        if name in signed[0]:
            signed[0][name] = "Zm9yZWlnbg=="
    assert await send_back(demo, wish, model, details) == 400


def collect(chunks: list[Any]) -> tuple[list[dict[str, Any]], str]:
    """Fragments of the same index and type are one item."""
    merged: dict[tuple[int, str], dict[str, Any]] = {}
    call_id = ""
    for delta in (chunk["choices"][0]["delta"] for chunk in chunks):
        assert not delta.get("reasoning") or delta["reasoning_details"]
        for detail in delta.get("reasoning_details", []):
            item = merged.setdefault((detail["index"], detail["type"]), {})
            for name in ("text", "summary"):
                if name in detail:
                    detail[name] = item.get(name, "") + detail[name]
            item.update(detail)
        call_id = next((part["id"] for part in delta.get("tool_calls", []) if "id" in part), call_id)
    return list(merged.values()), call_id


def from_message(message: Any) -> tuple[list[dict[str, Any]], str]:
    return message["reasoning_details"], message["tool_calls"][0]["id"]


async def send_back(demo: DemoUpstream, wish: Wish, model: str, details: Any) -> int:
    body = build(wish, model, stream=False)
    call = {"id": "c", "type": "function", "function": {"name": "w", "arguments": "{}"}}
    body["messages"] += [
        {"role": "assistant", "content": None, "tool_calls": [call], "reasoning_details": details},
        {"role": "tool", "tool_call_id": "c", "content": "9"},
    ]
    return (await ROUTER.send(demo.port, body)).status


@pytest.mark.parametrize(
    ("reasoning", "status", "shown"),
    [
        ({"effort": "low", "max_tokens": 10}, 400, False),
        ({"effort": "none"}, 200, False),
        ({"enabled": True}, 200, True),
        ({"max_tokens": 2000}, 200, True),
        ({"effort": "high", "exclude": True}, 200, False),
    ],
)
async def test_reasoning_is_asked_for_in_one_way(demo: DemoUpstream, reasoning: Any, status: int, shown: bool) -> None:
    body = {**build(Wish(), "anthropic/claude", stream=False), "reasoning": reasoning}
    reply = await ROUTER.send(demo.port, body)
    assert reply.status == status
    if status == 200:
        message = reply.json["choices"][0]["message"]
        assert bool(message["reasoning"]) is bool(message.get("reasoning_details")) is shown


async def test_error_within_stands_in_a_chunk_with_everything_else(demo: DemoUpstream) -> None:
    reply = await ROUTER.fetch(demo.port, Wish(), stream=True, query="&error_after=3")
    last = reply.data[-1]
    assert last["error"]["code"] == 502
    assert last["choices"][0]["finish_reason"] == "error"
    assert last["id"] == reply.data[0]["id"]
    assert reply.body.endswith(b"data: [DONE]\n\n")
    whole = await ROUTER.fetch(demo.port, Wish(), stream=False, query="&error_after=3")
    assert (whole.status, whole.json["choices"][0]["error"]["code"]) == (200, 502)


async def test_error_before_has_its_status_as_code(demo: DemoUpstream) -> None:
    reply = await ROUTER.fetch(demo.port, Wish(), stream=True, query="&status=402")
    assert reply.json["error"]["code"] == 402
    assert reply.json["user_id"]


async def test_whole_answer_stands_behind_blank_lines(demo: DemoUpstream) -> None:
    reply = await ROUTER.fetch(demo.port, Wish(), stream=False)
    assert reply.body[:1] == b"\n"
    assert reply.json["choices"][0]["message"]["content"]


async def test_a_list_of_models_does_for_one(demo: DemoUpstream) -> None:
    body = build(Wish(), "", stream=False)
    assert (await ROUTER.send(demo.port, body)).status == 400
    assert (await ROUTER.send(demo.port, {**body, "models": ["a/b"]})).json["model"] == "a/b"
