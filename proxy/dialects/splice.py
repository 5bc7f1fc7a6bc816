"""Makes another provider's answer the rest of one that broke off: its events in, what is new for the client out.

Restarted, the second answer begins with the text that the client has: it is compared and swallowed, and a difference is
a `mismatch`, after which nothing comes. Continued, it is the rest already, and only leading white space that the client
has is swallowed. Thoughts before its text are dropped, since the client has read past the place for them. A
failure always passes. From `joined` on, which is the first event that says something new, everything does.
"""

from collections.abc import Iterable
from typing import Final

from proxy.dialects.delivered import Delivered
from proxy.dialects.events import BlockEnd, BlockStart, Delta, Event, Failure, Finish, Kind, Start, Usage

_ASIDE: Final = (Kind.THINKING, Kind.REDACTED, Kind.SIGNATURE)


class Splice:
    """`_known` is what is to be swallowed, up to `_at` it has been."""

    __slots__ = ("_aside", "_at", "_complete", "_continues", "_known", "_open", "_over", "joined", "mismatch")

    def __init__(self, delivered: Delivered, *, continues: bool) -> None:
        text = delivered.text
        self._known = text[len(text.rstrip()) :] if continues else text
        self._at = 0
        self._continues = continues
        self._complete = delivered.closed  # the client has read the end of the text's block
        self._open = delivered.opened and not delivered.closed
        self._aside = False  # within a block that is dropped
        self._over = False  # the second text has ended
        self.joined = not delivered.started
        self.mismatch = False

    @property
    def swallowed(self) -> int:
        """Characters of the second answer that the client had already."""
        return self._at

    @property
    def done(self) -> bool:
        """The client lacks nothing of what the second answer has said."""
        return self.joined or (not self.mismatch and self._all)

    @property
    def _all(self) -> bool:
        return self._continues or self._at == len(self._known)

    def feed(self, events: Iterable[Event]) -> list[Event]:
        new: list[Event] = []
        for event in events:
            if self.joined or isinstance(event, Failure):
                new.append(event)
            elif not (self.mismatch or isinstance(event, Start | Usage)):
                self._take(event, new)
        return new

    def _take(self, event: Event, new: list[Event]) -> None:
        if self._aside:
            self._aside = not isinstance(event, BlockEnd)
        elif isinstance(event, Delta):
            self._take_text(event.text, new)
        elif isinstance(event, BlockEnd):  # of the text; said with what follows, for until then there is nothing new
            self._over = True
        elif isinstance(event, BlockStart) and not self._over and event.kind in _ASIDE:
            self._aside = True
        elif isinstance(event, Finish) or (
            isinstance(event, BlockStart) and (self._over or event.kind is not Kind.TEXT)
        ):
            self._join([BlockEnd(), event] if self._open else [event], new)

    def _take_text(self, text: str, new: list[Event]) -> None:
        size = min(len(self._known) - self._at, len(text))
        if not self._known.startswith(text[:size], self._at):
            if not self._continues:
                self.mismatch = True
                return
            size = _count_common(self._known[self._at :], text)
            self._at = len(self._known)
        else:
            self._at += size
        if size == len(text):
            return
        if self._complete and not self._continues:  # the client knows the text to be complete
            self.mismatch = True
            return
        fresh = Delta(text[size:])
        self._join([fresh] if self._open else [BlockStart(Kind.TEXT), fresh], new)

    def _join(self, events: list[Event], new: list[Event]) -> None:
        """`events` follow what was delivered, if all of that has been seen."""
        self.joined = self._all
        self.mismatch = not self.joined
        if self.joined:
            new += events


def _count_common(one: str, other: str) -> int:
    return next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), len(one))
