"""What the model says about itself: the manual in Markdown, the JSON schema, a configuration with secrets masked.

All three walk the marks of the model's fields, so a new key appears in each without a line here.
`python -m proxy.config.describe` prints the manual.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any, Final, get_args

from msgspec import Struct
from msgspec.structs import FieldInfo

from proxy.config import prose
from proxy.config.kind import Kind
from proxy.config.load import OVERRIDES
from proxy.config.marks import Leaf, Named, list_fields, list_rivals, read_mark
from proxy.config.model import Config
from proxy.config.syntax import RESERVED_SEGMENTS
from proxy.config.zero import KNOWN_PROVIDERS

SCHEMA_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


_NUMBERS: Final = {2: "two", 3: "three"}


def build_markdown() -> str:
    """The whole of docs/configuration.md."""
    reserved = ", ".join(f"`{segment}`" for segment in sorted(RESERVED_SEGMENTS))
    overrides = "\n".join(f"| `{name}` | `{'.'.join(key)}` |" for name, key in OVERRIDES.items())
    known = "\n".join(
        f"| {' or '.join(f'`{name}`' for name in row.variables)} | `/{row.name}` | `{row.dialect}` | {row.base_url} |"
        for row in KNOWN_PROVIDERS
    )
    parts = [
        prose.OPENING,
        f"## Example\n\n```toml\n{prose.EXAMPLE}```\n",
        prose.VALUES.replace("{reserved}", reserved).replace("{overrides}", overrides),
        prose.ZERO.replace("{known}", known),
        "## Keys\n",
        *_build_sections(Config, "", ""),
    ]
    return "\n".join(parts)


def _build_sections(shape: type[Struct], path: str, why: str) -> Iterator[str]:
    """A heading and a table for the leaves of a struct, then the same for the tables in it."""
    rivals = len(list_rivals(shape))
    rows = [row for info in list_fields(shape) for row in _build_rows(info, rivals)]
    if path:
        yield f"### `[{path}]`\n\n{why}\n"
    if rows:
        yield "| key | type | default | meaning |\n|---|---|---|---|\n" + "".join(rows)
    for info in list_fields(shape):
        base, mark = read_mark(info)
        below = f"{path}.{info.encode_name}" if path else info.encode_name
        if isinstance(mark, Named) and mark.kind is None:
            yield from _build_sections(get_args(base)[1], f"{below}.{mark.called}", mark.why)
        elif not isinstance(mark, Leaf | Named):
            yield from _build_sections(base, below, mark.why)


def _build_rows(info: FieldInfo, rivals: int) -> Iterator[str]:
    _, mark = read_mark(info)
    if isinstance(mark, Leaf):
        default = _describe_default(mark, info, rivals)
        if mark.instead:
            other, kind, why = mark.instead
            yield _build_row(other, kind.name, default, why)
        yield _build_row(info.encode_name, _name_type(mark), default, mark.why)
    elif isinstance(mark, Named) and mark.kind:
        yield _build_row(f"{info.encode_name}.{mark.called}", mark.kind.name, "none", mark.why)


def _describe_default(mark: Leaf, info: FieldInfo, rivals: int) -> str:
    if mark.instead or mark.rival:
        return f"one of the {_NUMBERS[rivals if mark.rival else 2]}"
    if info.required:
        return "required"
    return "none" if info.default is None else f"`{json.dumps(_write(mark, info.default))}`"


def _build_row(*cells: str) -> str:
    key, *others = (cell.replace("|", "\\|") for cell in cells)
    return f"| `{key}` | {' | '.join(others)} |\n"


def _name_type(mark: Leaf) -> str:
    return f"array of {mark.kind.name}" if mark.many else mark.kind.name


def build_schema() -> dict[str, Any]:
    """A JSON schema (2020-12) of a configuration file, before its placeholders are replaced."""
    return {"$schema": SCHEMA_DIALECT, "title": "Penstock configuration", **_describe_struct(Config)}


def _describe_struct(shape: type[Struct]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    required: list[str] = []
    either: list[dict[str, Any]] = []
    for info in list_fields(shape):
        base, mark = read_mark(info)
        name = info.encode_name
        if isinstance(mark, Leaf):
            properties[name] = _describe_leaf(mark, info)
            if mark.instead:
                other, kind, why = mark.instead
                properties[other] = {**kind.schema, "description": why}
                either.append({"oneOf": [{"required": [other]}, {"required": [name]}]})
            elif info.required:
                required.append(name)
        elif isinstance(mark, Named):
            value = dict(mark.kind.schema) if mark.kind else _describe_struct(get_args(base)[1])
            properties[name] = {"type": "object", "description": mark.why, "additionalProperties": value}
        else:
            properties[name] = {**_describe_struct(base), "description": mark.why}
    if rivals := list_rivals(shape):
        either.append({"oneOf": [{"required": [name]} for name in rivals]})
    schema: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": properties}
    if required:
        schema["required"] = required
    if either:
        schema["allOf"] = either
    return schema


def _describe_leaf(mark: Leaf, info: FieldInfo) -> dict[str, Any]:
    schema: dict[str, Any] = dict(mark.kind.schema)
    if mark.many:
        schema = {"type": "array", "items": schema, "minItems": mark.least}
        if mark.most is not None:
            schema["maxItems"] = mark.most
    schema["description"] = mark.why
    if not info.required and not mark.rival and info.default is not None:
        schema["default"] = _write(mark, info.default)
    return schema


def mask(config: Config) -> dict[str, Any]:
    """The configuration as a file could hold it, with every default filled in and every secret as `***`."""
    return _mask_struct(config)


def _mask_struct(struct: Struct) -> dict[str, Any]:
    masked: dict[str, Any] = {}
    for info in list_fields(type(struct)):
        _, mark = read_mark(info)
        value = getattr(struct, info.name)
        if isinstance(mark, Leaf):
            absent = value is None or (mark.rival and value == info.default)
            if not absent:
                masked[info.encode_name] = _write(mark, value)
        elif isinstance(mark, Named):
            masked[info.encode_name] = {name: _mask_entry(mark.kind, entry) for name, entry in value.items()}
        else:
            masked[info.encode_name] = _mask_struct(value)
    return masked


def _mask_entry(kind: Kind | None, entry: Any) -> Any:
    return kind.write(entry) if kind else _mask_struct(entry)


def _write(mark: Leaf, value: Any) -> Any:
    return [mark.kind.write(item) for item in value] if mark.many else mark.kind.write(value)


if __name__ == "__main__":
    sys.stdout.write(build_markdown())
