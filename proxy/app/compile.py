"""What of a provider's configuration the rooms below are given, as values of their own: they do not read it."""

import hashlib

from msgspec.structs import asdict

from proxy.accounts.book import AccountRow
from proxy.config import model
from proxy.config.quirks import choose_quirks
from proxy.edge.asking import USER_AGENT
from proxy.types import AccountName, ClientName, ProviderName
from proxy.upstream.pool import PoolSettings
from proxy.upstream.tokens import TokenSource, open_command, open_file
from proxy.usage.allowance import Allowance
from proxy.usage.prices import Price, PriceTable


def build_row(row: model.Provider, alias: str, account: model.Account) -> AccountRow:
    return AccountRow(
        AccountName(alias),
        account.weight,
        account.max_streams,
        account.rpm,
        account.tpm,
        account.models,
        account.egress,
        _mark(row, account),
    )


def build_allowances(config: model.Config) -> dict[ClientName, Allowance]:
    return {
        ClientName(name): Allowance(row.max_streams, row.rpm, row.tpm, row.tokens_per_day, row.cost_per_day, row.models)
        for name, row in config.clients.items()
    }


def build_prices(config: model.Config) -> PriceTable:
    return PriceTable({name: Price(**asdict(row)) for name, row in config.prices.items()})


def list_marks(config: model.Config) -> dict[tuple[ProviderName, str], str]:
    return {
        (ProviderName(name), alias): _mark(row, account)
        for name, row in config.providers.items()
        for alias, account in row.accounts.items()
    }


def _mark(row: model.Provider, account: model.Account) -> str:
    """A fingerprint of a credential and where it is used: what was learned of another one says nothing of it."""
    command = "\0".join(part.reveal() for part in account.token_command)
    parts = [row.base_url, account.key.reveal(), account.token_file, command]
    return hashlib.sha256("\0".join(["penstock", *parts]).encode()).hexdigest()[:16]


def open_tokens(account: model.Account) -> TokenSource | None:
    if account.token_command:
        return open_command([part.reveal() for part in account.token_command], account.token_lifetime)
    return open_file(account.token_file) if account.token_file else None


def list_options(row: model.Provider) -> dict[str, str]:
    options = {
        "quirks": choose_quirks(row.quirks, row.base_url),
        "query": row.query,
        "think_tags": row.think_tags,
        "clear_thinking": "" if row.clear_thinking else "false",
        "project": row.project,
        "user_agent": USER_AGENT,
    }
    return {name: value for name, value in options.items() if value}


def list_capabilities(config: model.Config) -> dict[str, dict[str, object]]:
    return {
        pattern: {name: value for name, value in asdict(row).items() if value is not None}
        for pattern, row in config.capabilities.items()
    }


def choose_settings(config: model.Config, provider: model.Provider, *, pull: bool) -> PoolSettings:
    limits = config.limits
    return PoolSettings(limits.connect, limits.response_field, limits.response_fields, provider.ca_file, pull)
