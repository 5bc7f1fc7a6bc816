"""What no file of the repository may hold: places on one machine, and the hosts that packages come from."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SKIPPED = re.compile(
    r"(^|/)(\.venv[^/]*|\.npm-[^/]*|\.git|__pycache__|[^/]+\.egg-info|\.[a-z]+_cache|\.hypothesis)(/|$)"
)

FORBIDDEN = {
    # /opt/penstock is where scripts/install puts the service, on every machine
    "a path of one machine": re.compile(r"(?<![\w./-])/(work|opt|root|home)/(?!(?<=/opt/)penstock\b)[a-z.]"),
    "a host that packages come from": re.compile(
        r"pypi\.org|pythonhosted|registry\.npmjs|deb\.debian|index-url|find-links"
    ),
    "the folder beside the checkout": re.compile(r"shared/(?!\w+\.py)"),
}
EXCUSED = {"the folder beside the checkout": "PENSTOCK_FIXTURES"}
"""What excuses a line: the recordings' default place is named where the variable is read."""


def list_files() -> list[Path]:
    """What git knows or would add; without git everything but environments and caches."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    names = listed.stdout.splitlines() if listed.returncode == 0 else walk()
    return [path for name in names if (path := ROOT / name).is_file() and path != Path(__file__)]


def walk() -> list[str]:
    found = (Path(folder, name) for folder, _, names in os.walk(ROOT) for name in names)
    return [name for path in found if not SKIPPED.search(name := str(path.relative_to(ROOT)))]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_nothing_names(what: str) -> None:
    pattern, excuse = FORBIDDEN[what], EXCUSED.get(what, "\0")
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in list_files()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="ignore").splitlines(), 1)
        if pattern.search(line) and excuse not in line
    ]
    assert found == []


def test_the_patterns_find_what_they_are_for() -> None:
    assert FORBIDDEN["a path of one machine"].search('open("/work/main/x")')
    assert FORBIDDEN["a path of one machine"].search("/root/penstock/x")
    assert not FORBIDDEN["a path of one machine"].search("/opt/penstock/current")
    assert FORBIDDEN["the folder beside the checkout"].search("../shared/fixtures")
    assert len(list_files()) > 100
