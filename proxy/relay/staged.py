"""A Sink whose bytes go through a Stage: what a provider says goes in, what the client reads comes out.

The pump moves bytes and knows nothing of dialects; here its ends get their meaning. A clean end of the body is only an
end if the model had finished; a cut after the finish is none. Whatever else ends the stream is said in-band, in the
client's dialect, and the answer is then closed in good order: its reader shall find the error, not a broken connection.
"""

from collections.abc import Callable, Mapping
from typing import Final

from proxy.dialects.events import Failure, FailureKind
from proxy.dialects.translate import Stage
from proxy.relay.outcome import EndReason
from proxy.relay.ports import Sink

FAILURES: Final[Mapping[EndReason, Failure]] = {
    EndReason.UPSTREAM_CUT: Failure(
        FailureKind.DISCONNECT, "the provider closed the connection within its answer", 502
    ),
    EndReason.IDLE: Failure(FailureKind.TIMEOUT, "the provider was silent for too long within its answer", 504),
    EndReason.DRAIN: Failure(FailureKind.OVERLOADED, "the server is shutting down", 503),
}
UNKNOWN: Final = Failure(FailureKind.SERVER, "the answer could not be completed", 500)


class StagedSink:
    """Sink and Tap in one. `reason` gives why the pump has ended, when it has. `hurry` is called once the model has
    finished (False) or failed (True): what the provider may still say is of little interest."""

    __slots__ = ("_hurry", "_reason", "_sink", "_stage")

    def __init__(
        self, sink: Sink, stage: Stage, reason: Callable[[], EndReason | None], hurry: Callable[[bool], None]
    ) -> None:
        self._sink = sink
        self._stage = stage
        self._reason = reason
        self._hurry: Callable[[bool], None] | None = hurry

    def say(self, out: bytes) -> bool:
        """Write what the stage has said, and tell the pump if that was the end of it. As `write`."""
        stage = self._stage
        flowing = self._sink.write(out) if out else True
        if self._hurry is not None and (stage.complete or stage.ended):
            self._hurry(stage.seen.failure is not None)
            self._hurry = None
        return flowing

    # As a Sink.

    def write(self, data: bytes) -> bool:
        return self.say(self._stage.feed(data))

    def keep_alive(self, data: bytes) -> bool:
        keepalive = self._stage.keepalive
        return self._sink.write(keepalive) if keepalive else True

    def flush(self) -> None:
        self._sink.flush()

    async def drain(self) -> None:
        await self._sink.drain()

    def count_unsent(self) -> int:
        return self._sink.count_unsent()

    async def finish(self) -> None:
        await self._close(self._stage.end())

    async def abort(self) -> None:
        await self._close(self._stage.fail(FAILURES.get(self._reason() or EndReason.ERROR, UNKNOWN)))

    def kill(self) -> None:
        self._sink.kill()

    async def _close(self, out: bytes) -> None:
        if out:
            self._sink.write(out)
        await self._sink.finish()

    # As a Tap: whole events only go out, so every moment is between two of them.

    @property
    def at_boundary(self) -> bool:
        return True

    @property
    def events(self) -> int:
        return self._stage.seen.events

    def feed(self, chunk: bytes) -> None:
        """All was seen on the way."""
