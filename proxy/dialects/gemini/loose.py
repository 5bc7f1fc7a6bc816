"""`Fields` as Google's parsers read objects: every field by its camelCase or its snake_case name, and one object where
an array of objects belongs (protobuf's JSON mapping; Google's own curl examples write `"parts": {"text": …}`).

Only the fields that are asked for by name are found this way, so nothing within a schema, within arguments or within a
map of properties is ever renamed.
"""

import re
from collections.abc import Iterator
from functools import cache

from proxy.dialects.chat import Invalid
from proxy.dialects.fields import Fields
from proxy.dialects.parts import Json

_CAPITALS = re.compile(r"([A-Z])")


class Loose(Fields):
    """Asked with camelCase names; `place` has the client's spelling."""

    __slots__ = ()

    def place(self, name: str) -> str:
        return super().place(self._find(name))

    def has(self, name: str) -> bool:
        return super().has(self._find(name))

    def raw(self, name: str) -> Json:
        return super().raw(self._find(name))

    def child(self, name: str) -> "Loose | None":
        value = self.raw(name)
        return None if value is None else Loose(value, self.place(name))

    def children(self, name: str) -> Iterator["Loose"]:
        value = self.raw(name)
        place = self.place(name)
        if isinstance(value, dict):
            yield Loose(value, place)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                yield Loose(item, f"{place}[{index}]")
        elif value is not None:
            raise Invalid(place, "must be an array")

    def _find(self, name: str) -> str:
        return name if name in self.value or (snake := _snake(name)) not in self.value else snake


@cache
def _snake(name: str) -> str:
    return _CAPITALS.sub(r"_\1", name).lower()
