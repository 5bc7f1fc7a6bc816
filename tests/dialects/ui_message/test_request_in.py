"""The body of a chat page, and the query of an EventSource."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.chat import Asked, Invalid
from proxy.dialects.parts import Effort, Message, OutputFormat, Reasoning, Text, Tool, ToolChoice, ToolMode
from proxy.dialects.ui_message import CLIENT, parse_prompt
from tests.helpers.ui_message import HELLO, parse

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


def test_what_the_transport_posts() -> None:
    request = parse(HELLO, id="c1", trigger="submit-message", messageId=None)
    assert (request.model, request.dialect, request.stream, request.include_usage) == ("m", "ui-message", True, True)
    assert request.messages == [Message("user", (Text("hello"),))]
    assert request.extra == {}
    assert request.named == {"model": "model", "messages": "messages"}


def test_the_model_is_the_body_s_or_the_default() -> None:
    body = json.dumps({"messages": [HELLO]}).encode()
    assert CLIENT.parse_request(body, Asked(model="default")).model == "default"
    assert CLIENT.parse_request(body[:-1] + b',"model":"asked"}', Asked(model="default")).model == "asked"
    with pytest.raises(Invalid, match="model: is required"):
        CLIENT.parse_request(body, Asked())


def test_what_an_app_adds_for_itself_is_kept_apart() -> None:
    request = parse(sessionId="s", user={"id": 1}, temperature=0.5)
    assert request.extra == {"sessionId": "s", "user": {"id": 1}}


@pytest.mark.parametrize(
    ("name", "value", "field", "wanted"),
    [
        ("system", "Be brief.", "system", [Text("Be brief.")]),
        ("system", ["a", "", "b"], "system", [Text("a"), Text("b")]),
        ("maxOutputTokens", 100, "max_tokens", 100),
        ("temperature", 0, "temperature", 0),
        ("topP", 0.9, "top_p", 0.9),
        ("topK", 40, "top_k", 40),
        ("presencePenalty", 1, "presence_penalty", 1),
        ("frequencyPenalty", -1, "frequency_penalty", -1),
        ("seed", 7, "seed", 7),
        ("stopSequences", ["\n\n"], "stop", ["\n\n"]),
        ("toolChoice", "auto", "tool_choice", ToolChoice(ToolMode.AUTO)),
        ("toolChoice", "none", "tool_choice", ToolChoice(ToolMode.NONE)),
        ("toolChoice", "required", "tool_choice", ToolChoice(ToolMode.ANY)),
        ("toolChoice", {"type": "required"}, "tool_choice", ToolChoice(ToolMode.ANY)),
        ("toolChoice", {"type": "tool", "toolName": "f"}, "tool_choice", ToolChoice(ToolMode.ANY, ("f",))),
        ("reasoning", "high", "reasoning", Reasoning("on", Effort.HIGH, show=True)),
        ("reasoning", "none", "reasoning", Reasoning("off", Effort.NONE, show=True)),
        ("reasoning", "provider-default", "reasoning", None),
        ("responseFormat", {"type": "json"}, "output", OutputFormat()),
        ("responseFormat", {"type": "json", "schema": SCHEMA, "name": "n", "description": "d"}, "output",
         OutputFormat(SCHEMA, "n", description="d")),
        ("responseFormat", {"type": "text"}, "output", None),
        ("tools", {"f": {"description": "d", "inputSchema": SCHEMA, "strict": True, "title": "F"}}, "tools",
         [Tool("f", "d", SCHEMA, True)]),
        ("tools", {"f": {}, "g": {"inputSchema": {"jsonSchema": SCHEMA}}}, "tools",
         [Tool("f"), Tool("g", schema=SCHEMA)]),
        ("tools", [{"type": "function", "name": "f", "inputSchema": SCHEMA}], "tools", [Tool("f", schema=SCHEMA)]),
    ],
)  # fmt: skip
def test_each_setting(name: str, value: Any, field: str, wanted: Any) -> None:
    request = parse(**{name: value})
    assert getattr(request, field) == wanted
    assert request.named[field] == name
    assert request.extra == {}


def test_absent_and_null_settings_ask_for_nothing() -> None:
    assert parse(temperature=None, tools=None, system=None, toolChoice=None) == parse()


def test_tools_know_their_place() -> None:
    assert [tool.at for tool in parse(tools={"f": {}}).tools] == ["tools.f"]
    assert [tool.at for tool in parse(tools=[{"name": "f"}]).tools] == ["tools[0]"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": {}}, "messages"),
        ({"messages": None}, "messages"),
        ({"model": 1}, "model"),
        ({"system": 1}, "system"),
        ({"tools": 1}, "tools"),
        ({"tools": {"": {}}}, "tools..name"),
        ({"tools": {"f": 1}}, "tools.f"),
        ({"tools": [{}]}, "tools[0].name"),
        ({"tools": {"f": {"type": "provider", "id": "openai.web_search"}}}, "tools.f.type"),
        ({"tools": {"f": {"inputSchema": "x"}}}, "tools.f.inputSchema"),
        ({"toolChoice": "f"}, "toolChoice"),
        ({"toolChoice": {"type": "tool"}}, "toolChoice.toolName"),
        ({"maxOutputTokens": 0}, "maxOutputTokens"),
        ({"temperature": "warm"}, "temperature"),
        ({"seed": 1.5}, "seed"),
        ({"reasoning": "much"}, "reasoning"),
        ({"responseFormat": {"type": "xml"}}, "responseFormat.type"),
        ({"stopSequences": [1]}, "stopSequences"),
    ],
)
def test_what_is_refused_with_its_place(body: Any, param: str) -> None:
    with pytest.raises(Invalid) as caught:
        CLIENT.parse_request(json.dumps({"model": "m", "messages": [HELLO]} | body).encode(), Asked())
    assert caught.value.param == param


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b'"x"'])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        CLIENT.parse_request(body, Asked(model="m"))
    assert caught.value.param == ""


WORDS = st.sampled_from(
    ["model", "messages", "role", "parts", "type", "text", "tool-f", "file", "url", "mediaType", "state", "input",
     "output", "toolCallId", "assistant", "user", "system", "reasoning", "tools", "step-start", "output-available",
     "dynamic-tool", "providerMetadata", "penstock", "approval", "data:,x", "toolChoice"]
)  # fmt: skip
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=6),
    max_leaves=12,
)
PARTS = st.lists(st.dictionaries(WORDS, ANY, min_size=1), max_size=4)
MESSAGES = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant", "system"]), "parts": PARTS}), max_size=4
)


@given(MESSAGES, ANY)
def test_any_other_body_is_read_or_refused_but_never_fails(messages: Any, more: Any) -> None:
    body = {"model": "m"} | (more if isinstance(more, dict) else {}) | {"messages": messages}
    try:
        request = CLIENT.parse_request(json.dumps(body).encode(), Asked())
    except Invalid as error:
        blamed = error.param
        said = [Text(error.message)]
    else:
        blamed, said = "messages", [*request.messages, *request.system]
    assert blamed
    assert said


def test_a_prompt_is_a_request() -> None:
    request = parse_prompt({"prompt": "hi ü", "model": "m", "system": "s", "key": "secret", "theme": "dark"})
    assert (request.model, request.stream, request.dialect) == ("m", True, "ui-message")
    assert request.messages == [Message("user", (Text("hi ü"),))]
    assert request.system == [Text("s")]
    assert request.extra == {"theme": "dark"}
    assert parse_prompt({"prompt": "x"}, "default").model == "default"


@pytest.mark.parametrize(
    ("query", "param"), [({}, "prompt"), ({"prompt": "", "model": "m"}, "prompt"), ({"prompt": "x"}, "model")]
)
def test_a_query_without_its_fields_is_refused(query: dict[str, str], param: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_prompt(query)
    assert caught.value.param == param
