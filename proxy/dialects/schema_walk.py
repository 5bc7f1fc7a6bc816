"""How JSON Schema is built: where schemas stand in a schema, what a local reference means, how two become one.

Schemas are told from maps of schemas and from plain data, so that a property named `const` or `$ref` is a property.
Values are never changed in place. Every walk is bounded in depth and in the number of schemas, whatever a client sends:
references may be recursive, or few and yet name billions (each definition using the next one twice).
"""

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import unquote

from proxy.dialects.json_text import encode_json
from proxy.dialects.parts import Json

Schema = dict[str, Json]

DEEPEST: Final = 60
"""Schemas within schemas; OpenAI takes 10 levels, Google and Anthropic not many more."""

MOST: Final = 10_000
"""Schemas in one; OpenAI takes 5000 properties."""

_CYCLES: Final = (5, 3, 2, 1)
"""How often one definition may stand within itself: fewer if the whole grows above MOST."""

_LONGEST_NOTE: Final = 400
"""Characters of a keyword told in a description."""

_MAPS: Final = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
_LISTS: Final = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
_SINGLE: Final = frozenset({
    "items", "additionalItems", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames",
    "unevaluatedItems", "unevaluatedProperties", "contentSchema",
})  # fmt: skip


class _TooMany(Exception):
    pass


def map_schemas(schema: Schema, change: Callable[[Json], Json]) -> Schema:
    """`schema` with `change` applied to each schema directly in it; other values stay as they are."""
    return {name: _map_keyword(name, value, change) for name, value in schema.items()}


def _map_keyword(name: str, value: Json, change: Callable[[Json], Json]) -> Json:
    if name in _MAPS and isinstance(value, dict):
        return {key: change(inner) for key, inner in value.items()}
    if isinstance(value, list) and (name in _LISTS or name == "items"):
        return [change(inner) for inner in value]
    if name in _SINGLE and isinstance(value, dict):
        return change(value)
    return value


def list_schemas(schema: Schema) -> list[Json]:
    """The schemas directly in `schema`."""
    found: list[Json] = []

    def note(inner: Json) -> Json:
        found.append(inner)
        return inner

    map_schemas(schema, note)
    return found


def find_target(root: Json, ref: Json) -> Json:
    """What a local reference (`#`, `#/$defs/Name`, RFC 6901) points to; None for any other and for nothing."""
    if not isinstance(ref, str) or not (ref == "#" or ref.startswith("#/")):
        return None
    value = root
    for word in unquote(ref[1:]).split("/")[1:]:
        name = word.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and name.isascii() and name.isdecimal() and len(name) < 6:
            value = value[int(name)] if int(name) < len(value) else None
        else:
            return None
    return value


def inline_refs(schema: Json) -> Json:
    """`schema` without `$ref` and without definitions: each local reference is replaced by what it names, joined with
    what stands beside it. A definition stands within itself a few times, then an object takes its place."""
    for cycles in _CYCLES[:-1]:
        try:
            return _Inliner(schema, cycles, strict=True).inline(schema, ())
        except _TooMany:
            continue
    return _Inliner(schema, _CYCLES[-1], strict=False).inline(schema, ())


class _Inliner:
    def __init__(self, root: Json, cycles: int, *, strict: bool) -> None:
        self._root = root
        self._cycles = cycles
        self._strict = strict
        self._count = 0

    def inline(self, schema: Json, path: tuple[str, ...], depth: int = 0) -> Json:
        if not isinstance(schema, dict):
            return schema
        self._count += 1
        if self._count > MOST:
            if self._strict:
                raise _TooMany
            return _stand_in("")
        if depth > DEEPEST:
            return _stand_in("")
        ref = schema.get("$ref")
        rest = {name: value for name, value in schema.items() if name not in ("$ref", "$defs", "definitions")}
        if "$ref" not in schema:
            return map_schemas(rest, lambda inner: self.inline(inner, path, depth + 1))
        beside = map_schemas(rest, lambda inner: self.inline(inner, path, depth + 1))
        target = find_target(self._root, ref)
        if not isinstance(target, dict) or path.count(str(ref)) >= self._cycles:
            return {**_stand_in(str(ref)), **beside}
        return merge_schemas(self.inline(target, (*path, str(ref)), depth + 1), beside)


def _stand_in(ref: str) -> Schema:
    name = ref.rpartition("/")[2][:64]
    return {"type": "object", "description": f"see {name}"} if name else {"type": "object"}


def is_recursive(root: Json) -> bool:
    """Whether a local reference leads back to itself."""
    done: set[str] = set()

    def visit(schema: Json, path: frozenset[str], depth: int) -> bool:
        if not isinstance(schema, dict) or depth > DEEPEST:
            return depth > DEEPEST
        ref = schema.get("$ref")
        if isinstance(ref, str):
            if ref in path:
                return True
            if ref not in done and visit(find_target(root, ref), path | {ref}, depth + 1):
                return True
            done.add(ref)
        return any(visit(inner, path, depth + 1) for inner in list_schemas(schema))

    return visit(root, frozenset(), 0)


def merge_schemas(first: Mapping[str, Json], second: Mapping[str, Json], depth: int = 0) -> Schema:
    """A schema for what satisfies both, as near as plain keywords come; where they contradict, `second` holds."""
    merged = dict(first)
    for name, value in second.items():
        old = merged.get(name)
        if name == "properties" and isinstance(old, dict) and isinstance(value, dict):
            merged[name] = _merge_properties(old, value, depth)
        elif name == "required" and isinstance(old, list) and isinstance(value, list):
            merged[name] = old + [word for word in value if word not in old]
        elif name == "enum" and isinstance(old, list) and isinstance(value, list):
            merged[name] = [item for item in old if item in value] or value
        elif name == "allOf" and isinstance(old, list) and isinstance(value, list):
            merged[name] = old + value
        elif name == "items" and isinstance(old, dict) and isinstance(value, dict) and depth < DEEPEST:
            merged[name] = merge_schemas(old, value, depth + 1)
        else:
            merged[name] = value
    return merged


def _merge_properties(first: Schema, second: Schema, depth: int) -> Schema:
    merged = dict(first)
    for name, value in second.items():
        old = merged.get(name)
        if isinstance(old, dict) and isinstance(value, dict) and depth < DEEPEST:
            merged[name] = merge_schemas(old, value, depth + 1)
        else:
            merged[name] = value
    return merged


def merge_all(schema: Schema, depth: int = 0) -> Schema:
    """`schema` with its own `allOf` merged into it; what stands beside that holds."""
    if "allOf" not in schema:
        return schema
    parts = schema["allOf"] if isinstance(schema["allOf"], list) and depth < DEEPEST else []
    merged: Schema = {}
    for part in parts:
        if isinstance(part, dict):
            merged = merge_schemas(merged, merge_all(part, depth + 1))
    return merge_schemas(merged, {name: value for name, value in schema.items() if name != "allOf"})


def list_types(schema: Schema) -> list[Json]:
    """The value of `type` as a list, [None] when there is none."""
    kind = schema.get("type")
    return kind if isinstance(kind, list) else [kind]


def add_notes(schema: Schema, notes: Schema) -> Schema:
    """`schema` with `notes` in its description, as far as they are short: the model can heed what no grammar holds."""
    words = [f"{name}: {text}" for name, value in notes.items() if len(text := _show(value)) <= _LONGEST_NOTE]
    if not words:
        return schema
    old = schema.get("description")
    note = f"({', '.join(words)})"
    return {**schema, "description": f"{old} {note}" if isinstance(old, str) and old else note}


def _show(value: Json) -> str:
    return value if isinstance(value, str) else encode_json(value).decode("utf-8", "replace")
