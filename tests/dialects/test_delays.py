"""How long to wait, from wherever a provider says it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.delays import find_delay, parse_duration
from proxy.wire.headers import Headers
from tests.helpers.feeds import fuzz

NOW = "Wed, 19 Aug 2026 14:34:07 GMT"
EPOCH = 1787150047  # the same


def build(fields: dict[str, str]) -> Headers:
    return Headers(tuple((name.encode(), value.encode("latin-1")) for name, value in fields.items()))


def say(message: str) -> dict[str, Any]:
    return {"error": {"message": message}}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("6m0s", 360), ("1h2m3.5s", 3723.5), ("34.4s", 34.4), ("500ms", 0.5), ("71h15m27.79s", 256527.79), ("0s", 0),
        ("12ms", 0.012), ("1d", 86400), ("", None), ("5", None), ("s", None), ("5 s", None), ("-5s", None),
        ("5x", None), ("5sx", None), ("1.5.5s", None),
    ],
)  # fmt: skip
def test_a_duration_is_read(text: str, seconds: float | None) -> None:
    assert parse_duration(text) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({"retry-after": "24"}, 24),
        ({"Retry-After": " 2.5 "}, 2.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9),
        ({"retry-after": "Wed, 19 Aug 2026 14:34:37 GMT", "date": NOW}, 30),
        ({"retry-after": "Wed, 19 Aug 2026 14:34:37 GMT"}, None),  # a moment, and nobody knows what time it is
        ({"retry-after": "Wed, 19 Aug 2026 14:33:37 GMT", "date": NOW}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "99999999999"}, 31 * 86400),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}, 360),
        ({"x-ratelimit-remaining-requests": "1", "x-ratelimit-reset-requests": "6m0s"}, None),
        (
            {
                "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "12ms",
                "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "2s",
            },
            2,
        ),
        (
            {
                "anthropic-ratelimit-input-tokens-remaining": "0", "date": NOW,
                "anthropic-ratelimit-input-tokens-reset": "2026-08-19T14:34:37Z",
            },
            30,
        ),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{EPOCH + 9}000", "date": NOW}, 9),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{EPOCH + 9}", "date": NOW}, 9),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{EPOCH}000"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "17"}, 17),
        ({}, None),
    ],
)  # fmt: skip
def test_a_delay_in_the_header_fields(fields: dict[str, str], seconds: float | None) -> None:
    assert find_delay(build(fields), {}) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ({"details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "48.9s"}]}, 48.9),
        ({"error": {"details": [{"retryDelay": {"seconds": 7}}]}}, 7),
        ({"details": [{"metadata": {"quotaResetDelay": "71h15m27.79s"}}, {"retryDelay": "5s"}]}, 5),
        ({"details": [{"metadata": {"quotaResetDelay": "1h"}}]}, 3600),
        ({"details": [{"metadata": {"quotaResetTimeStamp": "2026-08-19T15:34:07Z"}}]}, 3600),
        ({"details": [{"metadata": {"quotaResetTimeStamp": "never"}}]}, None),
        ({"metadata": {"headers": {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{EPOCH + 5}000"}}}, 5),
        (say("Rate limit reached. Please try again in 20s."), 20),
        (say("Please retry in 34.07s."), 34.07),
        (say("try again in 6m0s"), 360),
        (say("Try again in 3 hours, 17 minutes"), 10800),
        (say("retry after 5 seconds"), 5),
        (say("retry in 500ms"), 0.5),
        (say("Your limit will reset at 2026-08-19 22:35:07"), 60),
        (say("您的限额将在 2026-08-19 22:35:07 重置。"), 60),
        (say("resets at 2026-08-19T14:35:07Z"), 60),
        (say("resets at 2026-08-19T14:35:07+00:00."), 60),
        (say("Please try again later."), None),
        (say("try again in Spain"), None),
        ({"error": "retry in 3s"}, 3),
        ("retry in 3s", 3),
        (None, None),
        ([], None),
        ({"details": "x"}, None),
    ],
)
def test_a_delay_in_the_body(value: object, seconds: float | None) -> None:
    headers = build({"date": NOW})
    assert find_delay(headers, value) == (None if seconds is None else pytest.approx(seconds))


def test_sources_count_in_their_order() -> None:
    value = {"error": {"message": "retry in 4s", "details": [{"retryDelay": "3s"}]}}
    bucket = {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "5s"}
    assert find_delay(build({"retry-after": "2", **bucket}), value) == 2
    assert find_delay(build(bucket), value) == 3
    assert find_delay(build(bucket), {"error": {"message": "retry in 4s"}}) == 5


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["error", "details", "metadata", "headers", "retryDelay", "message", "quotaResetDelay",
                         "quotaResetTimeStamp", "seconds", "x-ratelimit-remaining"]),
        inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip
FIELDS = st.dictionaries(
    st.sampled_from(["retry-after", "retry-after-ms", "date", "x-ratelimit-reset", "x-ratelimit-remaining"]),
    st.text(st.characters(max_codepoint=255), max_size=12) | st.sampled_from(["0", NOW, "5"]),
    max_size=4,
)


@fuzz
@given(FIELDS, JSON)
def test_nothing_raises(fields: dict[str, str], value: object) -> None:
    delay = find_delay(build(fields), value)
    assert delay is None or 0 <= delay <= 31 * 86400
