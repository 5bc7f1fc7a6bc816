"""JSON that both readers read, in one piece per line; and a member replaced without touching another byte."""

import json
import math
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.json_text import (
    MOST_LEVELS,
    decode_json,
    encode_json,
    encode_string,
    escape_lines,
    find_member,
    list_members,
    make_unicode,
    parse_arguments,
    replace_member,
)
from tests.helpers.feeds import fuzz

TEXTS = st.text(st.characters(codec=None), max_size=12)  # lone surrogates too
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=12
)
NAMES = st.sampled_from(["model", "stream", "a", "", "\u2028", '"', "\\", "é"]) | TEXTS
BLANKS = st.sampled_from(["", "", " ", "\n", "\t\r\n  "])


@st.composite
def written_objects(draw: st.DrawFn) -> bytes:
    """JSON objects in any spelling: blanks anywhere, escapes or not, names given twice."""
    members = draw(st.lists(st.tuples(NAMES, VALUES), max_size=5))
    escaped = draw(st.booleans())
    indent = draw(st.sampled_from([None, 1]))

    def write(value: Any) -> str:
        return json.dumps(value, ensure_ascii=escaped, indent=indent)

    def blank() -> str:
        return draw(BLANKS)

    inner = ",".join(f"{blank()}{write(name)}{blank()}:{blank()}{write(value)}{blank()}" for name, value in members)
    return f"{blank()}{{{inner or blank()}}}{blank()}".encode("utf-8", "surrogatepass")


def load(data: bytes) -> Any:
    """By the standard library alone."""
    return json.loads(data.decode("utf-8", "surrogatepass"))


@fuzz
@given(written_objects(), NAMES, VALUES)
def test_replacing_keeps_every_other_byte(body: bytes, name: str, value: Any) -> None:
    place = find_member(body, name)
    data = encode_json(value)
    changed = replace_member(body, name, data)
    expected = {**load(body), name: value}
    assert load(changed) == expected
    if place is None:
        opening = body.index(b"{") + 1
        assert name not in load(body)
        assert changed.startswith(body[:opening])
        assert changed.endswith(body[opening:])
    else:
        assert changed == body[: place[0]] + data + body[place[1] :]


@fuzz
@given(written_objects())
def test_every_member_is_found_where_it_stands(body: bytes) -> None:
    for name, value in load(body).items():
        place = find_member(body, name)
        assert place is not None
        assert load(body[slice(*place)]) == value
    assert find_member(body, "no such name, surely") is None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"model":"a"}', b'{"model":1}'),
        (b'{"model":"a","model":"b"}', b'{"model":"a","model":1}'),
        (b'{"x":{"model":"a"}}', b'{"model":1,"x":{"model":"a"}}'),
        (b'{"x":"\\"model\\":","model" : [1, {"model": "}"}] , "y":2}', b'{"x":"\\"model\\":","model" : 1 , "y":2}'),
        (b'{"mod\\u0065l":"a"}', b'{"mod\\u0065l":1}'),
        (b" { } ", b' {"model":1 } '),
        (b'{"x":-1e5,"model":null}', b'{"x":-1e5,"model":1}'),
        (b'{"x":[]}', b'{"model":1,"x":[]}'),
    ],
)
def test_a_member_is_replaced_at_the_top_only(body: bytes, expected: bytes) -> None:
    assert replace_member(body, "model", b"1") == expected


def test_no_member_is_found_in_what_is_no_object() -> None:
    assert find_member(b'[{"model":1}]', "model") is None
    assert find_member(b'"model"', "model") is None


@pytest.mark.parametrize("value", [b'"' + rb"x\n" * 3_000_000 + b'"', b"[" + b'"",' * 1_000_000 + b"1]"])
def test_finding_is_fast_in_large_bodies(value: bytes) -> None:
    body = b'{"messages":' + value + b',"model":"m"}'
    start = time.perf_counter()
    assert find_member(body, "model") == (len(body) - 4, len(body) - 1)
    assert time.perf_counter() - start < 2


@fuzz
@given(VALUES)
def test_values_survive(value: Any) -> None:
    data = encode_json(value)
    assert load(data) == value
    assert decode_json(data) == value


@fuzz
@given(TEXTS)
def test_strings_survive_on_one_line(text: str) -> None:
    data = encode_string(text)
    assert load(data) == text
    assert data.decode().splitlines() == [data.decode()]


@pytest.mark.parametrize("text", ["\u2028", "\u2029", "\u0085", "é\u2028ü\u2029\u0085€", "plain", "é"])
def test_what_ends_lines_elsewhere_is_escaped(text: str) -> None:
    raw = json.dumps(text, ensure_ascii=False).encode()
    escaped = escape_lines(raw)
    assert load(escaped) == text
    assert not any(sign in escaped.decode() for sign in "\u2028\u2029\u0085")
    assert escape_lines(escaped) == escaped


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"123456789012345678901234567890", 123456789012345678901234567890),
        (rb'"\ud83d"', "\ud83d"),
        (b"[Infinity]", [math.inf]),
        ('"é"', "é"),
        (b"  1 ", 1),
    ],
)
def test_what_one_reader_refuses_the_other_reads(data: bytes | str, value: Any) -> None:
    assert decode_json(data) == value


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"nul", b"\xff", b"{}{}", b"[" * 100_000, b'{"a":' * 5000, b"1" * 5000,
     b"[" * 257 + b"1" * 9 + b"]" * 257, b'{"a":' * 257 + rb'"\ud800"' + b"}" * 257],
)  # fmt: skip
def test_what_is_no_json_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_json(data)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a":1}', {"a": 1}),
        ("", {}),
        (" \n", {}),
        ("[1]", None),
        ("{", None),
        ("null", None),
        (' {"a":{}} ', {"a": {}}),
    ],
)
def test_arguments_are_an_object_or_nothing(text: str, value: object) -> None:
    assert parse_arguments(text) == value


@given(st.text(st.characters(codec=None, categories=["Cs", "Lu", "So"])))
def test_any_text_becomes_one_that_can_be_kept(text: str) -> None:
    kept = make_unicode(text)
    kept.encode()
    assert len(kept) == len(text)
    assert [a for a, b in zip(text, kept, strict=True) if a != b] == [a for a in text if "\ud800" <= a <= "\udfff"]


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (b"{}", []),
        (b"", []),
        (b'{"a":{"b":1},"c":[{"d":2}],"a":"}"}', ["a", "c", "a"]),
        (b' { "mod\\u0065l" : 1 , "model":2}', ["model", "model"]),
    ],
)
def test_members_are_listed_as_often_as_they_stand_there(body: bytes, names: list[str]) -> None:
    assert list_members(body) == names


@pytest.mark.parametrize("opened", [b"[", b'{"a":'])
@pytest.mark.parametrize("inner", [b"1", rb'"\ud800"'])
def test_what_is_read_can_be_written_from_deeper_in_the_program(opened: bytes, inner: bytes) -> None:
    """Both count on Python's own limit: what was just read may be too deep to write."""
    closed = b"]" if opened == b"[" else b"}"
    value = decode_json(opened * MOST_LEVELS + inner + closed * MOST_LEVELS)

    def write(frames: int) -> bytes:
        return write(frames - 1) if frames else encode_json({"messages": [{"content": [value]}]})

    assert write(200).count(opened) >= MOST_LEVELS
    # many brackets are not many levels
    assert decode_json(b"[" + b",".join([b"[[]]"] * 1000) + b"]") == [[[]]] * 1000
    assert decode_json("[" * 20 + "]" * 20 + " " * 1000) == decode_json("[" * 20 + "]" * 20)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("beside", [1, 10**30, "\ud800", "NaN, -Infinity"])
def test_what_is_no_number_is_null_beside_anything(number: float, beside: Any) -> None:
    data = encode_json({"NaN": number, "b": [beside, number], "Infinity": beside})
    assert load(data) == {"NaN": None, "b": [beside, None], "Infinity": beside}
