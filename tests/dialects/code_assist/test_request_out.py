"""Requests for Code Assist: the envelope, and the rules of the family of models that answers."""

import json
from typing import Any

import pytest

from proxy.dialects.capabilities import Capabilities
from proxy.dialects.chat import Invalid
from proxy.dialects.code_assist.request_out import build_count_request, build_request, find_rules
from proxy.dialects.gemini.decode import ORIGIN_FORM
from proxy.dialects.gemini.marks import SENTINEL
from proxy.dialects.parts import (
    Image,
    Media,
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
from tests.helpers.gemini import CLAUDE, GEMINI_3, GPT, make_request, make_target, parse

SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": ["string", "null"], "minLength": 2, "default": "x"}, "const": {"const": 1}},
    "additionalProperties": False,
}


def build(request: Request, able: Capabilities = GEMINI_3, **options: str) -> Any:
    return json.loads(build_request(request, make_target(able, "model-x", **options)).body)


def build_history(able: Capabilities, *said: Any, is_error: bool = False) -> list[Any]:
    """The contents of a turn in which the model said something and called a tool, which answered."""
    request = make_request(
        Message("user", (Text("Hi"),)),
        Message("assistant", (*said, ToolCall("toolu_vrtx_1", "f", "{}"))),
        Message("user", (ToolResult("toolu_vrtx_1", (Text("5"),), is_error=is_error),)),
    )
    contents = build(request, able)["request"]["contents"]
    assert isinstance(contents, list)
    return contents


@pytest.mark.parametrize(
    ("stream", "path", "query"),
    [(True, "/v1internal:streamGenerateContent", "alt=sse"), (False, "/v1internal:generateContent", None)],
)
def test_the_envelope(stream: bool, path: str, query: str | None) -> None:
    target = make_target(GEMINI_3, "models/model-x", project="p-1", user_agent="penstock/1.2")
    outgoing = build_request(make_request(stream=stream, system=[Text("Be.")]), target)
    assert (outgoing.path, outgoing.query) == (path, query)
    assert outgoing.headers == {"user-agent": "penstock/1.2"}
    assert json.loads(outgoing.body) == {
        "model": "model-x",
        "project": "p-1",
        "userAgent": "penstock/1.2",
        "request": {
            "systemInstruction": {"role": "user", "parts": [{"text": "Be."}]},
            "contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
        },
    }


def test_we_never_say_that_we_are_another_program() -> None:
    outgoing = build_request(make_request(), make_target(GEMINI_3))
    assert json.loads(outgoing.body)["userAgent"] == outgoing.headers["user-agent"] == "penstock"
    assert b"antigravity" not in outgoing.body.lower()
    assert "project" not in json.loads(outgoing.body)


def declare(able: Capabilities) -> Any:
    body = build(make_request(tools=[Tool("f", schema=SCHEMA)]), able)["request"]
    return body["tools"][0]["functionDeclarations"][0]


@pytest.mark.parametrize("able", [GEMINI_3, CLAUDE, GPT])
def test_schemas_are_in_the_strict_subset(able: Capabilities) -> None:
    schema = declare(able)["parameters"]
    assert "additionalProperties" not in schema
    assert schema["properties"]["a"]["nullable"] is True
    assert "const" in schema["properties"]
    assert "const" not in schema["properties"]["const"]
    assert ("minLength" in schema["properties"]["a"]) is (able is not CLAUDE)
    assert ("default" in schema["properties"]["a"]) is (able is not CLAUDE)


@pytest.mark.parametrize(
    ("able", "choice", "mode"),
    [
        (CLAUDE, None, "VALIDATED"),
        (CLAUDE, ToolChoice(ToolMode.AUTO), "VALIDATED"),
        (CLAUDE, ToolChoice(ToolMode.ANY), "ANY"),
        (CLAUDE, ToolChoice(ToolMode.NONE), "NONE"),
        (GEMINI_3, ToolChoice(ToolMode.AUTO), "AUTO"),
        (GEMINI_3, None, None),
    ],
)
def test_claudes_calls_obey_their_schemas(able: Capabilities, choice: ToolChoice | None, mode: str | None) -> None:
    body = build(make_request(tools=[Tool("f")], tool_choice=choice), able)["request"]
    assert body.get("toolConfig", {}).get("functionCallingConfig", {}).get("mode") == mode


def test_geminis_history() -> None:
    contents = build_history(GEMINI_3, Thinking("Hm", Signature("yc", "RXZz")))
    (part,) = contents[1]["parts"]
    assert part["thoughtSignature"] == SENTINEL
    assert part["functionCall"]["id"] == "toolu_vrtx_1"
    assert build_history(GEMINI_3, Thinking("Hm", Signature("g", "QUJD")))[1]["parts"][0]["thoughtSignature"] == "QUJD"


@pytest.mark.parametrize("signature", [None, Signature("a", "EqQB"), Signature("g", "QUJD")])
def test_claudes_history_holds_no_foreign_thought_and_no_mark(signature: Signature | None) -> None:
    (part,) = build_history(CLAUDE, Thinking("Hm", signature))[1]["parts"]
    assert part == {"functionCall": {"name": "f", "args": {}, "id": "toolu_vrtx_1"}}


def test_claudes_own_thoughts_go_back_unchanged() -> None:
    thought, _ = build_history(CLAUDE, Thinking("Hm", Signature("yc", "RXZz")))[1]["parts"]
    assert thought == {"text": "Hm", "thought": True, "thoughtSignature": "RXZz"}
    outgoing = build_request(make_request(), make_target(CLAUDE))
    assert outgoing.forms == {ORIGIN_FORM: "yc"}
    assert build_request(make_request(), make_target(GEMINI_3)).forms == {}


def test_gpts_history_has_no_signatures() -> None:
    for signature in (Signature("g", "QUJD"), Signature("yc", "RXZz"), Signature("", "x")):
        (part,) = build_history(GPT, Thinking("Hm", Signature("g", "QUJD")))[1]["parts"]
        assert "thoughtSignature" not in part, signature


@pytest.mark.parametrize("able", [GEMINI_3, CLAUDE, GPT])
def test_a_tools_failure_is_output_too(able: Capabilities) -> None:
    response = build_history(able, is_error=True)[2]["parts"][0]["functionResponse"]
    assert response == {"name": "f", "response": {"output": "5"}, "id": "toolu_vrtx_1"}


def test_tools_of_the_history_are_declared_for_claude() -> None:
    messages = [
        Message("user", (Text("Hi"),)),
        Message("assistant", (ToolCall("1", "f", "{}"),)),
        Message("user", (ToolResult("1", ()),)),
    ]
    assert build(make_request(*messages), CLAUDE)["request"]["tools"] == [{"functionDeclarations": [{"name": "f"}]}]
    assert "tools" not in build(make_request(*messages), GEMINI_3)["request"]


def test_what_a_caller_of_google_says_beyond_the_hub() -> None:
    request = parse({"safetySettings": [{"category": "X"}], "generationConfig": {"mediaResolution": "LOW"}})
    body = build(request)["request"]
    assert body["safetySettings"] == [{"category": "X"}]
    assert body["generationConfig"] == {"mediaResolution": "LOW"}
    outgoing = build_request(request, make_target(CLAUDE))
    assert outgoing.dropped == ("generationConfig.mediaResolution", "safetySettings")
    with pytest.raises(Invalid) as caught:
        build(parse({"cachedContent": "c"}))
    assert caught.value.param == "cachedContent"
    request = parse({"safety_settings": [{"category": "X"}]})
    assert build_request(request, make_target(CLAUDE)).dropped == ("safety_settings",)


def test_what_no_model_here_follows() -> None:
    image = Image(Media("image/png", url="https://x.example/a.png"), at="here")
    with pytest.raises(Invalid) as caught:
        build(make_request(Message("user", (image,))))
    assert caught.value.param == "here"
    with pytest.raises(Invalid):
        build(make_request(Message("user", (Opaque("gemini", {"fileData": {}}, at="there"),))), CLAUDE)
    assert build_request(make_request(service_tier="flex"), make_target(GEMINI_3)).dropped == ("their_service_tier",)


def test_images_by_family() -> None:
    assert "image/gif" in find_rules(make_target(CLAUDE)).images
    assert "image/gif" not in find_rules(make_target(GEMINI_3)).images
    assert find_rules(make_target(GPT)).images == frozenset()
    assert not find_rules(make_target(CLAUDE)).audio


def test_a_count_holds_what_is_said_and_what_stands_beside() -> None:
    outgoing = build_count_request(make_request(), make_target(GEMINI_3, "model-x"))
    assert outgoing.path == "/v1internal:countTokens"
    assert json.loads(outgoing.body) == {
        "request": {"model": "models/model-x", "contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}
    }
    request = make_request(system=[Text("Be brief.")], tools=[Tool("find_it")])
    contents = json.loads(build_count_request(request, make_target(GEMINI_3)).body)["request"]["contents"]
    assert len(contents) == 2
    assert "Be brief." in contents[0]["parts"][0]["text"]
    assert "find_it" in contents[0]["parts"][0]["text"]
