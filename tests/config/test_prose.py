"""The texts around the tables."""

from pathlib import Path

from proxy.config import prose
from proxy.config.load import DEFAULT_PATHS


def test_example_in_the_manual_is_the_file_beside_it() -> None:
    example = Path(__file__).parents[2] / "docs" / "penstock.example.toml"
    assert example.read_text(encoding="utf-8") == prose.EXAMPLE


def test_manual_names_the_default_paths() -> None:
    assert all(path in prose.VALUES for path in DEFAULT_PATHS)
