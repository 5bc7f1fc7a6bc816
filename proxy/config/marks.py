"""What the model says about its fields: the annotations that loader, manual and JSON schema read.

Every field of a struct in the model is `Annotated[type, mark]` with exactly one of `Leaf`, `Section` and
`Named`; `read_mark` takes the two apart.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args

from msgspec.structs import FieldInfo

from proxy.config.kinds import Kind


@dataclass(frozen=True, slots=True)
class Leaf:
    """One key with one value. `why`: meaning, and the reason of the default. `many`: an array of them, at least one.

    `instead`: another spelling of the same key, its kind and its meaning; exactly one of the two must be
    given.
    """

    kind: Kind
    why: str
    many: bool = False
    instead: tuple[str, Kind, str] | None = None


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


def read_mark(info: FieldInfo) -> tuple[Any, Mark]:
    """The type of a field and what the model says about it."""
    base, mark = get_args(info.type)
    return base, mark
