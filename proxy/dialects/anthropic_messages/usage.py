"""Token counts in Anthropic's form: a `Meter` gathers what a provider says, `build_usage` says it to a client.

`input_tokens` leaves out what was read from or written to a cache, the hub's `input` has everything
(docs.anthropic.com/en/docs/build-with-claude/prompt-caching). Counts that are no numbers say nothing. A prompt of no
tokens does not exist: a zero input, as GLM's endpoint opens its streams with, is unknown.
"""

from typing import Any, Final

from proxy.dialects.events import Usage
from proxy.dialects.parts import Json

_NAMES: Final = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")


class Meter:
    """The latest of each count: `message_delta` repeats some, revises some and leaves some out."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def feed(self, usage: Json) -> None:
        if not isinstance(usage, dict):
            return
        for name in _NAMES:
            self._note(name, usage.get(name))
        details = usage.get("output_tokens_details")
        if isinstance(details, dict):
            self._note("thinking_tokens", details.get("thinking_tokens"))

    def read(self) -> Usage:
        """What is known so far."""
        counts = self._counts
        read, written = counts.get("cache_read_input_tokens"), counts.get("cache_creation_input_tokens")
        total = counts.get("input_tokens", 0) + (read or 0) + (written or 0)
        if not total:
            read = written = None
        return Usage(total or None, read, written, counts.get("output_tokens"), counts.get("thinking_tokens"))

    def _note(self, name: str, value: Json) -> None:
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1 << 53:
            self._counts[name] = int(value)


def build_usage(usage: Usage) -> dict[str, Any]:
    """The members of a `usage` object for what is known; `output_tokens` always, as clients read it unasked."""
    built: dict[str, Any] = {}
    if usage.input is not None:
        built["input_tokens"] = max(0, usage.input - (usage.cache_read or 0) - (usage.cache_write or 0))
    if usage.cache_write is not None:
        built["cache_creation_input_tokens"] = usage.cache_write
    if usage.cache_read is not None:
        built["cache_read_input_tokens"] = usage.cache_read
    built["output_tokens"] = usage.output or 0
    if usage.reasoning is not None:
        built["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    return built
