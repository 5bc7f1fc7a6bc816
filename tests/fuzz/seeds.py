"""What is well formed, as seeds to spoil: the demo's answers in every dialect, requests as its callers write them,
recordings where they are at hand."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from proxy.demo.answer import Request
from proxy.demo.http1 import RequestHead
from proxy.demo.params import Params
from proxy.demo.routes import answer, find_route
from proxy.dialects.capabilities import Capabilities
from proxy.dialects.chat import Target
from proxy.dialects.parts import (
    Image,
    Media,
    Message,
    OutputFormat,
    Signature,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
)
from proxy.dialects.parts import Request as DialectRequest
from proxy.wire.sse import Parser
from tests.helpers.crossing import STREAMS, WHOLES, find_dialect, find_provider
from tests.helpers.demo_dialects import SPEAKERS
from tests.helpers.demo_wishes import PNG, Wish
from tests.helpers.recordings import RECORDINGS, list_recordings, load_recording
from tests.helpers.request_strategies import PNG as PICTURE

WISHES: Final = (
    Wish(),
    Wish("which weather tool", "Be brief.", tools=("get_weather",), forced=True),
    Wish("parallel weather tool", tools=("get_weather", "add")),
    Wish("think of it", thinks=True, limit=9000),
    Wish("think of the weather tool", tools=("get_weather",), thinks=True),
    Wish("refuse"),
    Wish("blocked"),
    Wish("look", image=PNG),
    Wish("say json", schema=True),
    Wish("short", limit=16),
)
ABLE: Final = {
    "openai-chat": Capabilities(family="gpt"),
    "openai-responses": Capabilities(family="gpt"),
    "anthropic": Capabilities(family="claude", thinking="adaptive"),
    "gemini": Capabilities(family="gemini", thinking="level"),
    "openrouter": Capabilities(),
}
LONGEST: Final = 60_000
"""Bytes of a seed: what is larger says nothing new, and takes long."""


@dataclass(frozen=True, slots=True)
class Seed:
    """An answer in a provider's dialect: blocks of a stream, or a document."""

    dialect: str
    blocks: tuple[bytes, ...] = ()
    document: Any = None


@cache
def list_streams(dialect: str) -> tuple[Seed, ...]:
    demo = (split(data) for data in _ask_demo(dialect, stream=True))
    recorded = (split(body) for body in _read(STREAMS, dialect))
    return tuple(Seed(dialect, blocks) for blocks in (*demo, *recorded))


@cache
def list_documents(dialect: str) -> tuple[Seed, ...]:
    bodies = [*_ask_demo(dialect, stream=False), *_read(WHOLES, dialect)]
    return tuple(Seed(dialect, document=json.loads(body)) for body in bodies)


@cache
def list_errors() -> tuple[tuple[int, Any], ...]:
    """Status and body of errors of whatever provider."""
    found = [(status, _ERROR) for status in (200, 400, 401, 429, 500, 529)]
    for param in list_recordings("*/err*.json"):
        if param.values[0]:
            recording = load_recording(str(param.values[0]))
            found.append((recording.status, json.loads(recording.body)))
    return tuple(found)


@cache
def list_requests(client: str) -> tuple[Any, ...]:
    """Bodies as callers of this dialect write them."""
    named = {speaker.name: speaker for speaker in SPEAKERS}
    if client not in named:
        return _PAGE_BODIES
    built = [named[client].build(wish, stream) for wish in WISHES for stream in (False, True)]
    paths = sorted(RECORDINGS.glob("*/*.request.json"))
    recorded = [path.read_bytes() for path in paths if find_dialect(f"{path.parent.name}/{path.name}") == client]
    return (*built, *_build_histories(client), *map(json.loads, recorded))


def split(data: bytes) -> tuple[bytes, ...]:
    """An event stream's blocks, with LF line ends and what is left at its end."""
    parser = Parser()
    blocks = [block.raw for block in parser.feed(data.replace(b"\r\n", b"\n"))]
    return (*blocks, parser.tail) if parser.tail else tuple(blocks)


def _read(params: Any, dialect: str) -> Iterator[bytes]:
    names = [str(param.values[0]) for param in params if param.values[0]]
    bodies = (load_recording(name).body for name in names if find_dialect(name) == dialect)
    return (body for body in bodies if len(body) < LONGEST)


def _ask_demo(dialect: str, *, stream: bool) -> Iterator[bytes]:
    (speaker,) = (speaker for speaker in SPEAKERS if speaker.name == dialect)
    path = (speaker.path if stream else speaker.whole_path or speaker.path).format(model=speaker.model)
    fields = tuple(
        (name.encode(), value.encode())
        for name, value in (line.split(": ", 1) for line in speaker.headers.split("\r\n") if line)
    )
    for wish in WISHES:
        head = RequestHead("POST", path.encode(), False, fields)
        body = json.dumps(speaker.build(wish, stream)).encode()
        request = Request(head, Params(), body, True, 1, 1_700_000_000)
        said = answer(find_route(head.path), request)
        assert said.status == 200, (dialect, wish)
        yield b"".join(piece.read() for piece in said.pieces)


@cache
def _build_conversation() -> DialectRequest:
    """Calls and their results, thoughts, a picture, a system prompt, and every wish there is a field for."""
    call = ToolCall("call_1", "add", '{"a":1,"b":[2.5,null]}', Signature("a", "QUJD"))
    messages = [
        Message("user", (Text("Look."), Image(Media("image/png", PICTURE)))),
        Message("assistant", (Thinking("Hm.", Signature("a", "QUJD")), Text("Let me add."), call)),
        Message("user", (ToolResult("call_1", (Text("3.5"),), "add"), Text("And now?"))),
        Message("assistant", (Text("It is 3.5."),)),
        Message("user", (Text("Thank you."),)),
    ]
    schema = {"type": "object", "properties": {"a": {"type": "number"}, "b": {"type": "array", "items": {}}}}
    fields: dict[str, Any] = {
        "system": [Text("Be brief.")],
        "tools": [Tool("add", "Adds.", schema), Tool("get_weather")],
        "max_tokens": 5000,
        "stop": ["END"],
        "output": OutputFormat(schema, "answer"),
    }
    named = {name: name for name in fields}
    return DialectRequest("m", messages, "ui-message", stream=True, **fields, named=named)


def _build_histories(dialect: str) -> list[Any]:
    target = Target("model-1", ABLE[dialect], drop=frozenset({"stop"}))
    asked = _build_conversation()
    outgoing = find_provider(dialect).build_request(asked, target)
    return [json.loads(outgoing.body), *_RARE[dialect]]


_USER: Final = {"role": "user", "content": "hi"}
_RARE: Final[dict[str, list[Any]]] = {
    "openai-chat": [
        {"model": "m", "n": 2, "seed": 7, "logit_bias": {"1": 2}, "user": "u", "metadata": {"a": "b"}, "messages": [
            {"role": "developer", "content": [{"type": "text", "text": "x"}]},
            {"role": "user", "content": [
                {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
                {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}},
                {"type": "image_url", "image_url": {"url": "https://a/b.png", "detail": "low"}}]},
            {"role": "assistant", "content": None, "refusal": "no", "reasoning_content": "hm", "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":"}},
                {"id": "c2", "type": "custom", "custom": {"name": "p", "input": "*** x"}}]},
            {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "1"}]},
            {"role": "tool", "tool_call_id": "c2", "content": "2"}],
         "tool_choice": {"type": "function", "function": {"name": "f"}}, "stop": "END",
         "tools": [{"type": "function", "function": {"name": "f"}}, {"type": "custom", "custom": {"name": "p"}}]},
        {"model": "m", "messages": [_USER], "functions": [{"name": "f"}], "function_call": "auto"},
    ],
    "openai-responses": [
        {"model": "m", "input": [
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "x"}],
             "encrypted_content": "gAAA"},
            {"type": "custom_tool_call", "call_id": "c2", "name": "p", "input": "*** x"},
            {"type": "custom_tool_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "ok"}]},
            {"type": "local_shell_call", "call_id": "c3", "action": {"type": "exec", "command": ["ls"]}},
            {"role": "developer", "content": [{"type": "input_file", "file_url": "https://a/b.pdf"}]},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}, "x", _USER],
         "tools": [{"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "f"}]},
                   {"type": "custom", "name": "p", "format": {"type": "grammar"}}, {"type": "web_search"}],
         "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
         "include": ["reasoning.encrypted_content"], "truncation": "auto"},
        {"model": "m", "input": "hi", "previous_response_id": "r", "text": {"format": {"type": "json_object"}}},
    ],
    "anthropic": [
        {"model": "m", "max_tokens": 100, "top_k": 3, "metadata": {"user_id": "u"},
         "thinking": {"type": "enabled", "budget_tokens": 2000}, "system": [
             {"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "1h"}}], "messages": [
            {"role": "user", "content": [
                {"type": "document", "title": "t", "context": "c", "citations": {"enabled": True},
                 "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}},
                {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "x"}]}},
                {"type": "image", "source": {"type": "url", "url": "https://a/b.png"}},
                {"type": "search_result", "source": "s", "title": "t", "content": [{"type": "text", "text": "x"}]}]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "x", "signature": "gw1.g.QUJD"},
                {"type": "redacted_thinking", "data": "QUJD"},
                {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}},
                {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "t1", "is_error": True, "content": [
                    {"type": "tool_reference", "tool_name": "f"}, {"type": "text", "text": "x"}]}]},
            {"role": "system", "content": "now"}],
         "tools": [{"name": "f", "input_schema": {"type": "object"}, "defer_loading": True},
                   {"type": "web_search_20250305", "name": "web_search"}],
         "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True}},
    ],
    "gemini": [
        {"contents": [
            {"role": "model", "parts": [{"thought": True, "text": "x", "thoughtSignature": "QUJD"},
                                        {"functionCall": {"name": "f", "args": {"a": None}}}]},
            {"role": "function", "parts": [{"functionResponse": {"name": "f", "response": {"result": "x"}, "parts": [
                {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]}}]},
            {"parts": [{"fileData": {"fileUri": "gs://a/b", "mimeType": "video/mp4"}, "videoMetadata": {"fps": 1}},
                       {"executableCode": {"language": "PYTHON", "code": "1"}}]}],
         "system_instruction": {"parts": [{"text": "x"}]}, "safetySettings": [{"category": "X", "threshold": "Y"}],
         "tools": [{"function_declarations": [{"name": "f", "parameters_json_schema": {"type": "object"}}]},
                   {"googleSearch": {}}],
         "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
         "generationConfig": {"candidateCount": 1, "responseMimeType": "application/json", "stopSequences": ["E"],
                              "responseSchema": {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}},
                              "thinkingConfig": {"thinkingBudget": -1, "includeThoughts": True}, "topK": 4.0}},
    ],
    "openrouter": [
        {"model": "m", "messages": [_USER, {"role": "assistant", "content": "x", "reasoning": "hm",
                                            "reasoning_details": [
            {"type": "reasoning.text", "text": "hm", "signature": "QUJD", "format": "anthropic-claude-v1", "index": 0},
            {"type": "reasoning.encrypted", "data": "QUJD", "index": 1}]}, _USER],
         "reasoning": {"max_tokens": 2000, "exclude": False}, "provider": {"order": ["a"]}, "models": ["a", "b"],
         "route": "fallback", "transforms": [], "usage": {"include": True}, "plugins": [{"id": "web"}]},
    ],
}  # fmt: skip

_PAGE_BODIES: Final[tuple[Any, ...]] = (
    {"id": "c", "trigger": "submit-message", "messageId": "m1", "model": "m", "system": ["x", "y"], "messages": [
        {"id": "m1", "role": "user", "parts": [{"type": "text", "text": "hi"},
                                               {"type": "file", "mediaType": "image/png",
                                                "url": "data:image/png;base64,AAAA", "filename": "a.png"}]},
        {"id": "m2", "role": "assistant", "parts": [
            {"type": "step-start"}, {"type": "reasoning", "text": "hm", "providerMetadata": {"penstock": {"a": 1}}},
            {"type": "text", "text": "x"}, {"type": "data-theme", "data": {}},
            {"type": "tool-f", "toolCallId": "c1", "state": "output-available", "input": {"a": 1}, "output": {"b": 2}},
            {"type": "dynamic-tool", "toolName": "g", "toolCallId": "c2", "state": "output-error", "input": {},
             "errorText": "no"},
            {"type": "steering-message", "parts": [{"type": "text", "text": "wait"}]}]},
        {"id": "m3", "role": "system", "parts": [{"type": "text", "text": "now"}]}],
     "tools": {"f": {"description": "d", "inputSchema": {"type": "object"}}},
     "toolChoice": {"type": "tool", "toolName": "f"},
     "maxOutputTokens": 100, "temperature": 0.5, "stopSequences": ["E"], "seed": 1, "app": {"any": "thing"}},
    {"messages": [{"role": "user", "parts": [{"type": "text", "text": "hi"}]}], "tools": [{"name": "f"}]},
)  # fmt: skip

_ERROR: Final[Any] = {"error": {
    "message": "Rate limit reached, try again in 6m0s", "type": "rate_limit_error", "code": "rate_limit_exceeded",
    "param": "messages[0]", "status": "RESOURCE_EXHAUSTED", "metadata": {"headers": {"X-RateLimit-Reset": "1"}},
    "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.4s"},
                {"reason": "RATE_LIMIT_EXCEEDED", "metadata": {"quotaResetDelay": "1h", "model": "m"}},
                {"violations": [{"quotaId": "PerDay", "quotaDimensions": {"model": "m"}}]}]}}  # fmt: skip
