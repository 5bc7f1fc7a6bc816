"""Limits, sampling and the form of the answer."""

from dataclasses import replace
from typing import Any

import pytest

from proxy.dialects.capabilities import Capabilities
from proxy.dialects.code_assist.request_out import find_rules as find_code_assist_rules
from proxy.dialects.fitting import Fitting
from proxy.dialects.gemini.rules import find_rules
from proxy.dialects.gemini.sampling import build_config
from proxy.dialects.parts import Effort, OutputFormat, Reasoning, Request, Tool
from tests.helpers.gemini import CLAUDE, GEMINI_3, GEMINI_25, make_request, make_target


def build(request: Request, able: Capabilities = GEMINI_25) -> tuple[dict[str, Any], list[str], list[str]]:
    """The configuration, what is said in words, and what was dropped."""
    target = make_target(able)
    fitting = Fitting(request, target)
    rules = find_code_assist_rules(target) if able.family == "claude" else find_rules(target)
    config, words = build_config(request, target, rules, fitting)
    return config, words, fitting.dropped


def test_everything_that_google_takes() -> None:
    request = make_request(
        max_tokens=9,
        temperature=1.5,
        top_p=0.5,
        top_k=3,
        presence_penalty=0.1,
        frequency_penalty=0.2,
        seed=7,
        stop=["a"],
    )
    assert build(request) == (
        {
            "maxOutputTokens": 9, "temperature": 1.5, "topP": 0.5, "topK": 3, "presencePenalty": 0.1,
            "frequencyPenalty": 0.2, "seed": 7, "stopSequences": ["a"],
        },
        [],
        [],
    )  # fmt: skip


def test_stops_beyond_the_limit() -> None:
    config, _, dropped = build(make_request(stop=["", *"abcdef"]))
    assert (config["stopSequences"], dropped) == (list("abcde"), ["their_stop"])


def test_models_that_take_no_sampling() -> None:
    request = make_request(temperature=1, top_p=0.5)
    assert build(request, replace(GEMINI_25, sampling=False))[0::2] == ({}, ["their_temperature", "their_top_p"])
    assert build(request, replace(GEMINI_25, both=False))[0::2] == ({"temperature": 1}, ["their_top_p"])


def test_thoughts_are_shown_to_others_unless_they_say_no() -> None:
    reasoning = Reasoning("on", Effort.LOW)
    config, _, _ = build(make_request(reasoning=reasoning))
    assert config["thinkingConfig"] == {"includeThoughts": True, "thinkingBudget": 1024}
    request = make_request(reasoning=reasoning)
    request.dialect = "gemini"
    assert build(request)[0]["thinkingConfig"]["includeThoughts"] is False
    assert "thinkingConfig" not in build(make_request())[0]


def test_reasoning_that_a_model_does_not_know_is_dropped() -> None:
    able = Capabilities(family="gemini", thinking="none")
    assert build(make_request(reasoning=Reasoning("on")), able)[0::2] == ({}, ["their_reasoning"])
    assert build(make_request(reasoning=Reasoning("off")), able)[0::2] == ({}, [])


@pytest.mark.parametrize(
    ("limit", "reasoning", "config"),
    [
        (None, Reasoning("on", Effort.LOW), {"maxOutputTokens": 32000, "thinkingBudget": 1024}),
        (2000, Reasoning("on", budget=8000), {"maxOutputTokens": 9024, "thinkingBudget": 8000}),
        (20000, Reasoning("adaptive"), {"maxOutputTokens": 20000, "thinkingBudget": 8192}),
        (1000, Reasoning("on", Effort.LOW), {"maxOutputTokens": 1000}),
        (2000, Reasoning("off"), {"maxOutputTokens": 2000}),
    ],
)
def test_claudes_budget_leaves_room_for_an_answer(
    limit: int | None, reasoning: Reasoning, config: dict[str, int]
) -> None:
    found, _, dropped = build(make_request(max_tokens=limit, reasoning=reasoning), CLAUDE)
    thinking = found.get("thinkingConfig", {})
    assert found["maxOutputTokens"] == config["maxOutputTokens"]
    assert thinking.get("thinkingBudget") == config.get("thinkingBudget")
    assert dropped == (["their_reasoning"] if limit == 1000 else [])


def test_claudes_sampling() -> None:
    request = make_request(temperature=1.5, seed=1, top_k=3)
    assert build(request, CLAUDE)[0::2] == ({"temperature": 1, "topK": 3}, ["their_seed"])
    thinking = make_request(temperature=1.0, top_k=3, reasoning=Reasoning("on", Effort.LOW))
    config, _, dropped = build(thinking, CLAUDE)
    assert config.keys() == {"maxOutputTokens", "thinkingConfig"}
    assert dropped == ["their_temperature", "their_top_k"]


SCHEMA = {"type": "object", "properties": {"a": {"const": 1}}}


@pytest.mark.parametrize(
    ("able", "schema", "tools", "config", "words"),
    [
        (GEMINI_25, None, False, {"responseMimeType": "application/json"}, 0),
        (GEMINI_25, SCHEMA, False, {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}, 0),
        (GEMINI_3, SCHEMA, True, {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}, 0),
        (GEMINI_25, SCHEMA, True, {}, 1),
        (replace(GEMINI_3, json_schema=False), SCHEMA, False, {"responseMimeType": "application/json"}, 1),
    ],
)
def test_the_form_of_the_answer(
    able: Capabilities, schema: Any, tools: bool, config: dict[str, Any], words: int
) -> None:
    request = make_request(output=OutputFormat(schema), tools=[Tool("f")] if tools else [])
    found, said, dropped = build(request, able)
    assert found == config
    assert len(said) == words
    assert all('"const":1' in text for text in said)
    assert dropped == (["their_output"] if words and tools else [])


def test_schemas_in_the_strict_subset() -> None:
    config, _, _ = build(make_request(output=OutputFormat(SCHEMA)), CLAUDE)
    assert "const" not in config["responseSchema"]["properties"]["a"]
    assert "responseJsonSchema" not in config
