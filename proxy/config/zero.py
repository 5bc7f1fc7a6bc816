"""Zero configuration: keys that are found in the environment become providers with mounts of their names.

Takes the environment and returns the dictionary that a configuration file would give, keys as `${VAR}` and
never as text, so the same loader converts and checks it. Everything else keeps its default: loopback only,
no clients.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class KnownProvider:
    """A provider that needs nothing but its key, which is in the first of `variables` that is set."""

    name: str
    variables: tuple[str, ...]
    dialect: str
    base_url: str


KNOWN_PROVIDERS: Final = (
    KnownProvider("openai", ("OPENAI_API_KEY",), "openai-chat", "https://api.openai.com/v1"),
    KnownProvider("anthropic", ("ANTHROPIC_API_KEY",), "anthropic", "https://api.anthropic.com"),
    KnownProvider(
        "gemini", ("GEMINI_API_KEY", "GOOGLE_API_KEY"), "gemini", "https://generativelanguage.googleapis.com"
    ),
    KnownProvider("openrouter", ("OPENROUTER_API_KEY",), "openrouter", "https://openrouter.ai/api/v1"),
    KnownProvider("zai", ("ZAI_API_KEY",), "glm", "https://api.z.ai/api/paas/v4"),
)


def build_zero(environ: Mapping[str, str]) -> dict[str, object]:
    """The configuration for the keys in `environ`; a variable that is set but empty counts as not set."""
    providers: dict[str, object] = {}
    mounts: dict[str, object] = {}
    for known in KNOWN_PROVIDERS:
        variable = next((name for name in known.variables if environ.get(name)), None)
        if variable is None:
            continue
        providers[known.name] = {
            "dialect": known.dialect,
            "base_url": known.base_url,
            "accounts": {"main": {"key": f"${{{variable}}}"}},
        }
        mounts[f"/{known.name}"] = {"provider": known.name}
    return {"providers": providers, "mounts": mounts}
