"""The Responses API's answers: how items grow, what is final only when done, and how a stream fails."""

from typing import Any

from proxy.demo import DemoUpstream
from tests.helpers.demo_dialects import Wish, find_speaker

RESPONSES = find_speaker("openai-responses")


def types(events: list[Any]) -> list[str]:
    """Without repetitions next to each other."""
    names = [event["type"].removeprefix("response.") for event in events]
    return [name for at, name in enumerate(names) if at == 0 or names[at - 1] != name]


async def test_items_are_added_grow_and_are_done(demo: DemoUpstream) -> None:
    reply = await RESPONSES.fetch(demo.port, Wish("weather", tools=("w",), thinks=True), stream=True)
    assert [event["event"] for event in reply.events] == [event["type"] for event in reply.data]
    assert types(reply.data) == [
        *("created", "in_progress"),
        *("output_item.added", "reasoning_summary_part.added", "reasoning_summary_text.delta"),
        *("reasoning_summary_text.done", "reasoning_summary_part.done", "output_item.done"),
        *("output_item.added", "content_part.added", "output_text.delta"),
        *("output_text.done", "content_part.done", "output_item.done"),
        *("output_item.added", "function_call_arguments.delta", "function_call_arguments.done", "output_item.done"),
        "completed",
    ]
    assert b"[DONE]" not in reply.body


async def test_encrypted_content_is_final_only_when_done(demo: DemoUpstream) -> None:
    events = (await RESPONSES.fetch(demo.port, Wish(thinks=True), stream=True)).data
    added, done = (event["item"] for event in events if event.get("item", {}).get("type") == "reasoning")
    assert added["encrypted_content"] != done["encrypted_content"]
    item = {name: done[name] for name in ("id", "type", "summary", "encrypted_content")}
    said = {"role": "assistant", "content": [{"type": "output_text", "text": "x"}]}
    body = RESPONSES.build(Wish(thinks=True), False)
    for content, status in ((added["encrypted_content"], 400), (done["encrypted_content"], 200)):
        history = [*body["input"], {**item, "encrypted_content": content}, said, *body["input"]]
        assert (await RESPONSES.send(demo.port, {**body, "input": history})).status == status


async def test_encrypted_content_comes_only_when_it_is_included(demo: DemoUpstream) -> None:
    body = {**RESPONSES.build(Wish(thinks=True), False), "include": []}
    (reasoning,) = (item for item in (await RESPONSES.send(demo.port, body)).json["output"] if "summary" in item)
    assert "encrypted_content" not in reasoning
    body["reasoning"] = {"effort": "high"}
    (reasoning,) = (item for item in (await RESPONSES.send(demo.port, body)).json["output"] if "summary" in item)
    assert reasoning["summary"] == []


async def test_refusal_is_a_part_of_its_own(demo: DemoUpstream) -> None:
    events = (await RESPONSES.fetch(demo.port, Wish("refuse"), stream=True)).data
    assert types(events)[2:] == [
        *("output_item.added", "content_part.added", "refusal.delta", "refusal.done", "content_part.done"),
        *("output_item.done", "completed"),
    ]


async def test_incomplete_says_why(demo: DemoUpstream) -> None:
    last = (await RESPONSES.fetch(demo.port, Wish(limit=16), stream=True)).data[-1]
    assert last["type"] == "response.incomplete"
    assert last["response"]["status"] == "incomplete"
    assert last["response"]["output"][0]["status"] == "incomplete"


async def test_failure_is_said_twice(demo: DemoUpstream) -> None:
    *_, error, failed = (await RESPONSES.fetch(demo.port, Wish(), stream=True, query="&error_after=4")).data
    assert (error["type"], error["error"]["code"], error["sequence_number"]) == ("error", "server_error", 4)
    assert (failed["type"], failed["response"]["status"]) == ("response.failed", "failed")
    whole = await RESPONSES.fetch(demo.port, Wish(), stream=False, query="&error_after=4")
    assert (whole.status, whole.json["status"], whole.json["error"]["code"]) == (200, "failed", "server_error")
