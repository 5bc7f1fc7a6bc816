"""Every reason has a word, and only words that all versions of the SDK take."""

from proxy.dialects.events import Reason
from proxy.dialects.ui_message.reasons import FINISH_REASONS


def test_every_reason_has_a_word_of_the_schema() -> None:
    assert set(FINISH_REASONS) == set(Reason)
    assert set(FINISH_REASONS.values()) == {"stop", "length", "content-filter", "tool-calls", "error", "other"}
