"""A request body that is already here, as the relay's Upload."""

from collections.abc import AsyncIterator


class WholeUpload:
    """`body` in one piece."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.taken = 0

    @property
    def length(self) -> int | None:
        return len(self.body)

    def take_whole(self) -> bytes | None:
        self.taken = len(self.body)
        return self.body

    async def read(self) -> AsyncIterator[bytes]:
        self.taken = len(self.body)
        if self.body:
            yield self.body
