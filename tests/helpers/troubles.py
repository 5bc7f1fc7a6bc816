"""What may happen to an attempt, made short for tests of accounts; and a store that keeps what it is told."""

from collections.abc import Sequence

from proxy.accounts.cooldown import Cooldown, OnChange, Spot
from proxy.accounts.trouble import How, Trouble
from proxy.dialects.events import Failure, FailureKind


def answer(
    kind: FailureKind, status: int = 0, *, delay: float | None = None, model_only: bool = False, committed: bool = False
) -> Trouble:
    failure = Failure(kind, "no", status, retry_after=delay, model_only=model_only)
    return Trouble(How.ANSWER, failure, committed)


LIMIT = answer(FailureKind.RATE_LIMIT, 429)
REFUSED = answer(FailureKind.UPSTREAM_AUTH, 401)
INVALID = answer(FailureKind.INVALID, 400)
SERVER = answer(FailureKind.SERVER, 500)
OVERLOADED = answer(FailureKind.OVERLOADED, 529)
CONNECT = Trouble(How.CONNECT, Failure(FailureKind.BAD_GATEWAY, "refused", 502))
CUT = Trouble(How.CUT, Failure(FailureKind.DISCONNECT, "cut", 502))
SILENT = Trouble(How.SILENT, Failure(FailureKind.TIMEOUT, "silent", 504))


class Notes:
    """A StateStore that is a dictionary."""

    def __init__(self, *kept: Cooldown) -> None:
        self.kept = {cooldown.spot: cooldown for cooldown in kept}
        self.tell: OnChange | None = None

    def read(self) -> Sequence[Cooldown]:
        return [*self.kept.values()]

    def put(self, cooldown: Cooldown) -> None:
        self.kept[cooldown.spot] = cooldown

    def remove(self, spot: Spot) -> None:
        self.kept.pop(spot, None)

    def watch(self, on_change: OnChange) -> None:
        self.tell = on_change

    async def close(self) -> None:
        pass
