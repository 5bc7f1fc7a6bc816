"""What a good configuration should still be told: no fault, nothing is refused for it.

Takes a checked `Config`, yields a place and a message for each. Looks whether token files are there, and at nothing
else outside.
"""

import os
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Final

from proxy.config.address import parse_address
from proxy.config.checks import Complaint
from proxy.config.model import Config, Model
from proxy.config.state import NOWHERE

MIN_TOKEN: Final = 16
"""Characters of a console's token below which it is guessed sooner or later: 80 bits, written as base32."""

TERMS: Final = (
    "Google's terms forbid programs of others to use the credentials of Antigravity or Gemini CLI, and accounts have "
    "been suspended for it"
)


def find_cautions(config: Config) -> Iterator[Complaint]:
    """Everything worth a warning, in the order of the model."""
    for find in (_find_at_admin, _find_at_clients, _find_at_providers, _find_at_models, _find_at_prices):
        yield from find(config)


def _find_at_admin(config: Config) -> Iterator[Complaint]:
    admin, token = config.server.admin, config.console.token.reveal()
    if admin and not token and not parse_address(admin).is_loopback:
        yield ("server", "admin"), "it is not loopback: without console.token nothing but health checks is answered"
    if 0 < len(token) < MIN_TOKEN:
        yield ("console", "token"), f"it has less than {MIN_TOKEN} characters: it may be guessed"


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
