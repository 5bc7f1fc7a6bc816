"""Gemini's Schema becomes JSON Schema; JSON Schema stays."""

from typing import Any

import pytest

from proxy.dialects.schema_plain import to_plain


@pytest.mark.parametrize(
    ("schema", "plain"),
    [
        ({"type": "STRING"}, {"type": "string"}),
        ({"type": "TYPE_UNSPECIFIED", "title": "t"}, {"title": "t"}),
        ({"type": "STRING", "nullable": True}, {"type": ["string", "null"]}),
        ({"type": "STRING", "nullable": False}, {"type": "string"}),
        ({"type": "STRING", "nullable": True, "enum": ["a"]}, {"type": ["string", "null"], "enum": ["a", None]}),
        ({"anyOf": [{"type": "STRING"}], "nullable": True}, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ({"any_of": [{"type": "STRING"}]}, {"anyOf": [{"type": "string"}]}),
        (
            {"type": "ARRAY", "items": {"type": "INTEGER"}, "minItems": "1", "max_items": "9"},
            {"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 9},
        ),
        (
            {"type": "STRING", "minLength": "many", "maxLength": 5},
            {"type": "string", "minLength": "many", "maxLength": 5},
        ),
        ({"type": "STRING", "example": "x"}, {"type": "string", "examples": ["x"]}),
        (
            {"type": "STRING", "format": "enum", "enum": ["STRING"]},
            {"type": "string", "format": "enum", "enum": ["STRING"]},
        ),
        (
            {"type": "OBJECT", "properties": {"type": {"type": "BOOLEAN"}}, "propertyOrdering": ["type"]},
            {"type": "object", "properties": {"type": {"type": "boolean"}}},
        ),
        (
            {"properties": {"nullable": {"type": "STRING"}, "any_of": {}}},
            {"properties": {"nullable": {"type": "string"}, "any_of": {}}},
        ),
        (True, True),
        (None, None),
    ],
)
def test_each_keyword(schema: Any, plain: Any) -> None:
    assert to_plain(schema) == plain


def test_json_schema_comes_out_as_it_went_in() -> None:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"a": {"type": ["string", "null"], "default": "STRING"}, "b": {"$ref": "#/$defs/b"}},
        "additionalProperties": False,
        "$defs": {"b": {"const": {"type": "STRING"}}},
    }
    assert to_plain(schema) == schema
