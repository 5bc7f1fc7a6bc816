"""Token counts of the Responses API (openai-python, types/responses/response_usage.py), both ways.

Input includes what was cached, output includes reasoning: the hub counts the same way. Towards a client every counter
is a number, since its types and Codex want one; an answer that nothing is known of has no usage at all.
"""

from proxy.dialects.events import Usage
from proxy.dialects.parts import Json

_MOST = 1 << 53  # what JSON readers take for a whole number


def parse_usage(value: Json) -> Usage | None:
    """None for what is no object. A counter that is absent or no number is unknown."""
    if not isinstance(value, dict):
        return None
    inputs, outputs = value.get("input_tokens_details"), value.get("output_tokens_details")
    return Usage(
        input=_read_count(value, "input_tokens"),
        cache_read=_read_count(inputs, "cached_tokens"),
        cache_write=_read_count(inputs, "cache_write_tokens"),
        output=_read_count(value, "output_tokens"),
        reasoning=_read_count(outputs, "reasoning_tokens"),
        cost=_read_cost(value.get("cost")),  # OpenRouter
    )


def build_usage(usage: Usage) -> dict[str, Json] | None:
    if usage.input is None and usage.output is None:
        return None
    return {
        "input_tokens": usage.input or 0,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read or 0,
            "cache_write_tokens": usage.cache_write or 0,
        },
        "output_tokens": usage.output or 0,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning or 0},
        "total_tokens": (usage.input or 0) + (usage.output or 0),
    }


def _read_count(value: Json, name: str) -> int | None:
    count = value.get(name) if isinstance(value, dict) else None
    if isinstance(count, str) and count.isascii() and count.isdecimal() and len(count) < 16:
        return int(count)
    if isinstance(count, bool) or not isinstance(count, int | float) or not 0 <= count < _MOST:
        return None
    return int(count)


def _read_cost(value: Json) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _MOST:
        return None
    return float(value)
