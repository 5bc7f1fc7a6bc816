"""The trail of a request's attempts."""

import pytest

from proxy.ops.trail import Try, build_trail, format_word, is_telling, to_ms
from proxy.relay.outcome import Attempt
from proxy.types import AccountName, ProviderName

UP, A = ProviderName("up"), AccountName("a")


@pytest.mark.parametrize(
    ("attempts", "telling"),
    [
        ([], False),
        ([Attempt(UP, A, status=200)], False),
        ([Attempt(UP, A)], False),
        ([Attempt(UP, A, status=400)], True),
        ([Attempt(UP, A, status=200, error="upstream_cut")], True),
        ([Attempt(UP, A, status=200), Attempt(UP, A, status=200)], True),
    ],
)
def test_only_what_the_line_does_not_say_already_is_told(attempts: list[Attempt], telling: bool) -> None:
    assert is_telling(attempts) is telling


def test_an_attempt_is_shown_with_when_and_for_how_long() -> None:
    attempt = Attempt(UP, A, 0.1234567, 429, "rate_limit", "m", 2.0, "account")
    assert build_trail([attempt]) == [Try("up", "a", "m", 2000.0, 123.5, 429, "rate_limit", "account")]


@pytest.mark.parametrize(
    ("entry", "word"),
    [
        (Try("up", "a", "m:free", 0.0, 12.4, 200, "", "won"), "up/a:m:free@0+12ms:200:won"),
        (Try("up", None, "", 1500.0, 3.0, None, "upstream_refused", "target"),
         "up@1500+3ms:upstream_refused:target"),
        (Try("up"), "up@0+0ms"),
    ],
)  # fmt: skip
def test_an_attempt_fits_in_a_word(entry: Try, word: str) -> None:
    assert format_word(entry) == word


def test_times_are_rounded() -> None:
    assert to_ms(0.00123) == 1.2
