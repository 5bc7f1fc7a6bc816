"""Callers' requests: tools, limits, reasoning, the form of the answer, and whatever else they say."""

import json
from pathlib import Path
from typing import Any

import pytest

from proxy.dialects.chat import Asked, Invalid
from proxy.dialects.gemini.request_in import parse_request
from proxy.dialects.parts import Effort, Opaque, OutputFormat, Reasoning, Request, ToolChoice, ToolMode
from tests.helpers.gemini import list_recordings, parse


def parse_config(**config: Any) -> Request:
    return parse({"generationConfig": config})


@pytest.mark.parametrize("recording", list_recordings("gemini", ".request.json"))
def test_recorded_requests_are_understood_whole(recording: Path) -> None:
    request = parse_request(recording.read_bytes(), Asked("models/gemini-x", True))
    assert (request.model, request.stream, request.dialect) == ("gemini-x", True, "gemini")
    assert request.messages
    assert set(request.extra) <= {"safetySettings"}


def test_model_and_stream_come_from_the_path() -> None:
    assert (parse({}, model="a/b", stream=True).model, parse({}, stream=True).stream) == ("a/b", True)
    assert parse({"model": "models/body"}, model="path").model == "path"
    assert parse({"model": "models/body"}, model=None, stream=None).model == "body"
    assert parse({"model": "models/body"}).extra == {}
    with pytest.raises(Invalid) as caught:
        parse({}, model=None)
    assert caught.value.param == "model"


def test_a_count_may_hold_its_request() -> None:
    inner = {
        "model": "models/x",
        "contents": [{"parts": [{"text": "Hi"}]}],
        "systemInstruction": {"parts": {"text": "Be."}},
    }
    request = parse_request(json.dumps({"generateContentRequest": inner}).encode(), Asked("m"))
    assert (request.system[0].text, len(request.messages)) == ("Be.", 1)
    assert request.messages[0].at == "generateContentRequest.contents[0]"


def test_numbers() -> None:
    request = parse_config(
        temperature=0.5, topP=0.9, topK=40.0, maxOutputTokens=100, presencePenalty=1, frequencyPenalty=-1, seed=0,
        candidateCount=2, stopSequences=["a", "b"],
    )  # fmt: skip
    assert (request.temperature, request.top_p, request.top_k, request.max_tokens) == (0.5, 0.9, 40, 100)
    assert (request.presence_penalty, request.frequency_penalty, request.seed, request.n) == (1, -1, 0, 2)
    assert request.stop == ["a", "b"]
    assert request.named["max_tokens"] == "generationConfig.maxOutputTokens"
    assert request.named["n"] == "generationConfig.candidateCount"


def test_snake_case_is_the_same_under_its_own_name() -> None:
    request = parse({
        "generation_config": {"max_output_tokens": 5, "thinking_config": {"include_thoughts": True}},
        "tool_config": {"function_calling_config": {"mode": "any", "allowed_function_names": ["f"]}},
        "tools": {"function_declarations": {"name": "f", "parameters_json_schema": {"properties": {"max_len": {}}}}},
        "system_instruction": "Be brief.",
        "safety_settings": [{"category": "X"}],
    })  # fmt: skip
    assert (request.max_tokens, request.system[0].text) == (5, "Be brief.")
    assert request.named["max_tokens"] == "generation_config.max_output_tokens"
    assert request.tool_choice == ToolChoice(ToolMode.ANY, ("f",))
    assert request.reasoning == Reasoning("adaptive", show=True)
    assert request.tools[0].schema == {"properties": {"max_len": {}}}
    assert request.extra == {"safety_settings": [{"category": "X"}]}


@pytest.mark.parametrize(
    ("config", "param"),
    [
        ({"temperature": 3}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"topP": 1.5}, "topP"),
        ({"topK": 1.5}, "topK"),
        ({"maxOutputTokens": -1}, "maxOutputTokens"),
        ({"candidateCount": 0}, "candidateCount"),
        ({"stopSequences": [1]}, "stopSequences"),
        ({"thinkingConfig": []}, "thinkingConfig"),
        ({"thinkingConfig": {"thinkingBudget": 1, "thinkingLevel": "LOW"}}, "thinkingConfig.thinkingBudget"),
        ({"thinkingConfig": {"thinkingLevel": "vast"}}, "thinkingConfig.thinkingLevel"),
        ({"thinkingConfig": {"thinkingBudget": -2}}, "thinkingConfig.thinkingBudget"),
        ({"thinkingConfig": {"includeThoughts": "yes"}}, "thinkingConfig.includeThoughts"),
        ({"responseSchema": {}, "responseJsonSchema": {}}, "responseSchema"),
        ({"responseSchema": {"type": "OBJECT"}}, "responseSchema"),
    ],
)
def test_what_is_wrong_is_named(config: dict[str, Any], param: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_config(**config)
    assert caught.value.param == f"generationConfig.{param}"


@pytest.mark.parametrize(
    ("config", "reasoning"),
    [
        ({"thinkingBudget": 0}, Reasoning("off", budget=0)),
        ({"thinkingBudget": -1, "includeThoughts": True}, Reasoning("adaptive", show=True)),
        ({"thinkingBudget": 2048}, Reasoning("on", budget=2048)),
        ({"thinkingLevel": "low", "includeThoughts": False}, Reasoning("on", Effort.LOW, show=False)),
        ({"thinkingLevel": "XHIGH"}, Reasoning("on", Effort.XHIGH)),
        ({"thinkingLevel": "THINKING_LEVEL_UNSPECIFIED"}, Reasoning("adaptive")),
        ({"includeThoughts": True}, Reasoning("adaptive", show=True)),
        (None, None),
    ],
)
def test_reasoning(config: dict[str, Any] | None, reasoning: Reasoning | None) -> None:
    assert parse_config(thinkingConfig=config).reasoning == reasoning


@pytest.mark.parametrize(
    ("config", "output"),
    [
        ({}, None),
        ({"responseMimeType": "text/plain"}, None),
        ({"responseMimeType": "application/json"}, OutputFormat()),
        (
            {
                "responseMimeType": "application/json",
                "responseSchema": {"type": "OBJECT", "properties": {"TYPE": {"type": "STRING"}}},
            },
            OutputFormat({"type": "object", "properties": {"TYPE": {"type": "string"}}}),
        ),
        (
            {"responseMimeType": "application/json", "responseJsonSchema": {"type": ["string", "null"]}},
            OutputFormat({"type": ["string", "null"]}),
        ),
    ],
)  # fmt: skip
def test_the_form_of_the_answer(config: dict[str, Any], output: OutputFormat | None) -> None:
    request = parse_config(**config)
    assert request.output == output
    assert request.extra == {}
    assert ("output" in request.named) is (output is not None)


def test_tools() -> None:
    request = parse({
        "tools": [
            {"functionDeclarations": [
                {
                    "name": "f", "description": None,
                    "parameters": {"type": "OBJECT", "properties": {"a": {"type": "INTEGER"}}},
                },
                {"name": "g", "parametersJsonSchema": {"type": "object"}},
            ]},
            {"googleSearch": {}, "functionDeclarations": [{"name": "h"}]},
        ],
    })  # fmt: skip
    first, second, third = request.tools
    assert (first.name, first.description) == ("f", "")
    assert first.schema == {"type": "object", "properties": {"a": {"type": "integer"}}}
    assert (second.schema, third.name, third.schema) == ({"type": "object"}, "h", None)
    assert third.at == "tools[1].functionDeclarations[0]"
    assert request.server_tools == [Opaque("gemini", {"googleSearch": {}})]
    assert request.server_tools[0].at == "tools[1].googleSearch"


@pytest.mark.parametrize(
    ("calling", "choice"),
    [
        ({}, ToolChoice(ToolMode.AUTO)),
        ({"mode": "AUTO"}, ToolChoice(ToolMode.AUTO)),
        ({"mode": "VALIDATED"}, ToolChoice(ToolMode.AUTO)),
        ({"mode": "NONE"}, ToolChoice(ToolMode.NONE)),
        ({"mode": "ANY", "allowedFunctionNames": ["f", "g"]}, ToolChoice(ToolMode.ANY, ("f", "g"))),
    ],
)
def test_the_choice_of_tools(calling: dict[str, Any], choice: ToolChoice) -> None:
    assert parse({"toolConfig": {"functionCallingConfig": calling}}).tool_choice == choice


def test_an_unknown_mode_is_named() -> None:
    with pytest.raises(Invalid) as caught:
        parse({"toolConfig": {"functionCallingConfig": {"mode": "MAYBE"}}})
    assert caught.value.param == "toolConfig.functionCallingConfig.mode"


def test_what_has_no_field_is_kept_by_its_path() -> None:
    request = parse({
        "cachedContent": "cachedContents/1",
        "serviceTier": "FLEX",
        "toolConfig": {"retrievalConfig": {"languageCode": "en"}},
        "generationConfig": {
            "responseModalities": ["TEXT", "IMAGE"], "mediaResolution": "LOW", "thinkingConfig": {"new": 1},
            "responseMimeType": "text/x.enum", "responseSchema": {"enum": ["a"]},
        },
    })  # fmt: skip
    assert request.service_tier == "flex"
    assert request.extra == {
        "cachedContent": "cachedContents/1",
        "toolConfig.retrievalConfig": {"languageCode": "en"},
        "generationConfig.responseModalities": ["TEXT", "IMAGE"],
        "generationConfig.mediaResolution": "LOW",
        "generationConfig.thinkingConfig.new": 1,
        "generationConfig.responseMimeType": "text/x.enum",
        "generationConfig.responseSchema": {"enum": ["a"]},
    }


def test_what_asks_for_the_usual_is_not_kept() -> None:
    assert parse_config(responseModalities=["TEXT"], candidateCount=1, maxOutputTokens=0).extra == {}
    assert parse_config(maxOutputTokens=0).max_tokens is None


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"', b"{}", b'{"contents":[]}', b'{"contents":null}'])
def test_bodies_that_are_none(body: bytes) -> None:
    with pytest.raises(Invalid):
        parse_request(body, Asked("m"))
