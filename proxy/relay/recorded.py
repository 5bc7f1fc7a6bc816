"""One attempt as it is recorded, in bounded memory.

Reads gather up to HELD; what goes beyond is handed on to be written. For the ring of the last failures a take keeps its
beginning and its end, and leaves out what lies between.

A read costs one append. Credentials are hidden in heads, and the provider's keys masked wherever they come back, before
anything is handed on.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec

from proxy.dialects.json_text import make_unicode
from proxy.errors import UpstreamFault
from proxy.relay.outcome import Attempt
from proxy.relay.ports import Answer, UpstreamRequest
from proxy.relay.whole_upload import WholeUpload
from proxy.wire import cassette
from proxy.wire.cassette import Piece, encode_fields
from proxy.wire.hiding import hide_answer_fields, hide_parameters, hide_request_fields, mask_parts, mask_text

HELD: Final = 32 * 1024
"""Bytes of a take in memory before they are handed to the shelf: a hundred events in one write."""

RING_HELD: Final = 16 * 1024
"""The same where nothing is written: twice what is kept of an end, so that it is cut once per RING_LAST bytes."""

RING_FIRST: Final = 4 * 1024
RING_LAST: Final = 8 * 1024
"""Bytes of a take's beginning and end that the ring keeps: how a stream opens, and the last things that were said."""

RING_BODY: Final = 16 * 1024
"""Bytes of a request's body up to which the ring keeps it."""

PER_READ: Final = 150
"""Bytes that a read takes in memory beside its own: a tuple, a float, the head of a bytes object."""

_FROM_OUTSIDE: Final = ("target", "model", "reason", "detail")
"""Members of a cassette's heads in which a key may stand, beside the values of fields."""

Read = tuple[float, bytes]


@dataclass(frozen=True, slots=True)
class Secrets:
    """What is masked. own: in what comes back, the asked provider's keys and the caller's. known: in what goes out,
    and in heads, those of all providers too: a failover may carry one's words to another."""

    own: tuple[bytes, ...] = ()
    known: tuple[bytes, ...] = ()


class Holder(Protocol):
    """A take's tape. spools: what does not fit into memory is written. ring: a beginning and an end are remembered."""

    spools: bool
    ring: bool

    def write(self, pieces: list[Piece], size: int) -> None: ...


class RecordedTake:
    """One attempt. `_reads` are those in memory, up to `_fresh` of them written already; `_first` and `_gone`: of those
    that are not, what the ring keeps of the beginning, and how many bytes it has let go of behind it."""

    __slots__ = (
        "_end", "_first", "_fresh", "_gone", "_heads", "_known", "_limit", "_now", "_number", "_reads", "_secrets",
        "_size", "_started", "_tape", "_untold",
    )  # fmt: skip

    def __init__(self, tape: Holder, number: int, started: float, now: Callable[[], float], secrets: Secrets) -> None:
        self._tape = tape
        self._number = number
        self._started = started
        self._now = now
        self._secrets = secrets.own
        self._known = secrets.known
        self._limit = HELD if tape.spools else RING_HELD
        self._heads: list[Piece] = []
        self._untold = 0  # heads before this one were written
        self._reads: list[Read] = []
        self._fresh = 0
        self._size = 0
        self._first: list[Read] = []
        self._gone = 0
        self._end: Piece | None = None

    # As a Take.

    def answered(self, answer: Answer) -> None:
        fields = encode_fields(hide_answer_fields(answer.headers.raw))
        self._add_head(cassette.ANSWER, cassette.Head(answer.status, make_unicode(answer.reason), fields))

    def received(self, data: bytes) -> None:
        self._reads.append((self._now(), data))
        self._size += len(data) + PER_READ
        if self._size > self._limit:
            self._turn()

    def ended(self, fault: UpstreamFault | None) -> None:
        end = cassette.End("complete") if fault is None else cassette.End("failed", fault.code.slug, fault.detail)
        self._end = self._build_head(cassette.END, end)

    def aborted(self) -> None:
        self._end = self._build_head(cassette.END, cassette.End("aborted"))

    # For the tape.

    def ask(self, asked: cassette.Asked, body: bytes | None) -> None:
        self._add_head(cassette.REQUEST, asked)
        if body is not None and (self._tape.spools or len(body) <= RING_BODY):
            masked = mask_parts([body], self._known)[0]
            self._heads.append(Piece(self._number, self._heads[0].at, cassette.BODY, masked))
            self._size += len(masked)

    def flush(self) -> tuple[list[Piece], int]:
        """What was not written yet, and about how many bytes it is."""
        self._mask(self._fresh)
        pieces = self._take_fresh(len(self._reads))
        if self._end is not None:
            pieces.append(self._end)
        return pieces, _measure(pieces)

    def list_kept(self) -> list[Piece]:
        """Heads, the beginning, the end."""
        self._mask(0)
        pieces = [piece for piece in self._heads if piece.kind != cassette.BODY or len(piece.data) <= RING_BODY]
        pieces += map(self._build_read, self._first)
        if self._gone:
            at = self._reads[0][0] if self._reads else self._now()
            pieces.append(cassette.build_lost(self._number, at - self._started, self._gone))
        pieces += map(self._build_read, self._reads)
        return pieces if self._end is None else [*pieces, self._end]

    def _turn(self) -> None:
        """There is enough in memory: write it, and let go of what need not stay."""
        if self._tape.spools:
            self._mask(self._fresh)
            pieces = self._take_fresh(self._find_stop())
            self._tape.write(pieces, _measure(pieces))
        else:
            self._mask(0)
            self._fresh = self._find_stop()
        if self._tape.ring:
            self._cut()
        else:
            del self._reads[: self._fresh]
            self._fresh = 0
        if self._untold == len(self._heads) and not (self._tape.ring and _find_length(self._heads) <= RING_BODY):
            self._heads = [piece for piece in self._heads if piece.kind != cassette.BODY]
            self._untold = len(self._heads)
        self._size = sum(len(data) + PER_READ for _, data in self._reads)

    def _find_stop(self) -> int:
        """Up to where reads may be written: a key may have begun in the last ones, to be masked once it is whole."""
        held, longest = 0, max(map(len, self._secrets), default=1) - 1
        stop = len(self._reads)
        while stop > self._fresh and held < longest:
            stop -= 1
            held += len(self._reads[stop][1])
        return stop

    def _mask(self, start: int) -> None:
        reads = self._reads
        found = [data for _, data in reads[start:]]
        masked = mask_parts(found, self._secrets)
        if masked is not found:
            reads[start:] = [(at, data) for (at, _), data in zip(reads[start:], masked, strict=True)]

    def _take_fresh(self, stop: int) -> list[Piece]:
        pieces = self._heads[self._untold :]
        pieces += map(self._build_read, self._reads[self._fresh : stop])
        self._untold, self._fresh = len(self._heads), stop
        return pieces

    def _cut(self) -> None:
        """Of what was written, or never will be, keep the beginning and the end."""
        reads = self._reads
        size = sum(len(data) for _, data in reads)
        count = 0
        if not self._first:
            room = RING_FIRST
            while count < self._fresh and room > 0:
                at, data = reads[count]
                self._first.append((at, data[:room]))
                self._gone += max(0, len(data) - room)
                room -= len(data)
                size -= len(data)
                count += 1
        while count < self._fresh and size > RING_LAST:
            size -= len(reads[count][1])
            self._gone += len(reads[count][1])
            count += 1
        del reads[:count]
        self._fresh -= count

    def _build_read(self, read: Read) -> Piece:
        return Piece(self._number, read[0] - self._started, cassette.DATA, read[1])

    def _build_head(self, kind: bytes, head: msgspec.Struct) -> Piece:
        masked = msgspec.json.encode(_mask_head(head, self._known))
        return Piece(self._number, self._now() - self._started, kind, masked)

    def _add_head(self, kind: bytes, head: msgspec.Struct) -> None:
        self._heads.append(self._build_head(kind, head))


def _mask_head(head: msgspec.Struct, secrets: Sequence[bytes]) -> msgspec.Struct:
    """Before it is JSON, and in what comes from outside only: nothing that a caller shows shall break a recording."""
    masked: dict[str, object] = {
        name: mask_text(getattr(head, name), secrets) for name in _FROM_OUTSIDE if hasattr(head, name)
    }
    if isinstance(head, cassette.Asked | cassette.Head):
        masked["headers"] = tuple((name, mask_text(value, secrets)) for name, value in head.headers)
    return msgspec.structs.replace(head, **masked)


def _measure(pieces: Sequence[Piece]) -> int:
    return sum(len(piece.data) for piece in pieces) + PER_READ * len(pieces)


def _find_length(heads: Sequence[Piece]) -> int:
    """Of the body among them."""
    return sum(len(piece.data) for piece in heads if piece.kind == cassette.BODY)


def build_asked(attempt: Attempt, request: UpstreamRequest, dialects: Mapping[str, str]) -> cassette.Asked:
    return cassette.Asked(
        attempt.provider,
        attempt.account or "",
        attempt.model,
        dialects.get(attempt.provider, ""),
        request.method,
        hide_parameters(request.target),
        encode_fields(hide_request_fields(request.headers)),
        request.upload.length if request.upload is not None else 0,
    )


def find_body(request: UpstreamRequest) -> bytes | None:
    """One that is here as a whole: what a caller sends on as it comes is not gathered."""
    return request.upload.body if isinstance(request.upload, WholeUpload) else None
