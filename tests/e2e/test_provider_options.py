"""What is configured for a provider and changes how it is spoken to on the model routes."""

import json
from typing import Any

import pytest

from tests.helpers.models import LAST_CHUNK, SAY, SSE, chat_chunk, send_chunk
from tests.helpers.origin import Peer, origin
from tests.helpers.rawhttp import Reply, connected
from tests.helpers.service import running


async def ask(provider: dict[str, Any], target: str, body: dict[str, Any], text: str = "") -> tuple[Peer, Reply]:
    """The provider's connection, after it answered `text`, and what came of it."""
    async with origin() as upstream:
        config = {"providers": {"up": {"base_url": f"{upstream.base_url}/base", **provider}}}
        async with running(config) as proxy, connected("127.0.0.1", proxy.port) as client:
            await client.ask(target, body=json.dumps({"model": "up/m1", **body}).encode())
            peer = await upstream.peer()
            await peer.until(b"}")
            peer.send(SSE)
            send_chunk(peer, chat_chunk({"content": text}) + chat_chunk({}, "stop") + b"data: [DONE]\n\n")
            peer.send(LAST_CHUNK)
            return peer, await client.reply()


@pytest.mark.parametrize(
    ("who", "target", "line"),
    [
        ("openai", "/v1/chat/completions", b"/base/chat/completions?api-version=1"),
        ("openai", "/v1/chat/completions?a=b", b"/base/chat/completions?a=b&api-version=1"),
        ("claude", "/v1/messages?beta=true", b"/base/chat/completions?api-version=1"),
        ("openai", "/v1/embeddings", b"/base/embeddings?api-version=1"),
    ],
)
async def test_the_query_of_a_provider_is_part_of_every_request(who: str, target: str, line: bytes) -> None:
    peer, _ = await ask({"dialect": "openai-chat", "query": "api-version=1"}, target, SAY[who].body, "hi")
    assert bytes(peer.received).split(b" ")[1] == line


@pytest.mark.parametrize(("written", "thinks"), [("tags", True), ("off", False)])
async def test_think_tags_are_looked_for_where_the_provider_has_them(written: str, thinks: bool) -> None:
    provider = {"dialect": "openai-chat", "think_tags": written}
    body = {**SAY["claude"].body, "thinking": {"type": "adaptive"}}
    _, reply = await ask(provider, "/v1/messages", body, "<think>hm</think>hi")
    assert (b'"thinking_delta"' in reply.body) is thinks
    assert (b"<think>" in reply.body) is not thinks


@pytest.mark.parametrize("cleared", [True, False])
async def test_glm_gets_the_thoughts_of_earlier_turns_when_they_are_not_to_be_cleared(cleared: bool) -> None:
    history = [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "two", "reasoning_content": "hm"},
        {"role": "user", "content": "three"},
    ]
    provider = {"dialect": "glm", "clear_thinking": cleared}
    peer, _ = await ask(provider, "/v1/chat/completions", {"stream": True, "messages": history}, "hi")
    assert (b'"reasoning_content":"hm"' in peer.received) is not cleared
