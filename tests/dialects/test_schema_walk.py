"""Schemas are told from maps and data, references are followed, and two schemas become one."""

from typing import Any

import pytest
from hypothesis import given

from proxy.dialects.schema_walk import (
    MOST,
    add_notes,
    find_target,
    inline_refs,
    is_recursive,
    list_schemas,
    map_schemas,
    merge_all,
    merge_schemas,
)
from tests.helpers.feeds import fuzz
from tests.helpers.schemas import NONSENSE, RECURSIVE, SCHEMAS, build_bomb, nest

A, B, C = {"title": "a"}, {"title": "b"}, {"title": "c"}


@pytest.mark.parametrize(
    ("schema", "found"),
    [
        ({"properties": {"items": A, "enum": B}}, [A, B]),
        ({"items": A, "not": B, "additionalProperties": C}, [A, B, C]),
        ({"items": [A, B]}, [A, B]),
        ({"anyOf": [A], "allOf": [B], "prefixItems": [C]}, [A, B, C]),
        ({"$defs": {"x": A}, "patternProperties": {"^y": B}}, [A, B]),
        ({"enum": [A], "const": B, "default": C, "examples": [A], "x-mine": B}, []),
        ({"properties": [A], "anyOf": A, "additionalProperties": True}, []),
    ],
)
def test_schemas_are_found_where_they_stand(schema: dict[str, Any], found: list[Any]) -> None:
    assert list_schemas(schema) == found
    assert map_schemas(schema, lambda inner: inner) == schema


ROOT = {"$defs": {"a/b": A, "m~n": B, "é x": C}, "anyOf": [A, B]}


@pytest.mark.parametrize(
    ("ref", "target"),
    [
        ("#", ROOT), ("#/$defs/a~1b", A), ("#/$defs/m~0n", B), ("#/%24defs/%C3%A9%20x", C), ("#/anyOf/1", B),
        ("#/anyOf/2", None), ("#/anyOf/x", None), ("#/anyOf/1/title/x", None), ("#/none", None), ("#name", None),
        ("https://a/#/anyOf/1", None), ("", None), (None, None), (5, None),
    ],
)  # fmt: skip
def test_a_reference_is_followed(ref: Any, target: Any) -> None:
    assert find_target(ROOT, ref) == target


def test_what_is_referred_to_takes_its_place() -> None:
    schema = {
        "properties": {"x": {"$ref": "#/$defs/a", "description": "mine"}, "y": {"$ref": "#/$defs/b"}},
        "$defs": {"a": {"type": "string", "description": "its"}, "b": {"items": {"$ref": "#/$defs/a"}}},
    }
    assert inline_refs(schema) == {
        "properties": {
            "x": {"type": "string", "description": "mine"},
            "y": {"items": {"type": "string", "description": "its"}},
        }
    }


def test_a_cycle_is_unrolled_a_few_times() -> None:
    schema: Any = inline_refs(RECURSIVE)
    depth = 0
    while "properties" in schema:
        schema = schema["properties"]["children"]["items"]
        depth += 1
    assert 1 <= depth <= 5
    assert schema == {"type": "object", "description": "see node"}


def count(schema: Any) -> int:
    return 1 + sum(map(count, list_schemas(schema))) if isinstance(schema, dict) else 1


@fuzz
@given(NONSENSE | SCHEMAS)
def test_no_reference_is_left(schema: Any) -> None:
    def check(inner: Any) -> None:
        if isinstance(inner, dict):
            assert not inner.keys() & {"$ref", "$defs", "definitions"}
            for below in list_schemas(inner):
                check(below)

    check(inline_refs(schema))


@pytest.mark.parametrize(
    "schema", [build_bomb(), {"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [{"$ref": "#"}] * 20}}}]
)
def test_what_grows_as_a_power_is_cut(schema: Any) -> None:
    assert 100 < count(inline_refs(schema)) < 3 * MOST


def test_what_is_too_deep_is_cut() -> None:
    assert count(inline_refs(nest(300))) < 100


@pytest.mark.parametrize(
    ("schema", "recursive"),
    [
        (RECURSIVE, True),
        ({"properties": {"a": {"$ref": "#"}}}, True),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}, True),
        ({"$defs": {"a": {"items": {"$ref": "#/$defs/a"}}}}, True),
        ({"properties": {"a": {"$ref": "#/$defs/a"}, "b": {"$ref": "#/$defs/a"}}, "$defs": {"a": {}}}, False),
        ({"$ref": "https://a/b"}, False),
        (build_bomb(20), False),
        (True, False),
    ],
)
def test_recursion_is_seen(schema: Any, recursive: bool) -> None:
    assert is_recursive(schema) is recursive


@pytest.mark.parametrize(
    ("first", "second", "merged"),
    [
        ({"type": "string"}, {"maxLength": 5}, {"type": "string", "maxLength": 5}),
        ({"description": "a"}, {"description": "b"}, {"description": "b"}),
        ({"required": ["a", "b"]}, {"required": ["b", "c"]}, {"required": ["a", "b", "c"]}),
        ({"enum": [1, 2]}, {"enum": [2, 3]}, {"enum": [2]}),
        ({"enum": [1]}, {"enum": [3]}, {"enum": [3]}),
        ({"allOf": [A]}, {"allOf": [B]}, {"allOf": [A, B]}),
        ({"items": {"type": "string"}}, {"items": {"maxLength": 1}}, {"items": {"type": "string", "maxLength": 1}}),
        (
            {"properties": {"a": {"type": "string"}, "b": True}},
            {"properties": {"a": {"maxLength": 1}, "c": A}},
            {"properties": {"a": {"type": "string", "maxLength": 1}, "b": True, "c": A}},
        ),
    ],
)
def test_two_schemas_become_one(first: Any, second: Any, merged: Any) -> None:
    assert merge_schemas(first, second) == merged


def test_parts_of_parts_are_merged_and_what_stands_beside_them_holds() -> None:
    schema = {"allOf": [{"allOf": [{"title": "deep", "type": "string"}]}, {"title": "flat"}, True], "title": "own"}
    assert merge_all(schema) == {"title": "own", "type": "string"}
    assert merge_all({"allOf": True}) == {}


@pytest.mark.parametrize(
    ("schema", "notes", "description"),
    [
        ({}, {"format": "uri", "minimum": 1}, "(format: uri, minimum: 1)"),
        ({"description": "d"}, {"uniqueItems": True}, "d (uniqueItems: true)"),
        ({"description": "d"}, {}, "d"),
        ({"description": "d"}, {"pattern": "x" * 500}, "d"),
        ({"description": 5}, {"pattern": "x"}, "(pattern: x)"),
    ],
)
def test_what_is_lost_is_told(schema: Any, notes: Any, description: str) -> None:
    assert add_notes(schema, notes)["description"] == description
