"""Limits that other processes on this machine share, through the file of `[state]`: who says what to whom, and when.

On the ticker, what clients and accounts with limits have used since the last time goes to the file, and what all have
used comes back. Said as soon as it is known, and listened for twice a second, so that a limit is overrun by what others
let in within the last second at most. Without a limit, or without a file, nothing of this runs.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from proxy.accounts.sharing import Counted, Holder, Pool
from proxy.relay.clocks import Ticker
from proxy.store.shares import Report, Shares

LOOK: Final = 0.45
"""Seconds between two looks when there is nothing to say: every other turn of the ticker."""

LAST_WAIT: Final = 1.0
"""Seconds at the end for an exchange that is under way."""


class Holders(Protocol):
    """Whoever counts for holders of limits: the board and the allowances."""

    def list_counted(self) -> Sequence[tuple[Holder, Counted]]: ...

    def find_counted(self, holder: Holder) -> Counted | None: ...


class Sharing:
    """path: of the file, None for none. clients, accounts: who is limited. clock: the one that all processes have."""

    def __init__(
        self,
        path: Path | None,
        clients: Holders,
        accounts: Holders,
        ticker: Ticker,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self._clients = clients
        self._accounts = accounts
        self._ticker = ticker
        self._clock = clock
        self._counted: Sequence[tuple[Holder, Counted]] = ()
        self._shares: Shares | None = None
        self._asked: asyncio.Future[Report | None] | None = None
        self._look_at = 0.0
        self._renewed = False
        self._pools: dict[Holder, Pool] = {}
        self._elsewhere: Mapping[Holder, int] = {}

    def start(self) -> None:
        """Before the first request, with limits and what the ledger says of the day in place. May wait a second."""
        self.renew()
        if self._shares is not None:
            self._hear(self._shares.read())

    def renew(self) -> None:
        """The limits are others now."""
        self._counted = [*self._clients.list_counted(), *self._accounts.list_counted()]
        if self._path is None or not self._counted:
            self._ticker.release(self)
            return
        self._shares = self._shares or Shares(self._path)
        self._ticker.watch(self)
        self._renewed = True
        if self._asked is None:  # else it waits: what is on its way would be forgotten
            self._hear(Report(elsewhere=self._elsewhere))

    def tick(self, now: float) -> None:
        if self._shares is None or self._asked is not None:
            return
        touched = {holder: counted for holder, counted in self._counted if counted.touched}
        if touched or now >= self._look_at:
            self._look_at = now + LOOK
            self._exchange(self._shares, touched)

    async def close(self) -> None:
        """Say the last of it. Requests are over."""
        self._ticker.release(self)
        if self._shares is None:
            return
        if self._asked is not None:
            await asyncio.wait([self._asked], timeout=LAST_WAIT)
            await asyncio.sleep(0)  # what came of it is heard first
        if self._asked is None:
            self._exchange(self._shares, {holder: counted for holder, counted in self._counted if counted.touched})
        await self._shares.close()

    def _exchange(self, shares: Shares, touched: Mapping[Holder, Counted]) -> None:
        now, at = self._ticker.wall(), self._clock()
        words = {holder: counted.tell(now, at) for holder, counted in touched.items()}
        flights = {holder: counted.in_flight for holder, counted in self._counted if counted.in_flight}
        self._asked = shares.exchange(words, flights)
        self._asked.add_done_callback(partial(self._note, touched))

    def _note(self, touched: Mapping[Holder, Counted], answer: asyncio.Future[Report | None]) -> None:
        self._asked = None
        report = answer.result()
        if report is None:
            for counted in touched.values():
                counted.retell()
        self._hear(report or Report())  # of whom nothing is heard nothing is in flight

    def _hear(self, report: Report) -> None:
        now = self._ticker.wall()
        ahead = now - self._clock()
        self._pools |= report.pools
        renewed, self._renewed = self._renewed, False
        for holder, pool in (self._pools if renewed else report.pools).items():
            if counted := self._find(holder):
                counted.hear(pool, now, ahead)
        for holder in self._elsewhere.keys() | report.elsewhere.keys():
            if counted := self._find(holder):
                counted.elsewhere = report.elsewhere.get(holder, 0)
        self._elsewhere = report.elsewhere

    def _find(self, holder: Holder) -> Counted | None:
        return (self._accounts if holder.provider else self._clients).find_counted(holder)
