"""A Sink whose bytes go through a Stage: what a provider says goes in, what the client reads comes out.

The pump moves bytes and knows nothing of dialects; here its ends get their meaning. A clean end of the body is only an
end if the model had finished; a cut after the finish is none. Whatever else ends the stream is said in-band, in the
client's dialect, and the answer is then closed in good order: its reader shall find the error, not a broken connection.
A stage that withholds the error leaves the stream open: somebody will try to go on with it, or `settle`.
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
    EndReason.PROGRESS: Failure(FailureKind.TIMEOUT, "the provider's answer made no progress for too long", 504),
    EndReason.DRAIN: Failure(FailureKind.OVERLOADED, "the server is shutting down", 503),
    EndReason.KILLED: Failure(FailureKind.CANCELLED, "the request was ended by the operator", 499),
}
UNKNOWN: Final = Failure(FailureKind.SERVER, "the answer could not be completed", 500)


class StagedSink:
    """Sink and Gauges in one. `reason` gives why the pump has ended, when it has. `hurry` is called once the model has
    finished (False) or failed (True): what the provider may still say is of little interest."""

    __slots__ = ("_hurry", "_reason", "_sink", "_stage", "written")

    def __init__(
        self, sink: Sink, stage: Stage, reason: Callable[[], EndReason | None], hurry: Callable[[bool], None]
    ) -> None:
        self._sink = sink
        self._stage = stage
        self._reason = reason
        self._hurry: Callable[[bool], None] | None = hurry
        self.written = 0  # times that something was

    @property
    def substance(self) -> int:
        return self._stage.seen.substance

    def say(self, out: bytes) -> bool:
        """Write what the stage has said, and tell the pump if that was the end of it. As `write`."""
        stage = self._stage
        flowing = True
        if out:
            flowing = self._sink.write(out)
            self.written += 1
        if self._hurry is not None and (stage.complete or stage.ended):
            self._hurry(stage.seen.failure is not None)
            self._hurry = None
        return flowing

    def detach(self) -> None:
        """The client is gone: what the stage says from now on is said to nobody."""
        self._sink = _NOWHERE

    async def settle(self) -> None:
        """Say what was withheld, and close."""
        await self._close(self._stage.settle())

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
        await self._end(self._stage.end())

    async def abort(self) -> None:
        await self._end(self._stage.fail(FAILURES.get(self._reason() or EndReason.ERROR, UNKNOWN)))

    def kill(self) -> None:
        self._sink.kill()

    async def _end(self, out: bytes) -> None:
        if not self._stage.withheld:
            await self._close(out)
        elif out:
            self._sink.write(out)

    async def _close(self, out: bytes) -> None:
        if out:
            self._sink.write(out)
        await self._sink.finish()


class _Nowhere:
    """A Sink that takes everything and keeps nothing."""

    def write(self, data: bytes) -> bool:
        return True

    def keep_alive(self, data: bytes) -> bool:
        return True

    def flush(self) -> None:
        return

    async def drain(self) -> None:
        return

    def count_unsent(self) -> int:
        return 0

    async def finish(self) -> None:
        return

    async def abort(self) -> None:
        return

    def kill(self) -> None:
        return


_NOWHERE: Final = _Nowhere()
