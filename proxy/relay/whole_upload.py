"""A request body that is already here, as the relay's Upload."""

from collections.abc import AsyncIterator


class WholeUpload:
    """`body` in one piece."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.taken = 0

    @property
    def length(self) -> int | None:
        return len(self._body)

    def take_whole(self) -> bytes | None:
        self.taken = len(self._body)
        return self._body

    async def read(self) -> AsyncIterator[bytes]:
        self.taken = len(self._body)
        if self._body:
            yield self._body
