"""Why a model stopped: Google's words to the hub's and back (ai.google.dev/api/generate-content, FinishReason).

`map_reason` takes any word, known or not, and whether the model called a tool: Google says STOP then too. `map_word`
gives the word for a client; what Google itself said goes back as it came where its meaning is still the answer's.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from proxy.dialects.events import Finish, Reason

_R = Reason

FROM_PROVIDER: Final[Mapping[str, Reason]] = MappingProxyType({
    "STOP": _R.STOP,
    "MAX_TOKENS": _R.LENGTH,
    "SAFETY": _R.CONTENT_FILTER,
    "RECITATION": _R.CONTENT_FILTER,
    "LANGUAGE": _R.CONTENT_FILTER,
    "BLOCKLIST": _R.CONTENT_FILTER,
    "PROHIBITED_CONTENT": _R.CONTENT_FILTER,
    "SPII": _R.CONTENT_FILTER,
    "MODEL_ARMOR": _R.CONTENT_FILTER,
    "JAILBREAK": _R.CONTENT_FILTER,
    "IMAGE_SAFETY": _R.CONTENT_FILTER,
    "IMAGE_PROHIBITED_CONTENT": _R.CONTENT_FILTER,
    "IMAGE_RECITATION": _R.CONTENT_FILTER,
    "IMAGE_OTHER": _R.CONTENT_FILTER,
    "MALFORMED_FUNCTION_CALL": _R.MALFORMED_TOOL,
    "UNEXPECTED_TOOL_CALL": _R.MALFORMED_TOOL,
    "TOO_MANY_TOOL_CALLS": _R.MALFORMED_TOOL,
    "MISSING_THOUGHT_SIGNATURE": _R.MALFORMED_TOOL,
    "MALFORMED_RESPONSE": _R.MALFORMED_TOOL,
    "CONTINUATION": _R.PAUSE,
})  # fmt: skip
"""Anything else is OTHER."""

TO_CLIENT: Final[Mapping[Reason, str]] = MappingProxyType({
    _R.STOP: "STOP",
    _R.STOP_SEQUENCE: "STOP",
    _R.LENGTH: "MAX_TOKENS",
    _R.TOOL_USE: "STOP",
    _R.CONTENT_FILTER: "SAFETY",
    _R.REFUSAL: "SAFETY",
    _R.CONTEXT_FULL: "MAX_TOKENS",
    _R.PAUSE: "STOP",
    _R.MALFORMED_TOOL: "MALFORMED_FUNCTION_CALL",
    _R.OTHER: "OTHER",
})  # fmt: skip

# Claude behind Code Assist says OTHER for tool calls; old models say nothing at all.
_WITH_CALLS: Final = frozenset({"STOP", "", "OTHER", "FINISH_REASON_UNSPECIFIED"})


def map_reason(word: str, called: bool) -> Reason:
    """called: the answer has a tool call."""
    if called and word in _WITH_CALLS:
        return Reason.TOOL_USE
    return FROM_PROVIDER.get(word, Reason.OTHER)


def map_word(finish: Finish) -> str:
    if finish.raw != "STOP" and FROM_PROVIDER.get(finish.raw) is finish.reason:
        return finish.raw
    return TO_CLIENT[finish.reason]
