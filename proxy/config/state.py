"""Where what outlives a restart is kept, when `[state]` leaves it open.

A pure function of the configured path and the environment: systemd's directory goes before the user's own (XDG Base
Directory Specification 0.8). It looks at no file and makes no directory.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

NOWHERE: Final = ":memory:"

_FILE: Final = "penstock.db"


def find_state_file(path: str, environ: Mapping[str, str]) -> Path | None:
    """The file for a `state.path`; None when nothing is kept, also for want of a home."""
    if path:
        return None if path == NOWHERE else Path(path)
    service, _, _ = environ.get("STATE_DIRECTORY", "").partition(":")  # several are possible: systemd.exec(5)
    if service:
        return Path(service, _FILE)
    user, home = environ.get("XDG_STATE_HOME", ""), environ.get("HOME", "")
    if user.startswith("/"):  # a relative one is to be ignored
        return Path(user, "penstock", _FILE)
    return Path(home, ".local", "state", "penstock", _FILE) if home else None
