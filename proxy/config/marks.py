"""What the model says about its fields: the annotations that loader, manual and JSON schema read.

Every field of a struct in the model is `Annotated[type, mark]` with exactly one of `Leaf`, `Section` and
`Named`; `read_mark` takes the two apart.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

from msgspec import Struct
from msgspec.structs import FieldInfo, fields

from proxy.config.kind import Kind


@dataclass(frozen=True, slots=True)
class Leaf:
    """One key with one value. `why`: meaning, and the reason of the default.

    `many`: an array of them, of `least` to `most` elements. `instead`: another spelling of the same key, its kind and
    its meaning; exactly one of the two must be given. `rival`: of the rivals in a table exactly one must be given. A
    default of None means that the key may be absent.
    """

    kind: Kind
    why: str
    many: bool = False
    least: int = 1
    most: int | None = None
    instead: tuple[str, Kind, str] | None = None
    rival: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A table with fixed keys."""

    why: str


@dataclass(frozen=True, slots=True)
class Named:
    """A table whose keys the user chooses: `check` refuses a name, `called` stands for it in the manual.

    `kind` is given when the values are leaves; otherwise they are tables.
    """

    check: Callable[[str], str]
    called: str
    why: str
    kind: Kind | None = None


Mark = Leaf | Section | Named


@cache
def list_fields(shape: type[Struct]) -> tuple[FieldInfo, ...]:
    """The fields of a model, in its order. msgspec looks at all the annotations anew each time, and a configuration
    asks for every table."""
    return fields(shape)


def read_mark(info: FieldInfo) -> tuple[Any, Mark]:
    """The type of a field and what the model says about it."""
    base, mark = get_args(info.type)
    return base, mark


def list_rivals(shape: type[Struct]) -> list[str]:
    """The keys of a table of which exactly one must be given."""
    marks = ((info.encode_name, read_mark(info)[1]) for info in list_fields(shape))
    return [name for name, mark in marks if isinstance(mark, Leaf) and mark.rival]
