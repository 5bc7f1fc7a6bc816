"""Who may import whom. The imports are read, not run: a room that reaches upwards, or sideways, is found here."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Each room and the rooms it may import from; itself always. Highest first.
_PURE = {"errors", "types"}
_FORMATS = {"dialects", "accounts", "usage", "wire", *_PURE}
_RELAY = {"relay", "store", *_FORMATS}
ALLOWED = {
    "__main__": {"cli"},
    "cli": {"listeners", "tools", "errors", ""},
    # what is kept is read without the process that wrote it
    "tools": {"lifecycle", "listeners", "loop", "demo", "ops", "store", "config", "dialects", "wire", *_PURE, ""},
    "lifecycle": {"app", "listeners", "ops", "config", "relay", *_PURE},
    "listeners": {"config", *_PURE},
    "loop": set(),
    "demo": set(),
    "app": {"edge", "upstream", "ops", "config", *_RELAY},
    # the admin routes are built from the edge's answers; console and traces say which version they are of
    "ops": {"edge", "config", *_RELAY, ""},
    "edge": {"config", *_RELAY, ""},  # its name and version are what it calls itself upstream
    "upstream": {"config", *_RELAY},
    "relay": {"relay", *_FORMATS},
    "store": {"config", *_FORMATS},
    "dialects": {"wire", *_PURE},
    "accounts": {"dialects", "wire", *_PURE},
    "usage": {"dialects", "accounts", "wire", *_PURE},  # tokens are the dialects', a client's buckets the accounts'
    "wire": _PURE,
    "config": _PURE,
    "errors": set(),
    "types": set(),
    "": set(),  # proxy/__init__.py
}  # fmt: skip

PURE_ROOMS = ("wire", "dialects", "accounts", "usage", "errors", "types")
IMPURE = {"asyncio", "aiohttp", "logging", "time", "socket", "threading", "random"}
ROOMS_WITH_AIOHTTP = {"edge", "upstream", "ops", "demo", "tools", "app", "lifecycle"}

FILES = sorted((ROOT / "proxy").rglob("*.py"))


def name_room(path: Path) -> str:
    """`proxy/edge/x.py` is in edge, `proxy/cli.py` in cli, `proxy/__init__.py` in the room without a name."""
    first = path.relative_to(ROOT / "proxy").parts[0].removesuffix(".py")
    return "" if first == "__init__" else first


def read_imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, whole; also those within functions and under TYPE_CHECKING."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            assert node.module is not None
            # `from proxy import x` may name a room
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rooms_imported(path: Path) -> set[str]:
    rooms = set()
    for module in read_imports(path):
        top, *rest = module.split(".")
        if top == "proxy":
            rooms.add(rest[0] if rest and rest[0] in ALLOWED else "")
    return rooms - {name_room(path)}


def packages_imported(path: Path) -> set[str]:
    return {module.split(".")[0] for module in read_imports(path)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_imports_only_from_below(path: Path) -> None:
    room = name_room(path)
    assert room in ALLOWED, f"a new room: say in {Path(__file__).name} what it may import"
    assert rooms_imported(path) <= ALLOWED[room]


def test_no_two_rooms_import_each_other() -> None:
    edges = {(name_room(path), other) for path in FILES for other in rooms_imported(path)}
    assert [pair for pair in edges if pair[::-1] in edges] == []


def test_edge_and_upstream_never_meet() -> None:
    assert "upstream" not in ALLOWED["edge"]
    assert "edge" not in ALLOWED["upstream"]


@pytest.mark.parametrize("room", PURE_ROOMS)
def test_pure_code_is_pure(room: str) -> None:
    for path in FILES:
        if name_room(path) == room:
            assert not packages_imported(path) & IMPURE, path


@pytest.mark.parametrize("room", [*PURE_ROOMS, "relay", "upstream", "config"])
def test_nobody_but_the_edge_and_the_command_knows_the_version(room: str) -> None:
    assert "" not in ALLOWED[room]


def test_aiohttp_stays_in_the_adapters() -> None:
    users = {name_room(path) for path in FILES if "aiohttp" in packages_imported(path)}
    assert users <= ROOMS_WITH_AIOHTTP


def test_the_configuration_is_no_business_of_pure_code_or_of_the_relay() -> None:
    readers = {name_room(path) for path in FILES if "config" in rooms_imported(path)}
    assert readers <= {"app", "edge", "upstream", "ops", "store", "tools", "lifecycle", "listeners"}


def test_the_files_that_are_read_are_those_of_the_package() -> None:
    assert len(FILES) > 50
    assert rooms_imported(ROOT / "proxy/app/penstock.py") >= {"edge", "upstream", "config"}
