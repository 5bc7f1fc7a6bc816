"""Short ways to say requests, answers and chunks of the UI message stream."""

import json
from collections.abc import Iterable
from typing import Any

from proxy.dialects.chat import Asked, Outgoing, Turn
from proxy.dialects.events import BlockEnd, BlockStart, Delta, Event, Finish, Kind, Reason, Sign, Start, Usage
from proxy.dialects.parts import Message, Request, Signature, Text
from proxy.dialects.ui_message import CLIENT
from proxy.wire.sse import Parser

HELLO: Any = {"id": "m1", "role": "user", "parts": [{"type": "text", "text": "hello"}]}


def parse(*messages: Any, **body: Any) -> Request:
    """A body with `messages`, HELLO when there are none."""
    return CLIENT.parse_request(json.dumps({"model": "m", "messages": messages or [HELLO]} | body).encode(), Asked())


def build_turn(*messages: Message, seed: str = "req_1") -> Turn:
    messages = messages or (Message("user", (Text("hello"),)),)
    return Turn(Request("m", list(messages), "ui-message"), Outgoing("/", b""), seed, 1_700_000_000)


def block(kind: Kind, *texts: str, sign: Signature | None = None, **start: Any) -> list[Event]:
    signs = [Sign(sign)] if sign else []
    return [BlockStart(kind, **start), *(Delta(text) for text in texts), *signs, BlockEnd()]


def answer(*blocks: list[Event], reason: Reason = Reason.STOP, usage: Usage | None = None) -> list[Event]:
    told = [usage] if usage else []
    return [Start("id", "model-1"), *(event for one in blocks for event in one), *told, Finish(reason)]


def encode(events: Iterable[Event], turn: Turn | None = None) -> bytes:
    encoder = CLIENT.open_encoder(turn or build_turn())
    return b"".join(encoder.encode(event) for event in events)


def read(data: bytes) -> list[Any]:
    """The data of each event: decoded, but for a mark such as [DONE]."""
    blocks = Parser().feed(data)
    assert b"".join(block.raw for block in blocks) == data, "half an event was written"
    texts = [block.data for block in blocks]
    return [text.decode() if text[:1] == b"[" else json.loads(text) for text in texts if text is not None]


def gather(chunks: Iterable[Any]) -> list[Any]:
    """The parts of the message that `processUIMessageStream` of npm `ai` makes of the chunks."""
    parts: list[Any] = []
    texts: dict[str, Any] = {}
    calls: dict[str, Any] = {}
    for chunk in chunks:
        if chunk == "[DONE]":
            continue
        kind, _, step = chunk["type"].partition("-")
        metadata = {"providerMetadata": chunk["providerMetadata"]} if "providerMetadata" in chunk else {}
        if chunk["type"] == "start-step":
            parts.append({"type": "step-start"})
        elif step == "start":
            texts[chunk["id"]] = {"type": kind, "text": "", "state": "streaming"} | metadata
            parts.append(texts[chunk["id"]])
        elif step == "delta":
            texts[chunk["id"]]["text"] += chunk["delta"]
        elif step == "end":
            texts.pop(chunk["id"]).update({"state": "done"} | metadata)
        elif kind == "file":
            parts.append(chunk)
        elif step == "input-start":
            calls[chunk["toolCallId"]] = part = {"type": f"tool-{chunk['toolName']}", "toolCallId": chunk["toolCallId"]}
            parts.append(part)
        elif step in ("input-available", "input-error"):
            _end_call(calls.pop(chunk["toolCallId"]), chunk)
    assert not calls
    return parts


def _end_call(part: Any, chunk: Any) -> None:
    if chunk["type"] == "tool-input-available":
        part |= {"state": "input-available", "input": chunk["input"]}
    else:
        part |= {"state": "output-error", "rawInput": chunk["input"], "errorText": chunk["errorText"]}
    if "providerMetadata" in chunk:
        part["callProviderMetadata"] = chunk["providerMetadata"]
