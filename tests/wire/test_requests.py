"""What is refused of a request head, and what is read from it."""

import pytest

from proxy.errors import Code
from proxy.wire.headers import Headers
from proxy.wire.requests import Head, check_head, get_body_length, wants_continue


def build(*fields: tuple[bytes, bytes], method: str = "POST", target: str = "/a", version: str = "1.1") -> Head:
    major, minor = version.split(".")
    return Head(method, target, (int(major), int(minor)), Headers(fields))


@pytest.mark.parametrize(
    ("version", "code"),
    [("1.0", None), ("1.1", None), ("1.2", Code.VERSION), ("0.9", Code.VERSION), ("2.0", Code.VERSION)],
)
def test_only_two_versions_are_spoken(version: str, code: Code | None) -> None:
    assert check_head(build(version=version)) is code


@pytest.mark.parametrize(
    ("method", "code"),
    [("GET", None), ("QUERY", None), ("CONNECT", Code.METHOD), ("TRACE", Code.METHOD)],
)
def test_methods_that_make_no_sense_here_are_refused(method: str, code: Code | None) -> None:
    assert check_head(build(method=method)) is code


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("/", None),
        ("//evil/p", None),
        ("/@evil", None),
        ("/a?b#", Code.TARGET),
        ("/a#f", Code.TARGET),
        ("*", Code.TARGET),
        ("evil:443", Code.TARGET),
        ("http://evil/p", Code.TARGET),
        ("", Code.TARGET),
    ],
)
def test_only_a_path_without_a_fragment_is_a_target(target: str, code: Code | None) -> None:
    assert check_head(build(target=target)) is code


@pytest.mark.parametrize("host", [b"a", b"a:80", b"a:", b"", b"[::1]:80", b"127.0.0.1", b"a_b.c", b"%41", b"*"])
def test_a_host_that_is_one_passes(host: bytes) -> None:
    assert check_head(build((b"Host", host))) is None


@pytest.mark.parametrize(
    "host", [b"a b", b"a/b@c", b"u@a", b"a:b", b"a:123456", b"a:1:2", b"[::1", b"::1", b"[x]", b"a?b", b"a\\b", b"\xe9"]
)
def test_a_host_that_is_none_is_refused(host: bytes) -> None:
    assert check_head(build((b"Host", host))) is Code.BAD_REQUEST


@pytest.mark.parametrize(
    ("values", "version", "code"),
    [
        ([b"chunked"], "1.1", None),
        ([b"Chunked"], "1.1", None),
        ([b"chunked"], "1.0", Code.BAD_REQUEST),
        ([b"chunked", b"chunked"], "1.1", Code.BAD_REQUEST),
        ([b"gzip, chunked"], "1.1", Code.NOT_IMPLEMENTED),
        ([b"gzip,\tCHUNKED"], "1.1", Code.NOT_IMPLEMENTED),
        ([b"chunked, gzip"], "1.1", Code.BAD_REQUEST),
        ([b",chunked"], "1.1", Code.BAD_REQUEST),
        ([b"chunked,"], "1.1", Code.BAD_REQUEST),
        ([b"identity"], "1.1", Code.BAD_REQUEST),
        ([b"xchunked"], "1.1", Code.BAD_REQUEST),
        ([b""], "1.1", Code.BAD_REQUEST),
    ],
)
def test_only_plain_chunks_are_a_transfer_coding(values: list[bytes], version: str, code: Code | None) -> None:
    fields = [(b"Transfer-Encoding", value) for value in values]
    assert check_head(build(*fields, version=version)) is code


@pytest.mark.parametrize(
    ("value", "code"), [(b"a", None), ("é".encode(), None), (b"a\xffb", Code.BAD_REQUEST), (b"\xc3", Code.BAD_REQUEST)]
)
def test_a_value_that_is_not_utf_8_is_refused(value: bytes, code: Code | None) -> None:
    assert check_head(build((b"X-A", b"fine"), (b"X-B", value), (b"X-C", "ü".encode()))) is code


def test_two_halves_of_a_character_in_two_fields_make_none() -> None:
    assert check_head(build((b"X-A", b"\xc3"), (b"X-B", b"\xa9"))) is Code.BAD_REQUEST


@pytest.mark.parametrize(
    ("values", "version", "code"),
    [
        ([b"100-continue"], "1.1", None),
        ([b"100-Continue"], "1.1", None),
        ([b""], "1.1", None),
        ([b"foo"], "1.1", Code.EXPECTATION),
        ([b"100-continue, foo"], "1.1", Code.EXPECTATION),
        ([b"100-continue", b"foo"], "1.1", Code.EXPECTATION),
        ([b"foo"], "1.0", None),
    ],
)
def test_only_one_expectation_can_be_met(values: list[bytes], version: str, code: Code | None) -> None:
    assert check_head(build(*[(b"Expect", value) for value in values], version=version)) is code


@pytest.mark.parametrize(
    ("via", "code"),
    [
        ([], None),
        ([b"1.1 other"], None),
        ([b"1.1 gate"], Code.LOOP),
        ([b"1.0 a, HTTP/1.1 GATE (x)"], Code.LOOP),
        ([b"1.1 a", b"1.1 gate"], Code.LOOP),
        ([b"1.1 gateway"], None),
        ([b"gate"], None),
        ([b""], None),
    ],
)
def test_a_request_that_was_here_before_is_a_loop(via: list[bytes], code: Code | None) -> None:
    head = build(*[(b"Via", value) for value in via])
    assert check_head(head, b"Gate") is code
    assert check_head(head) is None


def test_the_first_fault_in_the_order_of_the_checks_is_told() -> None:
    head = build((b"Host", b"a b"), (b"Expect", b"foo"), method="TRACE", target="*", version="2.0")
    assert check_head(head) is Code.VERSION


@pytest.mark.parametrize(
    ("fields", "length"),
    [
        ([], 0),
        ([(b"Content-Length", b"0")], 0),
        ([(b"Content-Length", b"12")], 12),
        ([(b"Transfer-Encoding", b"chunked")], None),
    ],
)
def test_the_length_of_a_body(fields: list[tuple[bytes, bytes]], length: int | None) -> None:
    assert get_body_length(Headers(tuple(fields))) == length


@pytest.mark.parametrize(
    ("value", "version", "wants"),
    [
        (b"100-continue", "1.1", True),
        (b"100-Continue", "1.1", True),
        (b"100-continue", "1.0", False),
        (b"", "1.1", False),
    ],
)
def test_a_client_of_http_1_1_may_wait_for_a_100(value: bytes, version: str, wants: bool) -> None:
    assert wants_continue(build((b"Expect", value), version=version)) is wants
    assert not wants_continue(build(version=version))
