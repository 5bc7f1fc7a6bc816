"""Tokens as the AI SDK counts them: `LanguageModelUsage` of npm `ai` 6 and 7.

Its input and output are totals, cache and reasoning included, as in the hub. What is unknown is left out, as JSON
leaves out `undefined`.
"""

from proxy.dialects.events import Usage
from proxy.dialects.parts import Json


def build_usage(usage: Usage) -> dict[str, Json]:
    """The object, {} when nothing is known."""
    known = {
        "inputTokens": usage.input,
        "inputTokenDetails": _known(
            {
                "noCacheTokens": _subtract(usage.input, usage.cache_read, usage.cache_write),
                "cacheReadTokens": usage.cache_read,
                "cacheWriteTokens": usage.cache_write,
            }
        ),
        "outputTokens": usage.output,
        "outputTokenDetails": _known(
            {"textTokens": _subtract(usage.output, usage.reasoning), "reasoningTokens": usage.reasoning}
        ),
        "totalTokens": None if usage.input is None or usage.output is None else usage.input + usage.output,
    }
    return _known(known)


def _known(values: dict[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in values.items() if value is not None and value != {}}


def _subtract(total: int | None, *parts: int | None) -> int | None:
    """What is left of `total`; None when no part of it is known."""
    known = [part for part in parts if part is not None]
    return max(0, total - sum(known)) if total is not None and known else None
