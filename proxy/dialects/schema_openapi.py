"""JSON Schema to the strict subset that Gemini's `parameters` and `responseSchema` take, and Code Assist with them.

An unknown keyword is a 400 there ("Unknown name"), so what comes out holds nothing but `ALLOWED`, each only with the
types it belongs to (ai.google.dev/api/caching#Schema). What is lost is told in the description. The root of a tool's
parameters must be an object: pass it through `to_root_object` first.
"""

from collections.abc import Mapping
from typing import Final

from proxy.dialects.json_text import encode_json
from proxy.dialects.parts import Json
from proxy.dialects.schema_walk import MOST, Schema, add_notes, inline_refs, merge_all, merge_schemas

_ANY: Final = ("title", "description", "nullable", "default", "example")
_BY_TYPE: Final = {
    "string": ("enum", "format", "minLength", "maxLength", "pattern"),
    "number": ("format", "minimum", "maximum"),
    "integer": ("format", "minimum", "maximum"),
    "boolean": (),
    "array": ("items", "minItems", "maxItems"),
    "object": ("properties", "required", "propertyOrdering", "minProperties", "maxProperties"),
}  # fmt: skip
ALLOWED: Final = frozenset({"type", "anyOf", *_ANY, *(name for names in _BY_TYPE.values() for name in names)})

_FORMATS: Final = {
    "string": frozenset({"enum", "date-time"}),
    "number": frozenset({"float", "double"}),
    "integer": frozenset({"int32", "int64"}),
}
_TOLD: Final = frozenset({
    "format", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "uniqueItems",
    "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "patternProperties",
    "additionalProperties", "not", "propertyNames",
})  # fmt: skip
_CLAUDE: Final = frozenset({
    "default", "example", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "minProperties",
    "maxProperties", "pattern", "format",
})  # fmt: skip
"""Refused besides when Claude answers behind Google's API."""

_HINTS: Final = (
    ("object", ("properties", "required", "additionalProperties", "patternProperties", "propertyNames")),
    ("array", ("items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains")),
    ("string", ("enum", "pattern", "minLength", "maxLength")),
    ("number", ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")),
)
"""The type of a schema that names none, by the keywords it has."""

_KINDS: Final[Mapping[str, type | tuple[type, ...]]] = {
    "minimum": (int, float), "maximum": (int, float), "minLength": int, "maxLength": int, "minItems": int,
    "maxItems": int, "minProperties": int, "maxProperties": int, "pattern": str, "title": str, "description": str,
}  # fmt: skip
_OUTER: Final = ("description", "nullable")
"""What may stand beside `anyOf`."""

_BRANCHES: Final = ("anyOf", "oneOf")
_SAYING_NOTHING: Final = frozenset({"required", "not", "description", "title", "dependentRequired"})


def to_openapi(schema: Json, *, claude: bool = False) -> Json:
    """The subset of `schema`. claude: for Claude behind Code Assist, which takes less."""
    return _Converter(claude).convert(inline_refs(schema))


class _Converter:
    def __init__(self, claude: bool) -> None:
        self._claude = claude
        self._count = 0

    def convert(self, schema: Json) -> Schema:
        self._count += 1
        if not isinstance(schema, dict) or self._count > MOST:
            return {"type": "object"}
        schema = _fold_const(merge_all(schema))
        for name in _BRANCHES:
            if name in schema:
                return self._convert_branches(schema, name)
        kind = schema.get("type")
        if isinstance(kind, list):
            return self._convert_types(schema, kind)
        return self._convert_one(schema, _find_type(schema))

    def _convert_branches(self, schema: Schema, name: str) -> Schema:
        """Alternatives stand alone: what is beside them goes into each."""
        given = schema[name] if isinstance(schema[name], list) else []
        base = {key: value for key, value in schema.items() if key != name}
        branches = [branch for branch in given if isinstance(branch, dict) and not branch.keys() <= _SAYING_NOTHING]
        real = [branch for branch in branches if not _is_null(branch)]
        if len(real) < len(branches):
            base["nullable"] = True
        outer = _take(base, *_OUTER)
        if len(real) <= 1:
            return self.convert({**base, **(merge_schemas(base, real[0]) if real else {}), **outer})
        _take(base, "title")
        converted = _unique([self.convert(merge_schemas(base, branch)) for branch in real])
        return self._with_outer(converted, outer)

    def _convert_types(self, schema: Schema, kinds: list[Json]) -> Schema:
        rest = {key: value for key, value in schema.items() if key != "type"}
        if any(_name_type(kind) == "null" for kind in kinds):
            rest["nullable"] = True
        real = [name for kind in kinds if (name := _name_type(kind)) in _BY_TYPE]
        if len(real) <= 1 or "enum" in rest:
            return self._convert_one(rest, real[0] if len(real) == 1 else _find_type(rest))
        outer = _take(rest, *_OUTER)
        branches = [{key: value for key, value in rest.items() if _fits_type(key, kind)} for kind in real]
        return self._with_outer(
            _unique([self._convert_one(branch, kind) for branch, kind in zip(branches, real, strict=True)]), outer
        )

    def _with_outer(self, branches: list[Schema], outer: Schema) -> Schema:
        fitted = {key: value for key, value in outer.items() if isinstance(value, str) or value is True}
        return {**branches[0], **fitted} if len(branches) == 1 else {"anyOf": branches, **fitted}

    def _convert_one(self, schema: Schema, kind: str) -> Schema:
        schema, kind = _fit_enum(schema, kind)
        schema = _fit_bounds(schema, kind)
        found: Schema = {"type": kind}
        notes: Schema = {}
        for name, value in schema.items():
            fitted = self._fit(name, value, schema, kind)
            if fitted is not None:
                found[name] = fitted
            elif name in _TOLD and (_is_telling(value) or (name == "uniqueItems" and value is True)):
                notes[name] = value
        if kind == "array" and "items" not in found:
            found["items"] = self._convert_items(schema)
        return add_notes(found, notes)

    def _fit(self, name: str, value: Json, schema: Schema, kind: str) -> Json:
        """The value of a keyword as it is taken, None for nothing."""
        if not (name in _ANY or name in _BY_TYPE[kind]) or (self._claude and name in _CLAUDE):
            return None
        if name == "properties":
            return {key: self.convert(inner) for key, inner in value.items()} if _is_map(value) else None
        if name == "items":
            return self._convert_items(schema)
        if name in ("required", "propertyOrdering"):
            return _fit_names(value, schema.get("properties"))
        if name == "format":
            return value if isinstance(value, str) and value in _FORMATS.get(kind, ()) else None
        if name == "nullable":
            return value if value is True else None
        if name in _KINDS and (isinstance(value, bool) or not isinstance(value, _KINDS[name])):
            return None
        return value

    def _convert_items(self, schema: Schema) -> Schema:
        tuple_ = schema.get("prefixItems")
        items = tuple_ if isinstance(tuple_, list) and tuple_ else schema.get("items")
        if isinstance(items, list):
            converted = _unique([self.convert(item) for item in items])
            if converted:
                return converted[0] if len(converted) == 1 else {"anyOf": converted}
        return self.convert(items) if _is_map(items) else {"type": "string"}


def _fold_const(schema: Schema) -> Schema:
    if "const" not in schema:
        return schema
    rest = {name: value for name, value in schema.items() if name != "const"}
    return {**rest, "enum": [schema["const"]]}


def _find_type(schema: Schema) -> str:
    kind = _name_type(schema.get("type"))
    if kind in _BY_TYPE:
        return kind
    return next((kind for kind, hints in _HINTS if any(hint in schema for hint in hints)), "object")


def _name_type(kind: Json) -> str:
    return kind.lower() if isinstance(kind, str) else ""


def _is_null(schema: Schema) -> bool:
    return _name_type(schema.get("type")) == "null" or ("const" in schema and schema["const"] is None)


def _is_telling(value: Json) -> bool:
    return not (value is None or isinstance(value, bool) or value in ({}, []))


def _take(schema: Schema, *names: str) -> Schema:
    """Those members of `schema`, which loses them."""
    return {name: schema.pop(name) for name in names if name in schema}


def _is_map(value: Json) -> bool:
    return isinstance(value, dict) and bool(value)


def _fits_type(name: str, kind: str) -> bool:
    return name in _BY_TYPE[kind] or not any(name in names for names in _BY_TYPE.values())


def _fit_enum(schema: Schema, kind: str) -> tuple[Schema, str]:
    """Only texts may be listed, and no empty ones; null is `nullable`."""
    values = schema.get("enum")
    if "enum" not in schema:
        return schema, kind
    rest = {name: value for name, value in schema.items() if name != "enum"}
    if not isinstance(values, list) or any(isinstance(value, dict | list) for value in values):
        return rest, kind
    if None in values:
        rest["nullable"] = True
    texts = _unique([_to_text(value) for value in values if value not in (None, "")])
    if not texts:
        return rest, kind
    if any(not isinstance(value, str | None) for value in values):
        rest = add_notes(rest, {"as text": "boolean" if isinstance(values[0], bool) else "number"})
        rest = {name: value for name, value in rest.items() if name not in ("format", "minimum", "maximum")}
    if "default" in rest:
        rest["default"] = _to_text(rest["default"])
    return {**rest, "enum": texts}, "string"


def _to_text(value: Json) -> str:
    return value if isinstance(value, str) else encode_json(value).decode("utf-8", "replace")


def _fit_bounds(schema: Schema, kind: str) -> Schema:
    """Exclusive bounds of integers as inclusive ones; those of other numbers are told."""
    if kind != "integer":
        return schema
    schema = dict(schema)
    for exclusive, inclusive, step in (("exclusiveMinimum", "minimum", 1), ("exclusiveMaximum", "maximum", -1)):
        bound = schema.get(exclusive)
        if isinstance(bound, int) and not isinstance(bound, bool):
            del schema[exclusive]
            schema.setdefault(inclusive, bound + step)
    return schema


def _fit_names(names: Json, properties: Json) -> list[str] | None:
    if not isinstance(names, list) or not isinstance(properties, dict):
        return None
    return _unique([name for name in names if isinstance(name, str) and name in properties]) or None


def _unique(values: list[Json]) -> list[Json]:
    found: list[Json] = []
    for value in values:
        if value not in found:
            found.append(value)
    return found
