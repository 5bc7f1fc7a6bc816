"""Which of a provider's accounts serves the next request: pure policy, no clock and no I/O."""


class Book:
    """Hands out account numbers from 0 to `size - 1` in turn, so that each serves the same number of requests."""

    __slots__ = ("_next", "_size")

    def __init__(self, size: int) -> None:
        if size < 1:
            raise ValueError("a book needs at least one account")
        self._size = size
        self._next = 0

    def pick(self) -> int:
        picked, self._next = self._next, (self._next + 1) % self._size
        return picked
