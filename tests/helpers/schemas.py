"""JSON Schemas as clients send them, drawn: well-formed ones, recursive ones, and any JSON in their place."""

from typing import Any

from hypothesis import strategies as st

KEYWORDS = [
    "type", "properties", "required", "items", "anyOf", "oneOf", "allOf", "not", "enum", "const", "default", "$ref",
    "$defs", "definitions", "description", "title", "format", "pattern", "minimum", "maximum", "exclusiveMinimum",
    "minLength", "minItems", "maxItems", "additionalProperties", "patternProperties", "prefixItems", "nullable", "if",
    "example", "examples", "propertyOrdering", "uniqueItems", "multipleOf", "x-mine", "any_of", "$schema",
]  # fmt: skip
TYPES = st.sampled_from(
    ["object", "array", "string", "number", "integer", "boolean", "null", "STRING", "OBJECT", "any", ["string", "null"],
     ["integer", "string"], None, "TYPE_UNSPECIFIED"]
)  # fmt: skip
REFS = st.sampled_from(
    ["#", "#/$defs/a", "#/$defs/b", "#/definitions/a", "#/$defs/none", "https://a/b", "#/properties/a"]
)
NAMES = st.sampled_from(["a", "b", "const", "$ref", "default", "enum", "properties", "anyOf", "type"])
SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "x", "y", 1.5])


def _extend(schemas: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    maps = st.dictionaries(NAMES, schemas, max_size=3)
    lists = st.lists(schemas, max_size=3)
    return st.fixed_dictionaries(
        {},
        optional={
            "type": TYPES, "properties": maps, "required": st.lists(NAMES, max_size=3), "items": schemas | lists,
            "anyOf": lists, "oneOf": lists, "allOf": lists, "not": schemas, "enum": st.lists(SCALARS, max_size=4),
            "const": SCALARS, "default": SCALARS, "$ref": REFS, "$defs": maps, "definitions": maps,
            "description": st.sampled_from(["", "d"]), "format": st.sampled_from(["uri", "date-time", "int32"]),
            "minimum": SCALARS, "exclusiveMinimum": SCALARS, "minItems": SCALARS, "pattern": st.just("^a(?=b)"),
            "additionalProperties": schemas, "prefixItems": lists, "nullable": st.booleans(), "if": schemas,
        },
    )  # fmt: skip


SCHEMAS = st.recursive(st.sampled_from([{}, True, False]), _extend, max_leaves=12)
"""What a client may mean."""

NONSENSE = st.recursive(
    SCALARS | TYPES | REFS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYWORDS), inner, max_size=5),
    max_leaves=16,
)
"""Any JSON, with the words of schemas in it."""

RECURSIVE: dict[str, Any] = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
                "parent": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
            },
            "required": ["name"],
        }
    },
}

NAMED_LIKE_KEYWORDS: dict[str, Any] = {
    "type": "object",
    "properties": {
        name: {"type": "string", "description": name}
        for name in ("const", "$ref", "default", "enum", "properties", "anyOf", "type", "$defs", "additionalProperties")
    },
    "required": ["const", "$ref"],
}


def build_bomb(levels: int = 40) -> dict[str, Any]:
    """Each definition uses the next one twice: few words, two to the power of `levels` schemas."""
    definitions: dict[str, Any] = {
        f"d{level}": {
            "type": "object",
            "properties": {name: {"$ref": f"#/$defs/d{level + 1}"} for name in ("a", "b")},
        }
        for level in range(levels)
    }
    return {"$ref": "#/$defs/d0", "$defs": definitions}


def nest(levels: int, schema: Any = True) -> Any:
    """Objects within objects."""
    for _ in range(levels):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


def nest_alternatives(levels: int) -> Any:
    """Alternatives beside properties, within each other: merging them doubles at every level."""
    schema: Any = {"type": "string"}
    for _ in range(levels):
        branches = [{"properties": {name: {"type": "string"}}} for name in ("x", "y")]
        schema = {"type": "object", "properties": {"a": schema}, "anyOf": branches}
    return schema
