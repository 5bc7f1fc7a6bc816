"""Bodies of Responses clients to requests: what Codex sends, what is refused by name, and what is kept beside."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.chat import Asked, Invalid
from proxy.dialects.fitting import Fitting
from proxy.dialects.json_text import encode_json
from proxy.dialects.openai_responses import CLIENT
from proxy.dialects.parts import Effort, Json, OutputFormat, Reasoning, Request
from tests.helpers.responses import PLAIN, Target, build, parse

CODEX: dict[str, Json] = {
    "model": "claude-opus-4-5", "instructions": "You are Codex.", "tool_choice": "auto", "parallel_tool_calls": True,
    "reasoning": {"effort": "medium", "summary": "auto"}, "store": False, "stream": True,
    "include": ["reasoning.encrypted_content"], "prompt_cache_key": "thread-1", "text": {"verbosity": "low"},
    "client_metadata": {"x-codex-installation-id": "1"},
    "input": [
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "<permissions>"}]},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello"}]},
    ],
    "tools": [
        {"type": "function", "name": "exec_command", "description": "Runs.", "strict": False,
         "parameters": {"type": "object", "properties": {"cmd": {"type": "string"}}, "required": ["cmd"]}},
        {"type": "custom", "name": "apply_patch", "description": "Edits.",
         "format": {"type": "grammar", "syntax": "lark", "definition": "start: begin"}},
        {"type": "web_search", "external_web_access": False},
    ],
}  # fmt: skip


def refused(**members: Json) -> tuple[str, str]:
    with pytest.raises(Invalid) as caught:
        parse(**members)
    return caught.value.param, caught.value.message


def refuse_extra(request: Request) -> list[str]:
    """What another provider drops of `extra`; raises for what it refuses."""
    fitting = Fitting(request, Target("m", PLAIN))
    fitting.refuse_extra()
    return fitting.dropped


def test_codex_is_understood_and_nothing_of_it_is_refused() -> None:
    request = CLIENT.parse_request(encode_json(CODEX), Asked())
    assert (request.model, request.stream, request.dialect) == ("claude-opus-4-5", True, "openai-responses")
    assert [text.text for text in request.system] == ["You are Codex.", "<permissions>"]
    assert [message.role for message in request.messages] == ["user"]
    assert request.reasoning == Reasoning("on", Effort.MEDIUM, show=True)
    assert request.parallel_tools is True
    assert [(tool.name, tool.custom) for tool in request.tools] == [("exec_command", False), ("apply_patch", True)]
    assert "start: begin" in request.tools[1].description
    assert [tool.json["type"] for tool in request.server_tools] == ["web_search"]
    assert refuse_extra(request) == ["text.verbosity", "prompt_cache_key", "client_metadata"]


@pytest.mark.parametrize("name", ["previous_response_id", "conversation", "prompt"])
def test_what_is_stored_elsewhere_is_refused_by_name(name: str) -> None:
    param, message = refused(**{name: "x"})
    assert (param, message.startswith("this server keeps no ")) == (name, True)
    assert parse(**{name: None}).extra == {}


def test_background_is_refused_and_store_is_dropped_by_name() -> None:
    assert refused(background=True)[0] == "background"
    assert refuse_extra(parse(background=False, store=False)) == []
    assert refuse_extra(parse(store=True)) == ["store"]


def test_sampling_and_limits() -> None:
    request = parse(max_output_tokens=100, temperature=1.5, top_p=0.5, service_tier="flex", metadata={"k": "v"})
    assert (request.max_tokens, request.temperature, request.top_p) == (100, 1.5, 0.5)
    assert (request.service_tier, request.metadata) == ("flex", {"k": "v"})
    names = {"max_tokens": "max_output_tokens", "temperature": "temperature", "top_p": "top_p",
             "service_tier": "service_tier", "metadata": "metadata"}  # fmt: skip
    assert request.named == names


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"model": None}, "model"),
        ({"model": 7}, "model"),
        ({"input": None}, "input"),
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": 7}, "input"),
        ({"instructions": ["x"]}, "instructions"),
        ({"stream": "yes"}, "stream"),
        ({"temperature": 3}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"max_output_tokens": 1.5}, "max_output_tokens"),
        ({"metadata": {"a": 1}}, "metadata.a"),
        ({"reasoning": "high"}, "reasoning"),
        ({"reasoning": {"effort": "huge"}}, "reasoning.effort"),
        ({"text": {"format": {"type": "xml"}}}, "text.format.type"),
        ({"text": {"format": {"type": "json_schema", "name": "n"}}}, "text.format.schema"),
        ({"text": {"format": {"type": "json_schema", "schema": {}}}}, "text.format.name"),
        ({"include": "all"}, "include"),
        ({"include": [1]}, "include"),
        ({"user": 3}, "user"),
    ],
)
def test_what_is_wrong_is_named(members: dict[str, Json], param: str) -> None:
    assert refused(**members)[0] == param


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"\xff"])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid):
        CLIENT.parse_request(body, Asked())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ({}, None),
        ({"effort": None, "summary": None}, None),
        ({"effort": "none"}, Reasoning("off", Effort.NONE)),
        ({"effort": "xhigh"}, Reasoning("on", Effort.XHIGH)),
        ({"summary": "concise"}, Reasoning("adaptive", show=True)),
        ({"generate_summary": "auto"}, Reasoning("adaptive", show=True)),
        ({"effort": "low", "summary": "none"}, Reasoning("on", Effort.LOW, show=False)),
    ],
)
def test_reasoning(value: Json, expected: Reasoning | None) -> None:
    request = parse(reasoning=value)
    assert request.reasoning == expected
    assert ("reasoning" in request.named) == (expected is not None)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"type": "text"}, None),
        ({"type": "json_object"}, OutputFormat()),
        ({"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": True, "description": "d"},
         OutputFormat({"type": "object"}, "n", True, "d")),
    ],
)  # fmt: skip
def test_output_formats(form: Json, expected: OutputFormat | None) -> None:
    request = parse(text={"format": form})
    assert request.output == expected
    assert request.named.get("output") == ("text.format" if expected else None)


def test_the_newer_name_of_the_user_wins() -> None:
    assert (parse(user="a").user, parse(user="a").named["user"]) == ("a", "user")
    request = parse(user="a", safety_identifier="b")
    assert (request.user, request.named["user"]) == ("b", "safety_identifier")
    assert refuse_extra(request) == ["user"]


@pytest.mark.parametrize(
    ("members", "dropped"),
    [
        ({"truncation": "disabled", "top_logprobs": 0, "stream_options": {"include_obfuscation": False}}, []),
        ({"truncation": "auto", "max_tool_calls": 3}, ["truncation", "max_tool_calls"]),
        ({"stream_options": {"include_obfuscation": True}}, ["stream_options.include_obfuscation"]),
        ({"reasoning": {"effort": "low", "context": "all_turns"}}, ["reasoning.context"]),
        ({"include": ["reasoning.encrypted_content", "web_search_call.results"]}, []),
    ],
)
def test_hints_are_dropped_by_name(members: dict[str, Json], dropped: list[str]) -> None:
    assert sorted(refuse_extra(parse(**members))) == sorted(dropped)


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"include": ["message.output_text.logprobs"]}, "include"),
        ({"moderation": {"model": "x"}}, "moderation"),
        ({"reasoning": {"mode": "pro"}}, "reasoning.mode"),
        ({"context_management": [{"type": "compaction"}]}, "context_management"),
        ({"brand_new": 1}, "brand_new"),
        ({"text": {"brand_new": 1}}, "text.brand_new"),
        ({"tool_choice": {"type": "web_search_preview"}}, "tool_choice"),
    ],
)
def test_what_changes_an_answer_is_refused_elsewhere(members: dict[str, Any], param: str) -> None:
    with pytest.raises(Invalid) as caught:
        refuse_extra(parse(**members))
    assert caught.value.param == param


def test_a_path_may_say_model_and_stream() -> None:
    request = CLIENT.parse_request(b'{"input":"hi"}', Asked("m", True))
    assert (request.model, request.stream) == ("m", True)


NAMES = ["type", "role", "content", "text", "name", "tools", "parameters", "call_id", "arguments", "output", "summary",
         "encrypted_content", "image_url", "file_data", "format", "schema", "effort", "id", "namespace"]  # fmt: skip
WORDS = ["user", "assistant", "system", "message", "function_call", "function_call_output", "reasoning", "function",
         "custom", "namespace", "allowed_tools", "input_text", "input_image", "input_file", "json_schema",
         "call=x:gw1.a.YQ",
         "data:;base64,AA==", "https://x", "item_reference", "image_generation_call", "x"]  # fmt: skip
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["input", "tools", "tool_choice", "text", "reasoning", "include", "metadata",
                                        "stream_options", "temperature", "user"]), ANY))  # fmt: skip
def test_no_shape_of_a_body_does_more_than_be_refused(members: dict[str, Any]) -> None:
    with contextlib.suppress(Invalid):
        build(parse(**members))
