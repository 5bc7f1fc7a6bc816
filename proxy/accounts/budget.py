"""How much may be asked twice: budgets that keep an outage from being multiplied by those who try again.

`RetryBudget` is the process's: every request adds to it, every attempt beyond a request's first takes from it.
`HedgeBudget` is a route's: at most a share of its requests is asked twice at once. Both count over the last seconds
and forget what is older; `withdraw` says whether there was something left. Times are a monotonic clock's. (The idea
is Finagle's RetryBudget: a limit per request multiplies with every layer that retries, a share of all does not.)
"""

from collections import deque
from typing import Final

RETRY_SECONDS: Final = 10.0
"""As Finagle's: long enough to even out bursts, short enough that good times do not pay for an outage."""

HEDGE_SECONDS: Final = 600.0
"""A twentieth of a quiet route's requests is one in minutes."""

_SLOTS: Final = 10
_SLACK: Final = 1e-9  # 0.29 of 100 requests are 29, and 28.999999999999996 in floats


class _Window:
    """Deposits and withdrawals of the last `seconds`, counted in slots of a tenth of that."""

    __slots__ = ("_deposits", "_slots", "_width", "_withdrawals")

    def __init__(self, seconds: float) -> None:
        self._width = seconds / _SLOTS
        self._slots: deque[list[int]] = deque()  # [number of the slot, deposits, withdrawals], oldest first
        self._deposits = 0
        self._withdrawals = 0

    def deposit(self, now: float) -> None:
        self._find_slot(now)[1] += 1
        self._deposits += 1

    def withdraw(self, now: float, share: float, floor: float = 0.0) -> bool:
        """One more, if that stays within `share` of the deposits, or within `floor`."""
        slot = self._find_slot(now)
        if self._withdrawals + 1 > max(share * self._deposits, floor) + _SLACK:
            return False
        slot[2] += 1
        self._withdrawals += 1
        return True

    def _find_slot(self, now: float) -> list[int]:
        """That of `now`, the last one; what is older than the window no longer counts."""
        number = int(now // self._width)
        slots = self._slots
        while slots and slots[0][0] <= number - _SLOTS:
            _, deposits, withdrawals = slots.popleft()
            self._deposits -= deposits
            self._withdrawals -= withdrawals
        if not slots or slots[-1][0] < number:
            slots.append([number, 0, 0])
        return slots[-1]


class RetryBudget:
    """ratio: of the requests of the last ten seconds. floor: attempts per second that are always there, so that a
    quiet proxy can retry at all."""

    __slots__ = ("_floor", "_ratio", "_window")

    def __init__(self, ratio: float = 0.2, floor: float = 3.0) -> None:
        self._ratio = ratio
        self._floor = floor * RETRY_SECONDS
        self._window = _Window(RETRY_SECONDS)

    def deposit(self, now: float) -> None:
        """A request came."""
        self._window.deposit(now)

    def withdraw(self, now: float) -> bool:
        """May it be tried once more?"""
        return self._window.withdraw(now, self._ratio, self._floor)


class HedgeBudget:
    """share: of the requests of the last ten minutes, from 0 to 1. There is no floor: a hedge is a luxury."""

    __slots__ = ("_share", "_window")

    def __init__(self, share: float) -> None:
        self._share = share
        self._window = _Window(HEDGE_SECONDS)

    def deposit(self, now: float) -> None:
        """A request came."""
        self._window.deposit(now)

    def withdraw(self, now: float) -> bool:
        """May one be asked twice?"""
        return self._window.withdraw(now, self._share)
