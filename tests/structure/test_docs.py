"""The prose keeps up with the code: links lead somewhere, named files exist, examples are accepted."""

import re
import tomllib
from pathlib import Path

import pytest

import proxy
from proxy.config.load import build_config

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])

LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)(#[^)]*)?\)")
FILE = re.compile(r"`((?:proxy|tests|scripts|docs)/[\w./-]*\w)`")
EXAMPLE = re.compile(r"```toml\n(.*?)```", re.DOTALL)


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_and_named_files_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    lost = [link for link, _ in LINK.findall(text) if not (page.parent / link).exists()]
    lost += [file for file in FILE.findall(text) if not (ROOT / file).exists()]
    assert lost == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_configuration_examples_are_accepted(page: Path) -> None:
    for example in EXAMPLE.findall(page.read_text(encoding="utf-8")):
        config = build_config([(name(page), tomllib.loads(example))], {"OPENAI_API_KEY": "x", "ANTHROPIC_API_KEY": "x",
                                                                      "GEMINI_API_KEY": "x"})  # fmt: skip
        assert config.mounts or config.models


@pytest.mark.parametrize("page", ["README.md", "CHANGELOG.md", "SECURITY.md", "CONTRIBUTING.md", "LICENSE"])
def test_page_is_there(page: str) -> None:
    assert (ROOT / page).stat().st_size > 200


def test_changelog_has_the_version() -> None:
    assert f"## [{proxy.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_readme_names_the_commands_that_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert {script for script in re.findall(r"scripts/\w+", text) if not (ROOT / script).exists()} == set()
    assert "scripts/run" in text
    assert "scripts/test" in text
