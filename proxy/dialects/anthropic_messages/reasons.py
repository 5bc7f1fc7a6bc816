"""Why a message stopped: Anthropic's `stop_reason` and the hub's reasons, one table each way.

Unknown words of a provider are OTHER; every reason of the hub has a word here (docs.anthropic.com/en/api/messages).
"""

from typing import Final

from proxy.dialects.events import Reason

_REASONS: Final = {
    "": Reason.STOP,
    "end_turn": Reason.STOP,
    "max_tokens": Reason.LENGTH,
    "stop_sequence": Reason.STOP_SEQUENCE,
    "tool_use": Reason.TOOL_USE,
    "pause_turn": Reason.PAUSE,
    "refusal": Reason.REFUSAL,
    "model_context_window_exceeded": Reason.CONTEXT_FULL,
}

_WORDS: Final = {
    Reason.STOP: "end_turn",
    Reason.STOP_SEQUENCE: "stop_sequence",
    Reason.LENGTH: "max_tokens",
    Reason.TOOL_USE: "tool_use",
    Reason.CONTENT_FILTER: "refusal",
    Reason.REFUSAL: "refusal",
    Reason.CONTEXT_FULL: "model_context_window_exceeded",
    Reason.PAUSE: "pause_turn",
    Reason.MALFORMED_TOOL: "end_turn",
    Reason.OTHER: "end_turn",
}


def parse_reason(word: str, *, called: bool) -> Reason:
    """called: the message holds a tool call. Without one `tool_use` would leave the client waiting for it; with one
    `end_turn` is what some compatible servers say."""
    reason = _REASONS.get(word, Reason.OTHER)
    if reason is Reason.TOOL_USE and not called:
        return Reason.STOP
    if reason is Reason.STOP and called:
        return Reason.TOOL_USE
    return reason


def build_reason(reason: Reason, *, called: bool, refused: bool) -> str:
    """refused: the answer holds a refusal, which OpenAI finishes with a plain stop."""
    if refused and reason in (Reason.STOP, Reason.OTHER):
        reason = Reason.REFUSAL
    if reason is Reason.TOOL_USE and not called:
        reason = Reason.STOP
    return _WORDS[reason]
