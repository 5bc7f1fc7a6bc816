"""Parameters: every one is read from query and header, bad ones are named and never echoed."""

from dataclasses import fields

import pytest

from proxy.demo import DemoUpstream
from proxy.demo.params import TABLE, BadParameter, Params, parse_params
from tests.helpers.rawhttp import fetch


def test_the_table_and_the_fields_are_the_same() -> None:
    assert list(TABLE) == [field.name for field in fields(Params)]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("pace", "40ms", 0.04),
        ("pace", "0", 0.0),
        ("delay", "1.5s", 1.5),
        ("delay", "2", 2.0),
        ("stall", "2m", 120.0),
        ("size", "64KiB", 65536),
        ("giant", "1MiB", 2**20),
        ("giant", "2M", 2_000_000),
        ("status", "503", 503),
        ("retry_after", "2", "2"),
        ("eol", "crlf", b"\r\n"),
        ("gzip", "1", True),
        ("gzip", "", True),
        ("gzip", "0", False),
        ("early_close", "reset", "reset"),
        ("length", "short", "short"),
    ],
)
def test_values_are_read_from_query_and_header(name: str, text: str, value: object) -> None:
    assert getattr(parse_params([(name, text)]), name) == pytest.approx(value)
    assert getattr(parse_params([], [f" {name} = {text} ;"]), name) == pytest.approx(value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pace", "fast"),
        ("pace", "-1s"),
        ("pace", "٣s"),
        ("pace", "2000000s"),
        ("n", "1.5"),
        ("n", "99999999999"),
        ("size", "1GiB"),
        ("size", "999999999"),
        ("status", "099"),
        ("status", "100"),
        ("status", "1000"),
        ("retry_after", "2\r\nX: y"),
        ("eol", "lfcr"),
        ("slice", "yes"),
        ("early", "x"),
        ("early_close", "drop"),
        ("length", "2"),
    ],
)
def test_bad_values_name_the_parameter_and_not_the_value(name: str, text: str) -> None:
    with pytest.raises(BadParameter) as caught:
        parse_params([(name, text)])
    assert str(caught.value) == f"demo parameter {name}: expected {TABLE[name][0].expected}"


def test_unknown_names_are_the_dialects_in_a_query_and_wrong_in_the_header() -> None:
    assert parse_params([("alt", "sse"), ("beta", "true")]) == Params()
    with pytest.raises(BadParameter):
        parse_params([], ["alt=sse"])


def test_header_wins_and_the_last_value_counts() -> None:
    assert parse_params([("n", "1"), ("n", "2")]).n == 2
    assert parse_params([("n", "1")], ["n=3", "n=4"]).n == 4


@pytest.mark.parametrize("pairs", [("eof", "length"), ("eof", "bad_chunk_after"), ("length", "bad_chunk_after")])
def test_two_framings_at_once_are_refused(pairs: tuple[str, str]) -> None:
    with pytest.raises(BadParameter):
        parse_params([(name, "1") for name in pairs])


async def test_bad_parameter_is_a_400_in_the_dialects_shape(demo: DemoUpstream) -> None:
    reply = await fetch(demo.port, "/v1/messages?pace=soon", body={})
    assert (reply.status, reply.json["type"]) == (400, "error")
    assert "pace" in reply.json["error"]["message"]
    reply = await fetch(demo.port, "/clock", headers="x-demo: nonsense=1\r\n")
    assert reply.status == 400
    assert b"nonsense" not in reply.body
