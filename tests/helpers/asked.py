"""What a Failover asks, without anybody to ask: an attempt comes to what is written down for its account.

An account says a trouble, UNFIT, None (an answer, at once), or a `Held`: nothing until the test lets it go.
"""

import asyncio
from collections.abc import Mapping, Sequence

from proxy.accounts.book import Lease
from proxy.accounts.rotation import Go
from proxy.accounts.trouble import Trouble
from proxy.errors import PenstockError
from proxy.relay.failover import AttemptFailed, Unfit
from proxy.relay.outcome import Attempt
from proxy.types import ProviderName
from tests.helpers.books import NOW
from tests.helpers.fakes import FakeTicker
from tests.helpers.rotating import name

UNFIT = "unfit"


class WallTicker(FakeTicker):
    """Its epoch begins where routes of tests begin."""

    def wall(self) -> float:
        return NOW + self.now() - 1000.0


class AskedError(PenstockError):
    """What the caller would be told of an account's failure."""


class Held:
    """stubborn: goes on when it is cancelled, until it is let go."""

    def __init__(self, *, stubborn: bool = False) -> None:
        self.entered = asyncio.Event()
        self.cancelled = asyncio.Event()
        self._stubborn = stubborn
        self._said: asyncio.Future[Trouble | str | None] = asyncio.get_running_loop().create_future()

    def let_go(self, said: Trouble | str | None = None) -> None:
        self._said.set_result(said)

    async def wait(self) -> Trouble | str | None:
        self.entered.set()
        try:
            return await asyncio.shield(self._said)
        except asyncio.CancelledError:
            self.cancelled.set()
            if not self._stubborn:
                raise
            return await asyncio.shield(self._said)


Saying = Trouble | Held | str | None


class Asker:
    """asked: `x1@2` for each attempt. dropped: answers that came too late. What an account says last it says again."""

    def __init__(self, ticker: WallTicker, says: Mapping[str, Sequence[Saying]]) -> None:
        self._ticker = ticker
        self._left = {account: list(said) for account, said in says.items()}
        self.asked: list[str] = []
        self.dropped: list[str] = []
        self.attempts: list[Attempt] = []
        self.leases: dict[str, Lease] = {}

    async def ask(self, go: Go) -> str:
        account = name(go)
        self.asked.append(f"{account}@{round(self._ticker.now() - 1000, 2):g}")
        self.leases[account] = go.lease
        left = self._left.get(account, [None])
        said = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(said, Held):
            said = await said.wait()
        if said == UNFIT:
            raise Unfit(AskedError(f"{account} is unfit"))
        if isinstance(said, Trouble):
            self.attempts.append(Attempt(ProviderName(account[0]), go.lease.account))
            raise AttemptFailed(said, AskedError(f"{account} failed"), self.attempts[-1])
        go.lease.succeed(self._ticker.wall())
        return account

    def drop(self, answer: str) -> None:
        self.dropped.append(answer)
        self.leases[answer].close(self._ticker.wall())
