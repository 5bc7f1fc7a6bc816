"""`penstock accounts`: how a running proxy's accounts are; with `--clear NAME` it lifts what is held against one.

It asks the admin listener (`admin_options.py` says which). Exit code 1 when it cannot be asked, or knows no such name.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable
from typing import Any

from proxy.config.address import Address
from proxy.tools.account_lines import format_accounts
from proxy.tools.admin_client import AdminError, ask_admin
from proxy.tools.admin_options import add_admin_options, choose_admin
from proxy.tools.exits import OK


def fill(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--clear", metavar="NAME", help="lift the cool-downs of this provider, or of one account: provider/account"
    )
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    add_admin_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    address = choose_admin(options, os.environ)
    if options.clear is None:
        answer, show = ask_admin(address, "/accounts"), format_accounts
    else:
        answer, show = ask_admin(address, "/accounts/clear", {"name": options.clear}), _tell_lifted
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    print(json.dumps(answer, indent=2) if options.json else _format(address, answer, show))
    return OK


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
