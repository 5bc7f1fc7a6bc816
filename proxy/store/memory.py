"""A store that forgets with the process, for who wants no file: what it keeps, nobody else can see or change."""

from collections.abc import Sequence

from proxy.accounts.cooldown import Cooldown, OnChange, Spot


class MemoryStore:
    def __init__(self) -> None:
        self._kept: dict[Spot, Cooldown] = {}

    def read(self) -> Sequence[Cooldown]:
        return list(self._kept.values())

    def put(self, cooldown: Cooldown) -> None:
        self._kept[cooldown.spot] = cooldown

    def remove(self, spot: Spot) -> None:
        self._kept.pop(spot, None)

    def watch(self, on_change: OnChange) -> None:
        return

    async def close(self) -> None:
        return
