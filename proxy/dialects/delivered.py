"""What of an answer's text has gone to the client, for whoever may have to go on with it.

Two providers can only be made into one answer while nothing but plain text of its first text block was delivered: that
is `plain`, and `text` is that text. A thought, a call, a refusal, an image, a signature or a second block end it, if
the client saw anything of them. Beyond `LIMIT` characters nothing is remembered.
"""

from typing import Final

from msgspec.structs import replace

from proxy.dialects.events import BlockEnd, BlockStart, Delta, Event, Failure, Kind, Sign, Start

LIMIT: Final = 1024 * 1024
"""Characters: more than any model says in one answer."""


class Delivered:
    """started: the answer's start was said. opened, closed: its first text block was. size: characters of `text`."""

    __slots__ = ("_open", "_texts", "closed", "opened", "plain", "size", "started")

    def __init__(self) -> None:
        self.started = self.opened = self.closed = False
        self.plain = True
        self.size = 0
        self._open = False
        self._texts: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self._texts)

    def add(self, text: str, shown: object = True) -> None:
        """More of the open block; shown: whether the client saw anything of it."""
        if self._open:
            self.size += len(text)
            self._texts.append(text)
            if self.size > LIMIT:
                self.forget()
        elif shown:
            self.forget()

    def note(self, event: Event, shown: object = True) -> None:
        match event:
            case Delta():
                self.add(event.text, shown)
            case Start():
                self.started = True
            case BlockStart() if event.kind is Kind.TEXT and not self.opened:
                self.opened = self._open = True
            case BlockStart() if event.kind is Kind.TEXT or shown:
                self.forget()
            case BlockEnd() if self._open:
                self.closed, self._open = True, False
            case Sign() if self._open or shown:
                self.forget()
            case BlockEnd() if shown:
                self.forget()

    def tell(self, failure: Failure) -> Failure:
        """`failure`, saying what the client has: whoever asks again may want to know."""
        told = f"{self.size} characters of its text" if self.plain else "a part of it"
        return replace(failure, message=f"{failure.message} ({told} had been delivered)")

    def forget(self) -> None:
        """Nobody else can go on with this answer."""
        self.plain = self._open = False
        self._texts.clear()
