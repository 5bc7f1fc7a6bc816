"""Where the state is kept."""

from pathlib import Path

import pytest

from proxy.config.state import find_state_file


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
