"""Finish reasons, from the provider's word to the client's."""

import pytest

from proxy.dialects.events import Reason
from proxy.dialects.openai_chat.reasons import REASONS, find_word, map_reason


@pytest.mark.parametrize(
    ("raw", "calls", "refused", "reason"),
    [
        ("stop", False, False, Reason.STOP),
        ("stop", True, False, Reason.TOOL_USE),
        ("", True, False, Reason.TOOL_USE),
        ("tool_calls", True, False, Reason.TOOL_USE),
        ("tool_calls", False, False, Reason.STOP),
        ("function_call", True, False, Reason.TOOL_USE),
        ("length", True, False, Reason.LENGTH),
        ("length", False, False, Reason.LENGTH),
        ("content_filter", True, False, Reason.CONTENT_FILTER),
        ("stop", False, True, Reason.REFUSAL),
        ("length", False, True, Reason.LENGTH),
        ("eos", False, False, Reason.STOP),
        ("COMPLETE", False, False, Reason.STOP),
        ("banana", False, False, Reason.OTHER),
        ("banana", True, False, Reason.TOOL_USE),
    ],
)
def test_what_a_word_means(raw: str, calls: bool, refused: bool, reason: Reason) -> None:
    assert map_reason(raw, REASONS, calls=calls, refused=refused) is reason


WORDS = {
    Reason.STOP: "stop",
    Reason.STOP_SEQUENCE: "stop",
    Reason.LENGTH: "length",
    Reason.TOOL_USE: "tool_calls",
    Reason.CONTENT_FILTER: "content_filter",
    Reason.REFUSAL: "content_filter",
    Reason.CONTEXT_FULL: "length",
    Reason.PAUSE: "stop",
    Reason.MALFORMED_TOOL: "stop",
    Reason.OTHER: "stop",
}


@pytest.mark.parametrize("reason", Reason)
def test_the_word_for_a_client(reason: Reason) -> None:
    assert find_word(reason, calls=True, refused=False) == WORDS[reason]


def test_a_word_goes_with_what_was_shown() -> None:
    assert find_word(Reason.TOOL_USE, calls=False, refused=False) == "stop"
    assert find_word(Reason.REFUSAL, calls=False, refused=True) == "stop"
    assert find_word(Reason.TOOL_USE, calls=True, refused=False, old=True) == "function_call"
