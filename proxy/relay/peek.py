"""Looks at the beginning of an answer before anything of it is sent: the last thing on this side of the commit point.

`Peek` takes a Source's first bytes through a Stage until the answer has substance, has failed or is over. Then it is a
Source itself: what comes after goes to whoever takes over, and nothing is lost in between. `collect` takes it all.
"""

import asyncio
from typing import Final

from proxy.dialects.events import Failure
from proxy.dialects.translate import Stage
from proxy.errors import Code, UpstreamFault
from proxy.relay.clocks import Stillness, Ticker, wait_while_moving
from proxy.relay.ports import Receiver, Source

LARGEST_ANSWER: Final = 64 * 1024 * 1024
"""Bytes of a whole answer that is collected: two generated images of the largest kind, in base64."""


class Peek:
    """Receiver of `source` until somebody starts it, Source afterwards. `out` holds what the stage has said so far."""

    __slots__ = (
        "_decided", "_ended", "_fault", "_idle", "_receiver", "_source", "_stage", "_ttft", "out", "received",
    )  # fmt: skip

    def __init__(self, source: Source, stage: Stage, loop: asyncio.AbstractEventLoop) -> None:
        self._source = source
        self._stage = stage
        self._receiver: Receiver | None = None
        self._decided: asyncio.Future[None] = loop.create_future()
        self._ended = False
        self._fault: UpstreamFault | None = None
        self._idle = self._ttft = Stillness(0.0, 0.0)
        self.received = 0
        self.out = b""

    async def wait(self, ticker: Ticker, idle: float, ttft: float = 0.0) -> Failure | None:
        """Return once the answer can be committed to, or why it failed. Raises UpstreamFault when it was cut, sent
        nothing for `idle` seconds, or nothing of substance for `ttft` (0: for ever)."""
        now = ticker.now()
        self._idle, self._ttft = Stillness(idle, now), Stillness(ttft, now)
        ticker.watch(self)
        try:
            self._source.start(self)
            await self._decided
        finally:
            ticker.release(self)
        seen = self._stage.seen
        if seen.committed:
            return None
        if seen.failure is None and self._fault is not None:
            raise self._fault
        return seen.failure

    def tick(self, now: float) -> None:
        if self._ttft.expired(self._stage.progress, now):
            self.fail(UpstreamFault(Code.TTFT_TIMEOUT))
        elif self._idle.expired(self.received, now):
            self.fail(UpstreamFault(Code.IDLE_TIMEOUT))

    # As a Receiver.

    def feed(self, data: bytes) -> None:
        self.received += len(data)
        if self._receiver is not None:
            self._receiver.feed(data)
            return
        self.out += self._stage.feed(data)
        seen = self._stage.seen
        if seen.committed or seen.failure is not None:
            self._decide()
            self._source.pause()

    def end(self) -> None:
        if self._receiver is not None:
            self._receiver.end()
            return
        self._ended = True
        if not self._decided.done():
            self.out += self._stage.end()
            self._decide()

    def fail(self, fault: UpstreamFault) -> None:
        if self._receiver is not None:
            self._receiver.fail(fault)
            return
        self._fault = fault
        self._decide()

    def _decide(self) -> None:
        if not self._decided.done():
            self._decided.set_result(None)

    # As a Source.

    def start(self, receiver: Receiver) -> None:
        self._receiver = receiver
        if self._fault is not None:
            receiver.fail(self._fault)
        elif self._ended:
            receiver.end()
        else:
            self._source.resume()

    def pause(self) -> None:
        self._source.pause()

    def resume(self) -> None:
        self._source.resume()

    def abort(self) -> None:
        self._source.abort()


class _Whole:
    """Receiver of a body that is kept."""

    def __init__(self, source: Source, loop: asyncio.AbstractEventLoop, limit: int) -> None:
        self._source = source
        self._limit = limit
        self._parts: list[bytes] = []
        self.done: asyncio.Future[bytes] = loop.create_future()
        self.received = 0

    def feed(self, data: bytes) -> None:
        self.received += len(data)
        self._parts.append(data)
        if self.received > self._limit:
            self.fail(UpstreamFault(Code.ANSWER_TOO_LARGE))
            self._source.abort()

    def end(self) -> None:
        if not self.done.done():
            self.done.set_result(b"".join(self._parts))

    def fail(self, fault: UpstreamFault) -> None:
        if not self.done.done():
            self.done.set_exception(fault)


async def collect(source: Source | None, ticker: Ticker, silence: float, limit: int = LARGEST_ANSWER) -> bytes:
    """The whole body. Raises UpstreamFault when it is cut, silent for `silence` seconds, or longer than `limit`."""
    if source is None:
        return b""
    whole = _Whole(source, ticker.loop, limit)
    source.start(whole)
    try:
        return await wait_while_moving(ticker, silence, lambda: whole.received, whole.done)
    except TimeoutError:
        raise UpstreamFault(Code.IDLE_TIMEOUT) from None
    finally:
        source.abort()
