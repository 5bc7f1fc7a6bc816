"""From a merged `Table` to a `Config`, leaf by leaf, so that every fault is found in one go.

A leaf that cannot be read becomes a fault and is replaced by its kind's blank value; the walk goes on, and
the cross checks see a complete, if partly blank, configuration. Raises `ConfigError` with all faults at the
end, or returns the `Config`. Messages show what was found, shortened and escaped, but never at a place
where a secret may stand.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from difflib import get_close_matches
from typing import Any, Final, get_args

from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo

from proxy.config.checks import check_config
from proxy.config.expand import ExpandError, expand
from proxy.config.kind import Kind
from proxy.config.marks import Leaf, Named, Section, list_fields, list_rivals, read_mark
from proxy.config.model import Config
from proxy.config.tree import Place, Table, Value, format_place, shorten
from proxy.errors import ConfigError, Fault

_TYPE_NAMES: Final[Mapping[type, str]] = {
    str: "text",
    bool: "a truth value",
    int: "a whole number",
    float: "a number",
    list: "an array",
    dict: "a table",
    datetime: "a date",
    date: "a date",
    time: "a time of day",
}
# A header line or a query may have been written as a key, value and all: messages show what stands before the value.
_VALUE_IN_KEY: Final = re.compile(r"\?|=|:\s")
_VALUE_IN_HEADER_NAME: Final = re.compile(r"[^A-Za-z0-9_-]")
_MAX_SHOWN_NUMBER: Final = 10**18  # printing an int of thousands of digits is refused by Python


def convert(root: Table, environ: Mapping[str, str]) -> Config:
    """The configuration that `root` describes, placeholders taken from `environ`. Raises ConfigError."""
    converter = _Converter(root, environ)
    config: Config = converter.read_struct(Config, root, ())
    for place, message in check_config(config, converter.is_broken):
        converter.add(place, message)
    if converter.faults:
        raise ConfigError(converter.faults)
    return config


class _Converter:
    def __init__(self, root: Table, environ: Mapping[str, str]) -> None:
        self.faults: list[Fault] = []
        self._broken: set[Place] = set()
        self._leaf_tables: set[Place] = set()  # tables whose keys the user chose and whose values are leaves
        self._root = root
        self._environ = environ

    def add(self, place: Place, message: str) -> None:
        """Note a fault at a place."""
        self._broken.add(place)
        self.faults.append(Fault(self._root.find_file(place), self._show_place(place), message))

    def _show_place(self, place: Place) -> str:
        shown = [_cut(key, _VALUE_IN_KEY) for key in place]
        if place[:-1] in self._leaf_tables:
            shown[-1] = _cut(place[-1], _VALUE_IN_HEADER_NAME)
        return format_place(tuple(shown))

    def is_broken(self, place: Place) -> bool:
        """True when `place`, or a table around it, has a fault."""
        return any(place[:length] in self._broken for length in range(1, len(place) + 1))

    def read_struct(self, shape: type[Struct], table: Table, place: Place) -> Any:
        """A struct from a table: unknown keys first, then every field in the order of the model."""
        infos = list_fields(shape)
        self._refuse_unknown(table, place, _known_keys(infos))
        values: dict[str, Any] = {}
        for info in infos:
            value = self._read_field(info, table, place)
            if value is not NODEFAULT:
                values[info.name] = value
        self._check_rivals(shape, table, place)
        return shape(**values)

    def _read_field(self, info: FieldInfo, table: Table, place: Place) -> Any:
        """The value of one field; NODEFAULT leaves it to the model's default."""
        base, mark = read_mark(info)
        if isinstance(mark, Leaf) and mark.instead:
            return self._read_either(info.encode_name, mark, table, place)
        node = table.entries.get(info.encode_name)
        here = (*place, info.encode_name)
        if node is None and isinstance(mark, Leaf) and info.required:
            self.add(here, "this key is required")
            return mark.kind.blank
        if node is None:
            return NODEFAULT
        if isinstance(mark, Leaf):
            return self._read_many(mark, node, here) if mark.many else self._read_leaf(mark.kind, node, here)
        if isinstance(node, Value):
            self.add(here, f"wrong type: expected a table, found {_name_type(node.raw)}")
            return NODEFAULT
        if isinstance(mark, Section):
            return self.read_struct(base, node, here)
        return self._read_named(get_args(base)[1], mark, node, here)

    def _read_either(self, name: str, mark: Leaf, table: Table, place: Place) -> Any:
        """A field with two spellings, of which exactly one must stand there."""
        assert mark.instead is not None  # noqa: S101  the caller looked
        other, other_kind, _ = mark.instead
        found = [(key, kind) for key, kind in ((other, other_kind), (name, mark.kind)) if key in table.entries]
        values = [self._read_leaf(kind, table.entries[key], (*place, key)) for key, kind in found]
        if len(found) == 1:
            return values[0]
        self.add(place, f"give either {other} or {name}" + (", not both" if found else ": one of them is required"))
        return mark.kind.blank

    def _read_named(self, shape: type[Struct], mark: Named, table: Table, place: Place) -> dict[str, Any]:
        """A table whose keys the user chose: each key is checked, each value read."""
        values: dict[str, Any] = {}
        if mark.kind:
            self._leaf_tables.add(place)
        for key, node in table.entries.items():
            here = (*place, key)
            try:
                mark.check(key)
            except ValueError as error:
                self.add(here, str(error))
            if mark.kind:
                values[key] = self._read_leaf(mark.kind, node, here)
            elif isinstance(node, Table):
                values[key] = self.read_struct(shape, node, here)
            else:
                self.add(here, f"wrong type: expected a table, found {_name_type(node.raw)}")
                values[key] = _blank(shape)
        return values

    def _read_many(self, mark: Leaf, node: Table | Value, place: Place) -> tuple[Any, ...]:
        kind = mark.kind
        raw = node.raw if isinstance(node, Value) else {}
        if not isinstance(raw, list):
            self.add(place, f"wrong type: expected array of {kind.name}, found {_name_type(raw)}")
            return ()
        if mark.least == mark.most and len(raw) != mark.least:
            self.add(place, f"the array has {len(raw)} elements: exactly {mark.least} are needed")
        elif len(raw) < mark.least:
            self.add(place, "the array is empty: at least one is needed")
        return tuple(self._read_leaf(kind, Value(item, node.file), (*place, index)) for index, item in enumerate(raw))

    def _check_rivals(self, shape: type[Struct], table: Table, place: Place) -> None:
        rivals = list_rivals(shape)
        found = [name for name in rivals if name in table.entries]
        if rivals and len(found) != 1:
            self.add(place, f"give exactly one of {', '.join(rivals)}: found {' and '.join(found) or 'none'}")

    def _read_leaf(self, kind: Kind, node: Table | Value, place: Place) -> Any:
        raw = node.raw if isinstance(node, Value) else {}
        if type(raw) not in kind.types:
            self.add(place, f"wrong type: expected {kind.name}, found {_show(raw, kind)}")
            return kind.blank
        try:
            return kind.read(self._expand(raw, kind) if isinstance(raw, str) else raw)
        except ExpandError as error:
            for message in error.messages:
                self.add(place, message)
        except ValueError as error:
            self.add(place, str(error) + ("" if kind.sensitive else f"; found {_show(raw, kind)}"))
        return kind.blank

    def _expand(self, text: str, kind: Kind) -> str:
        return expand(text, self._environ, to_path=kind.is_path)

    def _refuse_unknown(self, table: Table, place: Place, known: list[str]) -> None:
        for key in table.entries:
            if key in known:
                continue
            close = get_close_matches(key[:64], known, 1)
            hint = f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}"
            self.add((*place, key), f"unknown key; {hint}")


def _known_keys(infos: Iterable[FieldInfo]) -> list[str]:
    known: list[str] = []
    for info in infos:
        _, mark = read_mark(info)
        if isinstance(mark, Leaf) and mark.instead:
            known.append(mark.instead[0])
        known.append(info.encode_name)
    return known


def _blank(shape: type[Struct]) -> Any:
    """A struct that stands in for one that could not be read at all."""
    required = [info for info in list_fields(shape) if info.required]
    marks = [(info.name, read_mark(info)[1]) for info in required]
    return shape(**{name: mark.kind.blank for name, mark in marks if isinstance(mark, Leaf)})


def _name_type(raw: object) -> str:
    return _TYPE_NAMES.get(type(raw), "something else")


def _show(raw: object, kind: Kind) -> str:
    """What was found: the value when it is short and cannot be a secret, its type otherwise."""
    if not kind.sensitive and isinstance(raw, str):
        return f'"{shorten(raw)}"'
    if not kind.sensitive and isinstance(raw, bool):
        return "true" if raw else "false"
    if not kind.sensitive and isinstance(raw, int | float) and abs(raw) < _MAX_SHOWN_NUMBER:
        return str(raw)
    return _name_type(raw)


def _cut(key: str | int, value: re.Pattern[str]) -> str | int:
    match = value.search(key) if isinstance(key, str) else None
    return f"{match.string[: match.start()]}…" if match else key
