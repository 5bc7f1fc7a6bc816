"""Cool-downs for tests: only what a test is about has to be said."""

from typing import Any

from proxy.accounts.cooldown import Cooldown, Level, Spot
from proxy.types import ProviderName


def build_spot(name: str = "a", level: Level = Level.ACCOUNT, provider: str = "up", model: str = "") -> Spot:
    return Spot(level, ProviderName(provider), name, model)


def build_cooldown(spot: Spot | None = None, **fields: Any) -> Cooldown:
    told = {"why": "rate_limit", "detail": "429 slow down", "since": 1e9, "until": 9e9, **fields}
    return Cooldown(spot or build_spot(), **told)
