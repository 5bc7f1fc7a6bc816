"""JSON Schema that Anthropic compiles into a grammar: strict tools and `output_config.format`.

Every object is closed; what the compiler refuses goes, and stands in the description instead, so that the model still
knows. As Anthropic's SDKs do it (anthropic-sdk-python, `lib/_parse/_transform.py`). Recursive schemas are refused
there: they are unrolled to the depth of `inline_refs`.
"""

import re
from typing import Final

from proxy.dialects.parts import Json
from proxy.dialects.schema_walk import (
    DEEPEST,
    Schema,
    add_notes,
    inline_refs,
    is_recursive,
    list_types,
    map_schemas,
    merge_all,
)

_FORMATS: Final = frozenset({
    "date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid",
})  # fmt: skip

_TOLD: Final = frozenset({
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "maxItems",
    "uniqueItems", "minContains", "maxContains", "contains", "minProperties", "maxProperties", "patternProperties",
    "propertyNames", "not", "if", "then", "else", "dependentRequired", "dependentSchemas",
})  # fmt: skip
"""Refused, but worth a word."""

_DROPPED: Final = frozenset({
    "$schema", "$id", "$comment", "$anchor", "unevaluatedProperties", "unevaluatedItems", "additionalItems",
    "contentEncoding", "contentMediaType", "contentSchema", "deprecated", "readOnly", "writeOnly", "examples",
})  # fmt: skip

_HARD = re.compile(r"\(\?[=!<]|\\[bB1-9]").search


def to_closed(schema: Json) -> Json:
    """`schema` as the compiler takes it."""
    return _close(inline_refs(schema) if is_recursive(schema) else schema, 0)


def _close(schema: Json, depth: int) -> Json:
    if not isinstance(schema, dict):
        return {"type": "object", "properties": {}, "additionalProperties": False} if depth == 0 else schema
    if depth > DEEPEST:
        return {"type": "object", "additionalProperties": False}
    if "$ref" in schema:  # nothing may stand beside it
        kept = {name: value for name, value in schema.items() if name in ("$ref", "$defs", "definitions")}
        return map_schemas(kept, lambda inner: _close(inner, depth + 1))
    schema = merge_all(schema) if _is_plain_all(schema) else schema
    notes: Schema = {}
    closed: Schema = {}
    for name, value in schema.items():
        if name in _TOLD or _is_refused(name, value):
            notes[name] = value
        elif name == "oneOf":
            closed["anyOf"] = value
        elif name not in _DROPPED:
            closed[name] = value
    closed = _close_object(closed, notes)
    return add_notes(map_schemas(closed, lambda inner: _close(inner, depth + 1)), notes)


def _close_object(schema: Schema, notes: Schema) -> Schema:
    """`schema` without room for other properties, if it is an object's; what was allowed there goes to `notes`."""
    others = schema.pop("additionalProperties", False)
    if "properties" not in schema and "object" not in list_types(schema):
        return schema
    if isinstance(others, dict) and others:
        notes["additionalProperties"] = others
    required, properties = schema.get("required"), schema.get("properties")
    if isinstance(required, list) and isinstance(properties, dict):
        schema["required"] = [name for name in required if isinstance(name, str) and name in properties]
    return {**schema, "additionalProperties": False}


def _is_plain_all(schema: Schema) -> bool:
    """An `allOf` that can be merged: one of references must stay as it is, a merge would lose them."""
    parts = schema.get("allOf")
    return isinstance(parts, list) and not any(isinstance(part, dict) and "$ref" in part for part in parts)


def _is_refused(name: str, value: Json) -> bool:
    if name == "minItems":
        return isinstance(value, bool) or value not in (0, 1)
    if name == "format":
        return not isinstance(value, str) or value not in _FORMATS
    return name == "pattern" and (not isinstance(value, str) or _HARD(value) is not None)
