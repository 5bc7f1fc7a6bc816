"""What of a provider's configuration the rooms below are given, as values of their own: they do not read it."""

import functools
import hashlib
from importlib.resources import files

from msgspec.structs import asdict
from yarl import URL

from proxy.accounts.board import Board
from proxy.accounts.book import AccountRow, Book
from proxy.accounts.policy import Policy
from proxy.config import model
from proxy.config.quirks import choose_quirks
from proxy.dialects.capabilities import Row
from proxy.dialects.capability_rows import parse_rows
from proxy.edge.asking import USER_AGENT
from proxy.types import AccountName, ClientName, ProviderName
from proxy.upstream.egress import parse_proxy
from proxy.upstream.guard import build_permit
from proxy.upstream.pool import PoolSettings
from proxy.upstream.tokens import TokenSource, open_command, open_file
from proxy.usage.allowance import Allowance
from proxy.usage.prices import Price, PriceTable
from proxy.wire.hiding import SHORTEST, is_telling


def build_book(config: model.Config, provider: ProviderName, row: model.Provider, board: Board) -> Book:
    rows = [build_row(row, alias, account) for alias, account in row.accounts.items()]
    return Book(
        provider,
        rows or [AccountRow(None)],
        board,
        strategy=row.strategy,
        affinity=row.affinity == "session",
        policy=Policy(config.limits.cooldown_max),
    )


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


@functools.cache
def read_shipped_rows() -> tuple[Row, ...]:
    """What the package knows of models; it does not change while the process lives."""
    return tuple(parse_rows((files("proxy.dialects") / "capabilities.toml").read_bytes()))


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


def list_secrets(row: model.Provider) -> tuple[bytes, ...]:
    """What a request upstream shows of ours, long enough to be looked for in its answer: a short one, such as `none`,
    may be any word."""
    keys = [account.key.reveal() for account in row.accounts.values()]
    keys += [value.reveal() for name, value in row.headers.items() if is_telling(name.encode())]
    ways = [parse_proxy(account.proxy.reveal()) for account in row.accounts.values()]
    keys += [way.authorization for way in ways if way is not None]
    bare = dict.fromkeys(key.rpartition(" ")[2].encode() for key in keys)
    return tuple(key for key in bare if len(key) >= SHORTEST)


def list_capabilities(config: model.Config) -> dict[str, dict[str, object]]:
    return {
        pattern: {name: value for name, value in asdict(row).items() if value is not None}
        for pattern, row in config.capabilities.items()
    }


def choose_settings(config: model.Config, provider: model.Provider, *, pull: bool) -> PoolSettings:
    limits = config.limits
    ways = [parse_proxy(account.proxy.reveal()) for account in provider.accounts.values()]
    urls = [URL(provider.base_url, encoded=True), *(way.url for way in ways if way is not None)]
    permit = build_permit(urls, provider.private_networks)
    return PoolSettings(limits.connect, limits.response_field, limits.response_fields, provider.ca_file, pull, permit)
