"""Where the state is kept."""

from pathlib import Path

import pytest

from proxy.config.state import find_cassettes, find_ledger_file, find_state_file


@pytest.mark.parametrize(
    ("path", "environ", "file"),
    [
        ("/srv/x.db", {"STATE_DIRECTORY": "/var/lib/p", "HOME": "/h"}, "/srv/x.db"),
        ("x.db", {}, "x.db"),
        (":memory:", {"HOME": "/h"}, None),
        ("", {"STATE_DIRECTORY": "/var/lib/p", "XDG_STATE_HOME": "/x", "HOME": "/h"}, "/var/lib/p/penstock.db"),
        ("", {"STATE_DIRECTORY": "/var/lib/p:/var/lib/q"}, "/var/lib/p/penstock.db"),
        ("", {"STATE_DIRECTORY": "", "XDG_STATE_HOME": "/x", "HOME": "/h"}, "/x/penstock/penstock.db"),
        ("", {"XDG_STATE_HOME": "x", "HOME": "/h"}, "/h/.local/state/penstock/penstock.db"),
        ("", {"HOME": "/h"}, "/h/.local/state/penstock/penstock.db"),
        ("", {}, None),
    ],
)
def test_path_then_service_then_user(path: str, environ: dict[str, str], file: str | None) -> None:
    assert find_state_file(path, environ) == (file and Path(file))


HOME = {"HOME": "/h"}


@pytest.mark.parametrize(
    ("ledger", "state", "environ", "file"),
    [
        ("", "", HOME, "/h/.local/state/penstock/penstock.db"),
        ("", "/srv/x.db", HOME, "/srv/x.db"),
        ("/srv/y.db", "/srv/x.db", HOME, "/srv/y.db"),
        ("/srv/y.db", ":memory:", {}, "/srv/y.db"),
        (":memory:", "/srv/x.db", HOME, None),
        ("", ":memory:", HOME, None),
        ("", "", {}, None),
    ],
)
def test_the_ledger_is_in_the_file_of_the_state_unless_told(
    ledger: str, state: str, environ: dict[str, str], file: str | None
) -> None:
    assert find_ledger_file(ledger, state, environ) == (file and Path(file))


@pytest.mark.parametrize(
    ("path", "environ", "directory"),
    [
        ("", {"STATE_DIRECTORY": "/var/lib/p", **HOME}, "/var/lib/p/cassettes"),
        ("", {"XDG_STATE_HOME": "/x", **HOME}, "/x/penstock/cassettes"),
        ("", HOME, "/h/.local/state/penstock/cassettes"),
        ("./here", HOME, "./here"),
        ("./here", {}, "./here"),
        ("", {}, None),
    ],
)
def test_recordings_are_beside_the_state_unless_told(path: str, environ: dict[str, str], directory: str | None) -> None:
    assert find_cassettes(path, environ) == (directory and Path(directory))
