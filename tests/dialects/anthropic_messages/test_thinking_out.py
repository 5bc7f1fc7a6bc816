"""Thinking, its budget, and what it leaves of the sampling settings."""

from dataclasses import replace
from typing import Any

import pytest

from proxy.dialects.anthropic_messages import PROVIDER
from proxy.dialects.capabilities import Capabilities
from proxy.dialects.chat import Target
from proxy.dialects.parts import Effort, Message, Reasoning, Signature, Text, Thinking, Tool, ToolCall, ToolResult
from tests.helpers.anthropic_turns import CLAUDE, build, make_request

ADAPTIVE = replace(
    CLAUDE, thinking="adaptive", efforts=(Effort.LOW, Effort.MEDIUM, Effort.HIGH), sampling=False, both=False
)
NAMED = {name: name for name in ("reasoning", "temperature", "top_p", "top_k")}


def think(reasoning: Reasoning, capabilities: Capabilities = CLAUDE, **fields: Any) -> dict[str, Any]:
    return build(make_request(reasoning=reasoning, named=NAMED, **fields), capabilities)


def drop(capabilities: Capabilities = CLAUDE, **fields: Any) -> tuple[str, ...]:
    named = {name: name for name in NAMED if name in fields}
    request = make_request(named=named, **fields)
    return PROVIDER.build_request(request, Target("claude", capabilities)).dropped


@pytest.mark.parametrize(
    ("reasoning", "thinking"),
    [
        (Reasoning("on", budget=2000), {"type": "enabled", "budget_tokens": 2000}),
        (Reasoning("on", budget=10), {"type": "enabled", "budget_tokens": 1024}),
        (Reasoning("on", Effort.MINIMAL), {"type": "enabled", "budget_tokens": 1024}),
        (Reasoning("on", Effort.MEDIUM), {"type": "enabled", "budget_tokens": 8192}),
        (Reasoning("on", Effort.MAX), {"type": "enabled", "budget_tokens": 32768}),
        (Reasoning("on"), {"type": "enabled", "budget_tokens": 8192}),
        (Reasoning("adaptive"), {"type": "enabled", "budget_tokens": 8192}),
        (Reasoning("on", show=True), {"type": "enabled", "budget_tokens": 8192, "display": "summarized"}),
        (Reasoning("off"), {"type": "disabled"}),
        (Reasoning("on", Effort.NONE), {"type": "disabled"}),
        (Reasoning("on", budget=0), {"type": "disabled"}),
    ],
)
def test_a_budget(reasoning: Reasoning, thinking: dict[str, Any]) -> None:
    assert think(reasoning)["thinking"] == thinking


@pytest.mark.parametrize(
    ("asked", "budget", "sent"),
    [(None, 8192, 64000), (20000, 8192, 20000), (8192, 8192, 9216), (2000, 8192, 9216), (100000, 8192, 64000)],
)
def test_the_limit_is_above_the_budget(asked: int | None, budget: int, sent: int) -> None:
    body = think(Reasoning("on", budget=budget), max_tokens=asked)
    assert (body["max_tokens"], body["thinking"]["budget_tokens"]) == (sent, budget)


def test_the_budget_is_below_what_the_model_writes_at_most() -> None:
    small = replace(CLAUDE, output=8192)
    for asked in (None, 4000):
        body = think(Reasoning("on", budget=30000), small, max_tokens=asked)
        assert (body["max_tokens"], body["thinking"]["budget_tokens"]) == (8192, 7168)


def test_a_small_limit_leaves_no_room_for_thoughts() -> None:
    body = think(Reasoning("on", Effort.HIGH), max_tokens=1024)
    assert (body["max_tokens"], body["thinking"]) == (1024, {"type": "disabled"})
    assert drop(reasoning=Reasoning("on"), max_tokens=1024) == ("reasoning",)


@pytest.mark.parametrize(
    ("reasoning", "effort"),
    [
        (Reasoning("on", Effort.HIGH), "high"),
        (Reasoning("on", Effort.MINIMAL), "low"),
        (Reasoning("on", Effort.MAX), "high"),
        (Reasoning("on", budget=10000), "medium"),
        (Reasoning("adaptive"), None),
    ],
)
def test_a_model_that_adapts(reasoning: Reasoning, effort: str | None) -> None:
    body = think(reasoning, ADAPTIVE)
    assert body["thinking"] == {"type": "adaptive", "display": "summarized"}
    assert body.get("output_config") == (None if effort is None else {"effort": effort})


@pytest.mark.parametrize(("show", "display"), [(True, "summarized"), (False, "omitted"), (None, None)])
def test_what_the_client_wants_to_see(show: bool | None, display: str | None) -> None:
    body = think(Reasoning("adaptive", show=show), ADAPTIVE, dialect="anthropic")
    assert body["thinking"].get("display") == display


def test_others_endpoints_know_no_display() -> None:
    body = think(Reasoning("on", show=True), Capabilities(family="other", thinking="effort"))
    assert body["thinking"].keys() == {"type", "budget_tokens"}


@pytest.mark.parametrize("capabilities", [replace(CLAUDE, off=False), replace(ADAPTIVE, off=False)])
def test_a_model_that_always_thinks(capabilities: Capabilities) -> None:
    assert "thinking" not in think(Reasoning("off"), capabilities)
    assert drop(capabilities, reasoning=Reasoning("off")) == ("reasoning",)


def test_a_model_that_never_thinks() -> None:
    never = replace(CLAUDE, thinking="none")
    assert "thinking" not in think(Reasoning("on"), never)
    assert drop(never, reasoning=Reasoning("on")) == ("reasoning",)
    assert drop(never, reasoning=Reasoning("off")) == ()


@pytest.mark.parametrize("signed", [True, False])
def test_a_tool_loop_goes_on_as_it_began(signed: bool) -> None:
    signature = Signature("a", "EqQB") if signed else Signature("g", "QUJD")
    messages = [
        Message("user", (Text("Hello"),)),
        Message("assistant", (Thinking("Hm", signature), ToolCall("c", "add", "{}"))),
        Message("user", (ToolResult("c", (Text("5"),)),)),
    ]
    fields = {"messages": messages, "tools": [Tool("add")]}
    assert think(Reasoning("on"), **fields)["thinking"]["type"] == ("enabled" if signed else "disabled")
    assert think(Reasoning("on"), ADAPTIVE, **fields)["thinking"]["type"] == "adaptive"
    assert drop(reasoning=Reasoning("on"), **fields) == (() if signed else ("reasoning",))


def test_no_limit_asked_is_all_that_the_model_writes() -> None:
    assert build(make_request())["max_tokens"] == 64000
    assert build(make_request(), Capabilities())["max_tokens"] == 8192


def test_a_known_limit_holds() -> None:
    assert build(make_request(max_tokens=100000))["max_tokens"] == 64000
    assert build(make_request(max_tokens=100000), Capabilities())["max_tokens"] == 100000


@pytest.mark.parametrize(
    ("capabilities", "fields", "sent", "dropped"),
    [
        (CLAUDE, {"temperature": 1.5}, {"temperature": 1}, ()),
        (CLAUDE, {"temperature": 0.5, "top_p": 0.5, "top_k": 5}, {"temperature": 0.5, "top_p": 0.5, "top_k": 5}, ()),
        (replace(CLAUDE, both=False), {"temperature": 0.5, "top_p": 0.5}, {"temperature": 0.5}, ("top_p",)),
        (replace(CLAUDE, both=False), {"top_p": 0.5}, {"top_p": 0.5}, ()),
        (ADAPTIVE, {"temperature": 1, "top_p": 1, "top_k": 1}, {}, ("temperature", "top_p", "top_k")),
        (
            CLAUDE,
            {"temperature": 0.5, "top_p": 0.5, "top_k": 5, "reasoning": Reasoning("on")},
            {},
            ("temperature", "top_p", "top_k"),
        ),
        (CLAUDE, {"top_p": 0.95, "reasoning": Reasoning("on")}, {"top_p": 0.95}, ()),
    ],
)
def test_sampling(capabilities: Capabilities, fields: dict[str, Any], sent: Any, dropped: Any) -> None:
    body = build(make_request(**fields), capabilities)
    assert {name: body[name] for name in ("temperature", "top_p", "top_k") if name in body} == sent
    assert drop(capabilities, **fields) == dropped
