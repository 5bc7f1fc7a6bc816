"""OpenAI Chat Completions: reads its requests into an `Ask`, writes a `Script` in its wire form. Pure; no
I/O, no clock.

Shapes as in the API reference (platform.openai.com/docs/api-reference/chat) and as its SDKs read them: role
first, one chunk with `finish_reason`, usage in a chunk of its own without choices, `[DONE]` last.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from proxy.demo.answer import SSE, Piece, Request, build_sse
from proxy.demo.script import (
    Ask,
    Script,
    Tool,
    count_tokens,
    parse_body,
    parse_limit,
    parse_object,
    parse_objects,
    parse_text,
)

NAME: Final = "openai-chat"
PATH: Final = re.compile(r"/v1/chat/completions")
SHOWN: Final = "/v1/chat/completions"
REQUEST_ID: Final = "x-request-id"
STOPS: Final = {"stop": "stop", "length": "length", "tool": "tool_calls"}
ERROR_TYPES: Final = {401: "authentication_error", 429: "requests"}


def parse_request(request: Request, _path: re.Match[str]) -> Ask:
    """The request as an `Ask`. Raises `BadAsk`."""
    body = parse_body(request.body)
    messages = parse_objects(body.get("messages"))
    users = [parse_text(message.get("content")) for message in messages if message.get("role") == "user"]
    choice = body.get("tool_choice")
    limit = body.get("max_completion_tokens", body.get("max_tokens"))
    return Ask(
        model=str(body.get("model", "demo")),
        serial=request.serial,
        now=request.now,
        stream=body.get("stream") is True,
        user_text=users[-1] if users else "",
        prompt_tokens=count_tokens(*(parse_text(message.get("content")) for message in messages)),
        max_tokens=parse_limit(limit, "max_completion_tokens"),
        tools=_parse_tools(body, choice),
        must_call=choice == "required" or isinstance(choice, dict),
        may_call=choice != "none",
        one_call=body.get("parallel_tool_calls") is False,
        after_result=bool(messages) and messages[-1].get("role") == "tool",
        with_usage=parse_object(body.get("stream_options")).get("include_usage") is True,
    )


def stream_type(_ask: Ask) -> str:
    """The Content-Type of a streamed answer."""
    return SSE


def build_stream(ask: Ask, script: Script) -> Iterator[Piece]:
    """The answer as events."""
    yield _chunk(ask, {"role": "assistant", "content": "", "refusal": None})
    for word in script.words:
        yield _chunk(ask, {"content": word})
    for index, call in enumerate(script.calls):
        function = {"name": call.name, "arguments": ""}
        yield _chunk(ask, _call(index, {"id": _call_id(ask, index), "type": "function", "function": function}))
        for fragment in call.fragments:
            yield _chunk(ask, _call(index, {"function": {"arguments": fragment}}))
    yield _chunk(ask, {}, STOPS[script.stop])
    if ask.with_usage:
        yield _event({**_frame(ask, "chat.completion.chunk"), "choices": [], "usage": _usage(script)})
    yield Piece(build_sse(b"[DONE]"), is_end_mark=True)


def build_whole(ask: Ask, script: Script) -> bytes:
    """The answer as one JSON object."""
    message: dict[str, Any] = {"role": "assistant", "content": script.text, "refusal": None, "annotations": []}
    if script.calls:
        message["tool_calls"] = [
            {
                "id": _call_id(ask, index),
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for index, call in enumerate(script.calls)
        ]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": STOPS[script.stop]}
    return msgspec.json.encode({**_frame(ask, "chat.completion"), "choices": [choice], "usage": _usage(script)})


def build_error(status: int, message: str, _serial: int) -> bytes:
    """An error body."""
    kind = ERROR_TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    code = "rate_limit_exceeded" if status == 429 else None
    return msgspec.json.encode({"error": {"message": message, "type": kind, "param": None, "code": code}})


def _parse_tools(body: dict[str, Any], choice: object) -> tuple[Tool, ...]:
    functions = [parse_object(tool.get("function")) for tool in parse_objects(body.get("tools"))]
    tools = [Tool(str(item["name"]), parse_object(item.get("parameters"))) for item in functions if "name" in item]
    wanted = parse_object(parse_object(choice).get("function")).get("name")
    return tuple(tool for tool in tools if wanted in (None, tool.name))


def _frame(ask: Ask, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-demo{ask.serial:06d}",
        "object": kind,
        "created": ask.now,
        "model": ask.model,
        "service_tier": "default",
        "system_fingerprint": "fp_demo",
    }


def _chunk(ask: Ask, delta: dict[str, Any], finish: str | None = None) -> Piece:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    usage = {"usage": None} if ask.with_usage else {}
    return _event({**_frame(ask, "chat.completion.chunk"), "choices": [choice], **usage})


def _event(chunk: dict[str, Any]) -> Piece:
    return Piece(build_sse(msgspec.json.encode(chunk)))


def _call(index: int, part: dict[str, Any]) -> dict[str, Any]:
    return {"tool_calls": [{"index": index, **part}]}


def _call_id(ask: Ask, index: int) -> str:
    return f"call_demo{ask.serial:06d}x{index}"


def _usage(script: Script) -> dict[str, Any]:
    return {
        "prompt_tokens": script.input_tokens,
        "completion_tokens": script.output_tokens,
        "total_tokens": script.input_tokens + script.output_tokens,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
