"""Server-sent events without I/O: a parser, a counter and an encoder (WHATWG HTML 9.2.5 and 9.2.6).

`Parser.feed(bytes) -> list[Block]` cuts a byte stream at its blank lines. A block is everything up to and with a
blank line: its bytes as they came, and what an EventSource would make of them. The `raw` of all blocks and `tail`,
joined, are the input again, so who forwards blocks forwards bytes. A block is there as soon as its blank line is,
also when that is a lone CR: an LF that follows later belongs to the next block and means nothing.

Nothing raises. A block above `max_event` is not kept: it is counted in `oversized` and what it held is forgotten.
Time is linear in the bytes fed, however they are cut. `EventCounter` answers less and keeps no bytes at all.
"""

import re
from collections.abc import Iterator
from typing import Final

from proxy.wire.limits import MAX_EVENT

_BOM: Final = b"\xef\xbb\xbf"
_LINE_ENDS = re.compile(rb"\r\n|\r|\n")
_DIGITS = re.compile(rb"[0-9]+").fullmatch
_LONGEST_DELAY: Final = 1000  # digits of `retry:` taken: CPython refuses to read integers above 4300


class Block:
    """What stood between two blank lines.

    raw:  the bytes, blank line included.
    type: the event's type, "message" unless named.
    data: the event's data, lines joined by LF, undecoded; None when the block dispatches nothing (comments,
          `id:` alone, an extra blank line).
    last_event_id: the stream's last event id after this block.
    """

    __slots__ = ("data", "last_event_id", "raw", "type")

    def __init__(self, raw: bytes, type: str, data: bytes | None, last_event_id: str) -> None:  # noqa: A002
        self.raw = raw
        self.type = type
        self.data = data
        self.last_event_id = last_event_id

    @property
    def text(self) -> str:
        """The data as an EventSource gives it: UTF-8, broken sequences replaced (WHATWG 9.2.6)."""
        return (self.data or b"").decode("utf-8", "replace")

    def __repr__(self) -> str:
        return f"<Block {self.type} {len(self.raw)} bytes{', no event' if self.data is None else ''}>"


class Parser:
    """Bytes to blocks. `last_event_id`, `retry_ms`, `comments` and `oversized` tell what was seen so far."""

    __slots__ = ("_after_cr", "_bom", "_max_event", "_mid_line", "_parts", "_size", "_start", "comments",
                 "last_event_id", "oversized", "retry_ms")  # fmt: skip

    def __init__(self, max_event: int = MAX_EVENT) -> None:
        self._max_event = max_event
        self._start: bytes | None = b""  # the first bytes, while they may still become a byte order mark
        self._bom = False  # the block under way opens with one
        self._after_cr = False  # the last byte was a CR: an LF now is the rest of that line end
        self._mid_line = False  # the line under way has bytes
        self._parts: list[bytes] = []  # the block under way
        self._size = 0
        self.last_event_id = ""
        self.retry_ms: int | None = None
        self.comments = 0
        self.oversized = 0

    @property
    def tail(self) -> bytes:
        """The bytes since the last blank line; the standard drops them at the end of a stream."""
        return b"".join(self._parts) + (self._start or b"")

    def feed(self, chunk: bytes) -> list[Block]:
        # Whole single events with LF ends, one per read: how nearly every server writes them.
        if (
            self._start is None
            and not self._size
            and chunk.find(b"\n\n") == len(chunk) - 2 >= 0
            and not self._after_cr
            and b"\r" not in chunk
            and len(chunk) <= self._max_event
        ):
            return [self._build_block(chunk, chunk.split(b"\n"))]
        if self._start is not None:
            return self._feed_start(chunk)
        return self._feed_lines(chunk)

    def end(self) -> None:
        """The stream is over: the whole lines of the tail still count, an event there does not (WHATWG 9.2.6)."""
        lines = _split_lines(self._strip_bom(b"".join(self._parts)))
        for line in lines[:-1]:
            self._note_line(line)

    def _feed_start(self, chunk: bytes) -> list[Block]:
        start = (self._start or b"") + chunk
        if len(start) < len(_BOM) and _BOM.startswith(start):
            self._start = start
            return []
        self._start = None
        if not start.startswith(_BOM):
            return self._feed_lines(start)
        self._bom = True
        self._keep(_BOM)
        return self._feed_lines(start[len(_BOM) :])

    def _feed_lines(self, chunk: bytes) -> list[Block]:
        blocks: list[Block] = []
        begin = 0  # of the block under way, in this chunk
        at = 1 if self._after_cr and chunk.startswith(b"\n") else 0
        for end, after in _find_line_ends(chunk, at):
            if end == at and not self._mid_line:
                raw = self._take(chunk[begin:after])
                begin = after
                if raw is not None:
                    blocks.append(self._build_block(raw, _split_lines(self._strip_bom(raw))))
            self._mid_line = False
            at = after
        if chunk:
            self._mid_line = self._mid_line or at < len(chunk)
            self._after_cr = chunk.endswith(b"\r")
        self._keep(chunk[begin:])
        return blocks

    def _keep(self, part: bytes) -> None:
        if part:
            self._size += len(part)
            if self._size <= self._max_event:
                self._parts.append(part)
            else:
                self._parts.clear()

    def _take(self, part: bytes) -> bytes | None:
        """The whole block that `part` completes; None when it was above the cap."""
        self._keep(part)
        raw = b"".join(self._parts) if self._size <= self._max_event else None
        if raw is None:
            self.oversized += 1
            self._bom = False
        self._parts.clear()
        self._size = 0
        return raw

    def _strip_bom(self, raw: bytes) -> bytes:
        if self._bom:
            self._bom = False
            return raw[len(_BOM) :]
        return raw

    def _build_block(self, raw: bytes, lines: list[bytes]) -> Block:
        kind = b""
        data: list[bytes] = []
        for line in lines:
            name, _, value = line.partition(b":")
            if value.startswith(b" "):
                value = value[1:]
            if name == b"data":
                data.append(value)
            elif name == b"event":
                kind = value
            elif name == b"id":
                if b"\0" not in value:
                    self.last_event_id = value.decode("utf-8", "replace")
            else:
                self._note_line(line)
        type_ = kind.decode("utf-8", "replace") or "message"
        return Block(raw, type_, b"\n".join(data) if data else None, self.last_event_id)

    def _note_line(self, line: bytes) -> None:
        """A comment or a delay: they count at once, whether or not an event follows."""
        if line.startswith(b":"):
            self.comments += 1
        elif line.startswith(b"retry:"):
            digits = line[6:].removeprefix(b" ")
            if _DIGITS(digits) and len(digits) <= _LONGEST_DELAY:
                self.retry_ms = int(digits)


class EventCounter:
    """Counts the events in a byte stream and knows whether it stands between two of them.

    The tap of a byte-exact stream: it holds at most one field name, whatever the size of an event.
    """

    __slots__ = ("_after_cr", "_first", "_has_data", "_in_block", "_line", "events")

    def __init__(self) -> None:
        self._first = True  # the line under way is the stream's first: a byte order mark may open it
        self._line = b""  # its first bytes
        self._after_cr = False
        self._in_block = False
        self._has_data = False
        self.events = 0

    @property
    def at_boundary(self) -> bool:
        """No line of a next event has begun: a comment put here harms nothing."""
        return not self._in_block and not self._line

    def feed(self, chunk: bytes) -> None:
        if (
            chunk.find(b"\n\n") == len(chunk) - 2 >= 0
            and not (self._in_block or self._line or self._after_cr or b"\r" in chunk)
            and (chunk.startswith(b"data:") or b"\ndata:" in chunk)
        ):
            self.events += 1
            self._first = False
        else:
            self._feed_lines(chunk)

    def _feed_lines(self, chunk: bytes) -> None:
        at = 1 if self._after_cr and chunk.startswith(b"\n") else 0
        for end, after in _find_line_ends(chunk, at):
            self._end_line(self._line + chunk[at : min(end, at + 8)])
            at = after
        if chunk:
            self._after_cr = chunk.endswith(b"\r")
            # Eight bytes tell `data:` apart also behind a byte order mark.
            self._line = (self._line + chunk[at : at + 8])[:8]

    def _end_line(self, line: bytes) -> None:
        if self._first:
            self._first = False
            line = line.removeprefix(_BOM)
        self._line = b""
        if not line:
            self.events += self._has_data
            self._has_data = self._in_block = False
            return
        self._in_block = True
        if line.startswith(b"data:") or line == b"data":
            self._has_data = True


def _find_line_ends(chunk: bytes, at: int) -> Iterator[tuple[int, int]]:
    """Where each line end from `at` on begins, and where it is over. Nearly everybody writes LF alone, and looking for
    one byte takes a hundredth of the time that looking for one of three line ends does."""
    if b"\r" in chunk:
        for found in _LINE_ENDS.finditer(chunk, at):
            yield found.span()
        return
    end = chunk.find(b"\n", at)
    while end >= 0:
        yield end, end + 1
        end = chunk.find(b"\n", end + 1)


def _split_lines(text: bytes) -> list[bytes]:
    return _LINE_ENDS.split(text) if b"\r" in text else text.split(b"\n")


def encode_event(data: bytes, type: bytes = b"", event_id: bytes = b"") -> bytes:  # noqa: A002
    """One event, LF line ends, `data: ` per line of data; a CR in it ends a line too, as a parser would read it."""
    head = (b"event: " + type + b"\n" if type else b"") + (b"id: " + event_id + b"\n" if event_id else b"")
    if b"\n" not in data and b"\r" not in data:
        return head + b"data: " + data + b"\n\n"
    return head + b"".join(b"data: " + line + b"\n" for line in _split_lines(data)) + b"\n"


def encode_comment(text: bytes) -> bytes:
    """A comment line without a blank line behind it: at an event boundary no parser takes it for an event."""
    return b": " + text + b"\n"
