"""JSON Schema as the demo needs it: a value that fits one, and the faults for which a provider refuses one.

Schemas come as decoded JSON. The checks return the path of the first fault, or None; who asks words the refusal. A
property that is named like a keyword is no keyword: only schemas are looked at, never maps of them. Pure.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

SAMPLES: Final[dict[str, Any]] = {"integer": 2, "number": 2.5, "boolean": True, "array": [], "object": {}, "null": None}
DEPTH: Final = 8  # levels of a sample; a schema that refers to itself ends here
MAPS: Final = ("properties", "$defs", "definitions")
LISTS: Final = ("anyOf", "oneOf", "allOf", "prefixItems")
SINGLES: Final = ("items", "additionalProperties", "not")

# What Google's own Schema message knows (ai.google.dev/api/caching#Schema); anything else is an unknown name.
OPENAPI: Final = frozenset({
    "type", "format", "title", "description", "nullable", "enum", "items", "minItems", "maxItems", "minLength",
    "maxLength", "minProperties", "maxProperties", "minimum", "maximum", "pattern", "properties", "propertyOrdering",
    "required", "anyOf", "default", "example",
})  # fmt: skip
FORMATS: Final = {
    "string": {"enum", "date-time"},
    "number": {"float", "double"},
    "integer": {"int32", "int64"},
}
CLAUDE: Final = OPENAPI - frozenset({
    "default", "example", "minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties",
    "minimum", "maximum", "pattern", "format",
})  # fmt: skip
"""What Claude behind Code Assist takes of it."""

UNCLOSED: Final = frozenset({"minimum", "maximum", "multipleOf", "minLength", "maxLength", "maxItems", "oneOf"})
"""What Anthropic's strict schemas refuse."""


def build_sample(schema: object, place: str, root: Mapping[str, Any] | None = None, depth: int = 0) -> Any:
    """A value for a schema, by its constant, its first enum value or its type; texts are a place's name."""
    rule = schema if isinstance(schema, Mapping) else {}
    root = rule if root is None else root
    if depth > DEPTH:
        return None
    if isinstance(target := rule.get("$ref"), str):
        return build_sample(_follow(root, target), place, root, depth + 1)
    if "const" in rule:
        return rule["const"]
    if isinstance(enum := rule.get("enum"), list) and enum:
        return enum[0]
    for name in ("anyOf", "oneOf", "allOf"):
        if isinstance(options := rule.get(name), list) and options:
            return build_sample(_pick(options), place, root, depth + 1)
    kind = kind_of(rule)
    if isinstance(rule.get("properties"), Mapping):
        return {str(name): build_sample(value, place, root, depth + 1) for name, value in rule["properties"].items()}
    if kind == "array" and rule.get("items"):
        return [build_sample(rule["items"], place, root, depth + 1)]
    if kind in ("integer", "number"):
        return _within(SAMPLES[kind], rule)
    return SAMPLES.get(kind, place)


def kind_of(rule: Mapping[str, Any]) -> str:
    """The type of a schema in lower case, the first that is not null of several; "" when it has none."""
    kind = rule.get("type", "")
    if isinstance(kind, list):
        kind = next((item for item in kind if item != "null"), "")
    return str(kind).lower()


def find_open_object(schema: object, at: str, *, all_required: bool) -> str | None:
    """The first object that is not closed: `additionalProperties` must be false, with `all_required` every property
    required as well (OpenAI's strict schemas)."""
    for place, rule in iterate(schema, at):
        if kind_of(rule) != "object" and "properties" not in rule:
            continue
        if rule.get("additionalProperties") is not False:
            return f"{place}.additionalProperties"
        if all_required and set(rule.get("properties") or {}) - set(rule.get("required") or []):
            return f"{place}.required"
    return None


def find_unknown(schema: object, at: str, known: frozenset[str]) -> str | None:
    """The first keyword that is not `known`, and what Google refuses beyond that."""
    for place, rule in iterate(schema, at):
        for name in rule:
            if name not in known:
                return f"{place}.{name}"
        if isinstance(rule.get("type"), list):
            return f"{place}.type"
        kind = kind_of(rule)
        if not all(isinstance(value, str) for value in rule.get("enum") or []):
            return f"{place}.enum"
        if kind == "array" and not isinstance(rule.get("items"), Mapping):
            return f"{place}.items"
        if set(rule.get("required") or []) - set(rule.get("properties") or {}):
            return f"{place}.required"
        if "format" in rule and kind in FORMATS and rule["format"] not in FORMATS[kind]:
            return f"{place}.format"
    return None


def find_keyword(schema: object, at: str, refused: frozenset[str]) -> str | None:
    """The first keyword that is `refused`."""
    for place, rule in iterate(schema, at):
        for name in rule:
            if name in refused:
                return f"{place}.{name}"
    return None


def iterate(schema: object, at: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """A schema and all schemas within it, with their paths."""
    if not isinstance(schema, Mapping):
        return
    yield at, schema
    for name in MAPS:
        inner = schema.get(name)
        for key, value in inner.items() if isinstance(inner, Mapping) else ():
            yield from iterate(value, f"{at}.{name}.{key}")
    for name in LISTS:
        options = schema.get(name)
        for index, value in enumerate(options if isinstance(options, list) else ()):
            yield from iterate(value, f"{at}.{name}[{index}]")
    for name in SINGLES:
        yield from iterate(schema.get(name), f"{at}.{name}")


def _follow(root: Mapping[str, Any], target: str) -> object:
    found: Any = root
    for step in filter(None, target.removeprefix("#").split("/")):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _pick(options: list[Any]) -> object:
    return next((item for item in options if isinstance(item, Mapping) and kind_of(item) != "null"), options[0])


def _within(value: float, rule: Mapping[str, Any]) -> Any:
    low, high = rule.get("minimum"), rule.get("maximum")
    if isinstance(low, int | float) and value < low:
        return low
    if isinstance(high, int | float) and value > high:
        return high
    return value
