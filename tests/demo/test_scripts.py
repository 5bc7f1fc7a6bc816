"""Every script in every dialect, streamed and whole: the same said and counted, in the dialect's own words."""

import hashlib
import json

import pytest

from proxy.demo import DemoUpstream
from proxy.demo.routes import DIALECTS
from proxy.demo.script import REFUSAL, THOUGHTS
from tests.helpers.demo_dialects import CLAUDE, GPT, PNG, SPEAKERS, Speaker, Wish

every = pytest.mark.parametrize("speaker", SPEAKERS, ids=lambda speaker: speaker.name)
families = pytest.mark.parametrize("speaker", [*SPEAKERS, CLAUDE, GPT], ids=lambda speaker: speaker.model)


def test_no_dialect_is_left_out() -> None:
    assert [speaker.name for speaker in SPEAKERS] == [dialect.NAME for dialect in DIALECTS]


@families
async def test_text(demo: DemoUpstream, speaker: Speaker) -> None:
    streamed, whole = await speaker.ask(demo.port, Wish())
    assert streamed == whole
    assert "15 characters" in whole.text
    assert (whole.input, whole.output, whole.cached, whole.reasoning) == (3, len(whole.text.split()), 0, 0)
    assert (whole.thought, whole.calls, whole.stop) == ("", [], speaker.stops["stop"])


@families
async def test_what_stands_before_the_turn_counts_as_cached(demo: DemoUpstream, speaker: Speaker) -> None:
    streamed, whole = await speaker.ask(demo.port, Wish(system="Be very brief"))
    assert streamed == whole
    assert (whole.input, whole.cached) == (6, 3)


@every
async def test_reasoning_is_shown_and_counted(demo: DemoUpstream, speaker: Speaker) -> None:
    streamed, whole = await speaker.ask(demo.port, Wish(thinks=True))
    assert streamed == whole
    assert whole.thought == (THOUGHTS if speaker.shows else "")
    assert whole.reasoning == len(THOUGHTS.split(" "))
    assert whole.output == whole.reasoning + len(whole.text.split())
    signs = {"anthropic", "gemini", "code-assist", "openai-responses", "openrouter"}
    assert (streamed.signed, whole.signed) == ((1, 1) if speaker.name in signs else (0, 0))


@every
async def test_a_word_triggers_reasoning_and_a_switch_overrules_it(demo: DemoUpstream, speaker: Speaker) -> None:
    streamed, whole = await speaker.ask(demo.port, Wish("think about it"))
    assert streamed == whole
    assert whole.thought == (THOUGHTS if speaker.shows else "")
    _, whole = await speaker.ask(demo.port, Wish("think about it", thinks=False))
    assert (whole.thought, whole.reasoning) == ("", 0)


@pytest.mark.parametrize(("text", "count"), [("What is the weather?", 1), ("parallel weather", 2)])
@families
async def test_tools(demo: DemoUpstream, speaker: Speaker, text: str, count: int) -> None:
    streamed, whole = await speaker.ask(demo.port, Wish(text, tools=("get_weather",)))
    assert streamed == whole
    assert whole.calls == [("get_weather", {"city": city, "days": 2}) for city in ("Paris", "Oslo")[:count]]
    assert whole.stop == speaker.stops["tool"]


@pytest.mark.parametrize("speaker", [speaker for speaker in SPEAKERS if speaker.name != "glm"], ids=lambda s: s.name)
async def test_a_tool_can_be_forced(demo: DemoUpstream, speaker: Speaker) -> None:
    _, whole = await speaker.ask(demo.port, Wish(tools=("a", "b"), forced=True))
    assert [name for name, _ in whole.calls] == ["a"]


@every
async def test_reasoning_before_a_tool_call(demo: DemoUpstream, speaker: Speaker) -> None:
    streamed, whole = await speaker.ask(demo.port, Wish("weather", tools=("w",), thinks=True))
    assert streamed == whole
    assert whole.reasoning > 0
    assert len(whole.calls) == 1


@families
async def test_an_image_arrives_whole(demo: DemoUpstream, speaker: Speaker) -> None:
    streamed, whole = await speaker.ask(demo.port, Wish(image=PNG))
    assert streamed == whole
    assert f"image/png of {len(PNG)} bytes, {hashlib.sha256(PNG).hexdigest()[:8]}" in whole.text


@families
async def test_json_fits_its_schema(demo: DemoUpstream, speaker: Speaker) -> None:
    streamed, whole = await speaker.ask(demo.port, Wish(schema=True))
    assert streamed == whole
    assert json.loads(whole.text) == {"city": "Paris", "days": 2}


@families
async def test_length_stop(demo: DemoUpstream, speaker: Speaker) -> None:
    streamed, whole = await speaker.ask(demo.port, Wish(limit=16))
    assert streamed == whole
    assert (whole.stop, whole.output, len(whole.text.split())) == (speaker.stops["length"], 16, 16)


@every
async def test_length_stop_within_the_reasoning_leaves_no_text(demo: DemoUpstream, speaker: Speaker) -> None:
    streamed, whole = await speaker.ask(demo.port, Wish("think", limit=16))
    assert streamed == whole
    assert (whole.text, whole.reasoning, whole.stop) == ("", 16, speaker.stops["length"])


@families
async def test_refusal(demo: DemoUpstream, speaker: Speaker) -> None:
    streamed, whole = await speaker.ask(demo.port, Wish("please refuse"))
    assert streamed == whole
    assert whole.text + whole.refusal == REFUSAL
    assert bool(whole.refusal) == speaker.name.startswith("openai")
    assert whole.stop == speaker.stops["refusal"]


@families
async def test_blocked_answer_is_empty(demo: DemoUpstream, speaker: Speaker) -> None:
    streamed, whole = await speaker.ask(demo.port, Wish("this is blocked"))
    assert streamed == whole
    assert (whole.text, whole.refusal, whole.output, whole.stop) == ("", "", 0, speaker.stops["blocked"])


@every
async def test_line_ends_are_the_dialects_own(demo: DemoUpstream, speaker: Speaker) -> None:
    reply = await speaker.fetch(demo.port, Wish(), stream=True)
    own = b"\r\n" if speaker.name in ("gemini", "code-assist") else b"\n"
    assert reply.body.count(b"\n") == reply.body.count(own)
    assert (b"\r" in reply.body) == (own == b"\r\n")
    asked = await speaker.fetch(demo.port, Wish(), stream=True, query="&eol=cr")
    assert b"\n" not in asked.body
    assert speaker.read_stream(asked.data) == speaker.read_stream(reply.data)


@every
@pytest.mark.parametrize("sent", [0, 1, 5])
async def test_error_within_a_stream_comes_after_so_many_events(
    demo: DemoUpstream, speaker: Speaker, sent: int
) -> None:
    whole = await speaker.fetch(demo.port, Wish(), stream=True)
    failed = await speaker.fetch(demo.port, Wish(), stream=True, query=f"&error_after={sent}")
    assert failed.status == 200
    marks = [b'"error"', b"network_error"]
    assert not any(mark in whole.body.replace(b'"error":null', b"") for mark in marks)
    assert any(mark in failed.body for mark in marks)
    events = [event for event in failed.events if event["data"] != "[DONE]"]
    extra = 2 if speaker.name == "openai-responses" else 1
    assert len(events) == sent + extra
    assert demo.faults["error_after"] == 1


@every
async def test_error_within_changes_nothing_when_it_comes_too_late(demo: DemoUpstream, speaker: Speaker) -> None:
    streamed = await speaker.fetch(demo.port, Wish(), stream=True, query="&error_after=500")
    assert speaker.read_stream(streamed.data).stop == speaker.stops["stop"]
    assert demo.faults["error_after"] == 0


WHOLE_FAILURES = {
    "openai-chat": 500,
    "openai-responses": 200,
    "anthropic": 529,
    "gemini": 503,
    "code-assist": 503,
    "glm": 200,
    "openrouter": 200,
}


@every
async def test_a_whole_answer_fails_as_the_dialect_has_it(demo: DemoUpstream, speaker: Speaker) -> None:
    reply = await speaker.fetch(demo.port, Wish(), stream=False, query="&error_after=0")
    assert reply.status == WHOLE_FAILURES[speaker.name]
    assert b'"error":{' in reply.body


@every
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
async def test_error_before(demo: DemoUpstream, speaker: Speaker, status: int) -> None:
    reply = await speaker.fetch(demo.port, Wish(), stream=True, query=f"&status={status}")
    assert reply.status == status
    assert reply.json["error"]["message"]


@every
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"model":1}', b"\xff", b'{"surprise":1}'])
async def test_bad_bodies_are_a_400_in_the_dialects_shape(demo: DemoUpstream, speaker: Speaker, body: bytes) -> None:
    reply = await speaker.send(demo.port, body)
    assert reply.status == 400
    assert reply.json["error"]["message"]


@pytest.mark.parametrize("speaker", [s for s in SPEAKERS if s.name != "openrouter"], ids=lambda speaker: speaker.name)
async def test_an_unknown_field_is_named(demo: DemoUpstream, speaker: Speaker) -> None:
    reply = await speaker.send(demo.port, {**speaker.build(Wish(), False), "surprise": 1})
    assert reply.status == 400
    assert "surprise" in reply.json["error"]["message"]


async def test_openrouter_ignores_what_it_does_not_know(demo: DemoUpstream) -> None:
    speaker = SPEAKERS[-1]
    assert (await speaker.send(demo.port, {**speaker.build(Wish(), False), "surprise": 1})).status == 200
