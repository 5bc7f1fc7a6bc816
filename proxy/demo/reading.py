"""Reads the JSON of a request as strictly as a provider does: what is missing, of the wrong type or unknown is a
`BadAsk` in the provider's own words, so that a wrong translation shows in a test instead of passing unseen.

`Fields` is one object and knows its path. Whoever reads it asks for every field by name; `close` then refuses what
nobody asked for. Null counts as absent. Messages name places and never quote values. Knows no dialect: its ways of
speaking come as a `Style`.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from proxy.demo.answer import BadAsk


@dataclass(frozen=True, slots=True)
class Style:
    """How a provider words a refusal; `{at}` is the path, `{what}` says what is wrong with it. `dotted`: indexes as
    `messages.0` instead of `messages[0]`. `snake`: fields may be spelled in snake_case too, as Google takes them."""

    missing: str
    wrong: str
    unknown: str
    dotted: bool = False
    snake: bool = False


OPENAI: Final = Style(
    missing="Missing required parameter: '{at}'.",
    wrong="Invalid value for '{at}': {what}.",
    unknown="Unknown parameter: '{at}'.",
)
ANTHROPIC: Final = Style(
    missing="{at}: Field required",
    wrong="{at}: Input {what}",
    unknown="{at}: Extra inputs are not permitted",
    dotted=True,
)
GOOGLE: Final = Style(
    missing="* {at}: required field is not set",
    wrong="Invalid value at '{at}': {what}",
    unknown="Invalid JSON payload received. Unknown name at '{at}': Cannot find field.",
    snake=True,
)


def parse_body(body: bytes) -> dict[str, Any]:
    """The request's JSON object. Raises `BadAsk`."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadAsk("the body is not valid JSON") from None
    if not isinstance(value, dict):
        raise BadAsk("the body is not a JSON object")
    return value


class Fields:
    """One object at the path `at`, "" for the body itself."""

    __slots__ = ("_read", "at", "style", "value")

    def __init__(self, value: object, at: str, style: Style) -> None:
        self.at = at
        self.style = style
        if not isinstance(value, dict):
            raise BadAsk(style.wrong.format(at=at, what="should be an object"))
        self.value: dict[str, Any] = value
        self._read: set[str] = set()

    def place(self, name: str | int) -> str:
        if isinstance(name, int):
            return f"{self.at}.{name}" if self.style.dotted else f"{self.at}[{name}]"
        return f"{self.at}.{name}" if self.at else name

    def bad(self, name: str, what: str) -> BadAsk:
        """To raise for the field `name`, "" for the object itself."""
        return BadAsk(self.style.wrong.format(at=self.place(name) if name else self.at, what=what))

    def missing(self, name: str) -> BadAsk:
        return BadAsk(self.style.missing.format(at=self.place(name)))

    def raw(self, name: str) -> Any:
        """The value as it stands, None when absent."""
        self._read.add(name)
        if self.style.snake:
            snake = to_snake(name)
            self._read.add(snake)
            return self.value.get(name, self.value.get(snake))
        return self.value.get(name)

    def has(self, name: str) -> bool:
        return self.raw(name) is not None

    def text(self, name: str) -> str | None:
        value = self.raw(name)
        if value is None or isinstance(value, str):
            return value
        raise self.bad(name, "should be a string")

    def need_text(self, name: str) -> str:
        """A string that is not empty."""
        value = self.text(name)
        if value is None:
            raise self.missing(name)
        if not value:
            raise self.bad(name, "should not be empty")
        return value

    def flag(self, name: str) -> bool | None:
        value = self.raw(name)
        if value is None or isinstance(value, bool):
            return value
        raise self.bad(name, "should be a boolean")

    def whole(self, name: str, low: int | None = None, high: int | None = None) -> int | None:
        value = self.number(name, low, high)
        if value is not None and not isinstance(value, int):
            raise self.bad(name, "should be an integer")
        return value

    def number(self, name: str, low: float | None = None, high: float | None = None) -> float | int | None:
        value = self.raw(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or value in (math.inf, -math.inf):
            raise self.bad(name, "should be a number")
        if (low is not None and value < low) or (high is not None and value > high):
            raise self.bad(name, "should be within its bounds")
        return value

    def choice(self, name: str, allowed: "frozenset[str] | tuple[str, ...]") -> str | None:
        value = self.text(name)
        if value is not None and value not in allowed:
            raise self.bad(name, f"should be one of {', '.join(sorted(allowed))}")
        return value

    def match(self, name: str, pattern: "re.Pattern[str]") -> str:
        """A required string of a given form."""
        value = self.need_text(name)
        if not pattern.fullmatch(value):
            raise self.bad(name, f"should match pattern {pattern.pattern}")
        return value

    def items(self, name: str) -> list[Any] | None:
        value = self.raw(name)
        if value is None or isinstance(value, list):
            return value
        raise self.bad(name, "should be an array")

    def texts(self, name: str, most: int | None = None) -> list[str]:
        """An array of strings; none when absent."""
        items = self.items(name) or []
        if not all(isinstance(item, str) for item in items):
            raise self.bad(name, "should be an array of strings")
        if most is not None and len(items) > most:
            raise self.bad(name, f"should have at most {most} items")
        return items

    def child(self, name: str) -> "Fields | None":
        value = self.raw(name)
        return None if value is None else Fields(value, self.place(name), self.style)

    def need_child(self, name: str) -> "Fields":
        found = self.child(name)
        if found is None:
            raise self.missing(name)
        return found

    def children(self, name: str) -> "Iterator[Fields]":
        """The objects of an array; none when it is absent."""
        for index, item in enumerate(self.items(name) or []):
            at = self.place(name)
            yield Fields(item, f"{at}.{index}" if self.style.dotted else f"{at}[{index}]", self.style)

    def object(self, name: str) -> dict[str, Any] | None:
        """An object taken as it is, such as a schema."""
        value = self.raw(name)
        if value is None or isinstance(value, dict):
            return value
        raise self.bad(name, "should be an object")

    def skip(self, *names: str) -> None:
        """Fields that the provider knows and the demo does not look into."""
        for name in names:
            self.raw(name)

    def close(self) -> None:
        """Refuse what nobody has read."""
        for name in self.value:
            if name not in self._read:
                raise BadAsk(self.style.unknown.format(at=self.place(name[:64])))


def to_snake(name: str) -> str:
    return re.sub(r"([A-Z])", r"_\1", name).lower()
