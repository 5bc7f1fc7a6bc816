"""Who looks on at a stream, and what they are told: the two seams beside a stream's way.

`Watchers` stand at the client's side: they are told of every byte that one client is sent, as it is sent. A `Tape`
stands at the upstream's: it opens a `Take` for every attempt, which is told what was asked, and what came back, read by
read. Both may come to nothing and cost nothing then: a client's stream without watchers has one test per write, and a
request without a tape has not even that, since only a taped answer's source is a `TapedSource`.

Whoever is told runs within the path of a byte: it appends, and neither raises nor waits.
"""

from collections.abc import Callable
from typing import Protocol

from proxy.errors import UpstreamFault
from proxy.relay.outcome import Attempt, EndReason
from proxy.relay.ports import Answer, Receiver, Source, UpstreamRequest


class Watcher(Protocol):
    """Looks at what a client is sent."""

    def sent(self, data: bytes) -> None:
        """Bytes of the body, as they are written; keep-alives among them."""

    def ended(self, reason: EndReason) -> None:
        """The request is over; nothing follows."""


class Watched(Protocol):
    """A client's side of a stream: it calls `watch`, where there is one, with whatever it writes."""

    watch: Callable[[bytes], None] | None


class Watchers:
    """Those of one request. They may come and go at any time, also before its stream has begun."""

    __slots__ = ("_stream", "_watchers")

    def __init__(self) -> None:
        self._stream: Watched | None = None
        self._watchers: tuple[Watcher, ...] = ()  # a request that nobody looks at has no list of its own

    def __len__(self) -> int:
        return len(self._watchers)

    def attach(self, stream: Watched) -> None:
        """The client's stream is here."""
        self._stream = stream
        self._aim()

    def add(self, watcher: Watcher) -> None:
        self._watchers = (*self._watchers, watcher)
        self._aim()

    def remove(self, watcher: Watcher) -> None:
        """Harmless when it has gone already."""
        self._watchers = tuple(other for other in self._watchers if other is not watcher)
        self._aim()

    def close(self, reason: EndReason) -> None:
        """The request is over."""
        watchers, self._watchers = self._watchers, ()
        self._aim()
        self._stream = None
        for watcher in watchers:
            watcher.ended(reason)

    def _aim(self) -> None:
        if self._stream is None:
            return
        match self._watchers:
            case ():
                self._stream.watch = None
            case (only,):
                self._stream.watch = only.sent
            case _:
                self._stream.watch = self._tell

    def _tell(self, data: bytes) -> None:
        for watcher in self._watchers:
            watcher.sent(data)


class Take(Protocol):
    """One attempt, as it is recorded. After `ended` or `aborted` nothing follows."""

    def answered(self, answer: Answer) -> None:
        """The head is here."""

    def received(self, data: bytes) -> None:
        """Bytes of the body, as they were read."""

    def ended(self, fault: UpstreamFault | None) -> None:
        """The body is complete by its own framing, or broke off; or, without a head, the attempt failed."""

    def aborted(self) -> None:
        """We ended it."""


class Tape(Protocol):
    """Records one request: its attempts, of which several may run at a time."""

    def open(self, attempt: Attempt, request: UpstreamRequest) -> Take:
        """Called when `request` goes out."""


class TapedSource:
    """A Source whose bytes a Take is told of before they are pushed."""

    __slots__ = ("_over", "_receiver", "_source", "_take")

    def __init__(self, source: Source, take: Take) -> None:
        self._source = source
        self._take = take
        self._receiver: Receiver | None = None
        self._over = False

    # As a Source.

    def start(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._source.start(self)

    def pause(self) -> None:
        self._source.pause()

    def resume(self) -> None:
        self._source.resume()

    def abort(self) -> None:
        self._source.abort()
        if not self._over:
            self._over = True
            self._take.aborted()

    # As a Receiver.

    def feed(self, data: bytes) -> None:
        if not self._over:
            self._take.received(data)
        if self._receiver is not None:
            self._receiver.feed(data)

    def end(self) -> None:
        self._end(None)
        if self._receiver is not None:
            self._receiver.end()

    def fail(self, fault: UpstreamFault) -> None:
        self._end(fault)
        if self._receiver is not None:
            self._receiver.fail(fault)

    def _end(self, fault: UpstreamFault | None) -> None:
        if not self._over:
            self._over = True
            self._take.ended(fault)
