"""Requests for Anthropic as a whole: members, headers, what is dropped and what is refused."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proxy.dialects.anthropic_messages import CLIENT, PROVIDER
from proxy.dialects.chat import Asked, Invalid, Target
from proxy.dialects.parts import Message, Text, Tool, ToolCall, ToolResult
from tests.helpers.anthropic_turns import CLAUDE, build, list_recordings, make_request, parse

CACHE = {"type": "ephemeral"}


def test_a_plain_request() -> None:
    outgoing = PROVIDER.build_request(make_request(max_tokens=100), Target("claude-x", CLAUDE))
    assert outgoing.path == "/v1/messages"
    assert outgoing.query is None
    assert outgoing.headers == {"anthropic-version": "2023-06-01"}
    assert outgoing.dropped == ()
    assert json.loads(outgoing.body) == {
        "model": "claude-x",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}],
    }


@pytest.mark.parametrize(
    ("fields", "members"),
    [
        ({"stream": True}, {"stream": True}),
        ({"system": [Text("Be brief")]}, {"system": "Be brief"}),
        (
            {"system": [Text("Be"), Text(""), Text("brief")]},
            {"system": [{"type": "text", "text": "Be"}, {"type": "text", "text": "brief"}]},
        ),
        ({"stop": ["END", " \n", ""]}, {"stop_sequences": ["END"]}),
        ({"stop": [" "]}, {}),
        ({"user": "u"}, {"metadata": {"user_id": "u"}}),
        ({"service_tier": "auto"}, {"service_tier": "auto"}),
        ({"service_tier": "default"}, {"service_tier": "standard_only"}),
        ({"service_tier": "flex"}, {}),
    ],
)
def test_a_member(fields: dict[str, Any], members: dict[str, Any]) -> None:
    body = build(make_request(**fields))
    assert {name: value for name, value in body.items() if name not in ("model", "max_tokens", "messages")} == members


@pytest.mark.parametrize(
    "fields",
    [
        {"presence_penalty": 1.0},
        {"frequency_penalty": 1.0},
        {"seed": 1},
        {"metadata": {"a": "b"}},
        {"stop": [" "]},
        {"service_tier": "flex"},
    ],
)
def test_what_nobody_misses_is_dropped_by_name(fields: dict[str, Any]) -> None:
    request = make_request(named={name: f"client.{name}" for name in fields}, **fields)
    dropped = PROVIDER.build_request(request, Target("claude", CLAUDE)).dropped
    assert dropped == tuple(f"client.{name}" for name in fields)


@pytest.mark.parametrize("name", ["logprobs", "top_logprobs", "store", "prompt_cache_key", "safetySettings"])
def test_extras_that_nobody_misses(name: str) -> None:
    outgoing = PROVIDER.build_request(make_request(extra={name: 1}), Target("claude", CLAUDE))
    assert outgoing.dropped == (name,)
    assert name.encode() not in outgoing.body


@pytest.mark.parametrize("name", ["logit_bias", "audio", "cachedContent", "novelty"])
def test_extras_that_change_the_answer(name: str) -> None:
    request = make_request(extra={name: 1})
    with pytest.raises(Invalid) as caught:
        PROVIDER.build_request(request, Target("claude", CLAUDE))
    assert caught.value.param == name
    assert PROVIDER.build_request(request, Target("claude", CLAUDE, frozenset({name}))).dropped == (name,)


def test_one_answer_only() -> None:
    with pytest.raises(Invalid) as caught:
        build(make_request(n=2, named={"n": "n"}))
    assert caught.value.param == "n"


def test_the_own_dialects_members_go_along() -> None:
    request = parse(
        context_management={"edits": []},
        output_config={"effort": "low", "novelty": 1},
        thinking={"type": "adaptive"},
        container="c",
    )
    body = build(request, replace(CLAUDE, thinking="adaptive"))
    assert body["context_management"] == {"edits": []}
    assert body["container"] == "c"
    assert body["output_config"] == {"effort": "low", "novelty": 1}


def mark(count: int) -> list[Message]:
    return [Message("user", tuple(Text(str(number), cache=CACHE) for number in range(count)))]


@pytest.mark.parametrize(
    ("dialect", "count", "left"),
    [("anthropic", 3, [0, 1, 2]), ("anthropic", 6, [2, 3, 4, 5]), ("openrouter", 2, [0, 1]), ("openai-chat", 2, [])],
)
def test_cache_hints(dialect: str, count: int, left: list[int]) -> None:
    content = build(make_request(dialect=dialect, messages=mark(count)))["messages"][0]["content"]
    assert [number for number, block in enumerate(content) if "cache_control" in block] == left


def test_cache_hints_count_everywhere() -> None:
    call = Message("assistant", (ToolCall("c", "add", "{}", cache=CACHE),))
    result = Message("user", (ToolResult("c", (Text("5", cache=CACHE),), cache=CACHE),))
    request = make_request(
        dialect="anthropic",
        system=[Text("s", cache=CACHE)],
        tools=[Tool("add", cache=CACHE)],
        messages=[*mark(1), call, result],
        extra={"cache_control": CACHE},
    )
    body = build(request)
    assert json.dumps(body).count("cache_control") == 4
    assert body["cache_control"] == CACHE
    assert body["messages"][2]["content"][0]["cache_control"] == CACHE


def test_a_request_to_count() -> None:
    request = make_request(system=[Text("s")], tools=[Tool("add")], stream=True, temperature=1.0, user="u")
    outgoing = PROVIDER.build_count_request(request, Target("claude-x", CLAUDE))
    assert outgoing.path == "/v1/messages/count_tokens"
    assert json.loads(outgoing.body).keys() == {"model", "system", "messages", "tools"}


@pytest.mark.parametrize("path", list_recordings("anthropic/*.request.json"))
def test_a_recorded_request_stays_what_it_is(path: Path) -> None:
    """Through the hub and back: the members that Anthropic got are those that it gets."""
    sent = json.loads(path.read_bytes())
    body = build(CLIENT.parse_request(path.read_bytes(), Asked()))
    assert body["messages"] == [{**message, "content": spread(message["content"])} for message in sent["messages"]]
    for name in ("tools", "stop_sequences"):
        if name in sent:
            assert body[name] == sent[name]
    if "tool_choice" in sent:
        assert body["tool_choice"] == {name: value for name, value in sent["tool_choice"].items() if value}
    assert body.keys() >= sent.keys() - {"stream", "thinking", "output_config", "temperature"}


def spread(content: Any) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
