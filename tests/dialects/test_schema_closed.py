"""What Anthropic compiles: closed objects, and no constraint that the grammar cannot hold."""

from typing import Any

import pytest
from hypothesis import given

from proxy.dialects.schema_closed import to_closed
from proxy.dialects.schema_walk import is_recursive, list_schemas
from tests.helpers.feeds import fuzz
from tests.helpers.schemas import NONSENSE, RECURSIVE, SCHEMAS

REFUSED = {
    "oneOf", "minimum", "maximum", "exclusiveMinimum", "multipleOf", "minLength", "maxLength", "maxItems", "not", "if",
    "patternProperties", "uniqueItems", "$schema", "examples",
}  # fmt: skip


def walk(schema: Any) -> list[dict[str, Any]]:
    """All schemas in one."""
    if not isinstance(schema, dict):
        return []
    return [schema, *(found for inner in list_schemas(schema) for found in walk(inner))]


@fuzz
@given(NONSENSE | SCHEMAS)
def test_every_object_is_closed_and_nothing_refused_is_left(schema: Any) -> None:
    closed = to_closed(schema)
    assert not is_recursive(closed)
    for inner in walk(closed):
        assert not inner.keys() & REFUSED
        if inner.get("type") == "object" or "properties" in inner:
            assert inner["additionalProperties"] is False
        else:
            assert "additionalProperties" not in inner
        assert "minItems" not in inner or inner["minItems"] in (0, 1)


@pytest.mark.parametrize(
    ("schema", "closed"),
    [
        (
            {"type": "integer", "minimum": 1, "maximum": 9},
            {"type": "integer", "description": "(minimum: 1, maximum: 9)"},
        ),
        ({"type": "string", "maxLength": 5, "description": "d"}, {"type": "string", "description": "d (maxLength: 5)"}),
        ({"type": "string", "format": "date-time"}, {"type": "string", "format": "date-time"}),
        ({"type": "string", "format": "regex"}, {"type": "string", "description": "(format: regex)"}),
        ({"type": "string", "pattern": "^[a-z]+$"}, {"type": "string", "pattern": "^[a-z]+$"}),
        ({"type": "string", "pattern": r"(?=a)"}, {"type": "string", "description": "(pattern: (?=a))"}),
        ({"type": "array", "minItems": 1}, {"type": "array", "minItems": 1}),
        ({"type": "array", "minItems": 2}, {"type": "array", "description": "(minItems: 2)"}),
        ({"oneOf": [{"type": "string"}]}, {"anyOf": [{"type": "string"}]}),
        ({"type": "string", "enum": ["a"], "default": "a"}, {"type": "string", "enum": ["a"], "default": "a"}),
        ({"allOf": [{"type": "string"}, {"enum": ["a"]}]}, {"type": "string", "enum": ["a"]}),
        (
            {"type": "object", "additionalProperties": {"type": "integer"}},
            {
                "type": "object",
                "additionalProperties": False,
                "description": '(additionalProperties: {"type":"integer"})',
            },
        ),
        (
            {"type": "object", "properties": {"a": True}, "required": ["a", "b"]},
            {"type": "object", "properties": {"a": True}, "required": ["a"], "additionalProperties": False},
        ),
        (None, {"type": "object", "properties": {}, "additionalProperties": False}),
    ],
)
def test_each_keyword(schema: Any, closed: Any) -> None:
    assert to_closed(schema) == closed


def test_references_stay_where_they_do_not_recur() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/a", "description": "not beside a reference"}},
        "$defs": {"a": {"type": "object", "properties": {}}},
    }
    closed = to_closed(schema)
    assert closed["properties"]["a"] == {"$ref": "#/$defs/a"}
    assert closed["$defs"]["a"]["additionalProperties"] is False


def test_what_recurs_is_unrolled() -> None:
    closed = to_closed(RECURSIVE)
    assert "$defs" not in closed
    assert closed["properties"]["children"]["items"]["properties"]["name"] == {"type": "string"}
