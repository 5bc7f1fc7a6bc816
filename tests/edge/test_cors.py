"""What a browser is told: which pages may call, and what they may send and read."""

import pytest

from proxy.edge.cors import build_cors, build_preflight, is_preflight
from proxy.wire.headers import Headers

APP = b"https://app.example"
VARY = (b"Vary", b"Origin")


def calling(origin: bytes | None = APP, *more: tuple[bytes, bytes]) -> Headers:
    return Headers((*(() if origin is None else ((b"Origin", origin),)), *more))


def test_where_no_page_may_call_nothing_is_said() -> None:
    assert build_cors((), calling()) == []
    assert build_cors((), calling(None)) == []


def test_a_page_that_may_call_is_named_and_caches_are_told_so() -> None:
    fields = dict(build_cors(("https://other.example", APP.decode()), calling()))
    assert fields.pop(b"Access-Control-Expose-Headers").split(b", ")
    assert fields == {b"Access-Control-Allow-Origin": APP, b"Vary": b"Origin"}


@pytest.mark.parametrize(
    "origin",
    [b"https://app.example.evil", b"http://app.example", b"https://app.example:8443", b"null", b"", b"https://\xff"],
)
def test_a_page_that_may_not_call_is_not_named(origin: bytes) -> None:
    assert build_cors((APP.decode(),), calling(origin)) == [VARY]


def test_who_is_no_page_gets_an_answer_that_caches_keep_apart() -> None:
    assert build_cors((APP.decode(),), calling(None)) == [VARY]


@pytest.mark.parametrize("origin", [APP, b"null", b"https://anything.example"])
def test_where_every_page_may_call_the_answer_is_the_same_for_all(origin: bytes) -> None:
    fields = dict(build_cors(("*",), calling(origin)))
    assert fields[b"Access-Control-Allow-Origin"] == b"*"
    assert b"Vary" not in fields


@pytest.mark.parametrize("name", [b"x-request-id", b"request-id", b"retry-after", b"x-penstock-dropped"])
def test_what_a_page_s_sdk_reads_is_exposed(name: bytes) -> None:
    for origins in (("*",), (APP.decode(),)):
        assert name in dict(build_cors(origins, calling()))[b"Access-Control-Expose-Headers"].split(b", ")


WANTS = (b"Access-Control-Request-Method", b"POST")


@pytest.mark.parametrize(
    ("method", "headers", "is_one"),
    [
        ("OPTIONS", calling(APP, WANTS), True),
        ("POST", calling(APP, WANTS), False),
        ("OPTIONS", calling(APP), False),
        ("OPTIONS", calling(None, WANTS), False),
    ],
)
def test_a_preflight_has_all_of_its_marks(method: str, headers: Headers, is_one: bool) -> None:
    assert is_preflight(method, headers) is is_one


def test_a_preflight_is_told_the_methods_and_whatever_fields_it_asks_for() -> None:
    wanted = (b"Access-Control-Request-Headers", b"x-api-key, anthropic-version")
    fields = dict(build_preflight(("GET", "HEAD"), calling(APP, WANTS, wanted)))
    assert fields[b"Access-Control-Allow-Methods"] == b"GET, HEAD"
    assert fields[b"Access-Control-Allow-Headers"] == b"x-api-key, anthropic-version"
    assert int(fields[b"Access-Control-Max-Age"]) > 0
    assert b"Access-Control-Allow-Private-Network" not in fields


def test_a_preflight_that_asks_for_no_field_is_told_of_none() -> None:
    assert b"Access-Control-Allow-Headers" not in dict(build_preflight(("POST",), calling(APP, WANTS)))


@pytest.mark.parametrize(("value", "allowed"), [(b"true", True), (b"false", False), (b"", False)])
def test_a_page_of_the_public_network_may_call_into_a_private_one_if_it_asks(value: bytes, allowed: bool) -> None:
    fields = build_preflight(("POST",), calling(APP, WANTS, (b"Access-Control-Request-Private-Network", value)))
    assert ((b"Access-Control-Allow-Private-Network", b"true") in fields) is allowed
