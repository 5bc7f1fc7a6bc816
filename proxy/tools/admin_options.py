"""Where the commands that ask a running proxy find its admin listener: at the address of `--admin`, else of
`$PENSTOCK_ADMIN`, else at that of the service of this machine, unless another configuration is given or lies here,
else of `[server] admin` in the configuration that `penstock serve` would read here.
"""

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from proxy.config.address import Address, parse_address
from proxy.config.load import DEFAULT_PATHS, find_default_paths, load
from proxy.errors import ConfigError
from proxy.tools.admin_client import AdminError

SERVICE: Final = "/run/penstock/admin-1.sock"
"""A link to the admin socket of the newest instance on the first core, as systemd/penstock@.service sets it. The
service's configuration cannot be asked: only the service sees its credentials."""

SERVICE_CONFIG: Final = Path(DEFAULT_PATHS[-1])

_OFF: Final = ("", "off")


def add_admin_options(parser: argparse.ArgumentParser) -> None:
    """`--admin` and `--config`."""
    parser.add_argument(
        "--admin", metavar="ADDRESS", type=parse_admin,
        help="the admin listener, host:port or the path of a Unix socket; else $PENSTOCK_ADMIN, else the service's, "
        "else [server] admin",
    )  # fmt: skip
    parser.add_argument(
        "--config", metavar="FILE", type=Path, action="append", default=[],
        help="where to look for [server] admin; as for serve",
    )  # fmt: skip


def choose_admin(options: argparse.Namespace, environ: Mapping[str, str]) -> Address:
    """What the options of `add_admin_options` and the environment come to. Raises AdminError as `find_admin`."""
    given: Address | None = options.admin
    return given or find_admin(options.config, environ)


def find_admin(paths: Sequence[Path], environ: Mapping[str, str]) -> Address:
    """Where the admin listener should be. Raises AdminError when there is none, or nothing tells."""
    paths = tuple(paths) or find_default_paths(environ)
    text = environ.get("PENSTOCK_ADMIN", "")
    if not text and paths in ((), (SERVICE_CONFIG,)) and os.path.lexists(SERVICE):
        text = SERVICE
    if not text:
        try:
            text = load(paths, environ).server.admin
        except ConfigError as error:
            raise AdminError(f"the configuration does not tell where to ask: give --admin. {error}") from None
    if text.lower() in _OFF:
        raise AdminError("the admin listener is off: set [server] admin")
    try:
        return parse_admin(text)
    except argparse.ArgumentTypeError as error:
        raise AdminError(f"PENSTOCK_ADMIN: {error}") from None


def parse_admin(text: str) -> Address:
    try:
        return parse_address(f"unix:{text}" if text.startswith("/") else text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
