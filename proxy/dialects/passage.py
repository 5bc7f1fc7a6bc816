"""A provider's own bytes for a client of the same dialect: a `translate.Stage`.

They go on as they came, block by block, and are only looked at. What differs is that a block which is no JSON is left
out, that a missing end mark (or the blank line of the last event) is added after a finish, that what was asked for on
the client's behalf is taken out again, and that a cut is said in-band. What the provider says behind an error of its
own passes too, `[DONE]` included: its clients know it so.

Where another provider has to go on, an encoder is brought to where the client stands, by what it has read: the start,
the text, and, where the dialect repeats more than that in its events (`chat.Adopting`), the events themselves.
"""

from collections.abc import Callable
from typing import Final

from proxy.dialects.chat import Adopting, Encoder
from proxy.dialects.delivered import Delivered
from proxy.dialects.estimate import measure_text
from proxy.dialects.events import BlockEnd, BlockStart, Delta, Event, Failure, Kind, Start, Usage
from proxy.dialects.reading import TOO_LARGE, Reading
from proxy.dialects.translate import Resumed, Seen, find_resumable
from proxy.wire.sse import Block, Parser

_TOLD: Final = 256
"""Different events other than deltas that are remembered: a dozen come before and after the first text block, and
Responses has one to keep the connection open, with a number of its own each time."""

_HELD: Final = 256 * 1024
"""Bytes that are kept of what a provider says behind an error that is withheld."""


class Passage:
    """`end_mark` is what closes a complete stream. hides: finds, by its data, an event without any of the answer that
    the client did not ask for: it is read and not passed on."""

    mismatch = False

    def __init__(
        self,
        reading: Reading,
        encoder: Callable[[], Encoder],
        keepalive: bytes,
        end_mark: bytes,
        *,
        track: bool = False,
        hides: Callable[[bytes], bool] | None = None,
    ) -> None:
        self._reading = reading
        self._hides = hides
        self._open_encoder = encoder
        self._keepalive = keepalive
        self._end_mark = end_mark
        self._start: Start | None = None
        self._last = b""  # what was passed on last
        self._over = False
        self._held: list[bytes] | None = None  # what says the failure that is withheld
        self._told: list[bytes] = []  # events that were passed on: the start, and where it is tracked all but deltas
        self._latest = b""  # the last one that was
        self.withhold = False
        self.seen = Seen(delivered=Delivered() if track else None)

    @property
    def progress(self) -> int:
        return self.seen.substance

    @property
    def withheld(self) -> bool:
        return self._held is not None and self.seen.failure is not None

    @property
    def keepalive(self) -> bytes:
        return b"" if self.ended and self._held is None else self._say(self._keepalive)

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
        out = self._pass(out)
        if self.seen.failure is not None:
            return out
        marked = decoder.ended
        events = decoder.end(b"" if last is not None else tail)
        self.seen.note(events)
        if events and isinstance(events[-1], Failure):
            return out + self._tell(events[-1])
        return out if marked else out + self._say(self._end_mark)

    def fail(self, failure: Failure) -> bytes:
        if self.ended:
            return b""
        if self.complete:
            return self.end()
        self._over = True
        self.seen.failure = failure
        return self._tell(failure)

    def settle(self) -> bytes:
        held, self._held = self._held, None
        if not held:
            return b""
        self._last = held[-1]
        return b"".join(held)

    def resume(self, reading: Reading, *, continues: bool) -> Resumed:
        delivered = find_resumable(self.seen, withheld=self.withheld)
        encoder, missing = self._open_encoder(), b""
        for event in self._recall(delivered):
            encoder.encode(event)
        if isinstance(encoder, Adopting) and delivered.started:
            missing = encoder.adopt([*self._told, self._latest])
        mend = b"\n" if self._last.endswith(b"\r") else b""
        return Resumed(reading, encoder, delivered, continues=continues, lead=missing, mend=mend)

    def _look(self, block: Block) -> bool:
        """Note what `block` says. False: it is to be left out."""
        decoder, seen = self._reading.decoder, self.seen
        if decoder.ended:
            return self._held is None or self._hold(block.raw)
        known = decoder.malformed
        events = decoder.feed(block)
        if len(events) == 1 and type(event := events[0]) is Delta:  # nearly all of them
            seen.substance += 1
            seen.size += measure_text(event.text)
            self._latest = block.data or b""
            if seen.delivered is not None:
                seen.delivered.add(event.text)
            return True
        if self.withhold and (decoder.failing or (events and isinstance(events[-1], Failure))):
            # What of the answer stands in the same block is not delivered either.
            seen.note([event for event in events if isinstance(event, Usage | Failure)])
            return self._hold(block.raw)
        seen.note(events)
        if decoder.malformed != known or (not events and self._is_hidden(block)):
            return False
        if block.data is not None:
            self._note(events, block.data)
        return True

    def _is_hidden(self, block: Block) -> bool:
        return self._hides is not None and block.data is not None and self._hides(block.data)

    def _note(self, events: list[Event], data: bytes) -> None:
        """What goes by, for whoever has to say more."""
        self._latest = data
        if self._start is None and events and isinstance(start := events[0], Start):
            self._start = start
            self._told.append(data)
        delivered = self.seen.delivered
        if delivered is None:
            return
        for event in events:
            delivered.note(event)
        if not delivered.plain or len(self._told) > _TOLD:
            delivered.forget()
            del self._told[1:]
        elif not any(type(event) is Delta for event in events) and data not in self._told:
            self._told.append(data)

    def _recall(self, delivered: Delivered) -> list[Event]:
        """What was delivered, as events."""
        start = self._start or Start()
        events: list[Event] = [Start(start.id, start.model)] if delivered.started else []
        if delivered.opened:
            events += [BlockStart(Kind.TEXT), Delta(delivered.text)] if delivered.size else [BlockStart(Kind.TEXT)]
        return [*events, BlockEnd()] if delivered.closed else events

    def _tell(self, failure: Failure) -> bytes:
        """The error as the stream under way would say it: its reader has seen the provider's beginning already."""
        encoder = self._open_encoder()
        if self._start is not None:
            encoder.encode(self._start)
            if isinstance(encoder, Adopting):
                encoder.adopt([*self._told, self._latest])
        delivered = self.seen.delivered
        said = self._say(encoder.encode(failure if delivered is None else delivered.tell(failure)))
        if self.withhold:
            self._hold(said)
            return b""
        return said

    def _hold(self, data: bytes) -> bool:
        """Keep what is not to be passed on yet: False."""
        held = self._held = [] if self._held is None else self._held
        if sum(map(len, held)) < _HELD:
            held.append(data)
        return False

    def _pass(self, data: bytes) -> bytes:
        """The last bytes of the provider's."""
        if data and self._held is not None:
            self._hold(data)
            return b""
        self._last = data or self._last
        return data

    def _say(self, data: bytes) -> bytes:
        """Something of ours. A CRLF that was cut is made whole first: not every reader takes a CR for a line end."""
        last = self._held[-1] if self._held else self._last
        return b"\n" + data if data and last.endswith(b"\r") else data


def _complete(tail: bytes) -> Block | None:
    """The event that a stream ended in without its blank line."""
    raw = tail + (b"\n" if tail.endswith(b"\n") else b"\n\n")
    event = next((block for block in Parser().feed(raw) if block.data), None)
    if event is None:  # `data:` and nothing behind it is no JSON, and the SDKs fail on it
        return None
    return Block(raw, event.type, event.data, event.last_event_id)
