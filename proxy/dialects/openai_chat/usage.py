"""Token counts as OpenAI and its followers write them, both ways (platform.openai.com/docs/api-reference/chat/object).

Cached tokens stand in three places: `prompt_tokens_details.cached_tokens` (OpenAI), `prompt_cache_hit_tokens`
(DeepSeek) and `cached_tokens` beside the totals (Moonshot). xAI leaves reasoning out of `completion_tokens`, which the
total gives away. A count that is missing, null or no number is unknown, never 0.
"""

from proxy.dialects.events import Usage
from proxy.dialects.parts import Json

_MOST = 1 << 53  # what JSON readers take for a whole number


def parse_usage(value: Json) -> Usage:
    """A `usage` object; anything else is all unknown."""
    if not isinstance(value, dict):
        return Usage()
    prompt, output = _as_object(value.get("prompt_tokens_details")), _as_object(value.get("completion_tokens_details"))
    read_in, written = _read_count(value.get("prompt_tokens")), _read_count(value.get("completion_tokens"))
    reasoning = _read_count(output.get("reasoning_tokens"))
    total = _read_count(value.get("total_tokens"))
    if reasoning and read_in is not None and written is not None and total == read_in + written + reasoning:
        written += reasoning
    return Usage(
        read_in,
        _first(prompt.get("cached_tokens"), value.get("prompt_cache_hit_tokens"), value.get("cached_tokens")),
        _read_count(prompt.get("cache_write_tokens")),
        written,
        reasoning,
        _read_cost(value.get("cost")),
    )


def is_known(usage: Usage) -> bool:
    """Whether anything at all was counted."""
    return usage.input is not None or usage.output is not None


def build_usage(usage: Usage) -> dict[str, Json]:
    """A `usage` object with all that OpenAI's SDKs require; what is unknown counts 0 there."""
    read_in, written = usage.input or 0, usage.output or 0
    found: dict[str, Json] = {
        "prompt_tokens": read_in,
        "completion_tokens": written,
        "total_tokens": read_in + written,
    }
    prompt = {"cached_tokens": usage.cache_read, "cache_write_tokens": usage.cache_write}
    if known := {name: count for name, count in prompt.items() if count is not None}:
        found["prompt_tokens_details"] = known
    if usage.reasoning is not None:
        found["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning}
    return found


def _as_object(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _first(*values: Json) -> int | None:
    return next((count for count in map(_read_count, values) if count is not None), None)


def _read_count(value: Json) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 16:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _MOST:
        return None
    return int(value)


def _read_cost(value: Json) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _MOST:
        return None
    return float(value)
