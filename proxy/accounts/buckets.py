"""A token bucket: what a limit per minute leaves over now. Starts full, refills by the second, may owe.

Full at first, so that a burst of one minute's worth may pass; over any window of `w` seconds no more than
`size * (1 + w / 60)` is taken, as long as what was guessed is not less than what was used.

Where several processes draw from one limit, each has a bucket of its own: `tell` says what was taken here, `hear` takes
what all together had used at some moment (`sharing.py`).
"""

from typing import Final

_MINUTE: Final = 60.0
_SLACK: Final = 1e-6
"""Waiting exactly as long as was said has to be enough, whatever floating point makes of it."""

_LONG: Final = 5.0
"""Seconds for which all is told that was taken: what took longer to be told was refilled here, and hardly elsewhere."""


class Bucket:
    """size: per minute. Times are seconds of one clock that may be set back: then it refills from there."""

    __slots__ = ("_at", "_fresh", "_left", "_since", "_told", "_told_since", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self._left = float(size)
        self._at = 0.0
        self._fresh = 0.0  # taken here, and not told
        self._since = 0.0  # the first of it
        self._told = 0.0  # told last
        self._told_since = 0.0

    def left(self, now: float) -> float:
        """Below zero when more was used than guessed."""
        if now > self._at:
            self._left = min(self.size, self._left + (now - self._at) * self.size / _MINUTE)
        self._at = now
        return self._left

    def find_ready(self, amount: float, now: float) -> float:
        """When `amount` can be taken; `now` when it can be at once. What is more than fits asks for a full bucket."""
        lacking = min(amount, self.size) - self.left(now)
        return now if lacking <= _SLACK else now + lacking * _MINUTE / self.size

    def take(self, amount: float, now: float) -> None:
        """Without asking; a negative amount is given back."""
        self._left = min(self.size, self.left(now) - amount)
        if not self._fresh:
            self._since = now
        self._fresh += amount

    def resize(self, size: int) -> None:
        """What was taken stays taken."""
        self._left += size - self.size
        self.size = size

    def tell(self, now: float) -> tuple[float, float]:
        """What was taken here since the last time, and when that began; of what is older than _LONG only as much as
        has not refilled."""
        fresh = self._fresh
        if now - self._since > _LONG:
            fresh = min(fresh, max(0.0, self.size - self.left(now)))
        self._told, self._told_since, self._fresh = fresh, self._since, 0.0
        return fresh, self._since

    def retell(self) -> None:
        """What was told last has not been heard: it is a part of what is told next."""
        if self._told:
            self._fresh, self._since, self._told = self._fresh + self._told, self._told_since, 0.0

    def hear(self, used: float, at: float, now: float) -> None:
        """What all had used `at` some moment, with what was told here before."""
        self._told = 0.0
        self._at = now
        self._left = min(self.size, self.size - add(used, at, self._fresh, self._since, now, self.size))


def add(used: float, at: float, more: float, since: float, now: float, size: int) -> float:
    """What is used `now` of what was used `at` some moment, and of what came `since` then. No moment refills twice, so
    that any number of processes together take what one may."""
    since = max(at, since) if more else at
    used = max(0.0, _refill(used, size, since - at) + more)
    return _refill(used, size, now - since)


def _refill(used: float, size: int, seconds: float) -> float:
    return max(0.0, used - max(0.0, seconds) * size / _MINUTE)
