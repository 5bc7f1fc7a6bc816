"""The plain SSE clock: one `tick` per beat, numbered, resumable with Last-Event-ID. Needs no dialect and no
body.

Takes a request, returns an answer whose pieces are made one by one as they are sent, so that each carries
its own time.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Final

import msgspec

from proxy.demo.answer import SSE, Answer, Piece, Request
from proxy.demo.params import Params

COMMENT_EVERY: Final = 10  # ticks between two comment lines: seen within seconds, never in the way


def build_clock(request: Request) -> Answer:
    """The endless (or `n` ticks long) answer to one request, continued after a numeric Last-Event-ID."""
    ids = request.head.values(b"last-event-id")
    first = int(ids[-1]) + 1 if ids and re.fullmatch(rb"[0-9]{1,15}", ids[-1]) else 1
    return Answer(
        _ticks(first, request.params),
        content_type=SSE,
        gap=request.params.every,
        headers=(("Cache-Control", "no-cache"),),
        is_stream=True,
        is_endless=request.params.n is None,
    )


def _ticks(first: int, params: Params) -> Iterator[Piece]:
    yield Piece(b": penstock demo clock\nretry: 1000\n\n", is_event=False)
    sent = 0
    while params.n is None or sent < params.n:
        comment = params.comments or (sent > 0 and sent % COMMENT_EVERY == 0)
        size = max(params.size, params.giant if sent == 0 else 0)
        yield Piece(make=partial(build_tick, first + sent, size, comment=comment))
        sent += 1


def build_tick(number: int, size: int, *, comment: bool = False) -> bytes:
    """One event of this moment; its data is padded to `size` bytes when that is more than it needs by itself."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
    tick: dict[str, object] = {"n": number, "time": now}
    bare = msgspec.json.encode(tick)
    missing = size - len(bare) - len(b',"pad":""')
    if size > len(bare):
        tick["pad"] = "x" * max(missing, 0)
    before = b": tick follows\n" if comment else b""
    return b"%bid: %d\nevent: tick\ndata: %b\n\n" % (before, number, msgspec.json.encode(tick))
