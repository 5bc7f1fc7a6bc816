"""Gemini's Schema (ai.google.dev/api/caching#Schema) to JSON Schema.

Types lose their capitals, `nullable` becomes a type, numbers that are texts become numbers, both spellings of names are
read. JSON Schema comes out as it went in.
"""

from collections.abc import Mapping
from typing import Final

from proxy.dialects.parts import Json
from proxy.dialects.schema_walk import DEEPEST, Schema, map_schemas

_CAMEL: Final[Mapping[str, str]] = {
    "any_of": "anyOf", "min_items": "minItems", "max_items": "maxItems", "min_length": "minLength",
    "max_length": "maxLength", "min_properties": "minProperties", "max_properties": "maxProperties",
    "property_ordering": "propertyOrdering", "additional_properties": "additionalProperties",
    "prefix_items": "prefixItems", "defs": "$defs", "ref": "$ref",
}  # fmt: skip

_COUNTS: Final = frozenset({"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"})
_GONE: Final = frozenset({"propertyOrdering", "nullable", "example"})
_UNSPECIFIED: Final = "TYPE_UNSPECIFIED"


def to_plain(schema: Json) -> Json:
    """The JSON Schema that `schema` means."""
    return _to_plain(schema, 0)


def _to_plain(schema: Json, depth: int) -> Json:
    if not isinstance(schema, dict):
        return schema
    if depth > DEEPEST:
        return {"type": "object"}
    given: Schema = {}
    for name, value in schema.items():
        camel: str = _CAMEL.get(name, name)
        given[camel] = _to_count(value) if camel in _COUNTS else value
    plain = {name: value for name, value in given.items() if name not in _GONE}
    if "example" in given:
        plain.setdefault("examples", [given["example"]])
    kind = plain.get("type")
    if kind == _UNSPECIFIED:
        del plain["type"]
    elif isinstance(kind, str) and kind.isupper():
        plain["type"] = kind.lower()
    plain = map_schemas(plain, lambda inner: _to_plain(inner, depth + 1))
    return _allow_null(plain) if given.get("nullable") is True else plain


def _to_count(value: Json) -> Json:
    """Google writes 64-bit integers as strings (protobuf's JSON mapping)."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
        return int(value)
    return value


def _allow_null(schema: Schema) -> Schema:
    kind, branches, values = schema.get("type"), schema.get("anyOf"), schema.get("enum")
    nullable = dict(schema)
    if isinstance(values, list) and None not in values:
        nullable["enum"] = [*values, None]
    if isinstance(kind, str) and kind != "null":
        nullable["type"] = [kind, "null"]
    elif isinstance(kind, list) and "null" not in kind:
        nullable["type"] = [*kind, "null"]
    if isinstance(branches, list) and {"type": "null"} not in branches:
        nullable["anyOf"] = [*branches, {"type": "null"}]
    return nullable
