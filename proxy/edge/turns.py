"""Work that is there for thousands at the same moment, done a few pieces per turn of the loop.

Each piece is short. All of them in one go would keep everybody else waiting for a tenth of a second and more, and who
brings many would be served before who brings one.
"""

import asyncio
from collections import deque
from collections.abc import Callable


class Turns:
    """In the order in which it was added, `each` pieces per turn, and `pause` seconds from one such turn to the next.
    Pieces must not raise."""

    __slots__ = ("_due", "_each", "_is_set", "_loop", "_pause", "_waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop, each: int, pause: float = 0.0) -> None:
        self._loop = loop
        self._each = each
        self._pause = pause
        self._due = 0.0
        self._is_set = False  # the next turn
        self._waiting: deque[Callable[[], None]] = deque()

    def add(self, piece: Callable[[], None]) -> None:
        self._waiting.append(piece)
        if not self._is_set:
            self._set()

    async def wait(self) -> None:
        """Return when it is one's turn."""
        future = self._loop.create_future()
        self.add(lambda: None if future.done() else future.set_result(None))
        await future

    def _set(self) -> None:
        self._is_set = True
        if self._loop.time() < self._due:
            self._loop.call_at(self._due, self._run)
        else:
            self._loop.call_soon(self._run)

    def _run(self) -> None:
        for _ in range(min(self._each, len(self._waiting))):
            self._waiting.popleft()()
        self._is_set = False
        if self._pause:
            self._due = self._loop.time() + self._pause
        if self._waiting:
            self._set()
