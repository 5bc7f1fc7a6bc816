"""The annotations of the model."""

from typing import get_args

import pytest
from msgspec import Struct
from msgspec.structs import FieldInfo, fields

from proxy.config.marks import Leaf, Named, Section, list_rivals, read_mark
from proxy.config.model import Account, Capability, Client, Config, Limits, Log, Model, Mount, Provider, Server

STRUCTS: list[type[Struct]] = [
    *(Config, Server, Limits, Client, Provider, Account, Model, Capability, Mount, Log),
]
FIELDS = [(shape.__name__, info) for shape in STRUCTS for info in fields(shape)]


@pytest.mark.parametrize(("_", "info"), FIELDS, ids=[f"{name}.{info.name}" for name, info in FIELDS])
def test_field_says_what_it_is_and_why(_: str, info: FieldInfo) -> None:
    base, mark = read_mark(info)
    assert isinstance(mark, Leaf | Named | Section)
    assert mark.why.endswith(".")
    assert isinstance(mark, Section) is (isinstance(base, type) and issubclass(base, Struct))
    if isinstance(mark, Named) and mark.kind is None:
        assert issubclass(get_args(base)[1], Struct)


@pytest.mark.parametrize(("_", "info"), FIELDS, ids=[f"{name}.{info.name}" for name, info in FIELDS])
def test_default_is_what_reading_it_back_gives(_: str, info: FieldInfo) -> None:
    mark = read_mark(info)[1]
    if not isinstance(mark, Leaf) or info.required or mark.rival or info.default is None:
        return
    values = info.default if mark.many else (info.default,)
    assert tuple(mark.kind.read(mark.kind.write(value)) for value in values) == tuple(values)


def test_rivals_are_found() -> None:
    assert list_rivals(Account) == ["key", "token_command", "token_file"]
    assert list_rivals(Client) == []
