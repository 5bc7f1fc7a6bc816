"""A JSON Schema for a tool's arguments: an object at its root, whatever was there.

OpenAI and Anthropic refuse `anyOf`, `oneOf`, `allOf`, `not` and `enum` at the root, and a root that is no object.
Alternatives are merged: all their properties, of which those are required that each alternative requires. Below the
root nothing changes, and a schema that is well comes out as it went in.
"""

from typing import Final

from proxy.dialects.parts import Json
from proxy.dialects.schema_walk import Schema, add_notes, find_target, list_types, merge_schemas

_MOST: Final = 500
"""Schemas that are merged into one root: alternatives of alternatives grow as a power."""

_DEEPEST: Final = 16
_MERGED: Final = frozenset({"$ref", "allOf", "anyOf", "oneOf"})
_REFUSED: Final = frozenset({"not", "enum", "const", "nullable"})


def to_root_object(schema: Json) -> Schema:
    """`schema` as an object's; what describes no object becomes one without properties."""
    if not isinstance(schema, dict):
        return {"type": "object", "properties": {}}
    root = _Merger(schema).merge(schema, 0)
    root = {name: value for name, value in root.items() if name not in _REFUSED}
    properties = root.get("properties")
    if not isinstance(root.get("required", []), list):
        del root["required"]
    fixed = {"type": "object", "properties": properties if isinstance(properties, dict) else {}}
    return {**root, **fixed} if "type" in root else {**fixed, **root, **fixed}


class _Merger:
    def __init__(self, document: Schema) -> None:
        self._document = document
        self._left = _MOST

    def merge(self, schema: Schema, depth: int) -> Schema:
        """`schema` with its own references, parts and alternatives merged into it."""
        rest = {name: value for name, value in schema.items() if name not in _MERGED}
        self._left -= 1
        if len(rest) == len(schema) or depth > _DEEPEST or self._left < 0:
            return rest
        merged: Schema = {}
        for part in (find_target(self._document, schema.get("$ref")), *_list(schema.get("allOf"))):
            if isinstance(part, dict):
                merged = merge_schemas(merged, self.merge(part, depth + 1))
        merged = merge_schemas(merged, rest)
        for name in ("anyOf", "oneOf"):
            branches = [self.merge(branch, depth + 1) for branch in _list(schema.get(name)) if isinstance(branch, dict)]
            merged = _merge_branches(merged, [branch for branch in branches if _is_object(branch)])
        return merged


def _merge_branches(base: Schema, branches: list[Schema]) -> Schema:
    if not branches:
        return base
    properties: Schema = {}
    for branch in branches:
        for name, value in _map(branch.get("properties")).items():
            properties[name] = _join(properties[name], value) if name in properties else value
    required = [_list(branch.get("required")) for branch in branches]
    shared = [name for name in required[0] if all(name in names for names in required)]
    known = _list(base.get("required"))
    merged = merge_schemas({"properties": properties}, base)
    if names := [*known, *(name for name in shared if name not in known)]:
        merged["required"] = names
    if any(names != required[0] for names in required):
        merged = add_notes(merged, {"give all of one list": required})
    return merged


def _join(first: Json, second: Json) -> Json:
    """Either of two schemas of one property."""
    if first == second:
        return first
    branches = first["anyOf"] if isinstance(first, dict) and first.keys() == {"anyOf"} else [first]
    return {"anyOf": branches if second in branches else [*branches, second]}


def _is_object(schema: Schema) -> bool:
    return "object" in list_types(schema) or "properties" in schema or "required" in schema


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _map(value: Json) -> Schema:
    return value if isinstance(value, dict) else {}
