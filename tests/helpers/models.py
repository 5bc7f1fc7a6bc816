"""Model routes in front of a scripted provider: a test writes the provider's events and reads the client's.

`PROVIDERS` holds a short answer per provider dialect as its events, `SAY` how each client dialect asks. `modelled`
runs a proxy whose models `openai`, `claude` and `gemini` are spoken to in those dialects, at one and the same Origin;
`recorded` does so in front of a Recorder that answers by itself.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.helpers.origin import Origin, Peer, origin
from tests.helpers.rawhttp import RawClient, Reply, connected
from tests.helpers.recorder import Recorder, Seen, recorder
from tests.helpers.service import RunningProxy, running

SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
KEY = "sk-upstream-1"
"""Of the account at every provider."""

LAST_CHUNK = b"0\r\n\r\n"


def encode(value: Any) -> bytes:
    """Compact, as most providers write."""
    return json.dumps(value, separators=(",", ":")).encode()


def chat_chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    body = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m1"} | {"choices": choices} | more
    return b"data: " + encode(body) + b"\n\n"


def named(kind: str, **members: Any) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), encode({"type": kind, **members}))


def gemini_chunk(text: str, finish: str | None = None) -> bytes:
    candidate: dict[str, Any] = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}
    if finish is not None:
        candidate["finishReason"] = finish
    usage = {"promptTokenCount": 5, "candidatesTokenCount": 2, "totalTokenCount": 7}
    body = {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "m1", "responseId": "r1"}
    return b"data: " + encode(body) + b"\r\n\r\n"


@dataclass(frozen=True)
class Spoken:
    """A provider's answer, "Hel" and "lo": `opening` without substance, two texts, then what finishes it, and what
    marks the end of the stream. `error`: an error within."""

    opening: bytes
    texts: tuple[bytes, bytes]
    finish: bytes
    mark: bytes
    error: bytes

    @property
    def whole(self) -> bytes:
        return self.opening + b"".join(self.texts) + self.finish + self.mark


_MESSAGE: dict[str, Any] = {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "m1", "content": [], "stop_reason": None,
    "stop_sequence": None, "usage": {"input_tokens": 5, "output_tokens": 1},
}  # fmt: skip

PROVIDERS = {
    "openai": Spoken(
        chat_chunk({"role": "assistant", "content": ""}),
        (chat_chunk({"content": "Hel"}), chat_chunk({"content": "lo"})),
        chat_chunk({}, "stop"),
        b"data: [DONE]\n\n",
        b'data: {"error":{"message":"the tank is empty","type":"server_error","param":null,"code":null}}\n\n',
    ),
    "claude": Spoken(
        named("message_start", message=_MESSAGE)
        + named("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        (
            named("content_block_delta", index=0, delta={"type": "text_delta", "text": "Hel"}),
            named("content_block_delta", index=0, delta={"type": "text_delta", "text": "lo"}),
        ),
        named("content_block_stop", index=0)
        + named("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage={"output_tokens": 2}),
        named("message_stop"),
        named("error", error={"type": "overloaded_error", "message": "the tank is empty"}),
    ),
    "gemini": Spoken(
        b"",
        (gemini_chunk("Hel"), gemini_chunk("lo")),
        gemini_chunk("", "STOP"),
        b"",
        b'data: {"error":{"code":503,"message":"the tank is empty","status":"UNAVAILABLE"}}\r\n\r\n',
    ),
}


@dataclass(frozen=True)
class Said:
    """How a client asks for `model`, what a text delta of its answers holds, and what only a complete answer has."""

    target: str
    body: dict[str, Any]
    text: str
    end: bytes


SAY = {
    "openai": Said(
        "/v1/chat/completions",
        {"stream": True, "messages": [{"role": "user", "content": "hi"}]},
        '"content":"{}"',
        b"data: [DONE]\n\n",
    ),
    "claude": Said(
        "/v1/messages",
        {"stream": True, "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}]},
        '"text":"{}"',
        b'"type":"message_stop"',
    ),
    "gemini": Said(
        "/v1beta/models/{model}:streamGenerateContent?alt=sse",
        {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
        '"text":"{}"',
        b'"finishReason":"STOP"',
    ),
    "responses": Said("/v1/responses", {"stream": True, "input": "hi"}, '"delta":"{}"', b"event: response.completed"),
    "page": Said(
        "/api/chat",
        {"messages": [{"id": "1", "role": "user", "parts": [{"type": "text", "text": "hi"}]}]},
        '"delta":"{}"',
        b"data: [DONE]\n\n",
    ),
}


def build(who: str, model: str, **more: Any) -> tuple[str, dict[str, Any]]:
    """Path and body of a request of `who` for `model`."""
    said = SAY[who]
    body = {**said.body, **more}
    return said.target.format(model=model), body if who == "gemini" else {"model": model, **body}


def read_error(who: str, reply: Reply) -> str:
    """The message of an error in the form of `who`'s dialect, which it has to have."""
    body = reply.json
    assert reply.headers["content-type"] == "application/json"
    if who == "claude":
        assert (body["type"], reply.headers["request-id"]) == ("error", body["request_id"])
        assert body["error"]["type"].endswith(("_error", "_too_large"))
    elif who == "gemini":
        assert body["error"]["code"] == reply.status
        assert body["error"]["status"].isupper()
    elif who == "page":
        return str(body["error"])
    else:
        assert body["error"]["type"]
        assert {"param", "code"} <= set(body["error"])
    return str(body["error"]["message"])


@dataclass
class Rig:
    """`ask` sends a request and returns the provider's connection once all of the request has come there."""

    proxy: RunningProxy
    upstream: Origin
    client: RawClient

    async def ask(self, who: str, model: str, *, headers: str = "", **more: Any) -> Peer:
        target, body = build(who, model, **more)
        await self.client.ask(target, body=json.dumps(body).encode(), headers=headers)
        peer = await self.upstream.peer()
        await peer.until(b"}")
        return peer


def send_chunk(peer: Peer, data: bytes) -> None:
    peer.send(b"%x\r\n%b\r\n" % (len(data), data))


def _build_tables(base_url: str, config: dict[str, Any]) -> dict[str, Any]:
    """One attempt: what one answer becomes is to be seen."""
    dialects = {"openai": "openai-chat", "claude": "anthropic", "gemini": "gemini"}
    providers = {
        name: {"dialect": dialect, "base_url": base_url, "accounts": {"main": {"key": KEY}}}
        for name, dialect in dialects.items()
    }
    models = {name: {"targets": [f"{name}/m1"]} for name in dialects}
    limits = {"attempts": 1, **config.get("limits", {})}
    return {"providers": providers, "models": models, **config, "limits": limits}


@asynccontextmanager
async def modelled(*, pull: bool = False, **config: Any) -> AsyncIterator[Rig]:
    async with (
        origin() as upstream,
        running(_build_tables(upstream.base_url, config), pull=pull) as proxy,
        connected("127.0.0.1", proxy.port) as client,
    ):
        yield Rig(proxy, upstream, client)


WHOLE = {
    "openai": encode({
        "id": "c1", "object": "chat.completion", "created": 1, "model": "m1", "system_fingerprint": "fp",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
    }),
    "claude": encode({
        **_MESSAGE, "content": [{"type": "text", "text": "Hello"}], "stop_reason": "end_turn",
        "usage": {"input_tokens": 5, "output_tokens": 2}, "context_management": None,
    }),
    "gemini": encode({
        "candidates": [{"content": {"parts": [{"text": "Hello"}], "role": "model"}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 2, "totalTokenCount": 7},
        "modelVersion": "m1", "responseId": "r1",
    }),
}  # fmt: skip
"""The same answer in one piece, each with a member that only its own dialect has."""


def build_reply(body: bytes, status: int = 200, *fields: str, kind: str = "application/json") -> bytes:
    """A provider's whole answer, framed by its length."""
    lines = [f"HTTP/1.1 {status} Said", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *fields]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@asynccontextmanager
async def recorded(*, pull: bool = False, **config: Any) -> AsyncIterator[tuple[RunningProxy, Recorder]]:
    """As `modelled`, in front of a Recorder that answers by the path it is asked at, whole or streamed."""
    async with recorder() as upstream:
        upstream.answer = _answer_in_kind
        async with running(_build_tables(upstream.base_url, config), pull=pull) as proxy:
            yield proxy, upstream
        assert not upstream.malformed


def _answer_in_kind(seen: Seen) -> bytes:
    path = seen.target.decode()
    name = "claude" if "/messages" in path else "gemini" if "/models/" in path else "openai"
    if "stream" in path or b'"stream":true' in seen.body.replace(b" ", b""):
        return build_reply(PROVIDERS[name].whole, kind="text/event-stream")
    return build_reply(WHOLE[name])
