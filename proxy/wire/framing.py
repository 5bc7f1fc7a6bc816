"""HTTP/1.1 message body framing, without I/O (RFC 9112 sections 6 and 7).

Three decoders with one shape: `feed(bytes) -> bytes` takes what the peer sent and returns the payload in it;
`end()` says that the connection was closed. `done` turns true at the last byte of the body and `excess` holds
what came after it. A peer that breaks the framing raises FramingError, one that stops early Truncated; both
carry the payload found before the fault in `payload`, because a proxy still owes it to its client.

They know nothing of heads: who builds one has chosen the framing (RFC 9112 6.3).
"""

import re
from typing import Final, Protocol

from proxy.errors import PenstockError
from proxy.wire.limits import MAX_CHUNK_DIGITS, MAX_CHUNK_LINE, MAX_TRAILERS

LAST_CHUNK: Final = b"0\r\n\r\n"

# A size line that nearly every server writes: digits and CRLF. Anything else takes the slow path.
_SIMPLE_LINE = re.compile(rb"([0-9A-Fa-f]{1,%d})\r\n" % MAX_CHUNK_DIGITS).match
# RFC 9112 7.1.1 with the leniencies that deployed servers need: blanks after the size, a bare LF. A bare CR or a
# control byte inside an extension is refused.
_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,%d})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?\r?\n" % MAX_CHUNK_DIGITS).fullmatch


class FramingError(PenstockError):
    """The peer broke the framing of its body; `payload` is what was found before the fault."""

    def __init__(self, what: str, payload: bytes = b"") -> None:
        super().__init__(what)
        self.what = what
        self.payload = payload


class Truncated(FramingError):
    """The peer closed before the end that its framing announced."""


class BodyDecoder(Protocol):
    done: bool
    excess: bytes

    def feed(self, data: bytes) -> bytes: ...
    def end(self) -> None: ...


class LengthBody:
    """A body of exactly `length` bytes, as Content-Length announced."""

    __slots__ = ("_left", "done", "excess")

    def __init__(self, length: int) -> None:
        self._left = length
        self.done = length == 0
        self.excess = b""

    def feed(self, data: bytes) -> bytes:
        size = len(data)
        if size < self._left:
            self._left -= size
            return data
        payload, self.excess = data[: self._left], self.excess + data[self._left :]
        self._left = 0
        self.done = True
        return payload

    def end(self) -> None:
        if not self.done:
            raise Truncated("closed before the announced length")


class EofBody:
    """A body without length or chunks: it ends when the peer closes (RFC 9112 6.3, 8)."""

    __slots__ = ("done", "excess")

    def __init__(self) -> None:
        self.done = False
        self.excess = b""

    def feed(self, data: bytes) -> bytes:
        return data

    def end(self) -> None:
        self.done = True


class ChunkedBody:
    """The chunked coding; extensions are ignored and trailers dropped (RFC 9112 7.1.1, 7.1.2)."""

    __slots__ = ("_left", "_line", "_lone_lf", "_read", "_ready", "_trailers", "done", "excess")

    def __init__(self) -> None:
        self._read = self._read_size
        self._ready = True  # a size line comes next, and none of it has
        self._line = b""
        self._left = 0
        self._lone_lf = False  # how the last size line ended
        self._trailers = 0
        self.done = False
        self.excess = b""

    def feed(self, data: bytes) -> bytes:
        # One event per chunk and per read is what a streaming server sends: no copy but the slice, no loop.
        if self._ready and (match := _SIMPLE_LINE(data)):
            start = match.end()
            size = int(match[1], 16)
            if size and len(data) == start + size + 2 and data.endswith(b"\r\n"):
                return data[start:-2]
        return self._feed_slowly(data)

    def _feed_slowly(self, data: bytes) -> bytes:
        payload: list[bytes] = []
        at = 0
        try:
            while at < len(data) and not self.done:
                at = self._read(data, at, payload)
        except FramingError as error:
            error.payload = b"".join(payload)
            raise
        if self.done:
            self.excess += data[at:]
        self._ready = self._read == self._read_size and not self._line
        return payload[0] if len(payload) == 1 else b"".join(payload)

    def end(self) -> None:
        if not self.done:
            raise Truncated("closed before the last chunk")

    # Readers: each takes the data, a position and the list of payload parts, and returns the next position.

    def _read_size(self, data: bytes, at: int, payload: list[bytes]) -> int:
        line, at = self._take_line(data, at, MAX_CHUNK_LINE)
        if line is None:
            return at
        match = _SIZE_LINE(line)
        if match is None:
            raise FramingError("chunk size")
        self._left = int(match[1], 16)
        self._lone_lf = not line.endswith(b"\r\n")
        self._read = self._read_payload if self._left else self._read_trailer
        return at

    def _read_payload(self, data: bytes, at: int, payload: list[bytes]) -> int:
        part = data[at : at + self._left]
        payload.append(part)
        self._left -= len(part)
        if not self._left:
            self._read = self._read_chunk_end
        return at + len(part)

    def _read_chunk_end(self, data: bytes, at: int, payload: list[bytes]) -> int:
        line, at = self._take_line(data, at, 2)
        if line is None:
            return at
        # Only a peer that ends its lines so may end its data so: else a chunk one byte short would pass, CR included.
        if line != b"\r\n" and not (line == b"\n" and self._lone_lf):
            raise FramingError("chunk data and size disagree")
        self._read = self._read_size
        return at

    def _read_trailer(self, data: bytes, at: int, payload: list[bytes]) -> int:
        start = at
        line, at = self._take_line(data, at, MAX_TRAILERS)
        self._trailers += at - start
        if self._trailers > MAX_TRAILERS:
            raise FramingError("trailer section too long")
        if line in (b"\r\n", b"\n"):
            self.done = True
        return at

    def _take_line(self, data: bytes, at: int, limit: int) -> tuple[bytes | None, int]:
        """A whole line with its end, or None when it is still coming; never more than `limit` bytes of it."""
        end = data.find(b"\n", at, at + limit) + 1
        part = data[at : end or at + limit + 1]
        if len(self._line) + len(part) > limit:
            raise FramingError("line too long in chunked body")
        if not end:
            self._line += part
            return None, at + len(part)
        line, self._line = self._line + part, b""
        return line, end


def encode_chunk(data: bytes) -> bytes:
    """One chunk around non-empty `data`; an empty one would read as the last chunk."""
    return b"%x\r\n%b\r\n" % (len(data), data)
