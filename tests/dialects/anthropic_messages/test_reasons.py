"""Stop reasons, both ways."""

import pytest

from proxy.dialects.anthropic_messages.reasons import build_reason, parse_reason
from proxy.dialects.events import Reason


@pytest.mark.parametrize(
    ("word", "called", "reason"),
    [
        ("end_turn", False, Reason.STOP),
        ("end_turn", True, Reason.TOOL_USE),
        ("", False, Reason.STOP),
        ("max_tokens", True, Reason.LENGTH),
        ("stop_sequence", False, Reason.STOP_SEQUENCE),
        ("tool_use", True, Reason.TOOL_USE),
        ("tool_use", False, Reason.STOP),
        ("pause_turn", False, Reason.PAUSE),
        ("refusal", False, Reason.REFUSAL),
        ("model_context_window_exceeded", False, Reason.CONTEXT_FULL),
        ("something_new", True, Reason.OTHER),
    ],
)
def test_a_providers_word(word: str, called: bool, reason: Reason) -> None:
    assert parse_reason(word, called=called) is reason


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        (Reason.STOP, "end_turn"),
        (Reason.STOP_SEQUENCE, "stop_sequence"),
        (Reason.LENGTH, "max_tokens"),
        (Reason.TOOL_USE, "tool_use"),
        (Reason.CONTENT_FILTER, "refusal"),
        (Reason.REFUSAL, "refusal"),
        (Reason.CONTEXT_FULL, "model_context_window_exceeded"),
        (Reason.PAUSE, "pause_turn"),
        (Reason.MALFORMED_TOOL, "end_turn"),
        (Reason.OTHER, "end_turn"),
    ],
)
def test_the_word_for_a_client(reason: Reason, word: str) -> None:
    assert build_reason(reason, called=True, refused=False) == word


def test_every_reason_has_a_word() -> None:
    assert all(build_reason(reason, called=False, refused=False) for reason in Reason)


def test_a_call_that_was_not_told_is_not_waited_for() -> None:
    assert build_reason(Reason.TOOL_USE, called=False, refused=False) == "end_turn"


def test_a_refusal_in_the_text_is_one_in_the_reason() -> None:
    assert build_reason(Reason.STOP, called=False, refused=True) == "refusal"
    assert build_reason(Reason.LENGTH, called=False, refused=True) == "max_tokens"
