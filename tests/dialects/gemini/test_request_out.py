"""Requests for Google's public API: where they go, what they hold, what is refused and what stays behind."""

import json
from pathlib import Path
from typing import Any

import pytest

from proxy.dialects.capabilities import Capabilities
from proxy.dialects.chat import Asked, Invalid, Target
from proxy.dialects.gemini.request_in import parse_request
from proxy.dialects.gemini.request_out import HINTS, build_count_request, build_request
from proxy.dialects.parts import (
    Json,
    Message,
    Opaque,
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
from tests.helpers.gemini import GEMINI_3, GEMINI_25, list_recordings, make_request, make_target, parse


def build(request: Request, capabilities: Capabilities = GEMINI_25) -> Any:
    return json.loads(build_request(request, make_target(capabilities)).body)


SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}, "required": ["a", "b"]}


def test_where_it_goes() -> None:
    whole, streamed = make_request(), make_request(stream=True)
    assert build_request(whole, make_target()).path == "/v1beta/models/gemini-x:generateContent"
    assert build_request(whole, make_target()).query is None
    assert build_request(streamed, make_target()).path == "/v1beta/models/gemini-x:streamGenerateContent"
    assert build_request(streamed, make_target()).query == "alt=sse"
    assert (
        build_request(whole, make_target(model="tunedModels/a b")).path == "/v1beta/tunedModels/a%20b:generateContent"
    )
    assert build_request(whole, make_target(model="models/x:y")).path == "/v1beta/models/x%3Ay:generateContent"


def test_one_turn() -> None:
    request = make_request(
        Message("user", (Text("2+3?"),)),
        system=[Text("Be brief")],
        tools=[Tool("add", schema=SCHEMA)],
        tool_choice=ToolChoice(ToolMode.ANY),
        max_tokens=1000,
    )
    assert build(request) == {
        "systemInstruction": {"role": "user", "parts": [{"text": "Be brief"}]},
        "contents": [{"role": "user", "parts": [{"text": "2+3?"}]}],
        "tools": [{"functionDeclarations": [{"name": "add", "parametersJsonSchema": SCHEMA}]}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
        "generationConfig": {"maxOutputTokens": 1000},
    }


def test_the_next_turn_carries_the_signature_from_the_thought_to_its_call() -> None:
    call_id = "call_g" + "a" * 24
    request = make_request(
        Message("user", (Text("2+3?"),)),
        Message("assistant", (Thinking("Sum", Signature("g", "QUJD")), ToolCall(call_id, "add", '{"a":2,"b":3}'))),
        Message("user", (ToolResult(call_id, (Text("5"),)),)),
    )
    assert build(request, GEMINI_3)["contents"][1:] == [
        {
            "role": "model",
            "parts": [{"functionCall": {"name": "add", "args": {"a": 2, "b": 3}}, "thoughtSignature": "QUJD"}],
        },
        {"role": "user", "parts": [{"functionResponse": {"name": "add", "response": {"output": "5"}}}]},
    ]


@pytest.mark.parametrize("recording", list_recordings("gemini", ".request.json"))
def test_recorded_requests_come_out_as_they_went_in(recording: Path) -> None:
    original = json.loads(recording.read_bytes())
    request = parse_request(recording.read_bytes(), Asked("m"))
    built = build(request)
    assert _settle(built.get("contents")) == _settle(original["contents"])
    assert _settle(built.get("systemInstruction")) == _settle(original.get("systemInstruction"))
    assert _names(built) == _names(original)
    assert built.get("toolConfig") == original.get("toolConfig")
    assert built.get("safetySettings") == original.get("safetySettings")
    for key, value in built.get("generationConfig", {}).items():
        if key != "thinkingConfig":
            assert original["generationConfig"][key] == value


def _settle(value: Json) -> Json:
    """Without roles that say nothing."""
    if isinstance(value, dict):
        return {key: _settle(item) for key, item in value.items() if (key, item) != ("role", "user")}
    return [_settle(item) for item in value] if isinstance(value, list) else value


def _names(body: Json) -> Json:
    return [
        [declaration["name"] for declaration in entry.get("functionDeclarations", [])] or entry
        for entry in body.get("tools", [])
    ]


def test_what_a_caller_of_google_says_beyond_the_hub_goes_along() -> None:
    request = parse({
        "cachedContent": "cachedContents/1",
        "safety_settings": [{"category": "X"}],
        "tool_config": {"retrieval_config": {"a": 1}, "functionCallingConfig": {"mode": "NONE"}},
        "tools": [{"googleSearch": {}}, {"functionDeclarations": [{"name": "f"}]}],
        "generation_config": {"mediaResolution": "LOW", "topK": 3, "thinking_config": {"new": 1, "thinkingBudget": 5}},
    })  # fmt: skip
    outgoing = build_request(request, make_target())
    body = json.loads(outgoing.body)
    assert outgoing.dropped == ()
    assert body["cachedContent"] == "cachedContents/1"
    assert body["safetySettings"] == [{"category": "X"}]
    assert body["toolConfig"] == {"retrieval_config": {"a": 1}, "functionCallingConfig": {"mode": "NONE"}}
    assert body["tools"] == [{"functionDeclarations": [{"name": "f"}]}, {"googleSearch": {}}]
    assert body["generationConfig"] == {
        "mediaResolution": "LOW", "topK": 3,
        "thinkingConfig": {"new": 1, "includeThoughts": False, "thinkingBudget": 5},
    }  # fmt: skip


def test_what_google_does_not_know_is_refused_by_its_place() -> None:
    with pytest.raises(Invalid) as caught:
        build(parse({"futureField": 1}))
    assert caught.value.param == "futureField"


@pytest.mark.parametrize("name", sorted(HINTS))
def test_hints_of_other_dialects_are_dropped_by_name(name: str) -> None:
    request = make_request()
    request.extra[name] = "x"
    assert build_request(request, make_target()).dropped == (name,)


def test_parameters_without_a_counterpart_are_refused_by_name() -> None:
    request = make_request()
    request.extra["logit_bias"] = {"1": 1}
    with pytest.raises(Invalid) as caught:
        build(request)
    assert caught.value.param == "logit_bias"
    target = Target("m", GEMINI_25, drop=frozenset({"logit_bias"}))
    assert build_request(request, target).dropped == ("logit_bias",)


def test_several_answers_are_refused() -> None:
    with pytest.raises(Invalid) as caught:
        build(make_request(n=2))
    assert caught.value.param == "their_n"
    build(make_request(n=1))


def test_what_nobody_misses_is_dropped_and_listed() -> None:
    request = make_request(
        Message("user", (Text("Hi", cache={"type": "ephemeral"}),)),
        user="u",
        metadata={"a": "b"},
        parallel_tools=False,
        tools=[Tool("f", strict=True)],
    )
    dropped = build_request(request, make_target()).dropped
    assert set(dropped) == {"their_user", "their_metadata", "their_parallel_tools", "cache_control", "strict"}
    assert build_request(make_request(parallel_tools=True), make_target()).dropped == ()


@pytest.mark.parametrize(
    ("tier", "expected"),
    [
        ("auto", None),
        ("default", "standard"),
        ("standard_only", "standard"),
        ("flex", "flex"),
        ("priority", "priority"),
    ],
)
def test_service_tiers(tier: str, expected: str | None) -> None:
    assert build(make_request(service_tier=tier)).get("serviceTier") == expected


def test_an_unknown_service_tier_is_refused() -> None:
    with pytest.raises(Invalid) as caught:
        build(make_request(service_tier="scale"))
    assert caught.value.param == "their_service_tier"


def test_names_of_tools_are_changed_there_and_kept_for_the_way_back() -> None:
    request = make_request(
        Message("user", (Text("Hi"),)),
        Message("assistant", (ToolCall("1", "mcp/files", "{}"),)),
        Message("user", (ToolResult("1", (Text("x"),)),)),
        tools=[Tool("mcp/files")],
        tool_choice=ToolChoice(ToolMode.ANY, ("mcp/files",)),
    )
    outgoing = build_request(request, make_target())
    body = json.loads(outgoing.body)
    changed = outgoing.names.there("mcp/files")
    assert changed != "mcp/files"
    assert outgoing.names.back(changed) == "mcp/files"
    assert body["tools"][0]["functionDeclarations"][0]["name"] == changed
    assert body["contents"][1]["parts"][0]["functionCall"]["name"] == changed
    assert body["contents"][2]["parts"][0]["functionResponse"]["name"] == changed
    assert body["toolConfig"]["functionCallingConfig"]["allowedFunctionNames"] == [changed]


def test_a_tool_of_another_vendors_servers() -> None:
    search = Opaque("anthropic", {"type": "web_search_20250305"}, at="tools[0]")
    with pytest.raises(Invalid) as caught:
        build(make_request(server_tools=[search]))
    assert caught.value.param == "tools[0]"
    outgoing = build_request(make_request(server_tools=[search], tools=[Tool("f")]), make_target())
    assert outgoing.dropped == ("tools[0]",)


def test_a_count_holds_the_request() -> None:
    outgoing = build_count_request(make_request(system=[Text("Be.")]), make_target())
    assert outgoing.path == "/v1beta/models/gemini-x:countTokens"
    assert json.loads(outgoing.body)["generateContentRequest"].keys() == {"model", "contents", "systemInstruction"}
