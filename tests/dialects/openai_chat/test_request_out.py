"""A request for a provider of the family, parameter by parameter."""

import hashlib
from typing import Any

import pytest

from proxy.dialects.capabilities import Capabilities
from proxy.dialects.chat import Invalid, Target
from proxy.dialects.openai_chat import PROVIDER
from proxy.dialects.openai_chat.decode import THINK
from proxy.dialects.parts import Effort, Message, OutputFormat, Reasoning, Request, Text, Tool
from tests.helpers.openai_chat import build, make_request, make_target, parse

PLAIN = {"model": "model-1", "messages": [{"role": "user", "content": "hi"}]}


def dropped(request: Request, target: Target | None = None) -> tuple[str, ...]:
    return PROVIDER.build_request(request, target or make_target()).dropped


def test_the_least() -> None:
    outgoing = PROVIDER.build_request(make_request(), make_target())
    assert (outgoing.path, outgoing.query, dict(outgoing.headers)) == ("/chat/completions", None, {})
    assert (outgoing.dropped, dict(outgoing.forms)) == ((), {})
    assert build(make_request()) == PLAIN


def test_a_stream_always_counts() -> None:
    assert build(make_request(stream=True)) == {**PLAIN, "stream": True, "stream_options": {"include_usage": True}}
    assert build(make_request(stream=True), make_target("mistral")) == {**PLAIN, "stream": True}


@pytest.mark.parametrize(
    ("quirks", "name"), [("openai", "max_completion_tokens"), ("compatible", "max_tokens"), ("nobody", "max_tokens")]
)
def test_limits(quirks: str, name: str) -> None:
    assert build(make_request(max_tokens=9), make_target(quirks)) == {**PLAIN, name: 9}


def test_stop_sequences_beyond_the_limit() -> None:
    request = make_request(stop=list("abcde"))
    assert build(request)["stop"] == list("abcd")
    assert dropped(request) == ("stop",)
    assert build(request, make_target("mistral"))["stop"] == list("abcde")
    assert dropped(make_request(stop=["a"])) == ()
    thinker = make_target("openai", Capabilities("gpt", sampling=False))
    assert build(request, thinker) == PLAIN
    assert dropped(request, thinker) == ("stop",)


SAMPLING = {"temperature": 0.5, "top_p": 0.5, "presence_penalty": 1, "frequency_penalty": 1, "seed": 7}


def test_sampling() -> None:
    assert build(make_request(**SAMPLING, top_k=5)) == {**PLAIN, **SAMPLING}
    assert dropped(make_request(**SAMPLING, top_k=5)) == ("top_k",)
    assert build(make_request(seed=7, top_k=5), make_target("vllm")) == {**PLAIN, "seed": 7, "top_k": 5}
    assert build(make_request(seed=7), make_target("mistral")) == {**PLAIN, "random_seed": 7}
    assert dropped(make_request(frequency_penalty=1), make_target("qwen")) == ("frequency_penalty",)


def test_sampling_that_a_model_does_not_take() -> None:
    target = make_target("openai", Capabilities(sampling=False))
    assert build(make_request(**SAMPLING), target) == {**PLAIN, "seed": 7}
    assert dropped(make_request(temperature=1), target) == ("temperature",)
    both = make_target("openai", Capabilities(both=False))
    assert build(make_request(temperature=0.5, top_p=0.5), both) == {**PLAIN, "temperature": 0.5}
    assert build(make_request(top_p=0.5), both) == {**PLAIN, "top_p": 0.5}


SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}


@pytest.mark.parametrize(
    ("dialect", "strict"), [("openai-chat", {"strict": True}), ("openai-responses", {"strict": True}), ("gemini", {})]
)
def test_a_schema(dialect: str, strict: dict[str, Any]) -> None:
    output = OutputFormat(SCHEMA, "", True)
    assert build(make_request(output=output, dialect=dialect)) == {
        **PLAIN,
        "response_format": {"type": "json_schema", "json_schema": {"name": "response", "schema": SCHEMA, **strict}},
    }


@pytest.mark.parametrize(
    "target",
    [make_target("deepseek"), make_target("openai", Capabilities(json_schema=False))],
)
def test_a_schema_in_words(target: Target) -> None:
    body = build(make_request(output=OutputFormat(SCHEMA)), target)
    assert body["response_format"] == {"type": "json_object"}
    assert body["messages"][0]["role"] == "system"
    assert '{"type":"object"' in body["messages"][0]["content"]


def test_json_beside_tools_where_that_is_refused() -> None:
    target = make_target("openai", Capabilities(json_tools=False))
    body = build(make_request(output=OutputFormat(SCHEMA), tools=[Tool("f")]), target)
    assert "response_format" not in body
    assert '{"type":"object"' in body["messages"][0]["content"]


def test_json_is_called_by_its_name_once() -> None:
    assert "JSON" in build(make_request(output=OutputFormat()))["messages"][0]["content"]
    asked = Message("user", (Text("as json, please"),))
    assert build(make_request(asked, output=OutputFormat()))["messages"] == [
        {"role": "user", "content": "as json, please"}
    ]


def test_reasoning() -> None:
    request = make_request(reasoning=Reasoning("on", Effort.HIGH))
    assert build(request) == {**PLAIN, "reasoning_effort": "high"}
    assert build(request, make_target("deepseek")) == {**PLAIN, "thinking": {"type": "enabled"}}
    for target in (make_target("mistral"), make_target("openai", Capabilities(thinking="none"))):
        assert build(request, target) == PLAIN
        assert dropped(request, target) == ("reasoning",)
        assert dropped(make_request(reasoning=Reasoning("off")), target) == ()


def test_several_answers_only_for_who_can_read_them() -> None:
    assert build(parse({"n": 2}))["n"] == 2
    for request, target in ((make_request(n=2), make_target()), (parse({"n": 2}), make_target("groq"))):
        with pytest.raises(Invalid) as refused:
            build(request, target)
        assert refused.value.param == "n"
    assert dropped(make_request(n=2), make_target(drop=frozenset({"n"}))) == ("n",)


def test_the_user() -> None:
    assert build(make_request(user="u"))["user"] == "u"
    long = "u" * 65
    assert build(make_request(user=long))["user"] == hashlib.sha256(long.encode()).hexdigest()
    assert dropped(make_request(user="u"), make_target("mistral")) == ("user",)


def test_accounting() -> None:
    assert build(make_request(service_tier="standard_only"))["service_tier"] == "default"
    assert build(make_request(service_tier="FLEX"))["service_tier"] == "flex"
    assert build(parse({"service_tier": "new"}))["service_tier"] == "new"
    assert dropped(make_request(service_tier="new")) == ("service_tier",)
    assert build(parse({"metadata": {"a": "b"}}))["metadata"] == {"a": "b"}
    assert dropped(make_request(metadata={"a": "b"})) == ("metadata",)
    assert dropped(parse({"service_tier": "flex"}), make_target("groq")) == ("service_tier",)


def test_parameters_of_the_same_dialect_survive() -> None:
    extra = {"logit_bias": {"1": 2}, "brand_new": {"a": [1]}, "store": True}
    assert build(parse(extra), make_target("groq")) == {**PLAIN, **extra}


def extra(dialect: str = "anthropic", **values: Any) -> Request:
    return make_request(dialect=dialect, extra={name.replace("__", "."): value for name, value in values.items()})


def test_parameters_that_are_called_otherwise_elsewhere() -> None:
    assert build(extra("openai-responses", text__verbosity="low", prompt_cache_key="k")) == {
        **PLAIN,
        "verbosity": "low",
        "prompt_cache_key": "k",
    }
    logged = {"generationConfig__responseLogprobs": True, "generationConfig__logprobs": 3}
    assert build(extra("gemini", **logged)) == {**PLAIN, "logprobs": True, "top_logprobs": 3}
    assert build(extra("openai-responses", top_logprobs=3)) == {**PLAIN, "logprobs": True, "top_logprobs": 3}


def test_hints_are_dropped_with_their_names() -> None:
    hints = {"context_management": {}, "safetySettings": [1], "tools.defer_loading": True, "prompt_cache_key": "k"}
    request = make_request(extra=hints)
    assert dropped(request, make_target("mistral")) == tuple(hints)
    assert build(request, make_target("mistral")) == PLAIN


def test_what_nobody_knows_is_refused_by_its_name() -> None:
    with pytest.raises(Invalid) as refused:
        build(extra(mcp_servers=[1]))
    assert refused.value.param == "mcp_servers"
    assert build(extra(mcp_servers=None)) == PLAIN
    assert dropped(extra(mcp_servers=[1]), make_target(drop=frozenset({"mcp_servers"}))) == ("mcp_servers",)


def test_the_decoder_is_told_of_tags() -> None:
    def forms(target: Target) -> dict[str, str]:
        return dict(PROVIDER.build_request(make_request(), target).forms)

    assert forms(make_target("ollama")) == {THINK: "tags"}
    assert forms(make_target("vllm", options={"think_tags": "open"})) == {THINK: "open"}
    assert forms(make_target("ollama", options={"think_tags": "off"})) == {}


def test_the_worked_example() -> None:
    """Client and provider of one turn, as vendors' own pages show it."""
    request = make_request(
        Message("user", (Text("2+3?"),)),
        stream=True,
        system=[Text("Be brief")],
        max_tokens=1000,
        tools=[Tool("add", "", SCHEMA)],
    )
    assert build(request) == {
        "model": "model-1",
        "stream": True,
        "stream_options": {"include_usage": True},
        "messages": [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "2+3?"}],
        "tools": [{"type": "function", "function": {"name": "add", "parameters": SCHEMA}}],
        "max_completion_tokens": 1000,
    }
