"""A strict HTTP/1.1 request reader without I/O: bytes in, a `RequestHead` and body bytes out.

Strict on purpose: what a proxy in front of us sends must be beyond doubt, so every ambiguity of RFC 9112
(two lengths, length and chunks, folded lines, bare LF) raises `MalformedRequest` instead of being guessed
at. Knows nothing of routes, answers or sockets.
"""

import re
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import parse_qsl, unquote

MAX_HEAD: Final = (
    64 * 1024
)  # bytes; eight times what common servers take, so that long heads show up in front of us, not here
MAX_CHUNK_LINE: Final = 4096  # bytes of a chunk size with its extensions
MAX_TRAILER: Final = 16 * 1024

_REQUEST_LINE: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e]+) HTTP/1\.([01])")
_FIELD: Final = re.compile(
    rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*((?:[^\x00-\x08\x0a-\x1f\x7f]*[^\x00-\x20\x7f])?)[ \t]*"
)
_CHUNK_LINE: Final = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\x00-\x08\x0a-\x1f]*)?")


class MalformedRequest(ValueError):
    """Bytes that are no request. `status` is the answer they deserve; the text is constant and echoes nothing."""

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class RequestHead:
    """One request head: `target` and `headers` are the bytes as they came, header order and case included."""

    method: str
    target: bytes
    old: bool  # HTTP/1.0
    headers: tuple[tuple[bytes, bytes], ...]

    def values(self, name: bytes) -> list[bytes]:
        """All values of one field, in order; `name` in lower case."""
        return [value for key, value in self.headers if key.lower() == name]

    @property
    def path(self) -> str:
        return unquote(self.target.partition(b"?")[0].decode("ascii"))

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(self.target.partition(b"?")[2].decode("ascii"), keep_blank_values=True)

    @property
    def keep_alive(self) -> bool:
        options = b",".join(self.values(b"connection")).lower().split(b",")
        return not self.old and b"close" not in [option.strip() for option in options]


class Body(Protocol):
    """A request body being decoded: `take` consumes what it can from the buffer and returns body bytes."""

    done: bool

    def take(self, buffer: bytearray) -> bytes: ...


def parse_head(block: bytes) -> RequestHead:
    """The head from its bytes without the closing blank line. Raises `MalformedRequest`."""
    first, *lines = block.split(b"\r\n")
    match = _REQUEST_LINE.fullmatch(first)
    if match is None:
        raise MalformedRequest("no valid request line")
    if not match[2].startswith(b"/"):
        raise MalformedRequest("request target is not in origin form")
    fields = [_FIELD.fullmatch(line) for line in lines]
    headers = tuple((field[1], field[2]) for field in fields if field is not None)
    if len(headers) != len(lines):
        raise MalformedRequest("no valid header field")
    head = RequestHead(match[1].decode("ascii"), match[2], match[3] == b"0", headers)
    if len(head.values(b"host")) > 1 or not (head.old or head.values(b"host")):
        raise MalformedRequest("not exactly one Host")
    return head


def open_body(head: RequestHead) -> Body:
    """The decoder of this head's body (RFC 9112 section 6.3). Raises `MalformedRequest` when the length is in doubt."""
    lengths, codings = head.values(b"content-length"), head.values(b"transfer-encoding")
    if len(lengths) + len(codings) > 1:
        raise MalformedRequest("more than one body length")
    if codings:
        if head.old or codings[0].lower() != b"chunked":
            raise MalformedRequest("transfer coding not known", 501)
        return ChunkedBody()
    if lengths and not re.fullmatch(rb"[0-9]{1,15}", lengths[0]):
        raise MalformedRequest("no valid Content-Length")
    return LengthBody(int(lengths[0]) if lengths else 0)


class LengthBody:
    """A body of a known number of bytes."""

    def __init__(self, length: int) -> None:
        self._left = length
        self.done = length == 0

    def take(self, buffer: bytearray) -> bytes:
        piece = bytes(buffer[: self._left])
        del buffer[: len(piece)]
        self._left -= len(piece)
        self.done = self._left == 0
        return piece


class ChunkedBody:
    """A chunked body; extensions and trailers are read and dropped."""

    def __init__(self) -> None:
        self.done = False
        self._left = 0  # bytes of this chunk still to come, with the CRLF after them
        self._in_trailer = False

    def take(self, buffer: bytearray) -> bytes:
        out = bytearray()
        while not self.done and self._step(buffer, out):
            pass
        return bytes(out)

    def _step(self, buffer: bytearray, out: bytearray) -> bool:
        if self._in_trailer:
            return self._read_trailer(buffer)
        if self._left == 0:
            return self._read_size(buffer)
        if self._left > 2 and buffer:
            piece = buffer[: self._left - 2]
            del buffer[: len(piece)]
            out += piece
            self._left -= len(piece)
            return True
        if self._left > 2 or len(buffer) < 2:
            return False
        if buffer[:2] != b"\r\n":
            raise MalformedRequest("chunk longer than its size")
        del buffer[:2]
        self._left = 0
        return True

    def _read_size(self, buffer: bytearray) -> bool:
        line = _take_line(buffer, MAX_CHUNK_LINE)
        if line is None:
            return False
        match = _CHUNK_LINE.fullmatch(line)
        if match is None:
            raise MalformedRequest("no valid chunk size")
        size = int(match[1], 16)
        self._in_trailer = size == 0
        self._left = size + 2 if size else 0
        return True

    def _read_trailer(self, buffer: bytearray) -> bool:
        line = _take_line(buffer, MAX_TRAILER)
        self.done = line == b""
        return line is not None and not self.done


def _take_line(buffer: bytearray, limit: int) -> bytes | None:
    end = buffer.find(b"\r\n", 0, limit)
    if end < 0:
        if len(buffer) >= limit:
            raise MalformedRequest("line too long")
        return None
    line = bytes(buffer[:end])
    del buffer[: end + 2]
    return line
