"""Requests for OpenRouter: how reasoning is asked for and given back, and what goes along that others do not take."""

import json
from typing import Any

import pytest

from proxy.dialects.capabilities import Capabilities
from proxy.dialects.chat import Asked, Invalid, Outgoing, Target
from proxy.dialects.openrouter import CLIENT, PROVIDER
from proxy.dialects.parts import (
    Effort,
    Message,
    Reasoning,
    Redacted,
    Request,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from tests.helpers.openai_chat import make_request, parse

CLAUDE = "anthropic/claude-sonnet-4.5"
BODY: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
ASKED = Asked()


def ask(request: Request, model: str = CLAUDE, capabilities: Capabilities | None = None) -> Outgoing:
    return PROVIDER.build_request(request, Target(model, capabilities or Capabilities()))


def build(request: Request, model: str = CLAUDE, capabilities: Capabilities | None = None) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(ask(request, model, capabilities).body)
    return body


@pytest.mark.parametrize(
    ("reasoning", "sent"),
    [
        (None, None),
        (Reasoning("off"), {"enabled": False}),
        (Reasoning("adaptive"), {"enabled": True}),
        (Reasoning("on"), {"enabled": True}),
        (Reasoning("on", Effort.XHIGH), {"effort": "xhigh"}),
        (Reasoning("on", budget=5000), {"max_tokens": 5000}),
        (Reasoning("on", Effort.LOW, 5000), {"max_tokens": 5000}),
        (Reasoning("on", Effort.LOW, show=False), {"effort": "low", "exclude": True}),
        (Reasoning("on", Effort.LOW, show=True), {"effort": "low"}),
    ],
)
def test_reasoning_is_asked_for_in_one_way(reasoning: Reasoning | None, sent: Any) -> None:
    assert build(make_request(reasoning=reasoning)).get("reasoning") == sent


def test_a_model_that_cannot_stop_thinking_thinks_little() -> None:
    efforts = (Effort.LOW, Effort.HIGH)
    body = build(make_request(reasoning=Reasoning("off")), capabilities=Capabilities(off=False, efforts=efforts))
    assert body["reasoning"] == {"effort": "low"}
    thoughtless = Capabilities(thinking="none")
    assert "reasoning" not in build(make_request(reasoning=Reasoning("off")), capabilities=thoughtless)


def test_what_openrouter_knows_goes_along_whoever_asks() -> None:
    extras = {"provider": {"only": ["x"]}, "models": ["a/b"], "top_k": 5, "min_p": 0.1, "logit_bias": {"1": 2}}
    for request in (parse(extras), CLIENT.parse_request(json.dumps({**extras, **BODY}).encode(), ASKED)):
        outgoing = ask(request)
        assert outgoing.dropped == ()
        assert {name: json.loads(outgoing.body)[name] for name in extras} == extras
    with pytest.raises(Invalid):
        ask(parse({"chat_template_kwargs": {}}))


def test_unknown_parameters_of_its_own_callers_go_along() -> None:
    request = CLIENT.parse_request(json.dumps({**BODY, "brand_new": [1]}).encode(), ASKED)
    assert build(request)["brand_new"] == [1]


def test_cache_marks_stay() -> None:
    mark = {"type": "ephemeral"}
    body = build(make_request(Message("user", (Text("hi", cache=mark),))))
    assert body["messages"][0]["content"] == [{"type": "text", "text": "hi", "cache_control": mark}]


def detail(kind: str, form: str, **more: Any) -> Signature:
    return Signature("o", json.dumps({"type": kind, "format": form, "index": 0, **more}))


SIGNED = detail("reasoning.text", "anthropic-claude-v1", signature="Ep8=")
SEALED = detail("reasoning.encrypted", "google-gemini-v1", data="x", id="c")


def replay(model: str, *parts: Any) -> dict[str, Any]:
    call = next((part for part in parts if isinstance(part, ToolCall)), ToolCall("c", "f", "{}"))
    others = tuple(part for part in parts if part is not call)
    messages = [
        Message("user", (Text("q"),)),
        Message("assistant", (*others, call)),
        Message("user", (ToolResult("c", (Text("9"),)),)),
    ]
    message: dict[str, Any] = build(make_request(*messages), model)["messages"][1]
    return message


def test_details_go_back_to_their_own_vendor() -> None:
    details = replay(CLAUDE, Thinking("hm", SIGNED))["reasoning_details"]
    assert details == [{**json.loads(SIGNED.value), "text": "hm"}]
    assert "reasoning_details" not in replay("google/gemini-3", Thinking("hm", SIGNED))
    signed = ToolCall("c", "f", "{}", SEALED)
    assert replay("google/gemini-3", signed)["reasoning_details"] == [json.loads(SEALED.value)]
    assert "reasoning_details" not in replay(CLAUDE, signed)
    hidden = detail("reasoning.encrypted", "openai-responses-v1", data="y", id="rs_1")
    assert replay("openai/gpt-5", Redacted(hidden))["reasoning_details"] == [json.loads(hidden.value)]
    assert "reasoning_details" not in replay(CLAUDE, Redacted(hidden))


def test_a_signature_of_the_vendor_itself_goes_along() -> None:
    (built,) = replay(CLAUDE, Thinking("hm", Signature("a", "Ep8=")))["reasoning_details"]
    assert (built["signature"], built["text"], built["format"]) == ("Ep8=", "hm", "anthropic-claude-v1")
    assert "reasoning_details" not in replay("openai/gpt-5", Thinking("hm", Signature("a", "Ep8=")))


def test_thoughts_that_are_mere_text_go_back_to_open_models_within_the_turn() -> None:
    assert replay("moonshotai/kimi-k2", Thinking("hm"))["reasoning"] == "hm"
    assert "reasoning" not in replay(CLAUDE, Thinking("hm"))
    earlier = [Message("assistant", (Thinking("hm"), Text("a"))), Message("user", (Text("q"),))]
    body = build(make_request(Message("user", (Text("q"),)), *earlier), "moonshotai/kimi-k2")
    assert "reasoning" not in body["messages"][1]
