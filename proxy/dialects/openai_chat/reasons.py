"""Why a model stopped, in OpenAI's words: tables both ways.

What the compatible servers say beside OpenAI's own five words is in the first table too ("eos" and "end_turn" of
local servers, "COMPLETE" of Cohere's endpoint). `FAILING` holds words that say that something broke: they are errors,
though they stand where a finish should (openrouter.ai/docs/api-reference/overview).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from proxy.dialects.events import FailureKind, Reason

REASONS: Final[Mapping[str, Reason]] = MappingProxyType({
    "": Reason.STOP,
    "stop": Reason.STOP,
    "eos": Reason.STOP,
    "end_turn": Reason.STOP,
    "COMPLETE": Reason.STOP,
    "stop_sequence": Reason.STOP_SEQUENCE,
    "length": Reason.LENGTH,
    "max_tokens": Reason.LENGTH,
    "model_length": Reason.LENGTH,
    "tool_calls": Reason.TOOL_USE,
    "tool_use": Reason.TOOL_USE,
    "function_call": Reason.TOOL_USE,
    "content_filter": Reason.CONTENT_FILTER,
})  # fmt: skip

FAILING: Final[Mapping[str, FailureKind]] = MappingProxyType({"error": FailureKind.SERVER})

_WORDS: Final[Mapping[Reason, str]] = MappingProxyType({
    Reason.LENGTH: "length",
    Reason.CONTEXT_FULL: "length",
    Reason.TOOL_USE: "tool_calls",
    Reason.CONTENT_FILTER: "content_filter",
})  # fmt: skip
"""Every other reason is "stop": OpenAI has no word for it."""


def map_reason(raw: str, table: Mapping[str, Reason], *, calls: bool, refused: bool) -> Reason:
    """What a provider's word means, beside what it sent: calls and their word go together, whatever was said, but
    `length` stays, since the arguments may be cut."""
    reason = table.get(raw, Reason.OTHER)
    if calls and reason in (Reason.STOP, Reason.OTHER):
        return Reason.TOOL_USE
    if reason is Reason.TOOL_USE and not calls:
        reason = Reason.STOP
    return Reason.REFUSAL if refused and reason is Reason.STOP else reason


def find_word(reason: Reason, *, calls: bool, refused: bool, old: bool = False) -> str:
    """The client's word. calls, refused: whether it was shown any. old: it asked with `functions`."""
    if reason is Reason.TOOL_USE:
        if not calls:
            return "stop"
        return "function_call" if old else "tool_calls"
    if reason is Reason.REFUSAL:
        return "stop" if refused else "content_filter"
    return _WORDS.get(reason, "stop")
