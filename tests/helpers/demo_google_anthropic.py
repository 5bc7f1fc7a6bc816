"""The demo's other dialects as their callers write and read them: Anthropic's and Google's."""

import base64
import json
from typing import Any

from tests.helpers.demo_wishes import CLOSED, SCHEMA, Said, Wish

# Anthropic.


def build_anthropic(wish: Wish, stream: bool) -> dict[str, Any]:
    content: list[Any] = [{"type": "text", "text": wish.text}]
    if wish.image:
        data = base64.b64encode(wish.image).decode()
        content.append({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}})
    body: dict[str, Any] = {"model": "demo-1", "messages": [{"role": "user", "content": content}]}
    body |= {"max_tokens": wish.limit or 2000, "stream": stream}
    body |= {"system": wish.system} if wish.system else {}
    if wish.tools:
        body["tools"] = [{"name": name, "input_schema": SCHEMA} for name in wish.tools]
    if wish.forced:
        body["tool_choice"] = {"type": "any"}
    if wish.thinks is not None:
        body["thinking"] = {"type": "adaptive"} if wish.thinks else {"type": "disabled"}
    if wish.schema:
        body["output_config"] = {"format": {"type": "json_schema", "schema": CLOSED}}
    return body


def read_anthropic_stream(events: list[Any]) -> Said:
    blocks: list[Any] = []
    message: dict[str, Any] = {}
    for event in events:
        delta = event.get("delta", {})
        match event["type"]:
            case "message_start":
                message = event["message"]
            case "content_block_start":
                assert event["index"] == len(blocks)
                blocks.append({**event["content_block"], "json": ""})
            case "content_block_delta":
                for name in ("text", "thinking", "signature"):
                    if name in delta:
                        blocks[-1][name] += delta[name]
                blocks[-1]["json"] += delta.get("partial_json", "")
            case "message_delta":
                message |= delta
                message["usage"] |= event["usage"]
    for block in blocks:
        if block["type"] == "tool_use":
            block["input"] = json.loads(block["json"])
    assert events[-1]["type"] == "message_stop"
    return read_anthropic_whole({**message, "content": blocks})


def read_anthropic_whole(body: Any) -> Said:
    said = Said(stop=body["stop_reason"])
    for block in body["content"]:
        if block["type"] == "text":
            said.text += block["text"]
        elif block["type"] == "thinking":
            said.thought += block["thinking"]
            said.signed += block["signature"] != ""
        elif block["type"] == "tool_use":
            said.calls.append((block["name"], block["input"]))
    usage = body["usage"]
    said.cached = usage.get("cache_read_input_tokens", 0)
    said.input, said.output = usage["input_tokens"] + said.cached, usage["output_tokens"]
    said.reasoning = usage.get("output_tokens_details", {}).get("thinking_tokens", 0)
    return said


# Gemini and Code Assist.


def build_gemini(wish: Wish, _stream: bool) -> dict[str, Any]:
    parts: list[Any] = [{"text": wish.text}]
    if wish.image:
        parts.append({"inlineData": {"mimeType": "image/png", "data": base64.b64encode(wish.image).decode()}})
    body: dict[str, Any] = {"contents": [{"role": "user", "parts": parts}]}
    config: dict[str, Any] = {"maxOutputTokens": wish.limit} if wish.limit else {}
    if wish.system:
        body["systemInstruction"] = {"parts": [{"text": wish.system}]}
    if wish.tools:
        body["tools"] = [{"functionDeclarations": [{"name": name, "parameters": SCHEMA} for name in wish.tools]}]
    if wish.forced:
        body["toolConfig"] = {"functionCallingConfig": {"mode": "ANY"}}
    if wish.thinks is not None:
        budget = 1024 if wish.thinks else 0
        config["thinkingConfig"] = {"includeThoughts": wish.thinks, "thinkingBudget": budget}
    if wish.schema:
        config |= {"responseMimeType": "application/json", "responseSchema": SCHEMA}
    return {**body, "generationConfig": config} if config else body


def read_gemini(responses: list[Any]) -> Said:
    said = Said(stop=None)
    for response in responses:
        response = response.get("response", response)
        for candidate in response.get("candidates", []):
            said.stop = candidate.get("finishReason") or said.stop
            for part in candidate["content"].get("parts", []):
                said.signed += "thoughtSignature" in part
                if "functionCall" in part:
                    said.calls.append((part["functionCall"]["name"], part["functionCall"]["args"]))
                elif part.get("thought"):
                    said.thought += part["text"]
                else:
                    said.text += part["text"]
        if "promptFeedback" in response:
            said.stop = response["promptFeedback"]["blockReason"]
        usage = response.get("usageMetadata")
        if usage:
            said.input, said.reasoning = usage["promptTokenCount"], usage.get("thoughtsTokenCount", 0)
            said.output = usage.get("candidatesTokenCount", 0) + said.reasoning
            said.cached = usage.get("cachedContentTokenCount", 0)
            assert usage["totalTokenCount"] == said.input + said.output
    return said


def read_gemini_whole(body: Any) -> Said:
    return read_gemini([body])
