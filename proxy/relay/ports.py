"""What the relay asks of its neighbours: the seams between upstream, relay and edge.

An `Opener` (upstream room) opens an `Answer` with its `Source`; the relay gives the source a `Receiver` to push to.
A `Sink` (edge room) is the client's side of the stream. Nothing here knows aiohttp, and neither neighbour knows the
other.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from proxy.errors import UpstreamFault
from proxy.types import AccountName, ProviderName
from proxy.wire.headers import Headers


class Upload(Protocol):
    """A request body on its way up. `taken` counts the bytes handed on so far: the clocks read it as progress."""

    taken: int

    @property
    def length(self) -> int | None:
        """Bytes, or None when the client sends chunks."""

    def take_whole(self) -> bytes | None:
        """The body, when all of it has arrived already; then `read` is not used."""

    def read(self) -> AsyncIterator[bytes]:
        """The body as it comes. Ends early, with the reason kept on the upload's side, when the client fails."""


@dataclass(frozen=True, slots=True)
class UpstreamRequest:
    """One request as an upstream shall see it; `target` is the raw path and query, `headers` are end-to-end.
    repeatable: it may be sent once more when a kept connection turns out to be closed, its upload from the start."""

    method: str
    target: str
    headers: list[tuple[bytes, bytes]]
    upload: Upload | None
    repeatable: bool = False


class Receiver(Protocol):
    """Whom a source pushes to. None of these may raise: they run inside the source's `data_received`."""

    def feed(self, data: bytes) -> None:
        """Payload bytes, never empty."""

    def end(self) -> None:
        """The body is complete by its own framing; nothing follows."""

    def fail(self, fault: UpstreamFault) -> None:
        """The body broke off; nothing follows."""


class Source(Protocol):
    """The body of an upstream's answer, waiting on its connection until `start`."""

    def start(self, receiver: Receiver) -> None:
        """Push from now on; what has arrived already is pushed before this returns."""

    def pause(self) -> None:
        """Stop reading from the socket; what was read already is still pushed."""

    def resume(self) -> None: ...

    def abort(self) -> None:
        """Close the connection at once, without a TLS farewell. Harmless when the body is complete."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The head of an upstream's answer. `length` is what Content-Length said; `source` is None without a body."""

    status: int
    reason: str
    headers: Headers
    length: int | None
    source: Source | None


class Opener(Protocol):
    """A provider, ready to be asked."""

    name: ProviderName
    account: AccountName | None

    async def open(self, request: UpstreamRequest) -> Answer:
        """The answer's head. Raises UpstreamFault; when cancelled, the connection is closed at once."""


class Sink(Protocol):
    """A client's side of a stream, its head ready to go."""

    def write(self, data: bytes) -> bool:
        """Send now. False when the client reads too slowly: stop until `drain` returns."""

    def keep_alive(self, data: bytes) -> bool:
        """Send a keep-alive of the proxy's own, `data` unless the sink knows a better one. As `write`."""

    def flush(self) -> None:
        """Send the head now, if no byte of the body has taken it along."""

    async def drain(self) -> None:
        """Return when the client has read enough. Raises ConnectionError when it is gone."""

    def count_unsent(self) -> int:
        """Bytes written here that the client does not have yet: shrinking is progress."""

    async def finish(self) -> None:
        """End the body as complete. Raises ConnectionError when the client is gone."""

    async def abort(self) -> None:
        """Deliver what was written, then end the connection in a way that cannot be taken for an end of the body."""

    def kill(self) -> None:
        """End the connection now; what was not read is lost."""


class Tap(Protocol):
    """Looks at the bytes that pass. May raise: it is then switched off, and the stream goes on."""

    @property
    def events(self) -> int:
        """How many have passed."""

    @property
    def at_boundary(self) -> bool:
        """Nothing of a next event has begun."""

    def feed(self, chunk: bytes) -> None: ...


class Gauges(Protocol):
    """Readings of a sink that does not simply pass on: clocks are set by whether they move."""

    @property
    def written(self) -> int:
        """Moves with whatever goes to the client."""

    @property
    def substance(self) -> int:
        """Moves with whatever carries the answer: no ping, no bookkeeping."""
