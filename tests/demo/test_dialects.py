"""The three dialects: streamed and whole answers say the same, calls come in fragments, limits and usage agree."""

import json
from typing import Any

import pytest

from proxy.demo import DemoUpstream
from tests.helpers.rawhttp import Reply, fetch

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}, "unit": {"enum": ["celsius", "kelvin"]}},
}
CHAT, MESSAGES, GEMINI = "/v1/chat/completions", "/v1/messages", "/v1beta/models/demo-1"
VERSION = "anthropic-version: 2023-06-01\r\n"


def chat(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "demo-1", "messages": [{"role": "user", "content": text}], **more}


def contents(text: str, **more: Any) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"text": text}]}], **more}


def chat_tools(*names: str) -> list[dict[str, Any]]:
    return [{"type": "function", "function": {"name": name, "parameters": SCHEMA}} for name in names]


def message_tools(*names: str) -> list[dict[str, Any]]:
    return [{"name": name, "input_schema": SCHEMA} for name in names]


def gemini_tools(*names: str) -> list[dict[str, Any]]:
    return [{"functionDeclarations": [{"name": name, "parameters": SCHEMA} for name in names]}]


# What one answer says, read from each wire form: text, calls, stop, input and output tokens.
Said = tuple[str, list[tuple[str, Any]], str, int, int]


def read_chat_stream(reply: Reply) -> Said:
    chunks = reply.data
    assert reply.body.endswith(b"data: [DONE]\n\n")
    assert len({(chunk["id"], chunk["created"], chunk["model"]) for chunk in chunks}) == 1
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    deltas = [choice["delta"] for choice in choices]
    finishes = [choice["finish_reason"] for choice in choices if choice["finish_reason"]]
    assert len(finishes) == 1
    assert deltas[-1] == {}
    calls: dict[int, list[str]] = {}
    for part in (part for delta in deltas for part in delta.get("tool_calls", [])):
        if "id" in part:
            assert part["function"]["arguments"] == ""
            calls[part["index"]] = [part["function"]["name"], ""]
        else:
            calls[part["index"]][1] += part["function"]["arguments"]
    usage = chunks[-1]["usage"]
    assert chunks[-1]["choices"] == []
    assert all(chunk["usage"] is None for chunk in chunks[:-1])
    text = "".join(delta.get("content") or "" for delta in deltas)
    named = [(name, json.loads(arguments)) for name, arguments in calls.values()]
    return text, named, finishes[0], usage["prompt_tokens"], usage["completion_tokens"]


def read_chat_whole(reply: Reply) -> Said:
    message, usage = reply.json["choices"][0]["message"], reply.json["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    functions = [call["function"] for call in message.get("tool_calls", [])]
    calls = [(function["name"], json.loads(function["arguments"])) for function in functions]
    finish = reply.json["choices"][0]["finish_reason"]
    return message["content"], calls, finish, usage["prompt_tokens"], usage["completion_tokens"]


def read_messages_stream(reply: Reply) -> Said:
    events = reply.data
    assert [event["type"] for event in events] == [event["event"] for event in reply.events]
    assert events[0]["type"] == "message_start"
    assert events[2]["type"] == "ping"
    assert events[-1] == {"type": "message_stop"}
    blocks: list[list[Any]] = []
    is_open = False
    for event in events:
        if event["type"] == "content_block_start":
            assert not is_open
            assert event["index"] == len(blocks)
            blocks.append([event["content_block"], ""])
            is_open = True
        elif event["type"] == "content_block_delta":
            assert event["index"] == len(blocks) - 1
            blocks[-1][1] += event["delta"].get("text", "") + event["delta"].get("partial_json", "")
        elif event["type"] == "content_block_stop":
            is_open = False
    assert not is_open
    text = "".join(grown for block, grown in blocks if block["type"] == "text")
    calls = [(block["name"], json.loads(grown)) for block, grown in blocks if block["type"] == "tool_use"]
    delta = next(event for event in events if event["type"] == "message_delta")
    tokens = events[0]["message"]["usage"]["input_tokens"], delta["usage"]["output_tokens"]
    return text, calls, delta["delta"]["stop_reason"], *tokens


def read_messages_whole(reply: Reply) -> Said:
    message = reply.json
    text = "".join(block["text"] for block in message["content"] if block["type"] == "text")
    calls = [(block["name"], block["input"]) for block in message["content"] if block["type"] == "tool_use"]
    return text, calls, message["stop_reason"], message["usage"]["input_tokens"], message["usage"]["output_tokens"]


def read_gemini(responses: list[Any]) -> Said:
    candidates = [response["candidates"][0] for response in responses]
    parts = [part for candidate in candidates for part in candidate["content"]["parts"]]
    assert all("finishReason" not in candidate for candidate in candidates[:-1])
    calls = [(part["functionCall"]["name"], part["functionCall"]["args"]) for part in parts if "functionCall" in part]
    usage = responses[-1]["usageMetadata"]
    tokens = usage["promptTokenCount"], usage["candidatesTokenCount"]
    return "".join(part.get("text", "") for part in parts), calls, candidates[-1]["finishReason"], *tokens


async def ask_chat(demo: DemoUpstream, body: dict[str, Any]) -> Said:
    """Streamed and whole; both must say the same."""
    streaming = {**body, "stream": True, "stream_options": {"include_usage": True}}
    streamed = read_chat_stream(await fetch(demo.port, CHAT + "?pace=0", body=streaming))
    assert streamed == read_chat_whole(await fetch(demo.port, CHAT, body=body))
    return streamed


async def ask_messages(demo: DemoUpstream, body: dict[str, Any]) -> Said:
    reply = await fetch(demo.port, MESSAGES + "?pace=0", body={**body, "stream": True}, headers=VERSION)
    streamed = read_messages_stream(reply)
    assert streamed == read_messages_whole(await fetch(demo.port, MESSAGES, body=body, headers=VERSION))
    return streamed


async def ask_gemini(demo: DemoUpstream, body: dict[str, Any]) -> Said:
    streamed = await fetch(demo.port, GEMINI + ":streamGenerateContent?alt=sse&pace=0", body=body)
    listed = await fetch(demo.port, GEMINI + ":streamGenerateContent?pace=0", body=body)
    whole = await fetch(demo.port, GEMINI + ":generateContent", body=body)
    assert len(listed.json) == len(streamed.data)
    assert listed.headers["content-type"] == "application/json"
    assert read_gemini(streamed.data) == read_gemini(listed.json) == read_gemini([whole.json])
    return read_gemini(streamed.data)


async def test_text_is_the_same_in_every_dialect_whole_and_streamed(demo: DemoUpstream) -> None:
    texts = [
        await ask_chat(demo, chat("Hello you there")),
        await ask_messages(demo, chat("Hello you there", max_tokens=1000)),
        await ask_gemini(demo, contents("Hello you there")),
    ]
    assert {said[0] for said in texts} == {texts[0][0]}
    assert "15 characters" in texts[0][0]
    assert [said[1] for said in texts] == [[], [], []]
    assert [said[2] for said in texts] == ["stop", "end_turn", "STOP"]
    assert {said[3:] for said in texts} == {(3, len(texts[0][0].split()))}


async def test_limit_cuts_the_text_and_says_so(demo: DemoUpstream) -> None:
    said = await ask_chat(demo, chat("Hi", max_completion_tokens=4))
    assert said == ("Hello from the Penstock", [], "length", 1, 4)
    assert (await ask_chat(demo, chat("Hi", max_tokens=2)))[2:] == ("length", 1, 2)
    assert (await ask_messages(demo, chat("Hi", max_tokens=3)))[2:] == ("max_tokens", 1, 3)
    limited = contents("Hi", generationConfig={"maxOutputTokens": 5})
    assert (await ask_gemini(demo, limited))[2:] == ("MAX_TOKENS", 1, 5)


@pytest.mark.parametrize(("text", "count"), [("What is the weather?", 1), ("Use a tool", 1), ("parallel weather", 2)])
async def test_tool_is_called_when_the_message_asks_for_it(demo: DemoUpstream, text: str, count: int) -> None:
    answers = [
        await ask_chat(demo, chat(text, tools=chat_tools("get_weather"))),
        await ask_messages(demo, chat(text, max_tokens=1000, tools=message_tools("get_weather"))),
        await ask_gemini(demo, contents(text, tools=gemini_tools("get_weather"))),
    ]
    cities = ["Paris", "Oslo"][:count]
    expected = [("get_weather", {"city": city, "days": 2, "unit": "celsius"}) for city in cities]
    assert [said[1] for said in answers] == [expected] * 3
    assert [said[2] for said in answers] == ["tool_calls", "tool_use", "STOP"]
    assert {said[0] for said in answers} == {"Let me look that up."}


async def test_arguments_come_in_several_fragments(demo: DemoUpstream) -> None:
    body = chat("weather", stream=True, tools=chat_tools("w"))
    reply = await fetch(demo.port, CHAT + "?pace=0", body=body)
    calls = [chunk["choices"][0]["delta"].get("tool_calls") for chunk in reply.data]
    assert len([call for call in calls if call]) > 4


async def test_tool_choice_forces_or_forbids(demo: DemoUpstream) -> None:
    two, forced = chat_tools("a", "b"), {"type": "function", "function": {"name": "b"}}
    assert [name for name, _ in (await ask_chat(demo, chat("Hi", tools=two, tool_choice=forced)))[1]] == ["b"]
    assert (await ask_chat(demo, chat("weather", tools=two, tool_choice="none")))[1] == []
    assert (await ask_chat(demo, chat("Hi", tools=two)))[1] == []
    choice = {"type": "tool", "name": "b"}
    body = chat("Hi", max_tokens=99, tools=message_tools("a", "b"), tool_choice=choice)
    assert [name for name, _ in (await ask_messages(demo, body))[1]] == ["b"]
    config = {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["b"]}}
    body = contents("Hi", tools=gemini_tools("a", "b"), toolConfig=config)
    assert [name for name, _ in (await ask_gemini(demo, body))[1]] == ["b"]


async def test_parallel_calls_use_the_first_two_tools_unless_refused(demo: DemoUpstream) -> None:
    said = await ask_chat(demo, chat("tool parallel", tools=chat_tools("a", "b", "c")))
    assert [name for name, _ in said[1]] == ["a", "b"]
    said = await ask_chat(demo, chat("tool parallel", tools=chat_tools("a", "b"), parallel_tool_calls=False))
    assert [name for name, _ in said[1]] == ["a"]


async def test_text_follows_a_tool_result(demo: DemoUpstream) -> None:
    body = chat("weather", tools=chat_tools("w"))
    call = {"id": "x", "type": "function", "function": {"name": "w", "arguments": "{}"}}
    body["messages"] += [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "x", "content": "9"},
    ]
    assert (await ask_chat(demo, body))[1:3] == ([], "stop")
    body = chat("weather", max_tokens=999, tools=message_tools("w"))
    use = {"type": "tool_use", "id": "x", "name": "w", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "x", "content": "9"}
    body["messages"] += [{"role": "assistant", "content": [use]}, {"role": "user", "content": [result]}]
    assert (await ask_messages(demo, body))[1:3] == ([], "end_turn")
    body = contents("weather", tools=gemini_tools("w"))
    part = {"functionResponse": {"name": "w", "response": {}}}
    model = {"role": "model", "parts": [{"functionCall": {"name": "w", "args": {}}}]}
    body["contents"] += [model, {"role": "user", "parts": [part]}]
    assert (await ask_gemini(demo, body))[1:3] == ([], "STOP")


async def test_usage_is_absent_from_a_chat_stream_unless_asked_for(demo: DemoUpstream) -> None:
    reply = await fetch(demo.port, CHAT + "?pace=0", body=chat("Hi", stream=True))
    assert all("usage" not in chunk for chunk in reply.data)


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
async def test_end_mark_can_be_left_out(demo: DemoUpstream, path: str) -> None:
    body = chat("Hi", stream=True, max_tokens=999)
    reply = await fetch(demo.port, path + "?pace=0&no_done=1", body=body, headers=VERSION)
    assert b"[DONE]" not in reply.body
    assert b"message_stop" not in reply.body
    assert b'"stop"' in reply.body or b"end_turn" in reply.body


async def test_giant_text_fills_one_line(demo: DemoUpstream) -> None:
    reply = await fetch(demo.port, CHAT + "?pace=0&giant=200000", body=chat("Hi", stream=True))
    assert max(len(event["data"]) for event in reply.events) > 200_000
    assert reply.body.endswith(b"data: [DONE]\n\n")


async def test_names_are_echoed_only_as_json(demo: DemoUpstream) -> None:
    body = chat("tool", stream=True)
    body["model"] = 'm\r\n\r\n"data: x'
    reply = await fetch(demo.port, CHAT + "?pace=0", body=body)
    assert {chunk["model"] for chunk in reply.data} == {body["model"]}
    assert b"\r" not in reply.body
