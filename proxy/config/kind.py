"""What a kind of leaf value is: how it is read, written, named in a message, and described in a JSON schema.

A kind reads one TOML value, after its placeholders were replaced, and raises `ValueError` whose message
never repeats the value. The loader adds place, file and, unless the kind is `sensitive`, what was found.
Numbers may be given as text too, since a placeholder can only give text.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

Schema = Mapping[str, Any]

PLACEHOLDER: Final[Schema] = {"type": "string", "pattern": r"\$"}

_WHOLE: Final = re.compile(r"[0-9]{1,13}")
_NUMBER: Final = re.compile(r"[0-9]{1,13}(\.[0-9]{1,20})?")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of leaf.

    name: how manual and messages call it. read: a raw value to the model's. write: back to what a file may
    hold. types: the Python types TOML may give. blank: stands in for a value that could not be read, so
    that the others are checked too. sensitive: the value may be a secret, or hold one by mistake, and no
    message shows it. is_path: `${cred:NAME}` stands for the path of the credential, not for what is in it.
    """

    name: str
    read: Callable[[Any], Any]
    schema: Schema
    types: tuple[type, ...] = (str,)
    write: Callable[[Any], Any] = field(default=lambda value: value)
    blank: Any = ""
    sensitive: bool = False
    is_path: bool = False


def choice(*values: str) -> Kind:
    """A kind for one of a few words."""
    name = "one of " + ", ".join(f'"{value}"' for value in values)

    def read(value: str) -> str:
        if value not in values:
            close = get_close_matches(value[:64], values, 1)
            raise ValueError(f"not {name}" + (f"; did you mean {close[0]}?" if close else ""))
        return value

    schema = {"anyOf": [{"enum": list(values)}, PLACEHOLDER]}
    return Kind(name=name, read=read, schema=schema, blank=values[0])


def whole(least: int, most: int) -> Kind:
    """A kind for whole numbers in bounds."""

    def read(value: str | int) -> int:
        if isinstance(value, str):
            if not _WHOLE.fullmatch(value):
                raise ValueError("not a whole number")
            value = int(value)
        if not least <= value <= most:
            raise ValueError(f"outside {least} to {most}")
        return value

    name = "whole number" if least else "whole number, may be 0"
    schema = {"anyOf": [{"type": "integer", "minimum": least, "maximum": most}, PLACEHOLDER]}
    return Kind(name=name, read=read, schema=schema, types=(str, int), blank=0)


def number(most: int, name: str) -> Kind:
    """A kind for numbers from 0."""

    def read(value: str | float) -> float:
        if isinstance(value, str):
            if not _NUMBER.fullmatch(value):
                raise ValueError("not a number")
            value = float(value)
        if not 0 <= value <= most:
            raise ValueError(f"outside 0 to {most}")
        return float(value)

    schema = {"anyOf": [{"type": "number", "minimum": 0, "maximum": most}, PLACEHOLDER]}
    return Kind(name=name, read=read, schema=schema, types=(str, int, float), blank=0.0)
