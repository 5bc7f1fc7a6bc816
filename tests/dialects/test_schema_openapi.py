"""The subset that Gemini's `parameters` take: no other keyword, ever, and as much of the meaning as can be kept."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.schema_openapi import to_openapi
from tests.helpers.feeds import fuzz
from tests.helpers.schemas import NONSENSE, RECURSIVE, SCHEMAS

ALLOWED = {
    "type", "format", "title", "description", "nullable", "enum", "items", "minItems", "maxItems", "minLength",
    "maxLength", "minProperties", "maxProperties", "minimum", "maximum", "pattern", "properties", "propertyOrdering",
    "required", "anyOf", "default", "example",
}  # fmt: skip
NOT_FOR_CLAUDE = {
    "default", "example", "minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties", "minimum",
    "maximum", "pattern", "format",
}  # fmt: skip
STRING = {"type": "string"}


def check(schema: Any, claude: bool) -> None:
    """Every schema in `schema` is one that is taken."""
    assert isinstance(schema, dict)
    assert schema.keys() <= (ALLOWED - NOT_FOR_CLAUDE if claude else ALLOWED)
    assert ("type" in schema) != ("anyOf" in schema)
    if "anyOf" in schema:
        assert schema.keys() <= {"anyOf", "description", "nullable"}
        assert len(schema["anyOf"]) > 1
        for branch in schema["anyOf"]:
            check(branch, claude)
        return
    assert schema["type"] in {"object", "array", "string", "number", "integer", "boolean"}
    assert schema.get("nullable", True) is True
    if "enum" in schema:
        assert schema["type"] == "string"
        assert all(isinstance(value, str) and value for value in schema["enum"])
        assert len(set(schema["enum"])) == len(schema["enum"]) > 0
    if "properties" in schema:
        assert schema["properties"]
        for inner in schema["properties"].values():
            check(inner, claude)
    assert set(schema.get("required", ())) <= schema.get("properties", {}).keys()
    assert ("items" in schema) == (schema["type"] == "array")
    if "items" in schema:
        check(schema["items"], claude)


@fuzz
@given(NONSENSE | SCHEMAS, st.booleans())
def test_nothing_that_is_not_allowed_comes_out(schema: Any, claude: bool) -> None:
    check(to_openapi(schema, claude=claude), claude)


@pytest.mark.parametrize("claude", [True, False])
def test_a_recursive_schema_ends_in_an_object(claude: bool) -> None:
    found = to_openapi(RECURSIVE, claude=claude)
    check(found, claude)
    assert found["required"] == ["name"]
    assert found["properties"]["parent"]["nullable"] is True
    assert '{"type": "object", "description": "see node"' in json.dumps(found)


@pytest.mark.parametrize(
    ("schema", "found"),
    [
        (STRING, STRING),
        ({"type": "STRING"}, STRING),
        (True, {"type": "object"}),
        (False, {"type": "object"}),
        ({}, {"type": "object"}),
        ({"type": "object", "properties": {}}, {"type": "object"}),
        ({"properties": {"a": STRING}}, {"type": "object", "properties": {"a": STRING}}),
        ({"const": "x"}, {"type": "string", "enum": ["x"]}),
        ({"const": 5}, {"type": "string", "enum": ["5"], "description": "(as text: number)"}),
        ({"enum": [1, 2.5]}, {"type": "string", "enum": ["1", "2.5"], "description": "(as text: number)"}),
        ({"enum": [True]}, {"type": "string", "enum": ["true"], "description": "(as text: boolean)"}),
        ({"enum": ["a", "", "a", None]}, {"type": "string", "enum": ["a"], "nullable": True}),
        ({"type": "integer", "enum": [1], "default": 1},
         {"type": "string", "enum": ["1"], "default": "1", "description": "(as text: number)"}),
        ({"type": "string", "enum": [""]}, STRING),
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        ({"anyOf": [STRING, {"type": "null"}], "title": "t"}, {"type": "string", "nullable": True, "title": "t"}),
        ({"oneOf": [STRING, {"type": "integer"}]}, {"anyOf": [STRING, {"type": "integer"}]}),
        (
            {"type": ["string", "integer", "null"], "maxLength": 3, "minimum": 4, "description": "d"},
            {"anyOf": [{"type": "string", "maxLength": 3}, {"type": "integer", "minimum": 4}],
             "nullable": True, "description": "d"},
        ),
        ({"allOf": [STRING, {"maxLength": 3}], "title": "t"}, {"type": "string", "maxLength": 3, "title": "t"}),
        ({"type": "integer", "exclusiveMinimum": 0}, {"type": "integer", "minimum": 1}),
        ({"type": "integer", "exclusiveMaximum": 9, "maximum": 5}, {"type": "integer", "maximum": 5}),
        ({"type": "number", "exclusiveMinimum": 0}, {"type": "number", "description": "(exclusiveMinimum: 0)"}),
        ({"type": "number", "exclusiveMinimum": True, "minimum": 0}, {"type": "number", "minimum": 0}),
        ({"type": "number", "multipleOf": 1}, {"type": "number", "description": "(multipleOf: 1)"}),
        ({"type": "array"}, {"type": "array", "items": STRING}),
        ({"type": "array", "items": True}, {"type": "array", "items": STRING}),
        ({"items": [STRING, {}]}, {"type": "array", "items": {"anyOf": [STRING, {"type": "object"}]}}),
        ({"type": "array", "prefixItems": [STRING, STRING], "items": False}, {"type": "array", "items": STRING}),
        ({"items": STRING, "uniqueItems": True},
         {"type": "array", "items": STRING, "description": "(uniqueItems: true)"}),
        ({"type": "string", "format": "date-time"}, {"type": "string", "format": "date-time"}),
        ({"type": "string", "format": "uri", "description": "d"}, {"type": "string", "description": "d (format: uri)"}),
        ({"type": "integer", "format": "int64"}, {"type": "integer", "format": "int64"}),
        ({"type": "object", "properties": {"a": STRING}, "required": ["a", "b", "a"]},
         {"type": "object", "properties": {"a": STRING}, "required": ["a"]}),
        ({"type": "object", "additionalProperties": STRING},
         {"type": "object", "description": '(additionalProperties: {"type":"string"})'}),
        ({"type": "object", "additionalProperties": False, "$schema": "s", "x-a": 1}, {"type": "object"}),
        ({"type": "string", "title": 6, "minLength": True, "nullable": 1, "required": "a", "properties": []}, STRING),
        (
            {"properties": {"a": STRING, "b": STRING}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
            {"type": "object", "properties": {"a": STRING, "b": STRING}},
        ),
        (
            {"properties": {"k": STRING}, "anyOf": [{"properties": {"a": STRING}}, {"properties": {"b": STRING}}]},
            {"anyOf": [{"type": "object", "properties": {"k": STRING, "a": STRING}},
                       {"type": "object", "properties": {"k": STRING, "b": STRING}}]},
        ),
        ({"$ref": "#/$defs/a", "description": "mine", "$defs": {"a": {"type": "string", "description": "its"}}},
         {"type": "string", "description": "mine"}),
        ({"$ref": "https://elsewhere/a"}, {"type": "object", "description": "see a"}),
    ],
)  # fmt: skip
def test_each_keyword(schema: Any, found: Any) -> None:
    assert to_openapi(schema) == found


def test_claude_is_told_what_it_cannot_be_given() -> None:
    schema = {
        "type": "string",
        "maxLength": 5,
        "pattern": "^a",
        "format": "date-time",
        "default": "a",
        "description": "d",
    }
    expected = {"type": "string", "description": "d (maxLength: 5, pattern: ^a, format: date-time)"}
    assert to_openapi(schema, claude=True) == expected


@pytest.mark.parametrize("bound", ["minimum", "maximum"])
@pytest.mark.parametrize("value", [0, 1])
def test_bounds_of_nought_and_one_are_no_booleans(bound: str, value: int) -> None:
    assert to_openapi({"type": "integer", bound: value}) == {"type": "integer", bound: value}
    assert to_openapi({"type": "integer", bound: value}, claude=True)["description"] == f"({bound}: {value})"
