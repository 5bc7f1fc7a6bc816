"""One stream as its client is sent it, for somebody who looks on: gathered within the path of a byte by an append,
read and put into frames outside of it.

What is gathered is bounded: of a viewer that does not keep up the oldest is dropped and counted. Without leave to show
content nothing but kinds and lengths comes out of `Reader`, whatever is asked for.
"""

import asyncio
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from proxy.ops.console.pieces import Piece, read_pieces
from proxy.relay.outcome import EndReason
from proxy.wire.sse import Block, Parser

MOST: Final = 256 * 1024
"""Bytes that are held for a viewer: seconds of the fastest model."""

PER_CHUNK: Final = 150
"""Bytes that a chunk takes beside its own: a tuple, a float, the head of a bytes object."""

MOST_DATA: Final = 8192
"""Characters of one event that are shown: more is not read by anybody."""

FORMS: Final = ("text", "events")

Chunk = tuple[float, bytes]
Frame = tuple[str, dict[str, Any]]

_FIELD: Final = re.compile(rb"^(?:data|event|id|retry)?:", re.MULTILINE)


class Gathering:
    """A Watcher. over: nothing will follow. lost: bytes that were dropped and not yet told of."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._chunks: deque[Chunk] = deque()
        self._size = 0
        self._news = asyncio.Event()
        self.lost = 0
        self.over = False

    def sent(self, data: bytes) -> None:
        self._chunks.append((self._now(), data))
        self._size += len(data) + PER_CHUNK
        if self._size > MOST:
            self._drop()
        self._news.set()

    def ended(self, reason: EndReason) -> None:
        self.over = True
        self._news.set()

    async def wait(self) -> None:
        """Return when there is something new, or when woken."""
        await self._news.wait()

    def wake(self) -> None:
        self._news.set()

    def take(self) -> list[Chunk]:
        chunks = list(self._chunks)
        self._chunks.clear()
        self._size = 0
        self._news.clear()
        return chunks

    def _drop(self) -> None:
        while self._size > MOST:
            _, data = self._chunks.popleft()
            self._size -= len(data) + PER_CHUNK
            self.lost += len(data)


class Reader:
    """Chunks to a frame. content: whether the text may be shown."""

    def __init__(self, dialect: str, form: str, *, content: bool) -> None:
        self._dialect = dialect
        self._event, self._name, self._show = _FORMS[form if content else "sizes"]
        self._parser = Parser(MOST)
        self._streams = False  # a field of an event was seen

    def restart(self) -> None:
        """Something is missing: what comes begins within an event."""
        self._parser = Parser(MOST)

    def read(self, chunks: Iterable[Chunk], at: float) -> Frame | None:
        found = [{"at": round(when, 3), **entry} for when, data in chunks for entry in self._read(data)]
        return (self._event, {"at": round(at, 3), self._name: found}) if found else None

    def _read(self, data: bytes) -> Iterator[dict[str, Any]]:
        self._streams = self._streams or _FIELD.search(data) is not None
        if not self._streams:  # some other body, which a mount passes on
            yield from self._show("", data, Block(data, "message", data, ""))
            return
        for block in self._parser.feed(data):
            if block.data is not None:
                yield from self._show(self._dialect, block.data, block)


def _show_text(dialect: str, data: bytes, block: Block) -> Iterator[dict[str, Any]]:
    for piece in read_pieces(dialect, data):
        named = {"name": piece.name} if piece.name else {}
        yield {"kind": piece.kind, "text": piece.text, **named}


def _show_event(dialect: str, data: bytes, block: Block) -> Iterator[dict[str, Any]]:
    text = block.text
    event = "" if block.type == "message" else block.type
    cut = {"cut": len(text)} if len(text) > MOST_DATA else {}
    yield {"event": event, "id": block.last_event_id, "data": text[:MOST_DATA], **cut}


def _show_size(dialect: str, data: bytes, block: Block) -> Iterator[dict[str, Any]]:
    size = len(block.raw)
    for piece in read_pieces(dialect, data) or [Piece("other")]:
        yield {"kind": piece.kind, "chars": len(piece.text), "bytes": size}
        size = 0  # an event's bytes are its first piece's


_FORMS: Final = {
    "text": ("text", "pieces", _show_text),
    "events": ("events", "events", _show_event),
    "sizes": ("sizes", "pieces", _show_size),
}
