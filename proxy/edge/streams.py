"""The requests in flight: counted for the process-wide limit, and ended when the process must go."""

import asyncio
from collections.abc import Callable

from proxy.edge.house import House
from proxy.edge.scope import Scope
from proxy.relay.outcome import EndReason


class Streams:
    """Every public request between its admission and its end.

    `draining`: the process will end; `refusing`: new requests are turned away.
    """

    def __init__(self) -> None:
        self._scopes: set[Scope] = set()
        self._waiting: dict[asyncio.Future[None], Callable[[], bool]] = {}
        self.draining = False
        self.refusing = False

    def __len__(self) -> int:
        return len(self._scopes)

    def list_scopes(self) -> list[Scope]:
        """Oldest first."""
        return sorted(self._scopes, key=lambda scope: scope.record.started)

    def find(self, name: str) -> Scope | None:
        """The one with this request's id, if it is still in flight."""
        return next((scope for scope in self._scopes if scope.record.id == name), None)

    def enter(self, scope: Scope) -> None:
        self._scopes.add(scope)

    def leave(self, scope: Scope) -> None:
        self._scopes.discard(scope)
        for future, is_over in self._waiting.items():
            if not future.done() and is_over():
                future.set_result(None)

    async def wait_empty(self) -> None:
        """Return once nothing is in flight."""
        await self._wait(lambda: not self._scopes)

    async def wait_without(self, house: House) -> None:
        """Return once no request runs under `house` any more."""
        await self._wait(lambda: all(scope.house is not house for scope in self._scopes))

    def end_all(self, reason: EndReason) -> None:
        """End every request now; they leave as their tasks do."""
        for scope in list(self._scopes):
            scope.end(reason)

    async def _wait(self, is_over: Callable[[], bool]) -> None:
        if is_over():
            return
        future = asyncio.get_running_loop().create_future()
        self._waiting[future] = is_over
        try:
            await future
        finally:
            del self._waiting[future]
