"""What happens to an answer's bytes on their way from a provider to a client: a `Stage`, sans-IO.

`Translation` decodes the provider's dialect and encodes the client's; `Passage` (passage.py) serves where both speak
the same. `feed` and `end` return what goes to the client, whole events always; `fail` ends the answer from outside.
Until `committed`, nothing that was returned carries anything of the answer, so all of it may be thrown away: `failure`,
when set by then, can still become a status.

A failure that comes later is said in-band; or, with `withhold`, kept until `settle` says it. In between the answer can
be rescued: `resume` gives the stage through which another provider's answer becomes the rest of this one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from proxy.dialects.answer import Folder
from proxy.dialects.chat import ClientSide, Encoder, Turn
from proxy.dialects.delivered import Delivered
from proxy.dialects.estimate import measure_text
from proxy.dialects.events import BlockStart, Delta, Event, Failure, FailureKind, Finish, Start, Usage
from proxy.dialects.json_text import make_unicode
from proxy.dialects.reading import Reading
from proxy.dialects.splice import Splice


@dataclass(slots=True)
class Seen:
    """What is remembered of an answer. events: of the provider's. failure: how it failed. finish: how it ended.
    substance: events that carry the answer. delivered: where it is tracked, what the client has. size: bytes of its
    text. counted: as many of them had come when the provider last said how much output there is."""

    model: str = ""
    usage: Usage = field(default_factory=Usage)
    finish: Finish | None = None
    failure: Failure | None = None
    substance: int = 0
    events: int = 0
    malformed: int = 0
    delivered: Delivered | None = None
    size: int = 0
    counted: int = 0

    @property
    def committed(self) -> bool:
        return self.substance > 0

    def note(self, events: Iterable[Event]) -> None:
        for event in events:
            kind = type(event)
            if isinstance(event, Delta):
                self.substance += 1
                self.size += measure_text(event.text)
            elif kind is BlockStart:
                self.substance += 1
            elif isinstance(event, Usage):
                self.usage = self.usage.merge(event)
                if event.output is not None:
                    self.counted = self.size
            elif isinstance(event, Start):
                self.model = make_unicode(event.model)
                self.usage = event.usage or self.usage
            elif isinstance(event, Finish):
                self.finish = event
                self.substance += 1
            elif isinstance(event, Failure):
                self.failure = event


class Stage(Protocol):
    """withhold: a failure is not said until `settle`. mismatch: the answer is a second one, and not the same."""

    seen: Seen
    withhold: bool

    @property
    def mismatch(self) -> bool: ...
    @property
    def keepalive(self) -> bytes: ...
    @property
    def complete(self) -> bool:
        """The model's finish was seen: nothing that happens now makes the answer a truncated one."""

    @property
    def ended(self) -> bool:
        """The answer is over; what the provider still sends is of no interest."""

    @property
    def withheld(self) -> bool:
        """A failure is kept, and `settle` has not said it."""

    @property
    def progress(self) -> int:
        """Moves with whatever is of substance, also where the client has it already."""

    def feed(self, data: bytes) -> bytes: ...
    def end(self) -> bytes: ...
    def fail(self, failure: Failure) -> bytes: ...
    def settle(self) -> bytes:
        """What says the failure that was withheld; b"" when there is none, or it was said."""

    def resume(self, reading: Reading, *, continues: bool) -> "Stage":
        """The stage that goes on with the client's stream. continues: the answer to be read is only the rest, and not
        the whole once more. Only after a failure was withheld, while `seen.delivered` is plain: ValueError."""


class Translation:
    """Another dialect's answer for this client."""

    mismatch = False

    def __init__(self, reading: Reading, encoder: Encoder, *, track: bool = False) -> None:
        self._reading = reading
        self._encoder = encoder
        self._over = False
        self._withheld: Failure | None = None
        self.withhold = False
        self.seen = Seen(delivered=Delivered() if track else None)

    @property
    def withheld(self) -> bool:
        return self._withheld is not None

    @property
    def progress(self) -> int:
        return self.seen.substance

    @property
    def keepalive(self) -> bytes:
        return b"" if self._over and self._withheld is None else self._encoder.keepalive

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

    def settle(self) -> bytes:
        failure, self._withheld = self._withheld, None
        return b"" if failure is None else self._encoder.encode(failure)

    def resume(self, reading: Reading, *, continues: bool) -> "Resumed":
        delivered = find_resumable(self.seen, withheld=self.withheld)
        return Resumed(reading, self._encoder, delivered, continues=continues)

    def _say(self, events: list[Event]) -> bytes:
        seen = self.seen
        seen.events = self._reading.blocks
        if len(events) == 1 and type(event := events[0]) is Delta:  # nearly all of them
            seen.substance += 1
            seen.size += measure_text(event.text)
            out = self._encoder.encode(event)
            if seen.delivered is not None:
                seen.delivered.add(event.text, out)
            return out
        return self._say_others(events)

    def _say_others(self, events: list[Event]) -> bytes:
        seen = self.seen
        seen.note(events)
        seen.malformed = self._reading.decoder.malformed
        last = events[-1] if events else None
        self._over = isinstance(last, Finish | Failure)
        if not isinstance(last, Failure):
            return b"".join(self._write(events))
        written = self._write(events[:-1])
        failure = last if seen.delivered is None else seen.delivered.tell(last)
        if self.withhold:
            self._withheld = failure
            return b"".join(written)
        return b"".join([*written, self._encoder.encode(failure)])

    def _write(self, events: list[Event]) -> list[bytes]:
        encode, delivered = self._encoder.encode, self.seen.delivered
        written = [encode(event) for event in events]
        if delivered is not None:
            for event, out in zip(events, written, strict=True):
                delivered.note(event, out)
        return written


class Resumed(Translation):
    """The rest of an answer that broke off, by another provider: what is new in it goes on with the same encoder.

    Until it says something new its failures are withheld, and what broke off may still be settled, or resumed once more
    by somebody else. lead: goes before the first bytes. mend: before whatever is said until then, to end an open line.
    """

    def __init__(
        self,
        reading: Reading,
        encoder: Encoder,
        delivered: Delivered,
        *,
        continues: bool,
        lead: bytes = b"",
        mend: bytes = b"",
    ) -> None:
        super().__init__(reading, encoder)
        self.withhold = True
        self.seen.delivered = delivered
        self._delivered = delivered
        self._splice = Splice(delivered, continues=continues)
        self._lead = mend + lead
        self._mend = mend

    @property
    def keepalive(self) -> bytes:
        said = super().keepalive
        return self._mend + said if said else b""

    @property
    def complete(self) -> bool:
        return super().complete and self._splice.done

    @property
    def progress(self) -> int:
        return self.seen.substance + self._splice.swallowed

    def settle(self) -> bytes:
        return self._mark(super().settle())

    def resume(self, reading: Reading, *, continues: bool) -> "Resumed":
        stage = super().resume(reading, continues=continues)
        stage._lead, stage._mend = self._lead, self._mend
        return stage

    def _say(self, events: list[Event]) -> bytes:
        return self._mark(super()._say(events if self._splice.joined else self._join(events)))

    def _join(self, events: list[Event]) -> list[Event]:
        """What is new of `events`. The start was said; of the second one, model and usage count once it has joined."""
        splice, seen, size = self._splice, self.seen, self._delivered.size
        seen.note([event for event in events if isinstance(event, Start | Usage)])
        new = splice.feed(events)
        if splice.joined:
            self._encoder.resume(Start("", seen.model, seen.usage))
        elif splice.mismatch and not self.mismatch:
            self.mismatch = True
            new = [_build_mismatch(size)]  # whatever else has gone wrong with an answer that is not wanted
        return new

    def _mark(self, out: bytes) -> bytes:
        if out and self._lead:
            out, self._lead, self._mend = self._lead + out, b"", b""
        return out


def find_resumable(seen: Seen, *, withheld: bool) -> Delivered:
    """What another provider can go on after. Raises ValueError when none can."""
    if not withheld or seen.delivered is None or not seen.delivered.plain:
        raise ValueError("this answer cannot be resumed")
    return seen.delivered


def _build_mismatch(size: int) -> Failure:
    said = f"the provider's answer broke off after {size} characters, and another answer is not the same"
    return Failure(FailureKind.DISCONNECT, said, 502)


def build_whole(client: ClientSide, turn: Turn, events: Iterable[Event]) -> tuple[Seen, bytes]:
    """What is remembered, and the body of a whole answer; b"" when `seen.failure` says why there is none."""
    folder, seen = Folder(), Seen()
    events = list(events)
    folder.feed(events)
    seen.note(events)
    if seen.failure is not None:
        return seen, b""
    return seen, client.build_answer(folder.answer, turn)


def encode_failure(client: ClientSide, turn: Turn, failure: Failure) -> bytes:
    """The error within a stream of which nothing was written yet but what keeps its client waiting."""
    return client.open_encoder(turn).encode(failure)
