"""A token bucket: what a limit per minute leaves over now. Starts full, refills by the second, may owe.

Full at first, so that a burst of one minute's worth may pass; over any window of `w` seconds no more than
`size * (1 + w / 60)` is taken, as long as what was guessed is not less than what was used.
"""

from typing import Final

_MINUTE: Final = 60.0
_SLACK: Final = 1e-6
"""Waiting exactly as long as was said has to be enough, whatever floating point makes of it."""


class Bucket:
    """size: per minute. Times are seconds of one clock that may be set back: then it refills from there."""

    __slots__ = ("_at", "_left", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self._left = float(size)
        self._at = 0.0

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

    def resize(self, size: int) -> None:
        """What was taken stays taken."""
        self._left += size - self.size
        self.size = size
