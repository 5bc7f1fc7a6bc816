"""What a route hands to the socket: a request as the routes see it, and an answer as pieces. Values only,
no I/O.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from proxy.demo.http1 import RequestHead
from proxy.demo.params import Params
from proxy.demo.produced import Bill, Product

SSE: Final = "text/event-stream; charset=utf-8"
JSON: Final = "application/json"


class BadAsk(ValueError):
    """A request that a route cannot serve: `status`, and a text that may name fields of it, never their values."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Request:
    """One request as a route sees it. `serial` counts this demo's requests from 1; `now` is Unix time in seconds.
    products: what became of those before it."""

    head: RequestHead
    params: Params
    body: bytes
    whole_body: bool  # False when the body was longer than what is kept of one
    serial: int
    now: int
    products: Sequence[Product] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes to send in one go. Events are counted and paced; an end mark is what `no_done` leaves out.

    `make` gives the bytes when their time has come, for what must carry the moment it was sent at. `fault` names the
    parameter that asked for this piece, for the counters.
    """

    data: bytes = b""
    is_event: bool = True
    is_end_mark: bool = False
    make: Callable[[], bytes] | None = None
    fault: str = ""

    def read(self) -> bytes:
        return self.data if self.make is None else self.make()


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, fields and body of an answer. `gap` is the time in seconds between two events, `eol` the line end of an
    event stream unless the request asks for another, `bill` what all of it costs, where a model was asked."""

    pieces: Iterable[Piece]
    content_type: str = JSON
    status: int = 200
    gap: float = 0.0
    headers: tuple[tuple[str, str], ...] = ()
    is_stream: bool = False
    is_endless: bool = False
    eol: bytes = b"\n"
    bill: Bill | None = None


def build_sse(data: bytes, event: str = "") -> bytes:
    """One server-sent event with LF line ends; `data` is a single line."""
    name = b"event: " + event.encode() + b"\n" if event else b""
    return name + b"data: " + data + b"\n\n"
