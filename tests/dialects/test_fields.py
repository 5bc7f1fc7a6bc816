"""Requests are read field by field, and refused at the field that is wrong."""

from collections.abc import Callable
from typing import Any

import pytest

from proxy.dialects.chat import Invalid
from proxy.dialects.fields import Fields, parse_object

BODY = {
    "text": "t", "flag": False, "number": 1.5, "whole": 3.0, "integer": 7, "huge": 10**400, "null": None,
    "list": [{"a": 1}, {"a": 2}], "words": ["a", "b"], "object": {"b": 2},
}  # fmt: skip


def read() -> Fields:
    return Fields(BODY, "at")


@pytest.mark.parametrize(
    ("take", "value"),
    [
        (lambda f: f.text("text"), "t"),
        (lambda f: f.text("none", None), None),
        (lambda f: f.text("null", "default"), "default"),
        (lambda f: f.flag("flag"), False),
        (lambda f: f.flag("none", True), True),
        (lambda f: f.number("number", None), 1.5),
        (lambda f: f.number("integer", None, 0, 7), 7),
        (lambda f: f.number("none", None), None),
        (lambda f: f.integer("whole", None), 3),
        (lambda f: f.integer("integer", None, 7), 7),
        (lambda f: f.choice("text", None, "s", "t"), "t"),
        (lambda f: f.choice("none", "d", "s"), "d"),
        (lambda f: f.array("words"), ["a", "b"]),
        (lambda f: f.array("none", ()), ()),
        (lambda f: f.texts("words"), ["a", "b"]),
        (lambda f: f.texts("text"), ["t"]),
        (lambda f: f.texts("none"), []),
        (lambda f: f.raw("object"), {"b": 2}),
        (lambda f: f.child("object").text("none", "d"), "d"),
        (lambda f: f.child("object").place("b"), "at.object.b"),
        (lambda f: f.child("null"), None),
        (lambda f: [child.at for child in f.children("list")], ["at.list[0]", "at.list[1]"]),
        (lambda f: list(f.children("none")), []),
        (lambda f: [f.has("text"), f.has("null"), f.has("none")], [True, False, False]),
    ],
)
def test_fields_are_taken(take: Callable[[Fields], Any], value: object) -> None:
    taken = take(read())
    assert taken == value
    assert type(taken) is type(value)


@pytest.mark.parametrize(
    ("take", "param", "message"),
    [
        (lambda f: f.text("none"), "at.none", "is required"),
        (lambda f: f.text("null"), "at.null", "is required"),
        (lambda f: f.text("flag"), "at.flag", "must be a string"),
        (lambda f: f.flag("text"), "at.text", "must be a boolean"),
        (lambda f: f.number("text", None), "at.text", "must be a number"),
        (lambda f: f.number("flag", None), "at.flag", "must be a number"),
        (lambda f: f.number("huge", None), "at.huge", "must be a number"),
        (lambda f: f.number("number", None, 2), "at.number", "must be at least 2"),
        (lambda f: f.number("number", None, None, 1), "at.number", "must be at most 1"),
        (lambda f: f.integer("number", None), "at.number", "must be an integer"),
        (lambda f: f.integer("integer", None, 8), "at.integer", "must be at least 8"),
        (lambda f: f.choice("text", None, "a", "b"), "at.text", "must be one of a, b"),
        (lambda f: f.array("text"), "at.text", "must be an array"),
        (lambda f: f.texts("list"), "at.list", "must be a string or an array of strings"),
        (lambda f: f.texts("integer"), "at.integer", "must be a string or an array of strings"),
        (lambda f: f.child("text"), "at.text", "must be an object"),
        (lambda f: list(f.children("words")), "at.words[0]", "must be an object"),
    ],
)
def test_what_is_wrong_is_refused_where_it_stands(take: Callable[[Fields], Any], param: str, message: str) -> None:
    with pytest.raises(Invalid) as refused:
        take(read())
    assert (refused.value.param, refused.value.message) == (param, message)


def test_what_nobody_read_is_left() -> None:
    fields = Fields({"a": 1, "b": 2, "c": None}, "")
    fields.raw("a")
    assert fields.rest() == {"b": 2, "c": None}
    assert fields.place("b") == "b"


def test_a_refusal_can_be_built_for_a_field_or_the_object() -> None:
    assert read().invalid("x", "no").param == "at.x"
    assert read().invalid("", "no").param == "at"


@pytest.mark.parametrize(("value", "param"), [([], "at"), (None, "at"), ("x", "at")])
def test_only_objects_have_fields(value: object, param: str) -> None:
    with pytest.raises(Invalid) as refused:
        Fields(value, param)
    assert refused.value.param == param


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"null", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        parse_object(body)
    assert refused.value.param == ""


def test_a_body_is_read() -> None:
    assert parse_object(b'{"model": "m"}').text("model") == "m"
