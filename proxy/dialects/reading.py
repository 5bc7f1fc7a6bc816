"""A provider's body to the hub's events: an event stream, or one JSON document where the provider did not stream.

`split` cuts, `feed` cuts and decodes, `end` is for a body that ended cleanly. Nothing raises: `failed` says that an
event was larger than what is kept of one, which is then missing for good.
"""

from proxy.dialects.chat import Decoder, ProviderSide, Turn
from proxy.dialects.events import Event, Failure, FailureKind
from proxy.wire.limits import MAX_EVENT
from proxy.wire.sse import Block, Parser

TOO_LARGE = Failure(FailureKind.BAD_GATEWAY, "the provider sent an event that is too large", 502)


class Reading:
    """decoder: knows how far the answer is. blocks: events so far."""

    def __init__(self, provider: ProviderSide, turn: Turn, *, streamed: bool, max_event: int = MAX_EVENT) -> None:
        self._provider = provider
        self._turn = turn
        self._parser = Parser(max_event)
        self._whole: list[bytes] | None = None if streamed else []
        self._size = 0
        self._max = max_event
        self.decoder: Decoder = provider.open_decoder(turn)
        self.blocks = 0
        self.failed = False

    def split(self, data: bytes) -> list[Block]:
        """The blocks that `data` completes; none of a document. `failed` when one is too large."""
        if self._whole is not None:
            self._size += len(data)
            self.failed = self._size > self._max
            if not self.failed:
                self._whole.append(data)
            return []
        blocks = self._parser.feed(data)
        self.failed = bool(self._parser.oversized)
        for block in blocks:
            if block.data is not None:
                self.blocks += 1
        return blocks

    def feed(self, data: bytes) -> list[Event]:
        decoder = self.decoder
        complete = decoder.complete
        blocks = self.split(data)
        if self.failed and not complete:  # also if the finish came in the same read: something is missing before it
            return [TOO_LARGE]
        events: list[Event] = []
        for block in blocks:
            if not decoder.ended:
                events += decoder.feed(block)
        return events

    @property
    def tail(self) -> bytes:
        return b"" if self._whole is not None else self._parser.tail

    def end(self) -> list[Event]:
        """The body ended cleanly."""
        if self._whole is not None:
            return self._provider.parse_answer(b"".join(self._whole), self._turn)
        known = self.decoder.malformed
        events = self.decoder.end(self._parser.tail)
        self.decoder.malformed = known  # half an event is no malformed one
        return events
