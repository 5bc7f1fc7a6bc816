"""How an account is, as one number, and for how long it is out: of all that stands in its way, the worst."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from proxy.accounts.book import AccountRow
from proxy.accounts.cooldown import Cooldown, Level
from proxy.types import ProviderName

OPEN: Final = 0
HALF_OPEN: Final = 1
COOLING: Final = 2
ATTENTION: Final = 3


class Standing(NamedTuple):
    """state: 0 serves, 1 is tried again with one request, 2 is left alone, 3 needs somebody to look. seconds: until it
    serves again."""

    state: int = OPEN
    seconds: float = 0.0


def name_account(provider: ProviderName, row: AccountRow) -> str:
    """As `penstock accounts` names it."""
    return f"{provider}/{row.name}" if row.name else provider


def judge_account(provider: ProviderName, row: AccountRow, cooldowns: Iterable[Cooldown], now: float) -> Standing:
    """What is held against one of its models alone does not count. now: seconds since the epoch."""
    names = {Level.PROVIDER: "", Level.EGRESS: row.egress, Level.ACCOUNT: row.name or ""}
    state, until = OPEN, now
    for cooldown in cooldowns:
        spot = cooldown.spot
        if spot.provider == provider and names.get(spot.level) == spot.name:
            state = max(state, _judge(cooldown, now))
            until = max(until, cooldown.until)
    return Standing(state, until - now)


def _judge(cooldown: Cooldown, now: float) -> int:
    if cooldown.attention:
        return ATTENTION
    return COOLING if cooldown.until > now else HALF_OPEN
