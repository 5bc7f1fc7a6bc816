"""`penstock accounts`: how a running proxy's accounts are; with `--clear NAME` it lifts what is held against one.

It asks the admin listener: at the address of `--admin`, else of `$PENSTOCK_ADMIN`, else of `[server] admin` in the
configuration that `penstock serve` would read here. Exit code 1 when it cannot be asked, or knows no such name.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from proxy.config.address import Address, parse_address
from proxy.config.load import find_default_paths, load
from proxy.errors import ConfigError
from proxy.tools.account_lines import format_accounts
from proxy.tools.admin_client import AdminError, ask_admin

OK: Final = 0
_OFF: Final = ("", "off")


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser of `penstock`."""
    parser = commands.add_parser("accounts", help="show how a running proxy's accounts are, and lift their cool-downs")
    parser.add_argument(
        "--clear", metavar="NAME", help="lift the cool-downs of this provider, or of one account: provider/account"
    )
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    parser.add_argument(
        "--admin", metavar="ADDRESS", type=_parse_admin,
        help="the admin listener, host:port or the path of a Unix socket; else $PENSTOCK_ADMIN, else [server] admin",
    )  # fmt: skip
    parser.add_argument(
        "--config", metavar="FILE", type=Path, action="append", default=[],
        help="where to look for [server] admin; as for serve",
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    address = options.admin or find_admin(options.config, os.environ)
    if options.clear is None:
        answer, show = ask_admin(address, "/accounts"), format_accounts
    else:
        answer, show = ask_admin(address, "/accounts/clear", {"name": options.clear}), _tell_lifted
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    print(json.dumps(answer, indent=2) if options.json else _format(address, answer, show))
    return OK


def find_admin(paths: Sequence[Path], environ: Mapping[str, str]) -> Address:
    """Where the admin listener should be. Raises AdminError when there is none, or nothing tells."""
    text = environ.get("PENSTOCK_ADMIN", "")
    if not text:
        try:
            text = load(tuple(paths) or find_default_paths(environ), environ).server.admin
        except ConfigError as error:
            raise AdminError(f"the configuration does not tell where to ask: give --admin. {error}") from None
    if text.lower() in _OFF:
        raise AdminError("the admin listener is off: set [server] admin")
    try:
        return _parse_admin(text)
    except argparse.ArgumentTypeError as error:
        raise AdminError(f"PENSTOCK_ADMIN: {error}") from None


def _parse_admin(text: str) -> Address:
    try:
        return parse_address(f"unix:{text}" if text.startswith("/") else text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _format(address: Address, answer: Any, show: Callable[[Any], str]) -> str:
    try:
        return show(answer)
    except (TypeError, KeyError, AttributeError):
        raise AdminError(f"what answers at {address} is no admin listener of this version") from None


def _tell_lifted(answer: Any) -> str:
    lifted: int = answer["lifted"]
    if not lifted:
        return "nothing was held against it"
    return f"{lifted} cool-down{'s' if lifted != 1 else ''} lifted"
