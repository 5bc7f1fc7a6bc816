"""The pump: bytes from a source to a sink, one event at a time, until one of them ends.

It is pushed. The source calls `feed` from within its own `data_received`, and the bytes are on their way to the client
before it returns; a tap looks at them in passing. The pump's task sleeps and wakes for two things only: a client that
reads too slowly (the source is paused, one drain awaited, the source resumed) and the end.

`feed`, `end`, `fail` and `tick` are plain calls and never raise. When `run` returns, `ended` says why; when it is
cancelled (the client is gone) the source is aborted before the cancellation goes on, unless somebody wants to `linger`:
to read on without a client, for what the provider says of the cost.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from proxy.errors import UpstreamFault
from proxy.relay.clocks import Stillness, Ticker
from proxy.relay.outcome import EndReason
from proxy.relay.ports import Gauges, Sink, Source, Tap

AFTER_FINISH: Final = 5.0
"""Seconds a provider may take for usage and end mark once its model has finished."""

AFTER_FAILURE: Final = 0.5
"""Seconds it may take to end an answer of which it has said that it failed: then the connection serves on."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """Seconds; 0 is off. idle: silence of the upstream. write_stall: a client that reads nothing. heartbeat: silence
    towards the client after which `keepalive` is written, at an event boundary. progress: nothing of substance from
    the upstream, whatever else it sends; it needs gauges."""

    idle: float
    write_stall: float
    heartbeat: float = 0.0
    keepalive: bytes = b""
    progress: float = 0.0


class Pump:
    """One stream. `ended` is None while it runs, `received` counts payload bytes, `heartbeats` the keep-alives
    written; `fault` says what broke upstream. `gauges`: for a sink whose client gets something else than comes in.
    `lingers`: a client that leaves does not end the source, whoever holds the pump does. `left`: the client is gone."""

    __slots__ = (
        "_clocks", "_closing", "_gauges", "_heartbeat", "_holding", "_idle", "_lingers", "_observe", "_progress",
        "_sink", "_source", "_stall", "_tap", "_ticker", "_timed", "_waiter", "_write", "ended", "fault", "heartbeats",
        "left", "received", "tap_failed",
    )  # fmt: skip

    def __init__(
        self,
        source: Source,
        sink: Sink,
        tap: Tap | None,
        clocks: Clocks,
        ticker: Ticker,
        *,
        gauges: Gauges | None = None,
        lingers: bool = False,
    ) -> None:
        self._source = source
        self._sink = sink
        self._write: Callable[[bytes], bool] = sink.write
        self._tap = tap
        self._observe: Callable[[bytes], None] | None = tap.feed if tap else None
        self._clocks = clocks
        self._ticker = ticker
        self._gauges = gauges
        self._lingers = lingers
        now = ticker.now()
        self._idle = Stillness(clocks.idle, now)
        self._stall = Stillness(clocks.write_stall, now)
        self._closing = Stillness(0.0, now)
        self._heartbeat = Stillness(clocks.heartbeat, now)
        self._progress = Stillness(clocks.progress if gauges else 0.0, now)
        self._waiter: asyncio.Future[None] | None = None
        self._holding = False  # the source is paused, the client has to read
        self._timed: tuple[Callable[[float], None], Callable[[bytes], bool]] | None = None
        self.ended: EndReason | None = None
        self.received = 0
        self.heartbeats = 0
        self.tap_failed = False
        self.left = False
        self.fault: UpstreamFault | None = None

    @property
    def moved(self) -> float:
        """When substance was last seen to come, or a slow client to read: seconds on the ticker's clock, exact to one
        tick."""
        if self._holding:
            return self._stall.since
        return (self._idle if self._gauges is None else self._progress).since

    def measure(self) -> tuple[float, float]:
        """Seconds without substance, and seconds in which a client that is waited for has read nothing."""
        now = self._ticker.now()
        return now - self.moved, now - self._stall.since if self._holding else 0.0

    def time_next(self, note: Callable[[float], None]) -> None:
        """Tell `note` how many seconds the next read takes until it is written to the client. Once; what comes after
        pays nothing for it."""
        if self._write != self._write_timed:
            self._timed = (note, self._write)
            self._write = self._write_timed

    # What the source calls.

    def feed(self, data: bytes) -> None:
        if self.ended is not None:
            return
        self.received += len(data)
        try:
            flowing = self._write(data)
        except Exception as error:  # aiohttp would blame the upstream for it
            self._blame_client(error)
            return
        if self._observe is not None:
            try:
                self._observe(data)
            except Exception:  # a tap never harms the stream
                self._observe = None
                self.tap_failed = True
        if not flowing:
            self._hold()

    def end(self) -> None:
        self._stop(EndReason.DONE)

    def fail(self, fault: UpstreamFault) -> None:
        self.fault = fault
        self._stop(EndReason.UPSTREAM_CUT)

    # What an operator or a shutdown calls.

    def interrupt(self, reason: EndReason) -> None:
        """End the stream from outside: what was written is delivered, the rest is visibly missing."""
        self._source.abort()
        self._stop(reason)

    def hurry(self, *, failed: bool) -> None:
        """The answer is complete, or has failed: the source has a moment to end it, whatever it may still say."""
        self._close_within(AFTER_FAILURE if failed else AFTER_FINISH)

    # What the ticker calls.

    def tick(self, now: float) -> None:
        if self._holding:
            self._idle.restart(now)  # our pause, not the upstream's silence
            self._closing.restart(now)
            self._progress.restart(now)
            if self._stall.expired(self._sink.count_unsent(), now):
                self._break(EndReason.WRITE_STALL)
        elif self.ended is None:
            gauges = self._gauges
            if self._idle.expired(self.received, now) or self._closing.expired(0, now):
                self._source.abort()
                self._stop(EndReason.IDLE)
            elif gauges is not None and self._progress.expired(gauges.substance, now):
                self._source.abort()
                self._stop(EndReason.PROGRESS)
            elif self._heartbeat.expired(gauges.written if gauges else self.received, now) and self._may_beat():
                self._beat(now)

    # The task.

    async def run(self) -> None:
        self._ticker.watch(self)
        try:
            self._source.start(self)
            self._sink.flush()
            while self.ended is None and not self.left:
                if self._holding:
                    await self._drain()
                else:
                    await self._sleep()
            if not self.left:
                await self._finish()
        except ConnectionError:
            if self._lingers and self.ended is None:
                self.left = True
            else:
                self._stop(EndReason.CLIENT_GONE)  # after a complete body it is no loss: DONE stands
        finally:
            self._ticker.release(self)
            if self.ended is not EndReason.DONE and not (self._lingers and self.ended is None):
                self._source.abort()

    async def linger(self, seconds: float) -> None:
        """The client has left `run`: read on to the end, for at most `seconds`, and no longer than `hurry` allows. The
        sink has to take what comes."""
        self.left, self._lingers = False, False
        self._write = self._sink.write
        self._holding = False
        self._close_within(seconds)
        self._ticker.watch(self)
        try:
            self._source.resume()
            while self.ended is None:
                await self._sleep()
        finally:
            self._ticker.release(self)
            self._source.abort()

    def _close_within(self, seconds: float) -> None:
        now = self._ticker.now()
        if seconds < self._closing.count_left(now):
            self._closing = Stillness(seconds, now)

    async def _drain(self) -> None:
        await self._sink.drain()
        self._holding = False
        if self.ended is None:
            self._source.resume()

    async def _sleep(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    async def _finish(self) -> None:
        """Write the end that fits: complete, or visibly not. A client that reads nothing now still has its clock."""
        self._start_holding()
        if self.ended is EndReason.DONE:
            await self._sink.finish()
        elif self.ended is not EndReason.WRITE_STALL:
            self._source.abort()
            await self._sink.abort()

    def _hold(self) -> None:
        self._source.pause()
        self._start_holding()
        self._wake()

    def _start_holding(self) -> None:
        self._holding = True
        self._stall.restart(self._ticker.now())

    def _may_beat(self) -> bool:
        if self._gauges is not None:
            return True  # whole events only go out
        return self._tap is not None and not self.tap_failed and self._tap.at_boundary

    def _beat(self, now: float) -> None:
        if not self.received:
            self._write = self._write_behind_heartbeat
        self._heartbeat.restart(now)
        try:
            flowing = self._sink.keep_alive(self._clocks.keepalive)
        except Exception as error:  # the ticker, and every clock with it, would stop
            self._blame_client(error)
            return
        self.heartbeats += 1
        if not flowing:
            self._hold()

    def _write_timed(self, data: bytes) -> bool:
        timed, self._timed = self._timed, None
        if timed is None:  # which it is not, while this stands for `write`
            return self._sink.write(data)
        note, self._write = timed
        begun = self._ticker.now()
        try:
            return self._write(data)
        finally:
            note(self._ticker.now() - begun)

    def _write_behind_heartbeat(self, data: bytes) -> bool:
        """The body's first bytes: a byte order mark would now be part of a field name (WHATWG 9.2.6)."""
        self._write = self._sink.write
        data = data.removeprefix(b"\xef\xbb\xbf")
        return self._write(data) if data else True

    def _blame_client(self, error: Exception) -> None:
        if self._lingers and self.ended is None and isinstance(error, ConnectionError):
            self.left = True  # what comes until `linger` still goes to the sink, which learns from it and fails again
            self._wake()
            return
        self._break(EndReason.CLIENT_GONE if isinstance(error, ConnectionError) else EndReason.ERROR)

    def _break(self, reason: EndReason) -> None:
        """The client's side is beyond use, also when only the end of a complete body was left to write."""
        self.ended = reason if self.ended in (None, EndReason.DONE) else self.ended
        self._wake()
        self._source.abort()
        self._sink.kill()

    def _stop(self, reason: EndReason) -> None:
        if self.ended is None:
            self.ended = reason
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
