"""Gemini's parameters: its own Schema, modes, thinking by generation, formats, counting."""

from dataclasses import replace
from typing import Any

import pytest

from proxy.demo import DemoUpstream
from tests.helpers.demo_dialects import CLOSED, SCHEMA, Wish, find_speaker
from tests.helpers.rawhttp import fetch

GEMINI = find_speaker("gemini")
OLD = "gemini-2.5-pro"


def declare(**more: Any) -> dict[str, Any]:
    return {"tools": [{"functionDeclarations": [{"name": "w", "description": "x", **more}]}]}


def calling(**config: Any) -> dict[str, Any]:
    return {"toolConfig": {"functionCallingConfig": config}}


def config(**fields: Any) -> dict[str, Any]:
    return {"generationConfig": fields}


def thinking(**fields: Any) -> dict[str, Any]:
    return config(thinkingConfig=fields)


JSON = {"responseMimeType": "application/json"}


@pytest.mark.parametrize(
    ("more", "status"),
    [
        (declare(), 200),
        (declare(parameters=SCHEMA), 200),
        (declare(parameters=CLOSED), 400),
        (declare(parametersJsonSchema=CLOSED), 200),
        (declare(parameters=SCHEMA, parametersJsonSchema=SCHEMA), 400),
        (declare(parameters={"type": "OBJECT", "properties": {}}), 400),
        (declare(strict=True), 400),
        ({"tools": [{"type": "function"}]}, 400),
        ({"tools": [{"functionDeclarations": [{"name": "1w"}]}]}, 400),
        ({"tools": [{"functionDeclarations": [{"name": "w"}, {"name": "w"}]}]}, 400),
        ({**declare(), **calling(mode="ANY", allowedFunctionNames=["w"])}, 200),
        ({**declare(), **calling(mode="ANY", allowedFunctionNames=["v"])}, 400),
        ({**declare(), **calling(mode="AUTO", allowedFunctionNames=["w"])}, 400),
        ({**declare(), **calling(mode="REQUIRED")}, 400),
        (calling(mode="ANY"), 400),
        (calling(mode="NONE"), 200),
        (config(maxTokens=5), 400),
        (config(temperature=3), 400),
        (config(stopSequences=["x"] * 6), 400),
        (config(**JSON, responseSchema=SCHEMA), 200),
        (config(**JSON, responseSchema=CLOSED), 400),
        (config(**JSON, responseJsonSchema=CLOSED), 200),
        (config(responseJsonSchema=CLOSED), 400),
        (config(**JSON, responseJsonSchema=CLOSED, responseSchema=SCHEMA), 400),
        (thinking(thinkingBudget=5, thinkingLevel="low"), 400),
        (thinking(thinkingLevel="HIGH"), 200),
        (thinking(thinkingLevel="MAX"), 400),
        ({"safetySettings": [{"category": "x", "threshold": "y"}]}, 200),
        ({"cachedContent": "cachedContents/x"}, 403),
        ({"stream": True}, 400),
        ({"model": "x"}, 400),
    ],
)
async def test_parameters(demo: DemoUpstream, more: Any, status: int) -> None:
    reply = await GEMINI.send(demo.port, {**GEMINI.build(Wish(), False), **more})
    assert reply.status == status, reply.body


@pytest.mark.parametrize(
    "more",
    [
        thinking(thinkingLevel="low"),
        thinking(thinkingBudget=0),
        {**declare(), **config(**JSON)},
        {"tools": [*declare()["tools"], {"googleSearch": {}}]},
    ],
)
async def test_an_older_generation_takes_less(demo: DemoUpstream, more: Any) -> None:
    body = {**GEMINI.build(Wish(), False), **more}
    assert (await GEMINI.send(demo.port, body)).status == 200
    assert (await replace(GEMINI, model=OLD).send(demo.port, body)).status == 400


async def test_thoughts_are_counted_and_stay_hidden_unless_included(demo: DemoUpstream) -> None:
    body = {**GEMINI.build(Wish(), False), **thinking(thinkingBudget=1024)}
    said = GEMINI.read_whole((await GEMINI.send(demo.port, body)).json)
    assert said.thought == ""
    assert said.reasoning > 0


@pytest.mark.parametrize("wrapped", [True, False])
async def test_tokens_are_counted(demo: DemoUpstream, wrapped: bool) -> None:
    inner = GEMINI.build(Wish(system="Be brief"), False)
    body = {"generateContentRequest": {"model": "models/x", **inner}} if wrapped else inner
    reply = await fetch(demo.port, "/v1beta/models/x:countTokens", body=body)
    assert reply.json["totalTokens"] == 5
