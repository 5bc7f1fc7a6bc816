"""What is left of an account's limits, from the fields of an answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.accounts.rate_headers import NO_RATES, Rate, read_rates
from proxy.dialects.delays import LONGEST
from proxy.wire.headers import Headers
from tests.helpers.feeds import fuzz

DATE = "Wed, 19 Aug 2026 14:34:07 GMT"
EPOCH = 1787150047.0  # the same


def build(fields: dict[str, str]) -> Headers:
    return Headers(tuple((name.encode(), value.encode("latin-1")) for name, value in fields.items()))


def read(fields: dict[str, str], now: float = EPOCH) -> dict[str, Rate]:
    return {rate.bucket: rate for rate in read_rates(build(fields), now).rates}


def test_openai_says_both_buckets_with_durations() -> None:
    fields = {
        "x-ratelimit-limit-requests": "500", "X-RateLimit-Remaining-Requests": "499",
        "x-ratelimit-reset-requests": "120ms", "x-ratelimit-limit-tokens": "30000",
        "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6m0s", "x-request-id": "req_1",
    }  # fmt: skip
    assert read(fields) == {
        "requests": Rate("requests", 499, 500, EPOCH + 0.12),
        "tokens": Rate("tokens", 0, 30000, EPOCH + 360),
    }


def test_anthropic_says_times_of_day() -> None:
    fields = {
        "anthropic-ratelimit-requests-limit": "50", "anthropic-ratelimit-requests-remaining": "49",
        "anthropic-ratelimit-requests-reset": "2026-08-19T14:34:08Z",
        "anthropic-ratelimit-input-tokens-limit": "30000", "anthropic-ratelimit-input-tokens-remaining": "0",
        "anthropic-ratelimit-input-tokens-reset": "2026-08-19T14:35:07+00:00", "date": DATE,
    }  # fmt: skip
    assert read(fields) == {
        "requests": Rate("requests", 49, 50, EPOCH + 1),
        "input-tokens": Rate("input-tokens", 0, 30000, EPOCH + 60),
    }


def test_a_time_of_day_counts_from_the_providers_clock() -> None:
    """Theirs is an hour ahead of ours: the reset is in a minute all the same."""
    fields = {
        "anthropic-ratelimit-tokens-remaining": "0",
        "anthropic-ratelimit-tokens-reset": "2026-08-19T14:35:07Z", "date": DATE,
    }  # fmt: skip
    assert read(fields, EPOCH - 3600)["tokens"].reset == EPOCH - 3600 + 60


def test_a_time_of_day_without_a_date_counts_from_our_clock() -> None:
    fields = {"anthropic-ratelimit-tokens-remaining": "0", "anthropic-ratelimit-tokens-reset": "2026-08-19T14:35:07Z"}
    assert read(fields)["tokens"].reset == EPOCH + 60


@pytest.mark.parametrize(
    ("fields", "rate"),
    [
        # OpenRouter: no name, milliseconds since the epoch
        ({"x-ratelimit-limit": "20", "x-ratelimit-remaining": "3", "x-ratelimit-reset": "1787150052000"},
         Rate("requests", 3, 20, EPOCH + 5)),
        # Azure: seconds
        ({"x-ratelimit-remaining-tokens": "12", "x-ratelimit-reset-tokens": "1"},
         Rate("tokens", 12, None, EPOCH + 1)),
        # Cerebras: names of its own, seconds with a fraction
        ({"x-ratelimit-remaining-requests-day": "7", "x-ratelimit-reset-requests-day": "33011.382867"},
         Rate("requests-day", 7, None, EPOCH + 33011.382867)),
        # Mistral: no reset at all
        ({"x-ratelimit-remaining-req-minute": "0", "x-ratelimit-limit-req-minute": "60"},
         Rate("req-minute", 0, 60, None)),
        ({"x-ratelimit-remaining-requests": "0.7"}, Rate("requests", 0)),
        ({"x-ratelimit-remaining-requests": "1", "x-ratelimit-limit-requests": "many"}, Rate("requests", 1)),
        # a reset that has passed
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1787150000"}, Rate("requests", 0)),
        # a reset beyond belief
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "99999999999999"},
         Rate("requests", 0, None, EPOCH + LONGEST)),
    ],
    ids=["openrouter", "azure", "cerebras", "mistral", "fraction", "odd limit", "passed", "beyond"],
)  # fmt: skip
def test_other_forms(fields: dict[str, str], rate: Rate) -> None:
    assert read(fields) == {rate.bucket: rate}


@pytest.mark.parametrize(
    "fields",
    [
        {}, {"content-type": "application/json"},
        {"x-ratelimit-limit-requests": "5", "x-ratelimit-reset-requests": "1s"},  # what is left is not said
        {"x-ratelimit-remaining-requests": "-1"}, {"x-ratelimit-remaining-requests": "unlimited"},
        {"x-ratelimit-remaining-requests": ""}, {"x-ratelimit-remaining-requests": "1" * 19},
        {"x-ratelimit-remaining-requests": "1.-5"}, {"x-ratelimit-over-limit": "yes"}, {"x-ratelimit-": "0"},
        {"anthropic-ratelimit-": "0"}, {"anthropic-ratelimit-unified-5h-utilization": "0"},
        {"x-ratelimit-remaining-requests": "\xb2"},
    ],
)  # fmt: skip
def test_what_says_nothing(fields: dict[str, str]) -> None:
    assert read_rates(build(fields), EPOCH) == NO_RATES


def test_the_first_of_two_fields_counts() -> None:
    headers = Headers(((b"x-ratelimit-remaining", b"4"), (b"x-ratelimit-remaining", b"0")))
    assert read_rates(headers, EPOCH).rates == (Rate("requests", 4),)


def test_buckets_are_bounded() -> None:
    headers = build({f"x-ratelimit-remaining-{number}": "1" for number in range(1000)})
    assert len(read_rates(headers, EPOCH).rates) == 16


def test_held_until_every_empty_bucket_is_full_again() -> None:
    fields = {
        "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "2s",
        "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "7s",
        "x-ratelimit-remaining-images": "0",
        "x-ratelimit-remaining-day": "3", "x-ratelimit-reset-day": "24h",
    }  # fmt: skip
    assert read_rates(build(fields), EPOCH).held_until == EPOCH + 7


@pytest.mark.parametrize("remaining", ["1", "x", "-1"])
def test_not_held_by_what_is_left(remaining: str) -> None:
    fields = {"x-ratelimit-remaining-requests": remaining, "x-ratelimit-reset-requests": "2s"}
    assert read_rates(build(fields), EPOCH).held_until is None


NAMES = st.builds(
    lambda prefix, word, more: f"{prefix}{word}{more}",
    st.sampled_from(["x-ratelimit-", "anthropic-ratelimit-"]),
    st.sampled_from(
        ["remaining", "limit", "reset", "remaining-tokens", "reset-tokens", "tokens-remaining", "tokens-reset"]
    ),
    st.sampled_from(["", "-", "-day"]),
)  # fmt: skip
VALUES = st.one_of(
    st.sampled_from(
        ["0", "0.", "1e9", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9" * 15, "nan", "inf"]
    ),
    st.text(st.characters(max_codepoint=255), max_size=12),
)  # fmt: skip


@fuzz
@given(st.dictionaries(NAMES, VALUES, max_size=8), st.one_of(st.none(), VALUES, st.just(DATE)))
def test_never_raises_and_never_holds_for_ever(fields: dict[str, str], date: str | None) -> None:
    rates = read_rates(build(fields if date is None else {**fields, "date": date}), EPOCH)
    assert all(rate.remaining >= 0 for rate in rates.rates)
    assert rates.held_until is None or EPOCH <= rates.held_until <= EPOCH + LONGEST
