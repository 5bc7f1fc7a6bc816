"""A cool-down: who is left alone, why, and until when. Times are seconds since the epoch; nothing here reads a clock.

`StateStore` is where cool-downs outlive the process, and where several processes see each other's. Everything above it
keeps its own copy (`board.Board`), writes through it and is told what others wrote, so a store may be as slow as a
network: no request ever waits for one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from proxy.types import ProviderName


class Level(Enum):
    """What a failure is held against, from the smallest to the largest."""

    MODEL = "model"  # one account, for one model
    ACCOUNT = "account"
    EGRESS = "egress"  # a way out: a proxy, or the direct one, to this provider
    PROVIDER = "provider"


@dataclass(frozen=True, slots=True)
class Spot:
    """name: the account's alias at MODEL and ACCOUNT, the egress's at EGRESS. model: at MODEL."""

    level: Level
    provider: ProviderName
    name: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class Cooldown:
    """why: the failure's kind. detail: status and message, clean of secrets. strikes: failures in a row. attention:
    time alone will not help, somebody has to look (a refused key). mark: fingerprint of the credential that it was
    learned with, so that a new key starts afresh; "" where there is none."""

    spot: Spot
    why: str
    detail: str
    since: float
    until: float
    strikes: int = 1
    attention: bool = False
    mark: str = ""


OnChange = Callable[[Spot, Cooldown | None], None]
"""Called on the event loop for what another process wrote; None: it was lifted."""


class StateStore(Protocol):
    def read(self) -> Sequence[Cooldown]:
        """Everything that is kept, once, before the first request."""

    def put(self, cooldown: Cooldown) -> None:
        """Keep it, in place of what is kept for its spot. Returns at once; a failure is logged, never raised."""

    def remove(self, spot: Spot) -> None:
        """As `put`."""

    def watch(self, on_change: OnChange) -> None:
        """Tell of others' changes, within a second."""

    async def close(self) -> None:
        """Return once everything is written."""
