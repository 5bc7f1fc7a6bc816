"""Schemas: samples fit, faults are found at their path, properties named like keywords are none."""

from typing import Any

import pytest

from proxy.demo.schemas import CLAUDE, OPENAPI, build_sample, find_keyword, find_open_object, find_unknown

SELF = {"type": "object", "properties": {"next": {"$ref": "#"}, "name": {"type": "string"}}}


@pytest.mark.parametrize(
    ("schema", "sample"),
    [
        ({"type": "integer", "minimum": 5}, 5),
        ({"type": "number", "maximum": 1}, 1),
        ({"type": ["null", "boolean"]}, True),
        ({"const": None}, None),
        ({"enum": ["a", "b"]}, "a"),
        ({"type": "STRING"}, "Oslo"),
        ({"type": "array", "items": {"type": "integer"}}, [2]),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, 2),
        ({"$ref": "#/$defs/x", "$defs": {"x": {"type": "boolean"}}}, True),
        ({"type": "object", "properties": {"a": {"type": "object", "properties": {"b": {}}}}}, {"a": {"b": "Oslo"}}),
        (3, "Oslo"),
    ],
)
def test_samples_fit(schema: Any, sample: Any) -> None:
    assert build_sample(schema, "Oslo") == sample


def test_a_schema_that_refers_to_itself_ends() -> None:
    assert build_sample(SELF, "Oslo")["next"]["next"]["name"] == "Oslo"
    assert build_sample({"$ref": "#"}, "Oslo") is None
    assert build_sample({"$ref": "#/nowhere/at/all"}, "Oslo") == "Oslo"


OPEN: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "object", "properties": {}}}}


def test_open_objects_are_found_at_any_depth() -> None:
    assert find_open_object(OPEN, "s", all_required=False) == "s.additionalProperties"
    outer = {**OPEN, "additionalProperties": False}
    assert find_open_object(outer, "s", all_required=False) == "s.properties.a.additionalProperties"
    closed = {**outer, "properties": {"a": {"type": "object", "additionalProperties": False}}}
    assert find_open_object(closed, "s", all_required=False) is None
    assert find_open_object(closed, "s", all_required=True) == "s.required"
    assert find_open_object({**closed, "required": ["a"]}, "s", all_required=True) is None


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ({"type": "OBJECT", "properties": {"const": {"type": "string"}, "$ref": {"type": "string"}}}, None),
        ({"type": "object", "additionalProperties": False}, "s.additionalProperties"),
        ({"anyOf": [{"const": 1}]}, "s.anyOf[0].const"),
        ({"type": ["string", "null"]}, "s.type"),
        ({"type": "array"}, "s.items"),
        ({"type": "string", "enum": [1]}, "s.enum"),
        ({"type": "object", "properties": {"a": {}}, "required": ["b"]}, "s.required"),
        ({"type": "string", "format": "email"}, "s.format"),
        ({"type": "string", "format": "date-time", "nullable": True}, None),
    ],
)
def test_googles_schema_knows_few_words(schema: Any, place: str | None) -> None:
    assert find_unknown(schema, "s", OPENAPI) == place


def test_claude_behind_google_knows_fewer() -> None:
    schema = {"type": "integer", "minimum": 1}
    assert find_unknown(schema, "s", OPENAPI) is None
    assert find_unknown(schema, "s", CLAUDE) == "s.minimum"


def test_keywords_are_found_as_keywords_only() -> None:
    assert find_keyword({"properties": {"minimum": {"minimum": 1}}}, "s", frozenset({"minimum"})) == (
        "s.properties.minimum.minimum"
    )
    assert find_keyword({"properties": {"minimum": {}}}, "s", frozenset({"minimum"})) is None
