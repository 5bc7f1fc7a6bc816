"""What happens to an answer's bytes on their way from a provider to a client: a `Stage`, sans-IO.

Two stages with one shape. `Translation` decodes the provider's dialect and encodes the client's. `Passage` serves where
both speak the same: the bytes go on as they came, block by block, and are only looked at; what differs is that a block
which is no JSON is left out, that a missing end mark (or the blank line of the last event) is added after a finish, and
that a cut is said in-band.

`feed` and `end` return what goes to the client, whole events always; `fail` ends the answer from outside. Until
`committed`, nothing that was returned carries anything of the answer, so all of it may be thrown away: `failure`, when
set by then, can still become a status.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from proxy.dialects.answer import Folder
from proxy.dialects.chat import ClientSide, Decoder, Encoder, ProviderSide, Turn
from proxy.dialects.events import BlockStart, Delta, Event, Failure, FailureKind, Finish, Start, Usage
from proxy.wire.limits import MAX_EVENT
from proxy.wire.sse import Block, Parser

TOO_LARGE = Failure(FailureKind.BAD_GATEWAY, "the provider sent an event that is too large", 502)


@dataclass(slots=True)
class Seen:
    """What is remembered of an answer. events: of the provider's. failure: how it failed. finish: how it ended."""

    model: str = ""
    usage: Usage = field(default_factory=Usage)
    finish: Finish | None = None
    failure: Failure | None = None
    committed: bool = False
    events: int = 0
    malformed: int = 0

    def note(self, events: Iterable[Event]) -> None:
        for event in events:
            kind = type(event)
            if kind is Delta or kind is BlockStart:
                self.committed = True
            elif isinstance(event, Usage):
                self.usage = self.usage.merge(event)
            elif isinstance(event, Start):
                self.model = event.model
                self.usage = event.usage or self.usage
            elif isinstance(event, Finish):
                self.finish, self.committed = event, True
            elif isinstance(event, Failure):
                self.failure = event


class Stage(Protocol):
    seen: Seen

    @property
    def keepalive(self) -> bytes: ...
    @property
    def complete(self) -> bool:
        """The model's finish was seen: nothing that happens now makes the answer a truncated one."""

    @property
    def ended(self) -> bool:
        """The answer is over; what the provider still sends is of no interest."""

    def feed(self, data: bytes) -> bytes: ...
    def end(self) -> bytes: ...
    def fail(self, failure: Failure) -> bytes: ...


class Reading:
    """A provider's body to events: an event stream, or one JSON document where the provider did not stream."""

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


class Translation:
    """Another dialect's answer for this client."""

    def __init__(self, reading: Reading, encoder: Encoder) -> None:
        self._reading = reading
        self._encoder = encoder
        self._over = False
        self.seen = Seen()

    @property
    def keepalive(self) -> bytes:
        return b"" if self._over else self._encoder.keepalive

    @property
    def complete(self) -> bool:
        seen = self.seen
        return seen.finish is not None or (self._reading.decoder.complete and seen.failure is None)

    @property
    def ended(self) -> bool:
        return self._over

    def feed(self, data: bytes) -> bytes:
        return b"" if self._over else self._say(self._reading.feed(data))

    def end(self) -> bytes:
        return b"" if self._over else self._say(self._reading.end())

    def fail(self, failure: Failure) -> bytes:
        if self._over:
            return b""
        if self.complete:  # only usage or the end mark was lost
            return self._say(self._reading.decoder.end())
        return self._say([failure])

    def _say(self, events: list[Event]) -> bytes:
        encode, seen = self._encoder.encode, self.seen
        seen.events = self._reading.blocks
        if len(events) == 1 and type(events[0]) is Delta:  # nearly all of them
            seen.committed = True
            return encode(events[0])
        seen.note(events)
        seen.malformed = self._reading.decoder.malformed
        self._over = bool(events) and isinstance(events[-1], Finish | Failure)
        return b"".join([encode(event) for event in events])


class Passage:
    """The provider's own bytes for a client of the same dialect. `end_mark` is what closes a complete stream.

    What the provider says behind an error of its own passes too, `[DONE]` included: its clients know it so.
    """

    def __init__(self, reading: Reading, encoder: Callable[[], Encoder], keepalive: bytes, end_mark: bytes) -> None:
        self._reading = reading
        self._open_encoder = encoder
        self._keepalive = keepalive
        self._end_mark = end_mark
        self._start: Start | None = None
        self._last = b""  # what was passed on last
        self._over = False
        self.seen = Seen()

    @property
    def keepalive(self) -> bytes:
        return b"" if self.ended else self._say(self._keepalive)

    @property
    def complete(self) -> bool:
        seen = self.seen
        return seen.finish is not None or (self._reading.decoder.complete and seen.failure is None)

    @property
    def ended(self) -> bool:
        return self._over or self.seen.failure is not None

    def feed(self, data: bytes) -> bytes:
        if self._over:
            return b""
        complete = self.complete
        blocks = self._reading.split(data)
        if self._reading.failed and not complete:
            return self.fail(TOO_LARGE)
        out = [block.raw for block in blocks if self._look(block)]
        if out:
            self._last = out[-1]
        self.seen.events, self.seen.malformed = self._reading.blocks, self._reading.decoder.malformed
        return out[0] if len(out) == 1 else b"".join(out)

    def end(self) -> bytes:
        if self._over:
            return b""
        self._over = True
        decoder, tail = self._reading.decoder, self._reading.tail
        out = b"" if tail.strip() else tail  # the LF of a CRLF, or nothing
        last = None if decoder.ended else _complete(tail)
        if last is not None:
            known = decoder.malformed
            out = last.raw if self._look(last) else b""
            decoder.malformed = known  # half an event is no malformed one
        self._last = out or self._last
        if self.seen.failure is not None:
            return out
        marked = decoder.ended
        events = decoder.end(b"" if last is not None else tail)
        self.seen.note(events)
        if events and isinstance(events[-1], Failure):
            return out + self._encode_failure(events[-1])
        return out if marked else out + self._say(self._end_mark)

    def fail(self, failure: Failure) -> bytes:
        if self.ended:
            return b""
        if self.complete:
            return self.end()
        self._over = True
        self.seen.failure = failure
        return self._encode_failure(failure)

    def _look(self, block: Block) -> bool:
        """Note what `block` says. False: it is to be left out."""
        decoder = self._reading.decoder
        if decoder.ended:
            return True
        known = decoder.malformed
        events = decoder.feed(block)
        if self._start is None and events and isinstance(events[0], Start):
            self._start = events[0]
        self.seen.note(events)
        return decoder.malformed == known

    def _encode_failure(self, failure: Failure) -> bytes:
        """The error as the stream under way would say it: its reader has seen the provider's beginning already."""
        encoder = self._open_encoder()
        if self._start is not None:
            encoder.encode(self._start)
        return self._say(encoder.encode(failure))

    def _say(self, data: bytes) -> bytes:
        """Something of ours. A CRLF that was cut is made whole first: not every reader takes a CR for a line end."""
        return b"\n" + data if data and self._last.endswith(b"\r") else data


def _complete(tail: bytes) -> Block | None:
    """The event that a stream ended in without its blank line."""
    raw = tail + (b"\n" if tail.endswith(b"\n") else b"\n\n")
    event = next((block for block in Parser().feed(raw) if block.data is not None), None)
    return None if event is None else Block(raw, event.type, event.data, event.last_event_id)


def build_whole(client: ClientSide, turn: Turn, events: Iterable[Event]) -> tuple[Seen, bytes]:
    """What is remembered, and the body of a whole answer; b"" when `seen.failure` says why there is none."""
    folder, seen = Folder(), Seen()
    events = list(events)
    folder.feed(events)
    seen.note(events)
    if seen.failure is not None:
        return seen, b""
    return seen, client.build_answer(folder.answer, turn)
