"""Where what outlives a restart is kept, when `[state]` leaves it open.

A pure function of the configured path and the environment: systemd's directory goes before the user's own (XDG Base
Directory Specification 0.8). It looks at no file and makes no directory.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

NOWHERE: Final = ":memory:"

_FILE: Final = "penstock.db"
_CASSETTES: Final = "cassettes"


def find_state_file(path: str, environ: Mapping[str, str]) -> Path | None:
    """The file for a `state.path`; None when nothing is kept, also for want of a home."""
    if path:
        return None if path == NOWHERE else Path(path)
    home = _find_home(environ)
    return home and home / _FILE


def find_ledger_file(path: str, state_path: str, environ: Mapping[str, str]) -> Path | None:
    """The file for a `ledger.path`, given `state.path` too; None when no ledger is kept."""
    return find_state_file(path or state_path, environ)


def find_cassettes(path: str, environ: Mapping[str, str]) -> Path | None:
    """The directory for a `record.directory`; None for want of a home."""
    home = _find_home(environ)
    return Path(path) if path else home and home / _CASSETTES


def _find_home(environ: Mapping[str, str]) -> Path | None:
    """The directory of what is kept."""
    service, _, _ = environ.get("STATE_DIRECTORY", "").partition(":")  # several are possible: systemd.exec(5)
    if service:
        return Path(service)
    user, home = environ.get("XDG_STATE_HOME", ""), environ.get("HOME", "")
    if user.startswith("/"):  # a relative one is to be ignored
        return Path(user, "penstock")
    return Path(home, ".local", "state", "penstock") if home else None
