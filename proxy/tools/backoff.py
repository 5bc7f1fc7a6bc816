"""How long to wait before the next connection. Pure: seconds in, seconds out.

The wait starts at what the server asked for (WHATWG HTML 9.2.3, `retry:`) or at a second, doubles with every connection
that brought no event, and starts again after one that did.
"""

from typing import Final

START: Final = 1.0
"""Seconds before the first new attempt: what browsers wait is 3 to 5, but somebody is watching."""

LONGEST: Final = 30.0
"""Seconds at most between two attempts, unless the server asked for more."""

SERVER_MOST: Final = 3600.0
"""Seconds that a server may ask for at most: the number comes from outside."""

SHORTEST_DOUBLED: Final = 0.1
"""Seconds. A server may ask for no wait at all; failing, it is not asked in a tight loop."""


class Backoff:
    """`base` is the server's wish in seconds."""

    def __init__(self, base: float = START) -> None:
        self.base = base
        self._next = base

    def ask_for(self, seconds: float) -> None:
        """The server named a time."""
        wanted = min(max(seconds, 0.0), SERVER_MOST)
        if wanted != self.base:
            self.base = self._next = wanted

    def reset(self) -> None:
        """An event has come."""
        self._next = self.base

    def take(self) -> float:
        """Seconds to wait now; the next wait is twice as long."""
        wait = self._next
        self._next = max(min(2 * max(wait, SHORTEST_DOUBLED), LONGEST), self.base)
        return wait
