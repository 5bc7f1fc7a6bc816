"""Which fields go on: order, duplicates and spelling kept, everything that belongs to one hop left out."""

import pytest

from proxy.wire.headers import CREDENTIALS, Headers, filter_request, filter_response, parse_list

HOP_BY_HOP = [
    b"Connection", b"Keep-Alive", b"Proxy-Authenticate", b"Proxy-Authorization", b"Proxy-Connection", b"TE",
    b"Trailer", b"Transfer-Encoding", b"Upgrade", b"HTTP2-Settings",
]  # fmt: skip


def build(*pairs: tuple[bytes, bytes]) -> Headers:
    return Headers(pairs)


def test_fields_are_found_by_lower_case_name_in_order() -> None:
    headers = build((b"A", b"1"), (b"b", b"2"), (b"a", b"3"))
    assert b"a" in headers
    assert b"A" not in headers
    assert b"c" not in headers
    assert headers.get_all(b"a") == [b"1", b"3"]
    assert headers.get_all(b"c") == []
    assert headers.get_first(b"a") == b"1"
    assert headers.get_first(b"c") is None


@pytest.mark.parametrize(
    ("values", "members"),
    [
        ([], []),
        ([b""], []),
        ([b"close"], [b"close"]),
        ([b"Close, X-Foo"], [b"close", b"x-foo"]),
        ([b" a ,\tb\t,,", b"c"], [b"a", b"b", b"c"]),
    ],
)
def test_a_list_is_folded_and_its_empty_members_left_out(values: list[bytes], members: list[bytes]) -> None:
    assert parse_list(values) == members


@pytest.mark.parametrize("name", HOP_BY_HOP)
def test_a_hop_by_hop_field_stays_here_both_ways(name: bytes) -> None:
    headers = build((b"X", b"1"), (name, b"a"), (name.upper(), b"b"), (b"Y", b"2"))
    assert filter_request(headers, frozenset()) == [(b"x", b"1"), (b"y", b"2")]
    assert filter_response(headers) == [(b"X", b"1"), (b"Y", b"2")]


@pytest.mark.parametrize("name", [b"Host", b"Content-Length", b"Expect"])
def test_what_the_next_request_frames_anew_stays_here(name: bytes) -> None:
    assert filter_request(build((name, b"x")), frozenset()) == []


def test_a_response_keeps_what_only_requests_leave() -> None:
    assert filter_response(build((b"Host", b"x"), (b"Content-Length", b"3"))) == [(b"Host", b"x")]


def test_order_duplicates_and_values_of_a_request_are_kept_and_names_folded() -> None:
    headers = build((b"A", b"1"), (b"b", b""), (b"a", b"2, 3"), (b"A", "é".encode()), (b"Content_Length", b"5"))
    assert filter_request(headers, frozenset()) == [
        (b"a", b"1"),
        (b"b", b""),
        (b"a", b"2, 3"),
        (b"a", "é".encode()),
        (b"content_length", b"5"),
    ]


def test_a_response_keeps_its_spelling() -> None:
    pairs = ((b"Set-Cookie", b"a=1"), (b"X-Odd_NAME", b"z"), (b"set-cookie", b"b=2"))
    assert filter_response(Headers(pairs)) == list(pairs)


@pytest.mark.parametrize("spelling", [b"X-Foo", b"x-foo", b"close, X-FOO", b"\tX-Foo ,"])
def test_a_nominated_field_stays_here(spelling: bytes) -> None:
    headers = build((b"Connection", spelling), (b"X-Foo", b"1"), (b"x-foo", b"2"), (b"X-Bar", b"3"))
    assert filter_request(headers, frozenset()) == [(b"x-bar", b"3")]
    assert filter_response(headers) == [(b"X-Bar", b"3")]


def test_every_connection_field_nominates() -> None:
    headers = build((b"connection", b"a"), (b"Connection", b"b"), (b"a", b"1"), (b"b", b"2"), (b"c", b"3"))
    assert filter_request(headers, frozenset()) == [(b"c", b"3")]


@pytest.mark.parametrize(
    "name",
    [*sorted(CREDENTIALS - {b"proxy-authorization"}), b"content-type", b"content-encoding", b"cache-control"],
)
def test_what_others_rely_on_cannot_be_nominated_away(name: bytes) -> None:
    headers = build((b"Connection", name), (name, b"x"))
    assert filter_request(headers, frozenset()) == [(name, b"x")]
    assert filter_response(headers) == [(name, b"x")]


@pytest.mark.parametrize("name", sorted(CREDENTIALS))
def test_credentials_go_where_they_are_dropped(name: bytes) -> None:
    assert filter_request(build((name.title(), b"secret"), (b"x", b"1")), CREDENTIALS) == [(b"x", b"1")]
