"""Writes one answer to one connection, faults included. Every fault acts here, on the socket, at a counted
event or byte.

Takes an `Answer` and the request's `Params`, returns whether the connection may carry another request. A
fault that ends the connection raises `Ended` once it has acted. Framing is our own (RFC 9112 section 6),
because a chunk line must be wrong on demand.
"""

import asyncio
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from email.utils import formatdate
from enum import Enum
from http import HTTPStatus
from typing import Final

from proxy.demo.answer import Answer, Piece
from proxy.demo.connection import Connection
from proxy.demo.http1 import RequestHead
from proxy.demo.params import FOREVER, Params
from proxy.demo.produced import End
from proxy.demo.record import Log, RequestRecord

SHORT_BY: Final = 64  # bytes declared and never sent with `length=short`
BODILESS: Final = (204, 304)  # RFC 9110 section 6.4.1: these never have a body
_ENDS: Final = (End.COMPLETE, End.REFUSED)  # by whether the status is an error's
GZIP_WINDOW: Final = 31  # zlib's number for "gzip container, largest window"


class Ended(Exception):
    """The connection is finished, as the request asked."""


class Framing(Enum):
    """How the end of the body is told."""

    CHUNKED = "chunked"
    LENGTH = "length"
    EOF = "eof"


class AnswerWriter:
    """Writes the answer to one request. `name` is the route's, for the counters."""

    def __init__(
        self, connection: Connection, head: RequestHead, params: Params, log: Log, record: RequestRecord, name: str
    ) -> None:
        self._connection = connection
        self._head = head
        self._params = params
        self._log = log
        self._record = record
        self._name = name
        self._framing = Framing.CHUNKED
        self._body_sent = 0

    async def write_answer(self, answer: Answer, *, keep_alive: bool | None = None) -> bool:
        """The whole answer. Returns whether the connection stays usable; raises `Ended` when a fault ended it."""
        await self._act_before_head()
        params = self._params
        self._framing = choose_framing(answer, params, old=self._head.old)
        keep = self._head.keep_alive if keep_alive is None else keep_alive
        keep = keep and self._framing is not Framing.EOF and params.length != "short"
        pieces: Iterator[Piece] = (piece for piece in answer.pieces if not (piece.is_end_mark and params.no_done))
        lines = answer.content_type.startswith("text/event-stream")
        coder = Coder((params.eol or answer.eol) if lines else b"\n", gzip=params.gzip)
        length = None
        if self._framing is Framing.LENGTH:
            ready = coder.encode_all(pieces)
            length = sum(len(piece.data) for piece in ready) + (SHORT_BY if params.length == "short" else 0)
            pieces, coder = iter(ready), Coder()
        self._record.status, self._record.bill = answer.status, answer.bill
        await self._write(self._build_head(answer, length, keep=keep))
        if self._head.method != "HEAD" and answer.status not in BODILESS:
            await self._write_body(pieces, coder, Pace(answer.gap))
        self._record.answered = True
        if self._record.end is End.LEFT:
            self._record.end = End.CUT if params.length == "short" else _ENDS[answer.status >= 400]
        self._log.changed()
        return keep

    async def _write_body(self, pieces: Iterator[Piece], coder: "Coder", pace: "Pace") -> None:
        if self._params.cut_bytes == 0:
            await self._cut("cut_bytes")
        await self._act_after_event()
        for piece in pieces:
            if self._params.end_after == self._record.events:
                self._log.faults["end_after"] += 1
                self._record.end = End.SHORT
                break
            if piece.fault:
                self._log.faults[piece.fault] += 1
                self._record.end = End.FAILED
            if piece.is_event:
                await pace.wait()
            await self._write_piece(coder.encode(piece))
            if not piece.is_event:
                continue
            self._record.events += 1
            self._log.events[self._name] += 1
            self._log.changed()
            await self._act_after_event()
        await self._write_piece(coder.finish())
        if self._framing is Framing.CHUNKED:
            await self._write(b"0\r\n\r\n")

    async def _write_piece(self, data: bytes) -> None:
        if not data:
            return
        limit = self._params.cut_bytes
        part = data if limit is None else data[: limit - self._body_sent]
        self._body_sent += len(part)
        self._record.sent(part)
        whole = len(part) == len(data)
        if self._framing is Framing.CHUNKED:
            await self._write(b"%x\r\n%b%b" % (len(data), part, b"\r\n" if whole else b""))
        else:
            await self._write(part)
        if limit is not None and self._body_sent >= limit:
            await self._cut("cut_bytes")

    async def _write(self, data: bytes) -> None:
        if not self._params.slice:
            await self._connection.write(data)
            return
        for at in range(len(data)):
            await self._connection.write(data[at : at + 1])
            await asyncio.sleep(self._params.slice_pause)

    async def _act_before_head(self) -> None:
        if self._params.cut_after == 0:
            await self._cut("cut_after")
        if self._params.reset_after == 0:
            await self._reset("reset_after")

    async def _act_after_event(self) -> None:
        """Whatever is due now that so many events have left; 0 is right after the head."""
        params, done = self._params, self._record.events
        stall_at = params.stall_after if params.stall_after is not None else (0 if params.stall is not None else None)
        if stall_at == done:
            await self._stall()
        if params.bad_chunk_after == done and self._framing is Framing.CHUNKED:
            self._log.faults["bad_chunk_after"] += 1
            self._record.end = End.CUT
            await self._write(b"no-size\r\n")
            await self._connection.hold()
        if params.cut_after == done:
            await self._cut("cut_after")
        if params.reset_after == done:
            await self._reset("reset_after")

    async def _stall(self) -> None:
        self._log.faults["stall_after"] += 1
        self._log.changed()
        await self._sleep(FOREVER if self._params.stall is None else self._params.stall)

    async def _sleep(self, seconds: float) -> None:
        if seconds == FOREVER:
            await self._connection.hold()
        await asyncio.sleep(seconds)

    async def _cut(self, fault: str) -> None:
        self._log.faults[fault] += 1
        self._record.end = End.CUT
        self._connection.close()
        raise Ended

    async def _reset(self, fault: str) -> None:
        self._log.faults[fault] += 1
        self._record.end = End.CUT
        await self._connection.reset()
        raise Ended

    def _build_head(self, answer: Answer, length: int | None, *, keep: bool) -> bytes:
        fields = [("Date", formatdate(usegmt=True)), ("Server", "penstock-demo")]
        fields += [("Content-Type", answer.content_type)] if answer.status not in BODILESS else []
        fields += answer.headers
        if answer.status not in BODILESS:
            if length is not None:
                fields.append(("Content-Length", str(length)))
            elif self._framing is Framing.CHUNKED:
                fields.append(("Transfer-Encoding", "chunked"))
            fields += [("Content-Encoding", "gzip")] if self._params.gzip else []
        fields += [("Retry-After", self._params.retry_after)] if self._params.retry_after is not None else []
        fields += [] if keep else [("Connection", "close")]
        lines = [
            f"HTTP/1.1 {answer.status} {reason_of(answer.status)}",
            *(f"{name}: {value}" for name, value in fields),
        ]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


class Pace:
    """Events at start, start + gap, start + 2 gap on the loop's clock; after a hold-up it goes on without a burst."""

    def __init__(self, gap: float) -> None:
        self._gap = gap
        self._next: float | None = None

    async def wait(self) -> None:
        now = asyncio.get_running_loop().time()
        due = now if self._next is None else max(now, self._next)
        await asyncio.sleep(due - now)  # zero as well: an endless answer must let others run
        self._next = due + self._gap


def choose_framing(answer: Answer, params: Params, *, old: bool) -> Framing:
    """How this answer's end is told: by what the request asks, else a length when whole and chunks when streamed."""
    if params.eof:
        return Framing.EOF
    if params.length in ("1", "short"):
        return Framing.LENGTH
    chunked = Framing.EOF if old else Framing.CHUNKED  # RFC 9112 section 6.1: no chunks to HTTP/1.0
    if params.bad_chunk_after is not None or params.length == "0" or answer.is_stream:
        return chunked
    return Framing.LENGTH


def reason_of(status: int) -> str:
    """The reason phrase of a status, also of one that is registered nowhere."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Demo"


class Coder:
    """Turns pieces into body bytes: LF becomes `eol`, then gzip, flushed at each piece."""

    def __init__(self, eol: bytes = b"\n", *, gzip: bool = False) -> None:
        self._eol = eol
        self._gzip = zlib.compressobj(wbits=GZIP_WINDOW) if gzip else None

    def encode(self, piece: Piece) -> bytes:
        data = piece.read() if self._eol == b"\n" else piece.read().replace(b"\n", self._eol)
        return data if self._gzip is None else self._gzip.compress(data) + self._gzip.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> bytes:
        return b"" if self._gzip is None else self._gzip.flush()

    def encode_all(self, pieces: Iterable[Piece]) -> list[Piece]:
        """Everything ahead of time, for a body whose length must be known first."""
        ready = [replace(piece, data=self.encode(piece), make=None) for piece in pieces]
        return [*ready, Piece(self.finish(), is_event=False)]
