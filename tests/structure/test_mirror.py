"""Each source file has the test file of its name, so that whoever changes one knows where to look."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = (
    "config", "demo", "wire", "dialects", "accounts", "usage", "store", "relay", "upstream", "edge", "ops",
    "tools",
)  # fmt: skip

EXCEPTIONS = {
    "wire/limits.py": "numbers; tests/wire/test_framing.py and test_sse.py hold them",
    "relay/ports.py": "protocols without code; mypy holds them",
    "accounts/cooldown.py": "values and a protocol; tests/accounts/test_board.py and tests/store use them",
    "accounts/trouble.py": "values; tests/accounts/test_policy.py judges them",
    "dialects/parts.py": "types without code; mypy holds them, and every dialect's tests use them",
    "demo/answer.py": "the answer that tests/demo/test_dialects.py reads in every dialect",
    "demo/anthropic.py": "tests/demo/test_dialects.py",
    "demo/gemini.py": "tests/demo/test_dialects.py",
    "demo/openai_chat.py": "tests/demo/test_dialects.py",
    "demo/connection.py": "tests/demo/test_server.py, whose server it belongs to",
    "tools/exits.py": "numbers; the tests of the commands hold them",
}


def list_sources() -> list[str]:
    files = (path for room in ROOMS for path in sorted((ROOT / "proxy" / room).rglob("*.py")))
    return [str(path.relative_to(ROOT / "proxy")) for path in files if path.name != "__init__.py"]


def name_test(source: str) -> Path:
    path = Path(source)
    return ROOT / "tests" / path.parent / f"test_{path.name}"


@pytest.mark.parametrize("source", [source for source in list_sources() if source not in EXCEPTIONS])
def test_a_source_file_has_its_test_file(source: str) -> None:
    assert name_test(source).is_file()


@pytest.mark.parametrize("source", EXCEPTIONS)
def test_an_exception_is_still_needed(source: str) -> None:
    assert (ROOT / "proxy" / source).is_file()
    assert not name_test(source).exists()
