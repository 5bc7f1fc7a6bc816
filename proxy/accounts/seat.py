"""One account among a book's: as it is configured, what is known of it, and where it may be cooled down.

A new configuration makes new seats for the same accounts; what is known of them stays on the board.
"""

from dataclasses import dataclass

from proxy.accounts.board import AccountState
from proxy.accounts.cooldown import Level, Spot
from proxy.types import AccountName, ProviderName


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One account as it is configured. name: None at a provider without accounts. max_streams, rpm, tpm: 0 is without
    limit. models: patterns with `*` of those that it serves, none for all. egress: its way out. mark: a fingerprint of
    its credential."""

    name: AccountName | None
    weight: int = 1
    max_streams: int = 0
    rpm: int = 0
    tpm: int = 0
    models: tuple[str, ...] = ()
    egress: str = "direct"
    mark: str = ""


class Seat:
    """A row, what is known of its account, and the spots that may be cooled down for it."""

    __slots__ = ("account", "egress", "limited", "of_provider", "provider", "row", "spots", "state")

    def __init__(self, provider: ProviderName, row: AccountRow, state: AccountState) -> None:
        self.provider = provider
        self.row = row
        self.state = state
        self.limited = bool(row.max_streams or row.rpm or row.tpm)
        self.account = Spot(Level.ACCOUNT, provider, row.name or "")
        self.egress = Spot(Level.EGRESS, provider, row.egress)
        self.of_provider = Spot(Level.PROVIDER, provider)
        self.spots = {Level.ACCOUNT: self.account, Level.EGRESS: self.egress, Level.PROVIDER: self.of_provider}

    def find_spot(self, level: Level, model: str) -> Spot:
        if level is Level.MODEL:
            return Spot(Level.MODEL, self.provider, self.account.name, model)
        return self.spots[level]
