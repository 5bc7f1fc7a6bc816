"""Arguments in pieces become the object that they tell of."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.gemini.partial import PartialArguments, parse_path
from tests.helpers.feeds import fuzz


def build(*pieces: dict[str, Any]) -> Any:
    arguments = PartialArguments()
    for piece in pieces:
        arguments.feed([piece])
    return json.loads(arguments.build())


def test_nothing_is_an_empty_object() -> None:
    assert build() == {}


def test_strings_of_one_place_are_appended_and_other_values_stand() -> None:
    assert build(
        {"jsonPath": "$.a.b[0].c", "stringValue": "16 ", "willContinue": True},
        {"jsonPath": "$.a.b[0].c", "stringValue": "Elm"},
        {"jsonPath": "$.a.b[1]", "numberValue": 0.5},
        {"jsonPath": "$.a.ok", "boolValue": False},
        {"jsonPath": "$.a.none", "nullValue": "NULL_VALUE"},
        {"jsonPath": "$['a key'][\"x.y\"]", "stringValue": "z"},
    ) == {"a": {"b": [{"c": "16 Elm"}, 0.5], "ok": False, "none": None}, "a key": {"x.y": "z"}}


@pytest.mark.parametrize("path", ["", "a", "$", "$[0]", "$.a[999999]", "$.a[", "$..a", "$.a[x]", "$.a['b"])
def test_a_path_that_leads_nowhere_is_left_out(path: str) -> None:
    assert build({"jsonPath": path, "stringValue": "x"}) in ({}, {"a": []})


def test_a_piece_without_a_path_is_left_out() -> None:
    assert build({"stringValue": "x"}, {"jsonPath": 3}) == {}


def test_a_place_of_another_kind_is_replaced() -> None:
    assert build({"jsonPath": "$.a", "numberValue": 1}, {"jsonPath": "$.a.b", "numberValue": 2}) == {"a": {"b": 2}}


def test_steps() -> None:
    assert parse_path("$.a[2].b_c['d e']") == ["a", 2, "b_c", "d e"]


names = st.text(st.characters(codec="utf-8", exclude_characters=".[]'\""), min_size=1)
values = st.recursive(
    st.text(st.characters(codec="utf-8")) | st.integers(-1000, 1000) | st.booleans() | st.none(),
    lambda inner: st.dictionaries(names, inner, min_size=1, max_size=3) | st.lists(inner, min_size=1, max_size=3),
    max_leaves=8,
)


def cut_up(value: Any, path: str) -> list[dict[str, Any]]:
    match value:
        case dict():
            return [piece for key, inner in value.items() for piece in cut_up(inner, f"{path}.{key}")]
        case list():
            return [piece for index, inner in enumerate(value) for piece in cut_up(inner, f"{path}[{index}]")]
        case str():
            return [{"jsonPath": path, "stringValue": half} for half in (value[:2], value[2:])]
        case bool():
            return [{"jsonPath": path, "boolValue": value}]
        case None:
            return [{"jsonPath": path, "nullValue": None}]
        case _:
            return [{"jsonPath": path, "numberValue": value}]


@fuzz
@given(st.dictionaries(names, values, max_size=3))
def test_any_object_can_be_put_together(value: dict[str, Any]) -> None:
    assert build(*cut_up(value, "$")) == value
