"""Code Assist: the envelope, and three families of models behind it."""

import base64
from typing import Any

import pytest

from proxy.demo import DemoUpstream
from proxy.demo.signing import SENTINEL
from tests.helpers.demo_dialects import CLAUDE, CLOSED, GPT, SCHEMA, Speaker, Wish, find_speaker
from tests.helpers.rawhttp import fetch

GEMINI = find_speaker("code-assist")
FAMILIES = [GEMINI, CLAUDE, GPT]


@pytest.mark.parametrize("speaker", FAMILIES)
async def test_every_event_is_wrapped(demo: DemoUpstream, speaker: Speaker) -> None:
    reply = await speaker.fetch(demo.port, Wish(), stream=True)
    assert all(list(event) == ["response", "traceId", "metadata"] for event in reply.data)
    assert len({event["traceId"] for event in reply.data}) == 1
    assert reply.body.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda b: b.pop("project"), "project"),
        (lambda b: b.pop("model"), "model"),
        (lambda b: b.pop("request"), "request"),
        (lambda b: b.update(contents=[]), "contents"),
        (lambda b: b["request"].update(stream=True), "request.stream"),
        (lambda b: b["request"].update(systemInstruction="x"), "request.systemInstruction"),
    ],
)
async def test_envelope_is_checked(demo: DemoUpstream, change: Any, place: str) -> None:
    body = GEMINI.build(Wish(), False)
    change(body)
    reply = await GEMINI.send(demo.port, body)
    assert reply.status == 400
    assert place in reply.json["error"]["message"]


async def test_envelope_takes_what_clients_send(demo: DemoUpstream) -> None:
    body = {**GEMINI.build(Wish(), False), "requestId": "x", "userAgent": "y", "requestType": "agent"}
    body["request"]["sessionId"] = "1"
    assert (await GEMINI.send(demo.port, body)).status == 200
    body = {**GEMINI.build(Wish(), False), "user_prompt_id": "x"}
    body["request"]["session_id"] = "1"
    assert (await GEMINI.send(demo.port, body)).status == 200


async def test_claude_opens_empty_and_signs_behind_its_thoughts(demo: DemoUpstream) -> None:
    events = (await CLAUDE.fetch(demo.port, Wish(thinks=True), stream=True)).data
    parts = [part for event in events for part in event["response"]["candidates"][0]["content"]["parts"]]
    assert parts[0] == {"text": ""}
    (at,) = (at for at, part in enumerate(parts) if "thoughtSignature" in part)
    assert parts[at]["thought"] is True
    assert all(part.get("thought") for part in parts[1:at])
    assert not any(part.get("thought") for part in parts[at + 1 :])
    base64.b64decode(base64.b64decode(parts[at]["thoughtSignature"]), validate=True)
    assert "thoughtsTokenCount" not in events[-1]["response"]["usageMetadata"]
    assert events[0]["response"]["responseId"].startswith("req_vrtx_")


async def test_gpt_says_its_usage_after_the_finish(demo: DemoUpstream) -> None:
    events = [event["response"] for event in (await GPT.fetch(demo.port, Wish(thinks=True), stream=True)).data]
    assert "parts" not in events[0]["candidates"][0]["content"]
    assert events[-2]["candidates"][0]["finishReason"] == "STOP"
    assert "candidates" not in events[-1]
    assert all("usageMetadata" not in event for event in events[:-1])
    assert events[-1]["usageMetadata"]["thoughtsTokenCount"] > 0


async def replay(demo: DemoUpstream, speaker: Speaker, change: Any = None) -> int:
    """The status of a turn that gives back what the one before it gave."""
    wish = Wish("weather", tools=("w",), thinks=True)
    parts = (await speaker.fetch(demo.port, wish, stream=False)).json["response"]["candidates"][0]["content"]["parts"]
    if change is not None:
        change(parts)
    body = speaker.build(wish, False)
    answer = {"functionResponse": {"name": "w", "response": {"output": ""}}}
    body["request"]["contents"] += [{"role": "model", "parts": parts}, {"role": "user", "parts": [answer]}]
    return (await speaker.send(demo.port, body)).status


@pytest.mark.parametrize("speaker", FAMILIES)
async def test_a_turn_goes_back_as_it_came(demo: DemoUpstream, speaker: Speaker) -> None:
    assert await replay(demo, speaker) == 200


def _drop(parts: Any) -> None:
    for part in parts:
        part.pop("thoughtSignature", None)


def _sentinel(parts: Any) -> None:
    _drop(parts)
    next(part for part in parts if "functionCall" in part)["thoughtSignature"] = SENTINEL


def _without_thoughts(parts: Any) -> None:
    parts[:] = [part for part in parts if not part.get("thought")]


def _reword(parts: Any) -> None:
    next(part for part in parts if part.get("thought"))["text"] += " "


@pytest.mark.parametrize(
    ("change", "statuses"),
    [(_drop, (400, 400, 200)), (_sentinel, (200, 400, 400)), (_without_thoughts, (200, 200, 200)),
     (_reword, (200, 400, 200))],
)  # fmt: skip
async def test_families_differ_on_signatures(demo: DemoUpstream, change: Any, statuses: tuple[int, ...]) -> None:
    assert tuple([await replay(demo, speaker, change) for speaker in FAMILIES]) == statuses


@pytest.mark.parametrize(
    ("function", "statuses"),
    [
        ({"parameters": SCHEMA}, (200, 200, 200)),
        ({"parameters": CLOSED}, (400, 400, 400)),
        ({"parametersJsonSchema": CLOSED}, (200, 400, 400)),
        ({"parameters": {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}}}, (200, 400, 200)),
    ],
)
async def test_families_differ_on_schemas(demo: DemoUpstream, function: Any, statuses: tuple[int, ...]) -> None:
    found = []
    for speaker in FAMILIES:
        body = speaker.build(Wish(), False)
        body["request"]["tools"] = [{"functionDeclarations": [{"name": "w", **function}]}]
        found.append((await speaker.send(demo.port, body)).status)
    assert tuple(found) == statuses


async def test_claude_wants_room_beyond_its_budget(demo: DemoUpstream) -> None:
    for speaker, status in ((GEMINI, 200), (CLAUDE, 400)):
        body = speaker.build(Wish(thinks=True, limit=1000), False)
        assert (await speaker.send(demo.port, body)).status == status


async def test_tokens_are_counted(demo: DemoUpstream) -> None:
    inner = GEMINI.build(Wish(), False)["request"]
    reply = await fetch(demo.port, "/v1internal:countTokens", body={"request": {"model": "models/x", **inner}})
    assert reply.json["totalTokens"] == 3
