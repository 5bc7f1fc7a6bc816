"""Anthropic Messages: reads its requests into an `Ask`, writes a `Script` in its wire form. Pure; no I/O,
no clock.

Shapes as in the API reference (docs.anthropic.com, Messages and streaming): named events, blocks that open,
grow and close one after the other, a ping early on, usage growing from `message_start` to `message_delta`,
`message_stop` last.
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

NAME: Final = "anthropic"
PATH: Final = re.compile(r"/v1/messages")
SHOWN: Final = "/v1/messages"
REQUEST_ID: Final = "request-id"
STOPS: Final = {"stop": "end_turn", "length": "max_tokens", "tool": "tool_use"}
ERROR_TYPES: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def parse_request(request: Request, _path: re.Match[str]) -> Ask:
    """The request as an `Ask`. Raises `BadAsk`."""
    body = parse_body(request.body)
    messages = parse_objects(body.get("messages"))
    users = [message.get("content") for message in messages if message.get("role") == "user"]
    texts = [text for text in map(parse_text, users) if text]
    choice = parse_object(body.get("tool_choice"))
    return Ask(
        model=str(body.get("model", "demo")),
        serial=request.serial,
        now=request.now,
        stream=body.get("stream") is True,
        user_text=texts[-1] if texts else "",
        prompt_tokens=count_tokens(
            parse_text(body.get("system")), *(parse_text(message.get("content")) for message in messages)
        ),
        max_tokens=parse_limit(body.get("max_tokens"), "max_tokens"),
        tools=_parse_tools(body, choice),
        must_call=choice.get("type") in ("any", "tool"),
        may_call=choice.get("type") != "none",
        one_call=choice.get("disable_parallel_tool_use") is True,
        after_result=any(part.get("type") == "tool_result" for part in parse_objects(users[-1] if users else None)),
    )


def stream_type(_ask: Ask) -> str:
    """The Content-Type of a streamed answer."""
    return SSE


def build_stream(ask: Ask, script: Script) -> Iterator[Piece]:
    """The answer as events."""
    yield _event("message_start", {"message": _message(ask, [], None, _usage(script, 1))})
    yield _event("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}})
    yield _event("ping", {})
    for word in script.words:
        yield _delta(0, {"type": "text_delta", "text": word})
    yield _event("content_block_stop", {"index": 0})
    for index, call in enumerate(script.calls, 1):
        block = {"type": "tool_use", "id": _call_id(ask, index), "name": call.name, "input": {}}
        yield _event("content_block_start", {"index": index, "content_block": block})
        for fragment in ("", *call.fragments):
            yield _delta(index, {"type": "input_json_delta", "partial_json": fragment})
        yield _event("content_block_stop", {"index": index})
    delta = {"stop_reason": STOPS[script.stop], "stop_sequence": None}
    yield _event("message_delta", {"delta": delta, "usage": {"output_tokens": script.output_tokens}})
    yield Piece(build_sse(b'{"type":"message_stop"}', "message_stop"), is_end_mark=True)


def build_whole(ask: Ask, script: Script) -> bytes:
    """The answer as one JSON object."""
    content: list[dict[str, Any]] = [{"type": "text", "text": script.text}]
    for index, call in enumerate(script.calls, 1):
        arguments = msgspec.json.decode(call.arguments)
        content.append({"type": "tool_use", "id": _call_id(ask, index), "name": call.name, "input": arguments})
    usage = _usage(script, script.output_tokens)
    return msgspec.json.encode(_message(ask, content, STOPS[script.stop], usage))


def build_error(status: int, message: str, serial: int) -> bytes:
    """An error body."""
    kind = ERROR_TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")
    error = {"type": kind, "message": message}
    return msgspec.json.encode({"type": "error", "error": error, "request_id": f"req_demo{serial:06d}"})


def _parse_tools(body: dict[str, Any], choice: dict[str, Any]) -> tuple[Tool, ...]:
    items = [item for item in parse_objects(body.get("tools")) if "name" in item]
    tools = [Tool(str(item["name"]), parse_object(item.get("input_schema"))) for item in items]
    return tuple(tool for tool in tools if choice.get("name") in (None, tool.name))


def _event(name: str, fields: dict[str, Any]) -> Piece:
    return Piece(build_sse(msgspec.json.encode({"type": name, **fields}), name))


def _delta(index: int, delta: dict[str, Any]) -> Piece:
    return _event("content_block_delta", {"index": index, "delta": delta})


def _call_id(ask: Ask, index: int) -> str:
    return f"toolu_demo{ask.serial:06d}x{index}"


def _message(ask: Ask, content: list[dict[str, Any]], stop: str | None, usage: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"msg_demo{ask.serial:06d}",
        "type": "message",
        "role": "assistant",
        "model": ask.model,
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": usage,
    }


def _usage(script: Script, output_tokens: int) -> dict[str, Any]:
    return {
        "input_tokens": script.input_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": output_tokens,
        "service_tier": "standard",
    }
