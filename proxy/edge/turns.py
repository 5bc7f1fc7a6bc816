"""Work that is there for thousands at the same moment, done a few pieces per turn of the loop.

Each piece is short. All of them in one go would keep everybody else waiting for a tenth of a second and more, and who
brings many would be served before who brings one.
"""

import asyncio
from collections import deque
from collections.abc import Callable


class Turns:
    """In the order in which it was added, `each` pieces per turn. Pieces must not raise."""

    __slots__ = ("_each", "_loop", "_waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop, each: int) -> None:
        self._loop = loop
        self._each = each
        self._waiting: deque[Callable[[], None]] = deque()

    def add(self, piece: Callable[[], None]) -> None:
        if not self._waiting:
            self._loop.call_soon(self._run)
        self._waiting.append(piece)

    async def wait(self) -> None:
        """Return when it is one's turn."""
        future = self._loop.create_future()
        self.add(lambda: None if future.done() else future.set_result(None))
        await future

    def _run(self) -> None:
        for _ in range(min(self._each, len(self._waiting))):
            self._waiting.popleft()()
        if self._waiting:
            self._loop.call_soon(self._run)
