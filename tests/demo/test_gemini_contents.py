"""Gemini's contents: calls and responses in step, one kind of data to a part, signatures brought back."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from proxy.demo import DemoUpstream
from proxy.demo.signing import GOOGLE, SENTINEL, call_text, sign
from tests.helpers.demo_dialects import PNG, Wish, find_speaker

GEMINI = find_speaker("gemini")
DECLARED = [{"functionDeclarations": [{"name": "w"}, {"name": "v"}]}]


def contents() -> list[Any]:
    calls = [{"functionCall": {"name": name, "args": {"a": 1}}} for name in ("w", "v")]
    calls[0]["thoughtSignature"] = sign(GOOGLE, call_text("w", {"a": 1}))
    responses = [{"functionResponse": {"name": name, "response": {"output": "9"}}} for name in ("v", "w")]
    return [
        {"parts": [{"text": "weather"}]},
        {"role": "model", "parts": [{"text": "hm", "thought": True}, {"text": "I look"}, *calls]},
        {"role": "user", "parts": [*responses, {"text": "Thanks"}]},
    ]


async def test_a_conversation_is_taken_in_both_spellings(demo: DemoUpstream) -> None:
    camel = {"contents": contents(), "tools": DECLARED, "systemInstruction": {"parts": [{"text": "Be brief"}]}}
    reply = await GEMINI.send(demo.port, camel)
    assert reply.status == 200
    assert reply.json["usageMetadata"]["promptTokenCount"] == 8
    image = {"inline_data": {"mime_type": "image/png", "data": base64.urlsafe_b64encode(PNG).decode()}}
    snake = {
        "contents": [{"role": "user", "parts": [image]}],
        "system_instruction": {"parts": [{"text": "Be brief"}]},
        "generation_config": {"max_output_tokens": 99, "thinking_config": {"include_thoughts": False}},
    }
    reply = await GEMINI.send(demo.port, snake)
    assert f"image/png of {len(PNG)} bytes" in reply.json["candidates"][0]["content"]["parts"][0]["text"]


FAULTS: dict[str, tuple[Callable[[list[Any]], Any], str]] = {
    "nothing": (lambda c: c.clear(), "contents is not specified"),
    "role of another dialect": (lambda c: c[0].update(role="assistant"), "contents[0].role"),
    "model first": (lambda c: c.pop(0), "first content"),
    "no parts": (lambda c: c[0].update(parts=[]), "parts must not be empty"),
    "part without data": (lambda c: c[0]["parts"].append({"thoughtSignature": "x"}), "oneof field 'data'"),
    "part with two kinds": (lambda c: c[0]["parts"][0].update(inlineData={}), "oneof field 'data'"),
    "unknown field": (lambda c: c[0]["parts"][0].update(type="text"), "contents[0].parts[0].type"),
    "response missing": (lambda c: c[2]["parts"].pop(0), "number of function response parts"),
    "no responses": (lambda c: c[2].update(parts=[{"text": "x"}]), "number of function response parts"),
    "nothing after calls": (lambda c: c.pop(), "number of function response parts"),
    "responses apart": (
        lambda c: c.append({"role": "user", "parts": [c[2]["parts"].pop(0)]}),
        "number of function response parts",
    ),
    "calls twice": (lambda c: c.insert(2, c[1]), "is equal to the number"),
    "response without a name": (
        lambda c: c[2]["parts"][0]["functionResponse"].update(name=""),
        "contents[2].parts[0].functionResponse.name",
    ),
    "response to another": (
        lambda c: c[2]["parts"][0]["functionResponse"].update(name="u"),
        "contents[2].parts[0].functionResponse.name",
    ),
    "response as text": (
        lambda c: c[2]["parts"][0]["functionResponse"].update(response="9"),
        "contents[2].parts[0].functionResponse.response",
    ),
    "arguments as text": (
        lambda c: c[1]["parts"][2]["functionCall"].update(args="{}"),
        "contents[1].parts[2].functionCall.args",
    ),
    "not base64": (
        lambda c: c[0]["parts"].append({"inlineData": {"mimeType": "image/png", "data": "*"}}),
        "Base64 decoding failed",
    ),
    "signature of another call": (
        lambda c: c[1]["parts"][2]["functionCall"].update(args={"a": 2}),
        "Corrupted thought signature",
    ),
    "signature from elsewhere": (lambda c: c[1]["parts"][1].update(thoughtSignature="Zm9v"), "Corrupted"),
    "signature lost": (lambda c: c[1]["parts"][2].pop("thoughtSignature"), "missing a thought_signature"),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_is_named(demo: DemoUpstream, name: str) -> None:
    change, place = FAULTS[name]
    given = contents()
    if name == "signature lost":
        given[2]["parts"].pop()
    change(given)
    reply = await GEMINI.send(demo.port, {"contents": given, "tools": DECLARED})
    assert reply.status == 400
    assert place in reply.json["error"]["message"]


async def test_signatures_are_needed_in_the_current_turn_only(demo: DemoUpstream) -> None:
    given = contents()
    given[1]["parts"][2].pop("thoughtSignature")
    given[2]["parts"].pop()
    given += [{"role": "model", "parts": [{"text": "done"}]}, {"role": "user", "parts": [{"text": "Thanks"}]}]
    assert (await GEMINI.send(demo.port, {"contents": given, "tools": DECLARED})).status == 200


async def test_contents_of_the_model_in_a_row_are_one_turn(demo: DemoUpstream) -> None:
    given = contents()
    given[1:2] = [{"role": "model", "parts": [part]} for part in [*given[1]["parts"], {"text": ""}]]
    assert (await GEMINI.send(demo.port, {"contents": given, "tools": DECLARED})).status == 200


async def test_the_sentinel_stands_in_for_a_signature(demo: DemoUpstream) -> None:
    given = contents()
    given[1]["parts"][2]["thoughtSignature"] = SENTINEL
    given[2]["parts"].pop()
    assert (await GEMINI.send(demo.port, {"contents": given, "tools": DECLARED})).status == 200


@pytest.mark.parametrize("stream", [True, False])
async def test_what_the_demo_signs_it_takes_back(demo: DemoUpstream, stream: bool) -> None:
    for wish in (Wish("weather", tools=("w",), thinks=True), Wish(thinks=True)):
        reply = await GEMINI.fetch(demo.port, wish, stream=stream)
        responses = reply.data if stream else [reply.json]
        parts = [part for response in responses for part in response["candidates"][0]["content"]["parts"]]
        assert sum("thoughtSignature" in part for part in parts) == 1
        body = GEMINI.build(wish, False)
        answers = [
            {"functionResponse": {"name": part["functionCall"]["name"], "response": {}}}
            for part in parts
            if "functionCall" in part
        ]
        body["contents"] += [{"role": "model", "parts": parts}, {"role": "user", "parts": answers or [{"text": "x"}]}]
        assert (await GEMINI.send(demo.port, body)).status == 200
