"""The demo's dialects as a caller of each would use them: requests out of neutral wishes, answers back into what they
said. One `Speaker` per dialect; tests run over all of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.helpers.demo_google_anthropic import (
    build_anthropic,
    build_gemini,
    read_anthropic_stream,
    read_anthropic_whole,
    read_gemini,
    read_gemini_whole,
)
from tests.helpers.demo_openai import (
    build_glm,
    build_openai,
    build_openrouter,
    build_responses,
    read_chat_stream,
    read_chat_whole,
    read_responses_stream,
    read_responses_whole,
)
from tests.helpers.demo_wishes import CLOSED, PNG, SCHEMA, Said, Wish
from tests.helpers.rawhttp import Reply, fetch

__all__ = ["CLAUDE", "CLOSED", "GPT", "PNG", "SCHEMA", "SPEAKERS", "Said", "Speaker", "Wish", "find_speaker"]


@dataclass(frozen=True)
class Speaker:
    """One dialect. stops: its words for stop, length, tool, refusal and blocked."""

    name: str
    stops: dict[str, str | None]
    build: Callable[[Wish, bool], dict[str, Any]]
    read_stream: Callable[[list[Any]], Said]
    read_whole: Callable[[Any], Said]
    path: str
    whole_path: str = ""
    model: str = "demo-1"
    headers: str = ""
    shows: bool = True  # readable thoughts

    async def ask(self, port: int, wish: Wish, query: str = "") -> tuple[Said, Said]:
        """The same wish streamed and whole."""
        reply = await self.fetch(port, wish, stream=True, query=query)
        whole = await self.fetch(port, wish, stream=False, query=query)
        assert (reply.status, whole.status) == (200, 200), (reply.body, whole.body)
        return self.read_stream(reply.data), self.read_whole(whole.json)

    async def fetch(self, port: int, wish: Wish, *, stream: bool, query: str = "") -> Reply:
        return await self.send(port, self.build(wish, stream), stream=stream, query=query)

    async def send(self, port: int, body: Any, *, stream: bool = False, query: str = "") -> Reply:
        path = (self.path if stream else self.whole_path or self.path).format(model=self.model)
        joint = "&" if "?" in path else "?"
        return await fetch(port, f"{path}{joint}pace=0{query}", body=body, headers=self.headers)


def _wrapped(model: str) -> Callable[[Wish, bool], dict[str, Any]]:
    def build(wish: Wish, stream: bool) -> dict[str, Any]:
        inner = build_gemini(wish, stream)
        if "thinkingConfig" in inner.get("generationConfig", {}):
            inner["generationConfig"].setdefault("maxOutputTokens", 9999)
        return {"project": "p", "model": model, "request": inner}

    return build


def _stops(*words: str | None) -> dict[str, str | None]:
    return dict(zip(("stop", "length", "tool", "refusal", "blocked"), words, strict=True))


CHAT_STOPS = _stops("stop", "length", "tool_calls", "stop", "content_filter")
GEMINI_STOPS = _stops("STOP", "MAX_TOKENS", "STOP", "SAFETY", "SAFETY")
INTERNAL = "/v1internal:streamGenerateContent?alt=sse"
INTERNAL_WHOLE = "/v1internal:generateContent"
MODELS = "/v1beta/models/{model}"

SPEAKERS = (
    Speaker("openai-chat", CHAT_STOPS, build_openai, read_chat_stream, read_chat_whole, "/v1/chat/completions",
            shows=False),
    Speaker("openai-responses", _stops("completed", "max_output_tokens", "completed", "completed", "content_filter"),
            build_responses, read_responses_stream, read_responses_whole, "/v1/responses"),
    Speaker("anthropic", _stops("end_turn", "max_tokens", "tool_use", "refusal", "refusal"), build_anthropic,
            read_anthropic_stream, read_anthropic_whole, "/v1/messages", headers="anthropic-version: 2023-06-01\r\n"),
    Speaker("gemini", GEMINI_STOPS, build_gemini, read_gemini, read_gemini_whole,
            MODELS + ":streamGenerateContent?alt=sse", MODELS + ":generateContent", model="gemini-3-pro"),
    Speaker("code-assist", GEMINI_STOPS, _wrapped("gemini-3-pro"), read_gemini, read_gemini_whole, INTERNAL,
            INTERNAL_WHOLE),
    Speaker("glm", _stops("stop", "length", "tool_calls", "sensitive", "sensitive"), build_glm, read_chat_stream,
            read_chat_whole, "/api/paas/v4/chat/completions"),
    Speaker("openrouter", _stops("stop", "length", "tool_calls", "content_filter", "content_filter"), build_openrouter,
            read_chat_stream, read_chat_whole, "/api/v1/chat/completions"),
)  # fmt: skip
"""One per dialect, in the order of the demo's table."""

CLAUDE = Speaker("code-assist", GEMINI_STOPS, _wrapped("claude-sonnet-4-6"), read_gemini, read_gemini_whole, INTERNAL,
                 INTERNAL_WHOLE)  # fmt: skip
GPT = Speaker("code-assist", GEMINI_STOPS, _wrapped("gpt-oss-120b"), read_gemini, read_gemini_whole, INTERNAL,
              INTERNAL_WHOLE)  # fmt: skip


def find_speaker(name: str) -> Speaker:
    return next(speaker for speaker in SPEAKERS if speaker.name == name)
