"""Routes: refusals in each dialect's shape, odd bodies, the models list, the help page and the counters."""

from typing import Any

import pytest

from proxy.demo import DemoUpstream
from tests.helpers.demo_dialects import SPEAKERS, Speaker
from tests.helpers.rawhttp import fetch

CHAT, MESSAGES, GEMINI = "/v1/chat/completions", "/v1/messages", "/v1beta/models/demo-1"


def chat(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "demo-1", "messages": [{"role": "user", "content": text}], **more}


def contents(text: str) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"text": text}]}]}


async def test_errors_have_the_shape_of_the_dialect(demo: DemoUpstream) -> None:
    failing = "?status=503&retry_after=2"
    reply = await fetch(demo.port, CHAT + failing, body=chat("Hi"))
    assert (reply.status, reply.json["error"]["type"], reply.headers["retry-after"]) == (503, "server_error", "2")
    assert reply.headers["x-request-id"].startswith("req_")
    reply = await fetch(demo.port, MESSAGES + "?status=529", body=chat("Hi"))
    assert (reply.json["type"], reply.json["error"]["type"]) == ("error", "overloaded_error")
    assert reply.headers["request-id"] == reply.json["request_id"]
    reply = await fetch(demo.port, GEMINI + ":generateContent?status=429", body=contents("Hi"))
    assert (reply.json["error"]["code"], reply.json["error"]["status"]) == (429, "RESOURCE_EXHAUSTED")
    reply = await fetch(demo.port, "/clock" + failing)
    assert (reply.status, reply.json["error"]["code"]) == (503, 503)


@pytest.mark.parametrize(
    ("target", "body"),
    [
        (CHAT, b"{"),
        (CHAT, b"[]"),
        (CHAT, b'{"max_tokens":0}'),
        (CHAT, b"\xff"),
        (MESSAGES, b'{"max_tokens":"9"}'),
        (MESSAGES, b'{"max_tokens":true}'),
        (GEMINI + ":generateContent", b'{"generationConfig":{"maxOutputTokens":-1}}'),
    ],
)
async def test_bad_bodies_are_a_400_that_echoes_nothing(demo: DemoUpstream, target: str, body: bytes) -> None:
    reply = await fetch(demo.port, target, body=body)
    assert reply.status == 400
    assert "error" in reply.json


@pytest.mark.parametrize(
    "body",
    [
        {"messages": 1, "contents": "x", "tools": {}, "tool_choice": 3, "system": 4, "input": 5, "request": 6},
        {"model": "m", "messages": [1, {"role": "user", "content": [None, {"type": "image"}]}], "max_tokens": 9},
        {"model": "m", "messages": [{"role": "user", "content": [{"type": "text", "text": 7}]}], "max_tokens": 9},
        {"model": "m", "input": [{"type": "reasoning", "id": []}], "request": {"contents": [{"parts": [3]}]}},
        {"contents": [{"parts": [3]}], "toolConfig": [], "generationConfig": 1},
        {"contents": [{"parts": [{"text": ""}], "role": []}], "tools": [3]},
    ],
)
@pytest.mark.parametrize("speaker", SPEAKERS, ids=lambda speaker: speaker.name)
async def test_odd_bodies_are_a_400(demo: DemoUpstream, speaker: Speaker, body: Any) -> None:
    assert (await speaker.send(demo.port, body)).status == 400


async def test_models_are_listed(demo: DemoUpstream) -> None:
    reply = await fetch(demo.port, "/v1/models")
    assert reply.json["object"] == "list"
    assert reply.json["data"][0]["id"] == "demo"


async def test_help_lists_every_parameter(demo: DemoUpstream) -> None:
    reply = await fetch(demo.port, "/")
    assert b"cut_after" in reply.body
    assert b"/v1/messages" in reply.body


async def test_unknown_paths_and_methods_are_refused(demo: DemoUpstream) -> None:
    assert (await fetch(demo.port, "/v1/chat")).status == 404
    reply = await fetch(demo.port, CHAT)
    assert (reply.status, reply.headers["allow"]) == (405, "POST")
    assert (await fetch(demo.port, "/clock", body=b"{}")).status == 405


async def test_events_are_counted_by_route(demo: DemoUpstream) -> None:
    body = chat("Hi", stream=True, max_tokens=99)
    reply = await fetch(demo.port, MESSAGES + "?pace=0", body=body, headers="anthropic-version: 2023-06-01\r\n")
    assert demo.events["anthropic"] == len(reply.events)
    assert demo.records[0].events == len(reply.events)
