"""Parameters of a chat completion, and what is wrong with some."""

import json
from typing import Any

import pytest

from proxy.dialects.chat import Asked, Invalid
from proxy.dialects.openai_chat import CLIENT
from proxy.dialects.parts import Effort, Opaque, OutputFormat, Reasoning, Tool, ToolChoice, ToolMode
from tests.helpers.openai_chat import parse
from tests.helpers.recordings import list_recordings, load_recording

MESSAGES = [{"role": "user", "content": "hi"}]
FUNCTION = {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}


def test_everything_with_a_field() -> None:
    request = parse(
        {
            "max_completion_tokens": 9, "max_tokens": 5, "temperature": 0.5, "top_p": 1, "top_k": 3, "seed": 7,
            "presence_penalty": -1, "frequency_penalty": 2, "stop": "END", "n": 2, "user": "u", "service_tier": "flex",
            "metadata": {"a": "b"}, "stream": True, "stream_options": {"include_usage": True},
        }
    )  # fmt: skip
    assert (request.max_tokens, request.temperature, request.top_p, request.top_k, request.seed) == (9, 0.5, 1, 3, 7)
    assert (request.presence_penalty, request.frequency_penalty, request.stop, request.n) == (-1, 2, ["END"], 2)
    assert (request.user, request.service_tier, request.metadata) == ("u", "flex", {"a": "b"})
    assert (request.stream, request.include_usage, request.extra) == (True, True, {})
    assert request.named["max_tokens"] == "max_completion_tokens"
    assert {"temperature", "top_k", "stop", "n", "user", "metadata", "service_tier"} <= request.named.keys()


def test_nothing_but_what_is_needed() -> None:
    request = parse({})
    assert (request.model, request.dialect, request.stream, request.n) == ("m", "openai-chat", False, 1)
    assert (request.named, request.extra, request.hints, request.max_tokens) == ({}, {}, frozenset(), None)
    assert parse(dict.fromkeys(("temperature", "stop", "tools", "n", "reasoning_effort", "user"))).named == {}


def test_a_path_may_say_model_and_stream() -> None:
    body = json.dumps({"messages": MESSAGES}).encode()
    request = CLIENT.parse_request(body, Asked("deployment", True))
    assert (request.model, request.stream) == ("deployment", True)


def test_tools() -> None:
    mark = {"type": "ephemeral"}
    request = parse(
        {
            "tools": [
                {**FUNCTION, "cache_control": mark},
                {"type": "function", "function": {"name": "g", "strict": True, "parameters": None}},
                {"type": "custom", "custom": {"name": "h", "description": "d"}},
                {"type": "web_search"},
            ],
            "parallel_tool_calls": False,
        }
    )
    assert request.tools == [
        Tool("f", "d", {"type": "object"}, None, mark),
        Tool("g", strict=True),
        Tool("h", "d", custom=True),
    ]
    assert request.server_tools == [Opaque("openai-chat", {"type": "web_search"})]
    assert request.parallel_tools is False
    assert (request.named["server_tools"], request.named["parallel_tools"]) == ("tools[3]", "parallel_tool_calls")


def test_a_grammar_is_told_in_words() -> None:
    form = {"type": "grammar", "grammar": {"syntax": "regex", "definition": "a+"}}
    (tool,) = parse({"tools": [{"type": "custom", "custom": {"name": "h", "format": form}}]}).tools
    assert tool.description == "The input must match this regex grammar:\na+"


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        ("auto", ToolChoice(ToolMode.AUTO)),
        ("none", ToolChoice(ToolMode.NONE)),
        ("required", ToolChoice(ToolMode.ANY)),
        ({"type": "function", "function": {"name": "f"}}, ToolChoice(ToolMode.ANY, ("f",))),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [FUNCTION]}},
            ToolChoice(ToolMode.ANY, ("f",)),
        ),
        ({"type": "allowed_tools", "allowed_tools": {"tools": [FUNCTION]}}, ToolChoice(ToolMode.AUTO, ("f",))),
    ],
)
def test_tool_choice(choice: Any, wanted: ToolChoice) -> None:
    request = parse({"tools": [FUNCTION], "tool_choice": choice})
    assert (request.tool_choice, request.named["tool_choice"]) == (wanted, "tool_choice")


def test_a_forced_server_tool_is_nobody_elses_business() -> None:
    request = parse({"tools": [FUNCTION], "tool_choice": {"type": "web_search"}})
    assert (request.tool_choice, request.extra) == (None, {"tool_choice": {"type": "web_search"}})


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [("auto", ToolChoice(ToolMode.AUTO)), ({"name": "f"}, ToolChoice(ToolMode.ANY, ("f",))), (None, None)],
)
def test_functions_of_old(choice: Any, wanted: ToolChoice | None) -> None:
    request = parse({"functions": [FUNCTION["function"]], "function_call": choice})
    assert request.tools == [Tool("f", "d", {"type": "object"})]
    assert (request.tool_choice, request.parallel_tools, request.named["tools"]) == (wanted, False, "functions")


@pytest.mark.parametrize(
    ("body", "wanted", "name"),
    [
        ({"reasoning_effort": "low"}, Reasoning("on", Effort.LOW), "reasoning_effort"),
        ({"reasoning_effort": "none"}, Reasoning("off", Effort.NONE), "reasoning_effort"),
        ({"reasoning": {"effort": "xhigh"}}, Reasoning("on", Effort.XHIGH), "reasoning"),
        ({"reasoning": {"max_tokens": 99, "exclude": True}}, Reasoning("on", None, 99, False), "reasoning"),
        ({"reasoning": {"enabled": False}}, Reasoning("off"), "reasoning"),
        ({"reasoning": {"enabled": True}}, Reasoning("adaptive"), "reasoning"),
        ({"thinking": {"type": "enabled", "budget_tokens": 9}}, Reasoning("on", None, 9), "thinking"),
        ({"thinking": {"type": "disabled"}}, Reasoning("off"), "thinking"),
        ({"thinking": {"type": "adaptive"}}, Reasoning("adaptive"), "thinking"),
        ({"thinking": {"type": "enabled"}, "reasoning_effort": "max"}, Reasoning("on", Effort.MAX), "reasoning_effort"),
        ({"include_reasoning": True}, Reasoning("adaptive", show=True), "include_reasoning"),
        ({"reasoning_effort": "low", "include_reasoning": False}, Reasoning("on", Effort.LOW, None, False),
         "reasoning_effort"),
    ],
)  # fmt: skip
def test_reasoning_in_every_spelling(body: dict[str, Any], wanted: Reasoning, name: str) -> None:
    request = parse(body)
    assert (request.reasoning, request.named["reasoning"], request.extra) == (wanted, name, {})


@pytest.mark.parametrize(
    ("form", "wanted"),
    [
        ({"type": "text"}, None),
        ({"type": "json_object"}, OutputFormat()),
        ({"type": "json_schema", "json_schema": {"name": "n", "schema": {"a": 1}, "strict": True, "description": "d"}},
         OutputFormat({"a": 1}, "n", True, "d")),
        ({"type": "json_schema", "json_schema": {"name": "n"}}, OutputFormat({}, "n")),
    ],
)  # fmt: skip
def test_response_format(form: dict[str, Any], wanted: OutputFormat | None) -> None:
    request = parse({"response_format": form})
    assert request.output == wanted
    assert ("output" in request.named) == (wanted is not None)


def test_what_has_no_field_is_kept_by_its_name() -> None:
    asked = {"logit_bias": {"1": 2}, "store": True, "prompt_cache_key": "k", "brand_new": {"a": 1}}
    idle = {"logprobs": False, "modalities": ["text"], "store": None}
    request = parse({**idle, **asked})
    assert request.extra == asked
    assert request.hints == {"store", "prompt_cache_key"}


def test_the_user_under_its_new_name() -> None:
    request = parse({"safety_identifier": "s"})
    assert (request.user, request.named["user"], request.extra) == ("s", "safety_identifier", {})
    assert parse({"safety_identifier": "s", "user": "u"}).extra == {"safety_identifier": "s"}


@pytest.mark.parametrize("name", list_recordings("openai_chat/*.sse"))
def test_recorded_requests_are_understood(name: str) -> None:
    try:
        body = load_recording(name.removesuffix(".sse") + ".request.json").body
    except FileNotFoundError:
        return
    request = CLIENT.parse_request(body, Asked())
    assert request.messages
    assert len(request.tools) == len(json.loads(body).get("tools") or ())
    assert request.extra.keys() <= {"store"}


WRONG: list[tuple[Any, str]] = [
    ({"model": ""}, "model"),
    ({"model": None}, "model"),
    ({"model": 7}, "model"),
    ({"stream": "yes"}, "stream"),
    ({"stream_options": 7}, "stream_options"),
    ({"stream_options": {"include_usage": 1}}, "stream_options.include_usage"),
    ({"temperature": 3}, "temperature"),
    ({"temperature": "hot"}, "temperature"),
    ({"top_p": -1}, "top_p"),
    ({"presence_penalty": 3}, "presence_penalty"),
    ({"max_tokens": 0}, "max_tokens"),
    ({"max_completion_tokens": 1.5}, "max_completion_tokens"),
    ({"n": 0}, "n"),
    ({"n": 129}, "n"),
    ({"stop": 7}, "stop"),
    ({"stop": [7]}, "stop"),
    ({"seed": "x"}, "seed"),
    ({"user": 7}, "user"),
    ({"metadata": {"a": 7}}, "metadata.a"),
    ({"reasoning_effort": "huge"}, "reasoning_effort"),
    ({"reasoning": {"effort": "huge"}}, "reasoning.effort"),
    ({"thinking": {"budget_tokens": -1}}, "thinking.budget_tokens"),
    ({"response_format": {}}, "response_format.type"),
    ({"response_format": {"type": "xml"}}, "response_format.type"),
    ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
    ({"response_format": {"type": "json_schema", "json_schema": {"schema": 7}}}, "response_format.json_schema.schema"),
    ({"tools": {}}, "tools"),
    ({"tools": [7]}, "tools[0]"),
    ({"tools": [{"type": "function"}]}, "tools[0].function"),
    ({"tools": [{"type": "custom"}]}, "tools[0].custom"),
    ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
    ({"tools": [{"type": "function", "function": {"name": ""}}]}, "tools[0].function.name"),
    ({"tools": [{"type": "function", "function": {"name": "f", "parameters": 7}}]}, "tools[0].function.parameters"),
    ({"tools": [FUNCTION], "tool_choice": "maybe"}, "tool_choice"),
    (
        {"tools": [FUNCTION], "tool_choice": {"type": "function", "function": {"name": "g"}}},
        "tool_choice.function.name",
    ),
    ({"tools": [FUNCTION], "tool_choice": 7}, "tool_choice"),
    ({"tools": [FUNCTION], "tool_choice": {"type": "allowed_tools"}}, "tool_choice.allowed_tools"),
    ({"tools": [FUNCTION], "functions": [{"name": "f"}]}, "functions"),
]


@pytest.mark.parametrize(("body", "param"), WRONG)
def test_what_is_wrong_is_named(body: dict[str, Any], param: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse(body)
    assert refused.value.param == param


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object(body: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        CLIENT.parse_request(body, Asked())
    assert refused.value.param == ""
