"""What a good configuration should still be told: no fault, nothing is refused for it.

Takes a checked `Config`, yields a place and a message for each. Looks whether token files are there, and at nothing
else outside.
"""

import os
from collections.abc import Iterator
from typing import Final

from proxy.config.checks import Complaint
from proxy.config.model import Config, Model

TERMS: Final = (
    "Google's terms forbid programs of others to use the credentials of Antigravity or Gemini CLI, and accounts have "
    "been suspended for it"
)


def find_cautions(config: Config) -> Iterator[Complaint]:
    """Everything worth a warning."""
    for name, model in config.models.items():
        if model.rescue != "off" and _count_ways(config, model) < 2:
            yield ("models", name, "rescue"), "only one account can answer: nobody could go on with a broken stream"
    for name, provider in config.providers.items():
        if provider.dialect == "code-assist":
            yield ("providers", name, "dialect"), TERMS
        for alias, account in provider.accounts.items():
            if account.token_file and not os.path.isfile(account.token_file):
                yield ("providers", name, "accounts", alias, "token_file"), "there is no such file yet"


def _count_ways(config: Config, model: Model) -> int:
    """Accounts that may answer, those without a key included."""
    providers = {target.partition("/")[0] for target in model.targets}
    accounts = sum(len(config.providers[name].accounts) or 1 for name in providers)
    return max(accounts, len(set(model.targets)))
