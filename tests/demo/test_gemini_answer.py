"""Gemini's responses by generation, and the forms of a failing stream."""

from dataclasses import replace
from typing import Any

from proxy.demo import DemoUpstream
from tests.helpers.demo_dialects import Wish, find_speaker

GEMINI = find_speaker("gemini")
OLD = replace(GEMINI, model="gemini-2.5-flash")
ARRAY = replace(GEMINI, path="/v1beta/models/x:streamGenerateContent")
TWO = Wish("parallel weather", tools=("w",), thinks=True)


def calls(responses: list[Any]) -> list[list[Any]]:
    """The parts with calls, event by event, where there are any."""
    events = [response["candidates"][0]["content"]["parts"] for response in responses]
    return [found for parts in events if (found := [part for part in parts if "functionCall" in part])]


async def test_new_models_give_ids_and_sign_the_first_call(demo: DemoUpstream) -> None:
    responses = (await GEMINI.fetch(demo.port, TWO, stream=True)).data
    ((first, second),) = calls(responses)
    assert first["functionCall"]["id"] != second["functionCall"]["id"]
    assert "thoughtSignature" in first
    assert "thoughtSignature" not in second
    assert responses[-1]["candidates"][0]["finishReason"] == "STOP"
    assert responses[-1]["candidates"][0]["content"]["parts"] == [{"text": ""}]


async def test_old_models_give_neither_and_finish_with_the_calls(demo: DemoUpstream) -> None:
    responses = (await OLD.fetch(demo.port, TWO, stream=True)).data
    (parts,) = calls(responses)
    assert all("id" not in part["functionCall"] and "thoughtSignature" not in part for part in parts)
    assert calls(responses[-1:]) == [parts]
    assert responses[-1]["candidates"][0]["finishReason"] == "STOP"


async def test_usage_grows_and_hides_what_is_zero(demo: DemoUpstream) -> None:
    responses = (await GEMINI.fetch(demo.port, Wish(thinks=True), stream=True)).data
    totals = [response["usageMetadata"]["totalTokenCount"] for response in responses]
    assert totals == sorted(totals)
    assert totals[0] < totals[-1]
    plain = (await GEMINI.fetch(demo.port, Wish(), stream=False)).json["usageMetadata"]
    assert set(plain) == {"promptTokenCount", "candidatesTokenCount", "totalTokenCount"}


async def test_a_blocked_prompt_has_no_candidates(demo: DemoUpstream) -> None:
    (response,) = (await GEMINI.fetch(demo.port, Wish("blocked"), stream=True)).data
    assert "candidates" not in response
    assert response["promptFeedback"]["blockReason"] == "SAFETY"


async def test_failure_in_an_array_closes_it(demo: DemoUpstream) -> None:
    for sent in (0, 1, 3):
        reply = await ARRAY.fetch(demo.port, Wish(), stream=True, query=f"&error_after={sent}")
        assert len(reply.json) == sent + 1
        assert list(reply.json[-1]) == ["error"]
        assert b"\r" not in reply.body
