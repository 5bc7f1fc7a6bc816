"""No file over 300 lines, no function over 50: what does not fit the eye is not read."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(path for folder in ("proxy", "tests") for path in (ROOT / folder).rglob("*.py"))
LONGEST_FILE = 300
LONGEST_FUNCTION = 50


def count_lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def list_functions(path: Path) -> Iterator[tuple[str, int]]:
    """Each function and the lines of its body, without its docstring."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            yield node.name, (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def show(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", FILES, ids=show)
def test_a_file_is_not_too_long(path: Path) -> None:
    assert count_lines(path) <= LONGEST_FILE


@pytest.mark.parametrize("path", FILES, ids=show)
def test_no_function_is_too_long(path: Path) -> None:
    assert [pair for pair in list_functions(path) if pair[1] > LONGEST_FUNCTION] == []
