"""Where a value stands and where it came from: places, and TOML tables that remember the file of every leaf.

`build_table` turns what `tomllib` returns into a `Table`; `merge` lays a later one over an earlier one:
tables merge, a later scalar or array replaces. Nothing here raises, and nothing knows the model.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

Place = tuple[str | int, ...]
"""The way to a value: keys of tables, and indexes of arrays as int."""

# The model is six keys deep; what lies deeper is kept as one opaque value, so that no nesting can exhaust the stack.
MAX_DEPTH: Final = 16
MAX_SHOWN: Final = 64  # characters of a key or a value that a message shows

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


@dataclass(frozen=True, slots=True)
class Value:
    """A scalar or array as TOML gave it, and the file it stands in."""

    raw: object
    file: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table, and the file that opened it first."""

    entries: dict[str, "Table | Value"]
    file: str

    def find_file(self, place: Place) -> str:
        """The file of the deepest thing that exists on the way to `place`."""
        node: Table | Value = self
        for key in place:
            if isinstance(node, Value) or not isinstance(key, str) or key not in node.entries:
                break
            node = node.entries[key]
        return node.file


def build_table(data: Mapping[str, object], file: str, depth: int = 0) -> Table:
    """A `Table` over parsed TOML, every value marked with `file`."""
    entries: dict[str, Table | Value] = {}
    for key, raw in data.items():
        if isinstance(raw, Mapping) and depth < MAX_DEPTH:
            entries[key] = build_table(raw, file, depth + 1)
        else:
            entries[key] = Value(raw, file)
    return Table(entries, file)


def merge(earlier: Table, later: Table) -> Table:
    """Both tables in one: tables merge, anything else in `later` replaces what stood in `earlier`."""
    entries = dict(earlier.entries)
    for key, node in later.entries.items():
        before = entries.get(key)
        if isinstance(before, Table) and isinstance(node, Table):
            node = merge(before, node)
        entries[key] = node
    return Table(entries, earlier.file)


def format_place(place: Place) -> str:
    """The dotted key as TOML would write it: `mounts."/weather".heartbeat`, `server.listen[1]`."""
    text = ""
    for key in place:
        if isinstance(key, int):
            text += f"[{key}]"
        else:
            text += ("." if text else "") + _format_key(key)
    return text


def shorten(text: str) -> str:
    """At most 64 characters, all of them printable: what a message may show of a foreign text."""
    cut = text[:MAX_SHOWN]
    return "".join(_ESCAPES.get(c) or (c if c.isprintable() else _escape(c)) for c in cut) + "…" * (
        len(text) > MAX_SHOWN
    )


def _format_key(key: str) -> str:
    if _BARE_KEY.fullmatch(key) and len(key) <= MAX_SHOWN:
        return key
    return f'"{shorten(key)}"'


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"
