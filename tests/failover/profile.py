"""How long a second of the scenarios is, and what a proxy under test is configured with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Profile:
    """scale: what the scenarios' times are multiplied with. least: seconds below which no limit goes, since the proxy
    looks at its clocks four times a second. slack: seconds that a busy machine may add to a limit. pace: seconds
    between tokens."""

    name: str
    scale: float
    least: float
    slack: float
    pace: float

    def time(self, seconds: float) -> float:
        return seconds * self.scale

    def limit(self, seconds: float) -> float:
        return max(seconds * self.scale, self.least)

    @property
    def cooldown_max(self) -> float:
        """An hour; in a short run what keeps a provider that is well again waiting no longer than the scenario."""
        return 3600.0 if self.scale == 1 else 2.0


FULL: Final = Profile("full", 1.0, 1.0, 3.0, 0.02)
SCALED: Final = Profile("scaled", 0.1, 1.0, 6.0, 0.01)

FIRST_BYTE: Final = 10.0
TTFT: Final = 10.0
PROGRESS: Final = 8.0
QUIET: Final = 10.0
"""Of a held status and of a heartbeat: no caller sees a longer silence."""

SAME: Final = {name: (name, name) for name in ("openai-chat", "openai-responses", "anthropic", "gemini")}
CROSS: Final = {
    "openai-chat": ("anthropic", "openai-chat"),
    "openai-responses": ("gemini", "openai-responses"),
    "anthropic": ("openai-chat", "anthropic"),
    "gemini": ("openai-responses", "gemini"),
}
MIXED: Final = {
    "openai-chat": ("openai-chat", "gemini"),
    "openai-responses": ("openai-responses", "anthropic"),
    "anthropic": ("anthropic", "openai-chat"),
    "gemini": ("gemini", "openai-chat"),
}
LINEUPS: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {"same": SAME, "cross": CROSS, "mixed": MIXED}
"""Dialects of the model under test and of its fallback, by the client's."""


def build_config(
    profile: Profile, port: int, dialects: tuple[str, str], *, rescue: str, prefill: bool | None, stream: bool
) -> dict[str, Any]:
    """prefill: whether the fallback is declared to continue an assistant's turn. Model `tested` has the fallback,
    `sound` is the fallback's provider alone."""
    names = ("main", "spare")
    progress = profile.limit(PROGRESS)
    limits = {
        "first_byte": _write(profile.limit(FIRST_BYTE)),
        "ttft": _write(profile.limit(TTFT)),
        "progress": _write(progress),
        "hold_status": _write(profile.limit(QUIET)),
        "heartbeat": _write(profile.limit(QUIET)),
        "cooldown_max": _write(profile.cooldown_max),
    }
    if not stream:  # an answer in one piece has no pieces to wait for: its only clock is that of bytes
        limits["idle"] = _write(progress)
    return {
        "state": {"path": ":memory:"},
        "limits": limits,
        "providers": {name: _build_provider(dialect, port) for name, dialect in zip(names, dialects, strict=True)},
        "models": {
            "tested": {"targets": ["main/main", "spare/spare"], "rescue": rescue},
            "sound": {"targets": ["spare/sound"]},
        },
        "capabilities": {} if prefill is None else {"spare": {"prefill": prefill}},
    }


def _build_provider(dialect: str, port: int) -> dict[str, Any]:
    version = "/v1" if dialect.startswith("openai") else ""
    return {
        "dialect": dialect,
        "base_url": f"http://127.0.0.1:{port}{version}",
        "accounts": {"one": {"key": "sk-failover-1"}},
    }


def _write(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms"
