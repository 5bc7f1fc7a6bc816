"""The demo's OpenAI-type dialects as callers write and read them: chat completions, GLM, OpenRouter, Responses."""

import base64
import json
from dataclasses import replace
from typing import Any

from tests.helpers.demo_wishes import CLOSED, SCHEMA, Said, Wish


def _data_url(image: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(image).decode()


# OpenAI Chat, GLM and OpenRouter.


def _chat(wish: Wish, stream: bool, model: str, **more: Any) -> dict[str, Any]:
    content: Any = wish.text
    if wish.image:
        content = [
            {"type": "text", "text": wish.text},
            {"type": "image_url", "image_url": {"url": _data_url(wish.image)}},
        ]
    messages: list[Any] = [{"role": "system", "content": wish.system}] if wish.system else []
    body: dict[str, Any] = {"model": model, "messages": [*messages, {"role": "user", "content": content}], **more}
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    if wish.tools:
        body["tools"] = [{"type": "function", "function": {"name": name, "parameters": SCHEMA}} for name in wish.tools]
    if wish.limit:
        body["max_tokens"] = wish.limit
    return body


def build_openai(wish: Wish, stream: bool) -> dict[str, Any]:
    body = _chat(wish, stream, "demo-1")
    if wish.forced:
        body["tool_choice"] = "required"
    if wish.thinks is not None:
        body["reasoning_effort"] = "low" if wish.thinks else "none"
    if wish.schema:
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "x", "schema": CLOSED, "strict": True},
        }
    return body


def build_glm(wish: Wish, stream: bool) -> dict[str, Any]:
    system = f"{wish.system} Answer by this JSON schema: {json.dumps(SCHEMA)}" if wish.schema else wish.system
    body = _chat(replace(wish, system=system), stream, "glm-4.6v")
    if wish.thinks is not None:
        body["thinking"] = {"type": "enabled" if wish.thinks else "disabled"}
    if wish.schema:
        body["response_format"] = {"type": "json_object"}
    return body


def build_openrouter(wish: Wish, stream: bool) -> dict[str, Any]:
    body = {**build_openai(wish, stream), "model": "anthropic/claude"}
    if (effort := body.pop("reasoning_effort", None)) is not None:
        body["reasoning"] = {"effort": effort}
    return body


def read_chat_stream(chunks: list[Any]) -> Said:
    said = Said(stop=None)
    calls: dict[int, list[str]] = {}
    for chunk in chunks:
        assert "error" not in chunk, chunk
        for choice in chunk["choices"]:
            delta = choice["delta"]
            said.text += delta.get("content") or ""
            said.thought += delta.get("reasoning_content") or delta.get("reasoning") or ""
            said.refusal += delta.get("refusal") or ""
            said.stop = choice.get("finish_reason") or said.stop
            said.signed += sum("signature" in item for item in delta.get("reasoning_details", []))
            for part in delta.get("tool_calls", []):
                call = calls.setdefault(part["index"], ["", ""])
                function = part.get("function", {})  # a fragment may bring a signature only
                call[0] = function.get("name", call[0])
                call[1] += function.get("arguments", "")
        if chunk.get("usage"):
            _add_chat_usage(said, chunk["usage"])
    said.calls = [(name, json.loads(arguments)) for name, arguments in calls.values()]
    return said


def read_chat_whole(body: Any) -> Said:
    choice = body["choices"][0]
    message = choice["message"]
    said = Said(message["content"] or "", stop=choice["finish_reason"], refusal=message.get("refusal") or "")
    said.thought = message.get("reasoning_content") or message.get("reasoning") or ""
    said.signed = sum("signature" in item for item in message.get("reasoning_details", []))
    functions = [call["function"] for call in message.get("tool_calls", [])]
    said.calls = [(function["name"], json.loads(function["arguments"])) for function in functions]
    _add_chat_usage(said, body["usage"])
    return said


def _add_chat_usage(said: Said, usage: Any) -> None:
    said.input, said.output = usage["prompt_tokens"], usage["completion_tokens"]
    said.cached = usage.get("prompt_tokens_details", {}).get("cached_tokens", 0)
    said.reasoning = usage.get("completion_tokens_details", {}).get("reasoning_tokens", 0)
    assert usage["total_tokens"] == said.input + said.output


# OpenAI Responses.


def build_responses(wish: Wish, stream: bool) -> dict[str, Any]:
    content: list[Any] = [{"type": "input_text", "text": wish.text}]
    if wish.image:
        content.append({"type": "input_image", "image_url": _data_url(wish.image)})
    body: dict[str, Any] = {"model": "demo-1", "input": [{"role": "user", "content": content}], "store": False}
    body |= {"instructions": wish.system} if wish.system else {}
    body |= {"stream": True} if stream else {}
    body["tools"] = [{"type": "function", "name": name, "parameters": SCHEMA, "strict": False} for name in wish.tools]
    if wish.forced:
        body["tool_choice"] = "required"
    if wish.limit:
        body["max_output_tokens"] = wish.limit
    if wish.thinks is not None:
        body["reasoning"] = {"effort": "low", "summary": "auto"} if wish.thinks else {"effort": "none"}
        body["include"] = ["reasoning.encrypted_content"]
    if wish.schema:
        body["text"] = {"format": {"type": "json_schema", "name": "x", "schema": CLOSED, "strict": True}}
    return body


def read_responses_stream(events: list[Any]) -> Said:
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    last = events[-1]["response"]
    said = read_responses_whole(last)
    grown = dict.fromkeys(("output_text", "refusal", "reasoning_summary_text", "function_call_arguments"), "")
    for event in events:
        kind = event["type"].removeprefix("response.").removesuffix(".delta")
        if "delta" in event:
            grown[kind] += event["delta"]
    assert (grown["output_text"], grown["refusal"]) == (said.text, said.refusal)
    assert grown["reasoning_summary_text"] == said.thought
    done = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    assert done == last["output"]
    return said


def read_responses_whole(body: Any) -> Said:
    said = Said(stop=body["status"])
    if body["incomplete_details"]:
        said.stop = body["incomplete_details"]["reason"]
    for item in body["output"]:
        if item["type"] == "reasoning":
            said.thought += "".join(part["text"] for part in item["summary"])
            said.signed += "encrypted_content" in item
        elif item["type"] == "function_call":
            said.calls.append((item["name"], json.loads(item["arguments"])))
        else:
            said.text += "".join(part.get("text", "") for part in item["content"])
            said.refusal += "".join(part.get("refusal", "") for part in item["content"])
    usage = body["usage"]
    said.input, said.output = usage["input_tokens"], usage["output_tokens"]
    said.cached = usage["input_tokens_details"]["cached_tokens"]
    said.reasoning = usage["output_tokens_details"]["reasoning_tokens"]
    return said
