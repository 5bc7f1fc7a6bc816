"""Reads JSON objects of a request field by field; every refusal names the path of the field, never its value.

fields = Fields(value, "messages[0]")     # Invalid unless an object
fields.text("role")                       # required
fields.text("name", None)                 # with a default: absent and null are the same
fields.child("stream_options")            # an object as Fields, None when absent; children(…) for arrays of them
    fields.rest()                             # what nobody has read: unknown to us, never to be lost silently
"""

import math
from collections.abc import Iterator, Mapping
from typing import TypeVar, overload

from proxy.dialects.chat import Invalid
from proxy.dialects.json_text import decode_json
from proxy.dialects.parts import Json

D = TypeVar("D")


class _Required:
    pass


REQUIRED = _Required()


def parse_object(body: bytes) -> "Fields":
    """A request body. Raises Invalid."""
    try:
        value = decode_json(body)
    except ValueError:
        raise Invalid("", "the body is not JSON") from None
    return Fields(value, "")


class Fields:
    """One object. `at` is its path in the body, "" for the body itself."""

    __slots__ = ("_read", "at", "value")

    def __init__(self, value: Json, at: str) -> None:
        if not isinstance(value, dict):
            raise Invalid(at, "must be an object") if at else Invalid("", "the body must be a JSON object")
        self.value: Mapping[str, Json] = value
        self.at = at
        self._read: set[str] = set()

    def place(self, name: str) -> str:
        return f"{self.at}.{name}" if self.at else name

    def has(self, name: str) -> bool:
        """Given, and not null."""
        return self.value.get(name) is not None

    def raw(self, name: str) -> Json:
        """The value as it stands, None when absent."""
        self._read.add(name)
        return self.value.get(name)

    @overload
    def text(self, name: str) -> str: ...
    @overload
    def text(self, name: str, default: D) -> str | D: ...
    def text(self, name: str, default: object = REQUIRED) -> object:
        return self._take(name, default, str, "a string")

    @overload
    def flag(self, name: str) -> bool: ...
    @overload
    def flag(self, name: str, default: D) -> bool | D: ...
    def flag(self, name: str, default: object = REQUIRED) -> object:
        return self._take(name, default, bool, "a boolean")

    def integer(self, name: str, default: D, low: int | None = None, high: int | None = None) -> int | D:
        """Whole floats are taken; bounds are inclusive."""
        value = self.number(name, default, low, high)
        if isinstance(value, float):
            if not value.is_integer():
                raise Invalid(self.place(name), "must be an integer")
            return int(value)
        return value

    def number(self, name: str, default: D, low: float | None = None, high: float | None = None) -> float | int | D:
        value = self.raw(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
            raise Invalid(self.place(name), "must be a number")
        if low is not None and value < low:
            raise Invalid(self.place(name), f"must be at least {low}")
        if high is not None and value > high:
            raise Invalid(self.place(name), f"must be at most {high}")
        return value

    def choice(self, name: str, default: D, *allowed: str) -> str | D:
        value = self.text(name, None)
        if value is None:
            return default
        if value not in allowed:
            raise Invalid(self.place(name), f"must be one of {', '.join(allowed)}")
        return value

    @overload
    def array(self, name: str) -> list[Json]: ...
    @overload
    def array(self, name: str, default: D) -> list[Json] | D: ...
    def array(self, name: str, default: object = REQUIRED) -> object:
        return self._take(name, default, list, "an array")

    def child(self, name: str) -> "Fields | None":
        """The object under `name`, None when absent or null."""
        value = self.raw(name)
        return None if value is None else Fields(value, self.place(name))

    def children(self, name: str) -> Iterator["Fields"]:
        """The objects of the array under `name`; none when it is absent."""
        items: list[Json] = self.array(name, [])
        for index, item in enumerate(items):
            yield Fields(item, f"{self.place(name)}[{index}]")

    def texts(self, name: str) -> list[str]:
        """The strings of the array under `name`; a single string counts as one."""
        value = self.raw(name)
        if value is None:
            return []
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise Invalid(self.place(name), "must be a string or an array of strings")
        return items

    def rest(self) -> dict[str, Json]:
        """What was not read, by name."""
        return {name: value for name, value in self.value.items() if name not in self._read}

    def invalid(self, name: str, message: str) -> Invalid:
        """To raise for the field `name`."""
        return Invalid(self.place(name) if name else self.at, message)

    def _take(self, name: str, default: object, kind: type, wanted: str) -> object:
        value = self.raw(name)
        if value is None:
            if default is REQUIRED:
                raise Invalid(self.place(name), "is required")
            return default
        if not isinstance(value, kind):
            raise Invalid(self.place(name), f"must be {wanted}")
        return value


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond every float
        return False
