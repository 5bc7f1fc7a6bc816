"""Sockets that the service manager has opened for us: whether the configuration would let us listen there.

They take the place of `[server] listen`, so what holds for those addresses holds for these. Takes a checked Config and
the addresses; raises ConfigError with every complaint. Unix sockets are no matter: who may connect is the file's.
"""

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from proxy.config.address import Address
from proxy.config.checks import check_config
from proxy.config.model import Config
from proxy.config.tree import format_place
from proxy.errors import ConfigError, Fault

SOURCE: Final = "socket of the service manager"

_LISTEN: Final = ("server", "listen")
_SAME_HOST: Final = {"0.0.0.0": "", "::": "", "localhost": "127.0.0.1"}  # noqa: S104 - recognised, not opened


def check_passed(config: Config, addresses: Sequence[Address]) -> None:
    """Raise ConfigError where `listen = addresses` would not pass."""
    listen = dict.fromkeys(str(address) for address in addresses if not address.is_unix)
    passed = replace(config, server=replace(config.server, listen=tuple(listen)))
    faults = [
        Fault(SOURCE, "" if place[:2] == _LISTEN else format_place(place), message)
        for place, message in check_config(passed, lambda place: False)
    ]
    if faults:
        raise ConfigError(faults)


def is_listen(listen: Sequence[str], addresses: Sequence[Address]) -> bool:
    """Whether `[server] listen` stands for these addresses, as far as can be told without asking for a name."""
    return set(map(_simplify, listen)) == {_simplify(str(address)) for address in addresses}


def _simplify(text: str) -> str:
    host, colon, port = text.replace("*:", ":").rpartition(":")
    host = host.removeprefix("[").removesuffix("]").lower()
    return _SAME_HOST.get(host, host) + colon + port
