"""What is hidden of a message before it is kept."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.wire.headers import CREDENTIALS
from proxy.wire.hiding import (
    HIDDEN,
    LONGEST,
    MOST,
    SHORTEST,
    find_secrets,
    hide_answer_fields,
    hide_parameters,
    hide_request_fields,
    mask_parts,
    mask_text,
)


@pytest.mark.parametrize(
    "name",
    [
        *sorted(CREDENTIALS),
        b"X-Auth",
        b"x-amz-security-token",
        b"OpenAI-Secret",
        b"Cookie",
        b"X-Forwarded-For",
        b"forwarded",
        b"x-real-ip",
        b"CF-Connecting-IP",
        b"Referer",
        b"from",
    ],
)
def test_what_opens_something_loses_its_value(name: bytes) -> None:
    assert hide_request_fields([(name, b"s3cret"), (b"accept", b"*/*")]) == [(name, HIDDEN), (b"accept", b"*/*")]


def test_limits_of_tokens_are_kept() -> None:
    pairs = [(b"x-ratelimit-remaining-tokens", b"12"), (b"anthropic-ratelimit-tokens-reset", b"x"), (b"etag", b"y")]
    assert hide_request_fields(pairs) == pairs


def test_of_an_answer_cookies_and_credentials_are_hidden_only() -> None:
    pairs = [
        (b"Set-Cookie", b"a=b"),
        (b"X-Api-Key", b"k"),
        (b"x-session-id", b"1"),
        (b"x-ratelimit-limit-tokens", b"9"),
    ]
    assert hide_answer_fields(pairs) == [(b"Set-Cookie", HIDDEN), (b"X-Api-Key", HIDDEN), *pairs[2:]]


@pytest.mark.parametrize(
    ("target", "kept"),
    [
        ("/v1/x", "/v1/x"),
        ("/v1/x?", "/v1/x?"),
        ("/x?alt=sse&key=AIza", "/x?alt=sse&key=***"),
        ("/x?access_token=a&api-version=2", "/x?access_token=***&api-version=2"),
        ("/x?API_KEY=a", "/x?API_KEY=***"),
        ("/x?k%65y=AIza", "/x?k%65y=***"),
        ("/x?sig=a%20b&x", "/x?sig=***&x"),
        ("/x?key=", "/x?key=***"),
    ],
)
def test_parameters_that_open_something_lose_their_values(target: str, kept: str) -> None:
    assert hide_parameters(target) == kept


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        (b"Authorization", b"Bearer 0123456789", (b"0123456789",)),
        (b"x-api-key", b"0123456789", (b"0123456789",)),
        (b"Cookie", b"a=0123456789; b=9876543210; c=d", (b"0123456789", b"9876543210")),
        (b"x-api-key", b"0123456", ()),
        (b"accept", b"0123456789", ()),
    ],
)
def test_what_a_request_opens_something_with_is_found(name: bytes, value: bytes, found: tuple[bytes, ...]) -> None:
    assert find_secrets([(name, value)], "/x?alt=abcdefghij") == found
    shown = find_secrets([(name, value)], "/x?key=abcdef%2Fhij")
    assert sorted(shown) == sorted((*found, b"abcdef%2Fhij", b"abcdef/hij"))


def test_a_flood_of_cookies_is_not_all_looked_for() -> None:
    """Each is looked for in every read: the key itself comes first."""
    flood = b"; ".join(b"c%d=%08d" % (number, number) for number in range(5000))
    found = find_secrets([(b"cookie", flood), (b"authorization", b"Bearer 0123456789")], "/")
    assert len(found) == MOST
    assert found[0] == b"0123456789"


@pytest.mark.parametrize("size", [LONGEST - 1, LONGEST, LONGEST + 1, LONGEST + SHORTEST, 5 * LONGEST + 3])
def test_a_long_secret_is_masked_in_pieces(size: int) -> None:
    """Reads are held back as long as a secret may have begun in them, so none may be very long."""
    token = bytes(Random(size).choices(range(33, 127), k=size))
    found = find_secrets([(b"authorization", b"Bearer " + token)], "/")
    assert max(map(len, found)) <= LONGEST
    (masked,) = mask_parts([b"you sent " + token], found)
    assert masked == b"you sent " + b"*" * size


def test_no_end_of_a_secret_stays_behind_one_that_it_begins_with() -> None:
    assert mask_parts([b"a sk-12345-and-more b"], [b"sk-12345", b"sk-12345-and-more"]) == [b"a ***************** b"]


def test_parts_without_a_secret_are_the_very_same() -> None:
    parts = [b"abc", b"def"]
    assert mask_parts(parts, [b"sk-123"]) is parts
    assert mask_parts(parts, []) is parts


@given(st.binary(max_size=30), st.binary(max_size=30), st.lists(st.integers(0, 80), max_size=6))
def test_a_secret_is_masked_however_it_is_cut(before: bytes, after: bytes, cuts: list[int]) -> None:
    secret = b"sk-0123456789abcdef"
    whole = before + secret + after
    places = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    parts = [whole[start:end] for start, end in pairwise(places)]
    masked = mask_parts(parts, [b"another", secret])
    assert list(map(len, masked)) == list(map(len, parts))
    assert b"".join(masked) == whole.replace(secret, b"*" * len(secret))
    assert secret not in b"".join(masked)


def test_a_text_is_masked_as_the_bytes_that_it_stands_for() -> None:
    assert (
        mask_text("a\xffkey, sk-12345-and-more", [b"\xffkey", b"sk-12345", b"sk-12345-and-more"])
        == "a****, " + "*" * 17
    )
