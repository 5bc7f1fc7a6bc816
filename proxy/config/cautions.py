"""What a good configuration should still be told: no fault, nothing is refused for it.

Takes a checked `Config`, yields a place and a message for each. Looks whether token files are there, at the
certificate and its key, and at nothing else outside.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from ipaddress import ip_address, ip_network
from typing import Final

from proxy.config.address import parse_address
from proxy.config.checks import Complaint
from proxy.config.model import Config, Model
from proxy.config.pair import PairError, read_validity
from proxy.config.state import NOWHERE

MIN_TOKEN: Final = 16
"""Characters of a console's token below which it is guessed sooner or later: 80 bits, written as base32."""

RENEWAL: Final = timedelta(days=14)
"""Before a certificate's end: whoever renews by a program has done so by then (30 days are usual), and by hand it takes
days."""

STOP_TIMEOUT: Final = 3600.0
"""Seconds after which the service that comes with Penstock is killed if it has not ended: its unit's TimeoutStopSec."""

STOP_MARGIN: Final = 10.0
"""Seconds that a stop takes beyond `drain`: what was aborted is delivered, the ledger written, on a busy disk."""

METADATA: Final = ip_address("169.254.169.254")
"""Where the machines of most clouds are told who they are."""

TERMS: Final = (
    "Google's terms forbid programs of others to use the credentials of Antigravity or Gemini CLI, and accounts have "
    "been suspended for it"
)


def find_cautions(config: Config) -> Iterator[Complaint]:
    """Everything worth a warning, in the order of the model."""
    for find in _FINDERS:
        yield from find(config)


def _find_at_admin(config: Config) -> Iterator[Complaint]:
    admin, token = config.server.admin, config.console.token.reveal()
    if admin and not token and not parse_address(admin).is_loopback:
        yield ("server", "admin"), "it is not loopback: without console.token nothing but health checks is answered"
    if 0 < len(token) < MIN_TOKEN:
        yield ("console", "token"), f"it has less than {MIN_TOKEN} characters: it may be guessed"


def _find_at_certificate(config: Config) -> Iterator[Complaint]:
    tls, now = config.server.tls, datetime.now(UTC)
    if not tls.certificate:
        return
    with suppress(PairError, ValueError):  # it was read a moment ago
        start, end = read_validity(tls.certificate)
        if now < start:
            yield ("server", "tls", "certificate"), f"it is good from {start:%Y-%m-%d %H:%M} UTC only"
        if end < now:
            yield ("server", "tls", "certificate"), f"it has expired, at {end:%Y-%m-%d %H:%M} UTC"
        elif end < now + RENEWAL:
            yield ("server", "tls", "certificate"), f"it expires at {end:%Y-%m-%d %H:%M} UTC"
    with suppress(OSError):
        if os.stat(tls.key).st_mode & stat.S_IROTH:
            yield ("server", "tls", "key"), "every user of this machine may read it"


def _find_at_front_proxies(config: Config) -> Iterator[Complaint]:
    if config.server.trusted_proxies and not config.clients:
        yield (
            ("server", "trusted_proxies"),
            "without [clients] whoever reaches the front proxy may call",
        )


def _find_at_drain(config: Config) -> Iterator[Complaint]:
    if config.limits.drain + STOP_MARGIN > STOP_TIMEOUT:
        text = f"the service is killed {STOP_TIMEOUT / 3600:g} h after it was told to stop (TimeoutStopSec of its unit)"
        yield ("limits", "drain"), text


def _find_at_clients(config: Config) -> Iterator[Complaint]:
    nowhere = (config.ledger.path or config.state.path) == NOWHERE
    mounted = any(mount.auth == "key" for mount in config.mounts.values())
    for name, client in config.clients.items():
        if client.cost_per_day and not config.prices:
            yield ("clients", name, "cost_per_day"), "without [prices] only a cost that a provider tells is counted"
        for key in ("tokens_per_day", "cost_per_day"):
            if nowhere and getattr(client, key):
                yield ("clients", name, key), "without a ledger the day begins anew at every start"
        for key in ("tpm", "tokens_per_day", "cost_per_day"):
            if mounted and not client.models and getattr(client, key):
                yield ("clients", name, key), "what is asked on a mount is not counted: nobody reads its answers"


def _find_at_providers(config: Config) -> Iterator[Complaint]:
    for name, provider in config.providers.items():
        if provider.dialect == "code-assist":
            yield ("providers", name, "dialect"), TERMS
        if any(METADATA in ip_network(network) for network in provider.private_networks):
            yield ("providers", name, "private_networks"), f"with {METADATA}, where clouds keep the keys of a machine"
        for alias, account in provider.accounts.items():
            if account.token_file and not os.path.isfile(account.token_file):
                yield ("providers", name, "accounts", alias, "token_file"), "there is no such file yet"


def _find_at_models(config: Config) -> Iterator[Complaint]:
    for name, model in config.models.items():
        if model.rescue != "off" and _count_ways(config, model) < 2:
            yield ("models", name, "rescue"), "only one account can answer: nobody could go on with a broken stream"


def _find_at_prices(config: Config) -> Iterator[Complaint]:
    for name in config.prices:
        pattern = name.partition("/")[0]  # letters, digits and . _ - only, and the * that fnmatch has too
        if not any(fnmatchcase(provider, pattern) for provider in config.providers):
            yield ("prices", name), "there is no such provider: nothing has this price"


def _count_ways(config: Config, model: Model) -> int:
    """Accounts that may answer, those without a key included."""
    providers = {target.partition("/")[0] for target in model.targets}
    accounts = sum(len(config.providers[name].accounts) or 1 for name in providers)
    return max(accounts, len(set(model.targets)))


_FINDERS: Final = (
    _find_at_admin,
    _find_at_certificate,
    _find_at_front_proxies,
    _find_at_drain,
    _find_at_clients,
    _find_at_providers,
    _find_at_models,
    _find_at_prices,
)
"""In the order of the model."""
