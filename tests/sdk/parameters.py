"""What becomes of each parameter of a client's dialect at each provider: found by asking the rooms, not written down.

`find_fate` parses a short request with one parameter and builds it for the provider, as the proxy would.
"""

import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

import msgspec

from proxy.dialects.capabilities import find_capabilities
from proxy.dialects.capability_rows import parse_rows
from proxy.dialects.chat import Asked, Invalid, Outgoing, Target
from proxy.dialects.registry import CLIENTS as ROOMS
from proxy.dialects.registry import PROVIDERS as SIDES
from tests.sdk.matrix import PROVIDERS

ROWS: Final = parse_rows(files("proxy.dialects").joinpath("capabilities.toml").read_bytes())

SENT, DROPPED, REFUSED, LOST = "sent", "dropped", "400", "lost"

_SAID: Final = [{"role": "user", "content": "Hello"}]
_BODIES: Final[Mapping[str, dict[str, Any]]] = {
    "openai-chat": {"messages": _SAID},
    "openai-responses": {"input": "Hello"},
    "anthropic": {"max_tokens": 2000, "messages": _SAID},
    "gemini": {"contents": [{"parts": [{"text": "Hello"}]}]},
    "ui-message": {"messages": [{"id": "1", "role": "user", "parts": [{"type": "text", "text": "Hello"}]}]},
}
_SCHEMA: Final = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
_CLOSED: Final = {**_SCHEMA, "additionalProperties": False}

PARAMETERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "openai-chat": {
        "max_completion_tokens": 2000,
        "temperature": 0.5,
        "top_p": 0.5,
        "top_k": 5,
        "frequency_penalty": 0.5,
        "presence_penalty": 0.5,
        "seed": 7,
        "stop": ["END"],
        "n": 2,
        "logit_bias": {"50256": -100},
        "logprobs": True,
        "reasoning_effort": "low",
        "verbosity": "low",
        "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": _CLOSED}},
        "modalities": ["text", "audio"],
        "prediction": {"type": "content", "content": "Hi"},
        "web_search_options": {},
        "metadata": {"team": "a"},
        "user": "u1",
        "safety_identifier": "u1",
        "service_tier": "flex",
        "store": True,
        "prompt_cache_key": "k",
    },
    "openai-responses": {
        "max_output_tokens": 2000,
        "temperature": 0.5,
        "top_p": 0.5,
        "reasoning": {"effort": "low", "summary": "auto"},
        "text": {"format": {"type": "json_schema", "name": "x", "schema": _CLOSED}},
        "max_tool_calls": 3,
        "truncation": "auto",
        "top_logprobs": 3,
        "metadata": {"team": "a"},
        "user": "u1",
        "safety_identifier": "u1",
        "service_tier": "flex",
        "store": True,
        "prompt_cache_key": "k",
        "previous_response_id": "resp_1",
        "conversation": "conv_1",
        "background": True,
    },
    "anthropic": {
        "temperature": 0.5,
        "top_p": 0.5,
        "top_k": 5,
        "stop_sequences": ["END"],
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "output_config": {"format": {"type": "json_schema", "schema": _CLOSED}},
        "metadata": {"user_id": "u1"},
        "service_tier": "standard_only",
        "context_management": {"edits": []},
        "cache_control": {"type": "ephemeral"},
        "container": "c1",
        "mcp_servers": [{"type": "url", "url": "https://mcp.example", "name": "m"}],
    },
    "gemini": {
        "generationConfig": {
            "maxOutputTokens": 2000,
            "temperature": 0.5,
            "topP": 0.5,
            "topK": 5,
            "frequencyPenalty": 0.5,
            "presencePenalty": 0.5,
            "seed": 7,
            "stopSequences": ["END"],
            "candidateCount": 2,
            "responseLogprobs": True,
            "thinkingConfig": {"includeThoughts": True, "thinkingBudget": 1024},
            "responseJsonSchema": _CLOSED,
            "responseModalities": ["TEXT", "IMAGE"],
            "speechConfig": {},
            "mediaResolution": "MEDIA_RESOLUTION_LOW",
        },
        "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
        "cachedContent": "cachedContents/1",
        "labels": {"team": "a"},
        "serviceTier": "flex",
    },
    "ui-message": {
        "system": "Be brief.",
        "maxOutputTokens": 2000,
        "temperature": 0.5,
        "topP": 0.5,
        "topK": 5,
        "frequencyPenalty": 0.5,
        "presencePenalty": 0.5,
        "seed": 7,
        "stopSequences": ["END"],
        "reasoning": "low",
        "responseFormat": {"type": "json", "schema": _CLOSED},
    },
}
"""By client: a parameter, and a value that asks for something."""


def list_parameters(client: str) -> list[str]:
    """With a dot where they stand in an object of Gemini's."""
    names: list[str] = []
    for name, value in PARAMETERS[client].items():
        names += [f"{name}.{inner}" for inner in value] if name == "generationConfig" else [name]
    return names


def find_fate(client: str, provider: str, parameter: str) -> str:
    """SENT (translated or as it is), DROPPED or REFUSED; LOST if it vanished without a word."""
    if client == provider:
        return SENT
    outer, _, inner = parameter.partition(".")
    value = PARAMETERS[client][outer]
    kind = {"responseMimeType": "application/json"} if inner == "responseJsonSchema" else {}
    try:
        without = _build(client, provider, {outer: kind} if kind else {})
        outgoing = _build(client, provider, {outer: {inner: value[inner], **kind} if inner else value})
    except Invalid:
        return REFUSED
    if any(
        re.split(r"[.[]", name.removeprefix("generationConfig."))[0] == (inner or outer) for name in outgoing.dropped
    ):
        return DROPPED
    return LOST if outgoing.body == without.body else SENT


def _build(client: str, provider: str, more: Mapping[str, Any]) -> Outgoing:
    model, options = PROVIDERS[provider].model, PROVIDERS[provider].options or {}
    asked = Asked("m", stream=False) if client == "gemini" else Asked(stream=client == "ui-message" or None)
    request = ROOMS[client].parse_request(msgspec.json.encode({"model": "m", **_BODIES[client], **more}), asked)
    return SIDES[provider].build_request(request, Target(model, find_capabilities(model, ROWS), options=options))
