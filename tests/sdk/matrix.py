"""The matrix of clients, providers and what passes between them: what is asked, of whom, and what cannot be had.

`build_plan` is what the drivers in tests/sdk/drivers run, each with the SDK of its clients; `build_config` is the proxy
between them and the demo upstream; `GAPS` has every cell that a provider or a client cannot express, with the reason.
tests/sdk/test_matrix.py holds every cell to it, and tests/sdk/dialects_page.py writes docs/dialects.md from it.
"""

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from tests.helpers.demo_wishes import CLOSED, PNG

KEY: Final = "key-of-the-caller"
MODES: Final = ("stream", "whole")


@dataclass(frozen=True)
class Client:
    """sdk: what drives it. environment: of scripts/sdk-environment. stops: its words for the four kinds of end."""

    name: str
    sdk: str
    environment: str
    path: str
    stops: Mapping[str, str]
    modes: tuple[str, ...] = MODES


@dataclass(frozen=True)
class Provider:
    """model: what the demo is asked for. base: behind its address. options: of the provider's configuration."""

    name: str
    model: str
    base: str = ""
    options: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Feature:
    """title: in the page. What is asked for: words of `text` trigger what the demo does."""

    name: str
    title: str
    text: str = "Hello you there"
    limit: int | None = None
    tools: tuple[str, ...] = ()
    image: bool = False
    schema: bool = False
    think: bool = False
    follow: bool = False


def _stops(*words: str) -> dict[str, str]:
    return dict(zip(("stop", "length", "tool", "refusal"), words, strict=True))


CLIENTS: Final = {
    client.name: client
    for client in (
        Client("openai-chat", "openai (Python)", "openai", "/v1/chat/completions",
               _stops("stop", "length", "tool_calls", "content_filter")),
        Client("openai-responses", "openai (Python)", "openai", "/v1/responses",
               _stops("completed", "max_output_tokens", "completed", "content_filter")),
        Client("anthropic", "anthropic (Python)", "anthropic", "/v1/messages",
               _stops("end_turn", "max_tokens", "tool_use", "refusal")),
        Client("gemini", "google-genai (Python)", "genai", "/v1beta/models/{model}:generateContent",
               _stops("STOP", "MAX_TOKENS", "STOP", "SAFETY")),
        Client("ui-message", "ai (npm)", "ai", "/api/chat", _stops("stop", "length", "tool-calls", "content-filter"),
               ("stream",)),
    )
}  # fmt: skip

PROVIDERS: Final = {
    provider.name: provider
    for provider in (
        Provider("openai-chat", "gpt-5.2", "/v1", {"quirks": "openai"}),
        Provider("openai-responses", "gpt-5.2", "/v1", {"quirks": "openai"}),
        Provider("anthropic", "claude-opus-4-6"),
        Provider("gemini", "gemini-3-pro"),
        Provider("glm", "glm-4.6v", "/api/paas/v4"),
        Provider("openrouter", "anthropic/claude-opus-4.6", "/api/v1"),
        Provider("code-assist", "gemini-3-pro", "", {"project": "demo-project"}),
    )
}

FEATURES: Final = {
    feature.name: feature
    for feature in (
        Feature("text", "text"),
        Feature("reasoning", "reasoning", think=True),
        Feature("tool", "a tool call", "What is the weather?", tools=("weather",)),
        Feature("parallel", "parallel calls", "The weather and the time, in parallel", tools=("weather", "time")),
        Feature("result", "tool results", "The weather and the time, in parallel", tools=("weather", "time"),
                think=True, follow=True),
        Feature("image", "an image", image=True),
        Feature("schema", "JSON by schema", schema=True),
        Feature("usage", "usage", think=True),
        Feature("length", "length stop", limit=16),
        Feature("refusal", "refusal", "Please refuse"),
        Feature("before", "error before"),
        Feature("within", "error within"),
    )
}  # fmt: skip

FAULTS: Final = {"before": "status=503", "within": "error_after=6"}
"""What the demo upstream is told, for the features that need it to fail."""


@dataclass(frozen=True)
class Cell:
    client: str
    provider: str
    feature: str
    mode: str

    @property
    def id(self) -> str:
        return f"{self.client}-{self.provider}-{self.feature}-{self.mode}"


def list_cells(client: str) -> list[Cell]:
    modes = CLIENTS[client].modes
    return [Cell(client, provider, feature, mode) for provider in PROVIDERS for feature in FEATURES for mode in modes]


def build_config(upstream: str) -> dict[str, Any]:
    """A provider, and a model of its name, for each dialect, and one with a fault for each cell that wants it: what is
    learned of it shall concern no other."""
    providers, models = {}, {}
    for cell in (cell for client in CLIENTS for cell in list_cells(client)):
        name, provider = find_model(cell), PROVIDERS[cell.provider]
        demo = f"pace=0; {FAULTS[cell.feature]}" if cell.feature in FAULTS else "pace=0"
        providers[name] = {
            "dialect": provider.name,
            "base_url": upstream + provider.base,
            "headers": {"x-demo": demo},
            "accounts": {"main": {"key": "key-of-the-account"}},
            **(provider.options or {}),
        }
        models[name] = {"targets": [f"{name}/{provider.model}"]}
    limits = {"attempts": 1}  # what one failure becomes is to be seen
    return {"clients": {"dev": {"key": KEY}}, "providers": providers, "models": models, "limits": limits}


def find_model(cell: Cell) -> str:
    """What is asked for: the provider's name, or that of one with a fault."""
    return cell.id if cell.feature in FAULTS else cell.provider


def build_plan(clients: list[str], base_url: str) -> dict[str, Any]:
    """What a driver reads."""
    cells = [
        {
            **asdict(FEATURES[cell.feature]),
            "id": cell.id,
            "client": cell.client,
            "model": find_model(cell),
            "stream": cell.mode == "stream",
        }
        for client in clients
        for cell in list_cells(client)
    ]
    png = base64.b64encode(PNG).decode()
    return {"base_url": base_url, "key": KEY, "schema": CLOSED, "png": png, "cells": cells}


@dataclass(frozen=True)
class Gap:
    """What of `feature` does not come. shows: how a cell shows it (see CHECKS in test_matrix.py). No names mean all."""

    feature: str
    shows: str
    reason: str
    clients: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()

    def covers(self, cell: Cell) -> bool:
        return (
            cell.feature == self.feature
            and cell.client in (self.clients or CLIENTS)
            and cell.provider in (self.providers or PROVIDERS)
        )


GAPS: Final = (
    Gap(
        "reasoning", "counted only",
        "Chat completions of OpenAI count the tokens of reasoning and never show it.", providers=("openai-chat",),
    ),
    Gap(
        "reasoning", "counted only",
        "OpenAI shows summaries to those who ask, which `reasoning_effort` does not: `include_reasoning` does.",
        ("openai-chat",), ("openai-responses",),
    ),
)  # fmt: skip


def find_gap(cell: Cell) -> Gap | None:
    return next((gap for gap in GAPS if gap.covers(cell)), None)
