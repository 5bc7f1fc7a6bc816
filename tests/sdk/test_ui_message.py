"""The AI SDK's own transport, parser and chat state over what the encoder writes and the parser reads."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from proxy.dialects.events import (
    BlockStart,
    Delta,
    Event,
    Failure,
    FailureKind,
    Kind,
    Reason,
    Start,
    Usage,
)
from proxy.dialects.parts import Redacted, Refusal, Signature, Text, Thinking, ToolCall, ToolResult
from proxy.dialects.ui_message.inputs import BROKEN
from tests.helpers.ui_message import answer, block
from tests.helpers.ui_page import MODEL, Page, serving

pytestmark = pytest.mark.sdk

SIGNED = Signature("a", "Erw+/=")
CALLED = Signature("g", "QUJD")


@pytest.fixture(params=["ai6-first", "ai6", "ai7"])
def page(request: pytest.FixtureRequest, ai_node: str) -> Page:
    return Page(ai_node, request.param)


async def read(page: Page, events: Sequence[Event], cut: int = 7) -> Any:
    async with serving(events, cut=cut) as room:
        return await page.run("read", room.url)


async def test_text_and_reasoning_are_gathered(page: Page) -> None:
    events = answer(
        block(Kind.THINKING, "Let ", "me see\u2028", sign=SIGNED),
        block(Kind.TEXT, "Grüße \ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"), "\r\n\u0085{"),
        usage=Usage(input=10, cache_read=4, output=7, reasoning=3),
    )
    seen = await read(page, events, cut=1)
    assert seen["errors"] == []
    _, reasoning, text = seen["message"]["parts"]
    assert (reasoning["text"], reasoning["state"]) == ("Let me see\u2028", "done")
    assert (text["text"], text["state"]) == ("Grüße 😀\r\n\u0085{", "done")
    assert seen["message"]["id"].startswith("msg_")
    assert seen["message"]["metadata"]["model"] == "model-1"
    usage = seen["message"]["metadata"]["usage"]
    assert (usage["inputTokens"], usage["outputTokens"], usage["totalTokens"]) == (10, 7, 17)
    assert usage["inputTokenDetails"] == {"noCacheTokens": 6, "cacheReadTokens": 4}
    assert usage["outputTokenDetails"] == {"textTokens": 4, "reasoningTokens": 3}


async def test_calls_images_and_refusals_are_gathered(page: Page) -> None:
    events = answer(
        block(Kind.IMAGE, name="image/png", data="iVBORw0KGgo="),
        block(Kind.TOOL, '{"ci', 'ty":"Rome"}', id="call_1", name="weather"),
        block(Kind.TOOL, "{}", id="call_2", name="time-now"),
        block(Kind.REFUSAL, "No."),
        reason=Reason.TOOL_USE,
    )
    seen = await read(page, events)
    assert seen["errors"] == []
    _, image, call, other, refusal = seen["message"]["parts"]
    assert (image["mediaType"], image["url"]) == ("image/png", "data:image/png;base64,iVBORw0KGgo=")
    assert (call["type"], call["state"], call["input"]) == ("tool-weather", "input-available", {"city": "Rome"})
    assert (other["type"], other["toolCallId"], other["input"]) == ("tool-time-now", "call_2", {})
    assert refusal["text"] == "No."


@pytest.mark.parametrize("arguments", ['{"city": ', "[1]", '{"a": NaN}', '{"__proto__": {"x": 1}}'])
async def test_arguments_that_the_page_cannot_take_do_not_end_the_stream(page: Page, arguments: str) -> None:
    events = answer(block(Kind.TOOL, arguments, id="call_1", name="f"), block(Kind.TEXT, "after"))
    seen = await read(page, events)
    assert seen["errors"] == []
    _, call, text = seen["message"]["parts"]
    assert (call["state"], call["errorText"]) == ("output-error", BROKEN)
    assert arguments in (call.get("input"), call.get("rawInput"))
    assert text["text"] == "after"


@pytest.mark.parametrize("reason", Reason)
async def test_every_reason_is_one_that_the_schema_takes(ai_node: str, reason: Reason) -> None:
    seen = await read(Page(ai_node, "ai6-first"), answer(block(Kind.TEXT, "x"), reason=reason))
    assert seen["errors"] == []
    assert seen["message"]["metadata"] == {"model": "model-1"}


async def test_a_failure_within_is_an_error_of_the_page(page: Page) -> None:
    events = [Start(), BlockStart(Kind.TEXT), Delta("half"), Failure(FailureKind.DISCONNECT, "The upstream broke off.")]
    seen = await read(page, events)
    assert seen["errors"] == ["The upstream broke off."]
    assert seen["message"]["parts"][-1] == {"type": "text", "text": "half", "state": "streaming"}


async def test_a_failure_before_the_head_is_what_the_page_throws(page: Page) -> None:
    async with serving([Failure(FailureKind.NOT_FOUND, "There is no such model.", param="model")]) as room:
        seen = await page.run("chat", room.url, says=["hello"])
    assert seen["status"] == "error"
    assert json.loads(seen["error"]) == {
        "error": "There is no such model.", "code": "not_found", "param": "model", "request_id": "req_1",
    }  # fmt: skip


async def test_a_turn_with_tools_comes_back_with_its_signatures(page: Page) -> None:
    first = answer(
        block(Kind.THINKING, "I need ", "both.", sign=SIGNED),
        block(Kind.REDACTED, signature=Signature("a", "secret")),
        block(Kind.TEXT, "One moment."),
        block(Kind.TOOL, '{"city":"Rome"}', id="call_1", name="weather", signature=CALLED),
        block(Kind.TOOL, '{"n":123456789}', id="call_2", name="count"),
        reason=Reason.TOOL_USE,
    )
    second = answer(block(Kind.TEXT, "Warm."))
    third = answer(block(Kind.REFUSAL, "No."))
    async with serving(first, second, third, second) as room:
        outputs = {"weather": {"sky": "clear"}, "count": "three"}
        seen = await page.run("chat", room.url, says=["hi", "again", "more"], outputs=outputs, body={"model": "m"})
    assert seen["status"] == "ready"
    assert [message["role"] for message in seen["messages"]] == ["user", "assistant"] * 3
    assert len({message["id"] for message in seen["messages"]}) == 6
    assert [finish["finishReason"] for finish in seen["finishes"]][:2] == ["tool-calls", "stop"]

    continued, again, last = room.requests[1:]
    assert room.requests[0].model == again.model == "m"
    assert continued.messages[-2].parts == (
        Thinking("I need both.", SIGNED), Redacted(Signature("a", "secret")), Text("One moment."),
        ToolCall("call_1", "weather", '{"city":"Rome"}', CALLED), ToolCall("call_2", "count", '{"n":123456789}'),
    )  # fmt: skip
    assert continued.messages[-1].parts == (
        ToolResult("call_1", (Text('{"sky":"clear"}'),)), ToolResult("call_2", (Text("three"),)),
    )  # fmt: skip
    assert [message.role for message in again.messages] == ["user", "assistant", "user", "assistant", "user"]
    assert again.messages[3].parts == (Text("Warm."),)
    assert last.messages[5].parts == (Refusal("No."),)
    assert set(room.bodies[0]) == {"id", "messages", "trigger", "model"}
    assert all(request.extra == {} for request in room.requests)


async def test_a_call_with_broken_arguments_comes_back_as_the_model_wrote_it(page: Page) -> None:
    first = answer(block(Kind.TOOL, '{"city": ', id="call_1", name="weather", sign=CALLED), reason=Reason.TOOL_USE)
    async with serving(first, answer(block(Kind.TEXT, "x")), answer(block(Kind.TEXT, "y"))) as room:
        await page.run("chat", room.url, says=["hi", "again"])
    calls, results = room.requests[-1].messages[1:3]
    kept = None if page.package == "ai6-first" else CALLED  # which forgets the metadata of such a call
    assert calls.parts == (ToolCall("call_1", "weather", '{"city": ', kept),)
    assert results.parts == (ToolResult("call_1", (Text(BROKEN),), is_error=True),)
    assert room.requests[0].model == MODEL
