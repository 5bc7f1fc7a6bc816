"""Requests of any client to bodies for a Responses provider: parameters, items, and what is dropped or refused."""

from typing import Any

import pytest

from proxy.dialects.capabilities import Capabilities
from proxy.dialects.chat import Asked, Invalid
from proxy.dialects.json_text import encode_json
from proxy.dialects.openai_responses import CLIENT, PROVIDER
from proxy.dialects.parts import (
    Effort,
    Json,
    Message,
    OutputFormat,
    Reasoning,
    Request,
    Text,
)
from tests.helpers.responses import ABLE, PLAIN, Target, build, find_dropped, make_request

USER = Message("user", (Text("hi"),))


def refused(request: Request, able: Capabilities = ABLE) -> str:
    with pytest.raises(Invalid) as caught:
        build(request, able)
    return caught.value.param


class TestParameters:
    def test_nothing_is_stored_and_the_least_is_said(self) -> None:
        outgoing = PROVIDER.build_request(make_request(USER), Target("gpt-x", ABLE))
        assert (outgoing.path, outgoing.query) == ("/responses", None)
        assert build(make_request(USER)) == {
            "model": "gpt", "stream": False, "store": False,
            "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}],
        }  # fmt: skip

    def test_the_prompt_is_the_instructions(self) -> None:
        assert build(make_request(USER, system=[Text("a"), Text(""), Text("b")]))["instructions"] == "a\n\nb"
        assert build(make_request(system=[Text("a")]))["input"] == "."

    def test_sampling_and_limits(self) -> None:
        body = build(make_request(USER, max_tokens=100, temperature=0.5, top_p=0.9, service_tier="flex",
                                  metadata={"a": "b"}, stream=True))  # fmt: skip
        assert (body["max_output_tokens"], body["temperature"], body["top_p"]) == (100, 0.5, 0.9)
        assert (body["service_tier"], body["metadata"], body["stream"]) == ("flex", {"a": "b"}, True)
        assert build(make_request(USER, max_tokens=3))["max_output_tokens"] == 16

    def test_models_without_sampling_are_spared_it(self) -> None:
        request = make_request(USER, temperature=0.5, top_p=0.9)
        able = Capabilities(sampling=False)
        assert not build(request, able).keys() & {"temperature", "top_p"}
        assert find_dropped(request, able) == ["temperature_of_the_client", "top_p_of_the_client"]

    @pytest.mark.parametrize(
        "fields", [{"stop": ["x"]}, {"seed": 1}, {"top_k": 3}, {"presence_penalty": 1.0}, {"frequency_penalty": 1.0}]
    )
    def test_what_the_api_has_not_is_dropped_by_name(self, fields: dict[str, Any]) -> None:
        request = make_request(USER, **fields)
        (name,) = fields
        assert build(request) == build(make_request(USER))
        assert find_dropped(request) == [f"{name}_of_the_client"]

    def test_several_choices_are_refused(self) -> None:
        assert refused(make_request(USER, n=2)) == "n_of_the_client"
        assert find_dropped(make_request(USER, n=2), drop=["n_of_the_client"]) == ["n_of_the_client"]
        assert find_dropped(make_request(USER, n=1)) == []

    def test_a_user_s_id_fits(self) -> None:
        assert build(make_request(USER, user="u"))["user"] == "u"
        long = build(make_request(USER, user="u" * 65))["user"]
        assert len(long) == 64
        assert (
            long == build(make_request(USER, user="u" * 65))["user"] != build(make_request(USER, user="u" * 66))["user"]
        )

    @pytest.mark.parametrize(("tier", "expected"), [("standard_only", "default"), ("FLEX", "flex"), ("odd", None)])
    def test_service_tiers(self, tier: str, expected: str | None) -> None:
        request = make_request(USER, service_tier=tier)
        assert build(request).get("service_tier") == expected
        assert find_dropped(request) == ([] if expected else ["service_tier_of_the_client"])

    @pytest.mark.parametrize(
        ("reasoning", "body", "include"),
        [
            (Reasoning("off"), {"effort": "none"}, False),
            (Reasoning("on", Effort.HIGH), {"effort": "high"}, True),
            (Reasoning("on", Effort.MAX), {"effort": "high"}, True),
            (Reasoning("on", budget=4000), {"effort": "low"}, True),
            (Reasoning("adaptive"), None, True),
            (Reasoning("adaptive", show=True), {"summary": "auto"}, True),
            (Reasoning("on", Effort.LOW, show=False), {"effort": "low"}, True),
            (Reasoning("off", show=True), {"effort": "none"}, False),
        ],
    )
    def test_reasoning(self, reasoning: Reasoning, body: Json, include: bool) -> None:
        built = build(make_request(USER, reasoning=reasoning))
        assert built.get("reasoning") == body
        assert built.get("include") == (["reasoning.encrypted_content"] if include else None)

    def test_models_that_do_not_reason_are_not_asked_to(self) -> None:
        request = make_request(USER, reasoning=Reasoning("on", Effort.HIGH))
        assert not build(request, PLAIN).keys() & {"reasoning", "include"}
        assert find_dropped(request, PLAIN) == ["reasoning_of_the_client"]

    @pytest.mark.parametrize(
        ("output", "expected"),
        [
            (OutputFormat(), {"type": "json_object"}),
            (OutputFormat({"type": "object"}),
             {"type": "json_schema", "name": "response", "schema": {"type": "object"}, "strict": False}),
            (OutputFormat({}, "a b", True, "d"),
             {"type": "json_schema", "name": "a_b", "schema": {}, "strict": True, "description": "d"}),
        ],
    )  # fmt: skip
    def test_output_formats(self, output: OutputFormat, expected: Json) -> None:
        assert build(make_request(USER, output=output))["text"] == {"format": expected}

    def test_a_schema_that_is_no_object_is_refused(self) -> None:
        assert refused(make_request(USER, output=OutputFormat({"type": "array"}))) == "output_of_the_client"

    def test_parameters_of_chat_completions_that_mean_the_same(self) -> None:
        extra = {"prompt_cache_key": "k", "verbosity": "low", "store": True, "logit_bias": None}
        body = build(make_request(USER, dialect="openai-chat", extra=extra, output=OutputFormat()))
        assert body["prompt_cache_key"] == "k"
        assert body["text"] == {"format": {"type": "json_object"}, "verbosity": "low"}
        assert find_dropped(make_request(USER, dialect="openai-chat", extra=extra)) == ["store"]

    def test_others_are_refused_but_for_hints(self) -> None:
        assert refused(make_request(USER, extra={"logit_bias": {"1": 2}})) == "logit_bias"
        hinted = make_request(USER, extra={"context_management": 1}, hints=frozenset({"context_management"}))
        assert find_dropped(hinted) == ["context_management"]


def test_the_dialect_s_own_requests_come_out_as_they_went_in() -> None:
    body: dict[str, Json] = {
        "model": "gpt", "instructions": "be brief",
        "input": [
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]},
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"},
            {"type": "function_call", "call_id": "call_1", "name": "add", "arguments": '{"a":1}'},
            {"type": "function_call_output", "call_id": "call_1", "output": "2"},
        ],
        "tools": [
            {"type": "function", "name": "add", "description": "Adds.", "strict": True,
             "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}}},
            {"type": "web_search"},
        ],
        "tool_choice": {"type": "web_search_preview"}, "parallel_tool_calls": False, "max_output_tokens": 100,
        "temperature": 0.5, "top_p": 0.9, "reasoning": {"effort": "low", "summary": "auto", "context": "all_turns"},
        "include": ["reasoning.encrypted_content"], "prompt_cache_key": "k", "truncation": "auto",
        "safety_identifier": "u", "service_tier": "flex", "metadata": {"a": "b"}, "stream": True, "store": False,
        "text": {"format": {"type": "json_object"}, "verbosity": "low"}, "top_logprobs": 2, "brand_new": [1],
    }  # fmt: skip
    request = CLIENT.parse_request(encode_json(body), Asked())
    assert build(request) == body
    assert find_dropped(request) == []


def test_of_the_dialect_s_own_only_storing_is_dropped() -> None:
    request = CLIENT.parse_request(encode_json({"model": "m", "input": "hi", "store": True}), Asked())
    assert (build(request)["store"], find_dropped(request)) == (False, ["store"])
