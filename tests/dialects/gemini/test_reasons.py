"""Google's words for why a model stopped, there and back."""

import pytest

from proxy.dialects.events import Finish, Reason
from proxy.dialects.gemini.reasons import FROM_PROVIDER, TO_CLIENT, map_reason, map_word


@pytest.mark.parametrize(
    ("word", "called", "reason"),
    [
        ("STOP", False, Reason.STOP),
        ("STOP", True, Reason.TOOL_USE),
        ("OTHER", True, Reason.TOOL_USE),
        ("", True, Reason.TOOL_USE),
        ("MAX_TOKENS", True, Reason.LENGTH),
        ("SAFETY", True, Reason.CONTENT_FILTER),
        ("MALFORMED_FUNCTION_CALL", True, Reason.MALFORMED_TOOL),
        ("OTHER", False, Reason.OTHER),
        ("SOMETHING_NEW", True, Reason.OTHER),
    ],
)
def test_a_word_and_whether_a_tool_was_called(word: str, called: bool, reason: Reason) -> None:
    assert map_reason(word, called) is reason


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_word_that_google_knows(reason: Reason) -> None:
    word = map_word(Finish(reason, "end_turn"))
    assert word == TO_CLIENT[reason]
    assert word in FROM_PROVIDER or word == "OTHER"


def test_googles_own_word_goes_back_where_it_still_holds() -> None:
    assert map_word(Finish(Reason.CONTENT_FILTER, "RECITATION")) == "RECITATION"
    assert map_word(Finish(Reason.TOOL_USE, "STOP")) == "STOP"
    assert map_word(Finish(Reason.LENGTH, "RECITATION")) == "MAX_TOKENS"
