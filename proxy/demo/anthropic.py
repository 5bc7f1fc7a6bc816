"""Anthropic Messages: writes a `Script` in its wire form; `anthropic_request.py` reads its requests. Pure; no I/O,
no clock.

Shapes as in the API reference (docs.anthropic.com, Messages and streaming): named events, blocks that open,
grow and close one after the other, a ping early on, usage growing from `message_start` to `message_delta`,
`message_stop` last. A thought is signed at its end, and stays without text when it is not to be shown.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from proxy.demo import signing
from proxy.demo.answer import SSE, BadAsk, Piece, Request, build_sse
from proxy.demo.anthropic_options import (
    check_thinking,
    read_choice,
    read_output,
    read_rest,
    read_sampling,
    read_thinking,
    read_tools,
)
from proxy.demo.anthropic_request import count_breakpoints, read_messages
from proxy.demo.reading import ANTHROPIC, Fields, parse_body
from proxy.demo.script import Ask, Script

NAME: Final = "anthropic"
PATH: Final = re.compile(r"/v1/messages(?P<count>/count_tokens)?")
SHOWN: Final = "/v1/messages (and /v1/messages/count_tokens)"
REQUEST_ID: Final = "request-id"
EOL: Final = b"\n"
STOPS: Final = {
    "stop": "end_turn", "length": "max_tokens", "tool": "tool_use", "refusal": "refusal", "blocked": "refusal"
}  # fmt: skip
REFUSED: Final = {"type": "refusal", "category": "demo", "explanation": "The demo was asked to refuse."}
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


def parse_request(request: Request, path: re.Match[str]) -> Ask:
    """The request as an `Ask`. Raises `BadAsk`."""
    if not request.head.values(b"anthropic-version"):
        raise BadAsk("anthropic-version: header is required")
    counting = path["count"] is not None
    body = Fields(parse_body(request.body), "", ANTHROPIC)
    model = body.need_text("model")
    limit = body.whole("max_tokens", 1)
    if limit is None and not counting:
        raise body.missing("max_tokens")
    state = read_messages(body)
    tools, choice, alone = read_choice(body, read_tools(body))
    count_breakpoints(state, body.raw("tools"))
    thinks, show = read_thinking(body, model, limit or 1 << 30)
    read_sampling(body, model)
    if thinks:
        check_thinking(body, choice, state)
    output = read_output(body)
    stream = body.flag("stream") is True
    read_rest(body, model, state)
    return Ask(
        model=model,
        serial=request.serial,
        now=request.now,
        stream=stream,
        max_tokens=limit,
        tools=tools,
        must_call=choice in ("any", "tool"),
        may_call=choice != "none",
        one_call=alone,
        think=thinks,
        show=show,
        output=output,
        counting=counting,
        **state.talk.fields(),
    )


def stream_type(_ask: Ask) -> str:
    """The Content-Type of a streamed answer."""
    return SSE


def build_stream(ask: Ask, script: Script) -> Iterator[Piece]:
    """The answer as events."""
    yield _event("message_start", {"message": _message(ask, [], None, _usage(script, 1))})
    pinged = False
    for index, block in enumerate(_blocks(ask, script)):
        yield _event("content_block_start", {"index": index, "content_block": _begun(block)})
        if not pinged:
            yield _event("ping", {})
            pinged = True
        for delta in _deltas(block, script):
            yield _event("content_block_delta", {"index": index, "delta": delta})
        yield _event("content_block_stop", {"index": index})
    if not pinged:
        yield _event("ping", {})
    usage = {"output_tokens": script.output_tokens, **_details(script)}
    yield _event("message_delta", {"delta": _stop(script), "usage": usage})
    yield Piece(build_sse(b'{"type":"message_stop"}', "message_stop"), is_end_mark=True)


def _blocks(ask: Ask, script: Script) -> list[dict[str, Any]]:
    """The content of the whole message."""
    blocks: list[dict[str, Any]] = []
    if script.thoughts:
        text = script.thought if ask.show else ""
        signature = signing.sign(signing.ANTHROPIC, text)
        blocks.append({"type": "thinking", "thinking": text, "signature": signature})
    if script.words:
        blocks.append({"type": "text", "text": script.text})
    for index, call in enumerate(script.calls, 1):
        blocks.append({"type": "tool_use", "id": _call_id(ask, index), "name": call.name, "input": call.value})
    return blocks


def _begun(block: dict[str, Any]) -> dict[str, Any]:
    """A block as it opens: without what its deltas bring."""
    empty: dict[str, Any] = {"thinking": "", "signature": "", "text": "", "input": {}}
    return {name: empty.get(name, value) for name, value in block.items()}


def _deltas(block: dict[str, Any], script: Script) -> Iterator[dict[str, Any]]:
    if block["type"] == "thinking":
        for thought in script.thoughts if block["thinking"] else ():
            yield {"type": "thinking_delta", "thinking": thought}
        yield {"type": "signature_delta", "signature": block["signature"]}
    elif block["type"] == "text":
        for word in script.words:
            yield {"type": "text_delta", "text": word}
    else:
        call = script.calls[int(block["id"].rpartition("x")[2]) - 1]
        for fragment in ("", *call.fragments):
            yield {"type": "input_json_delta", "partial_json": fragment}


def build_whole(ask: Ask, script: Script) -> bytes:
    """The answer as one JSON object."""
    usage = {**_usage(script, script.output_tokens), **_details(script)}
    return msgspec.json.encode({**_message(ask, _blocks(ask, script), None, usage), **_stop(script)})


def build_count(ask: Ask) -> bytes:
    """How many tokens the request has."""
    return msgspec.json.encode({"input_tokens": ask.prompt_tokens})


def build_error(status: int, message: str, serial: int) -> bytes:
    """An error body."""
    kind = ERROR_TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")
    error = {"type": kind, "message": message}
    return msgspec.json.encode({"type": "error", "error": error, "request_id": f"req_demo{serial:06d}"})


def build_failure(_ask: Ask, _script: Script, _sent: int) -> Iterator[Piece]:
    """What ends a stream that fails: an event of that name, and no end mark."""
    error = {"type": "overloaded_error", "message": "Overloaded"}
    yield _event("error", {"error": error})


def build_failed(_ask: Ask) -> bytes:
    """A whole answer that fails has no form but an error status. Raises `BadAsk`."""
    raise BadAsk("Overloaded", 529)


def _event(name: str, fields: dict[str, Any]) -> Piece:
    return Piece(build_sse(msgspec.json.encode({"type": name, **fields}), name))


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


def _stop(script: Script) -> dict[str, Any]:
    stop: dict[str, Any] = {"stop_reason": STOPS[script.stop], "stop_sequence": None}
    return {**stop, "stop_details": REFUSED} if stop["stop_reason"] == "refusal" else stop


def _details(script: Script) -> dict[str, Any]:
    return {"output_tokens_details": {"thinking_tokens": script.reasoning_tokens}} if script.thoughts else {}


def _usage(script: Script, output_tokens: int) -> dict[str, Any]:
    """The input without what a cache held, which is counted beside it."""
    return {
        "input_tokens": script.input_tokens - script.cached_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": script.cached_tokens,
        "output_tokens": output_tokens,
        "service_tier": "standard",
    }
