"""The relay's neighbours without sockets: a source and a sink that note what is asked of them, and a clock to move.

All of them write into one list of steps, so that a test reads as a script. Names of steps: start, pause, resume, abort
(source); write, flush, drain, finish, cut, kill (sink).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from proxy.errors import UpstreamFault
from proxy.relay.clocks import Ticker, Watched
from proxy.relay.ports import Answer, Receiver, UpstreamRequest
from proxy.types import AccountName, ProviderName

Step = str | tuple[str, bytes]


class FakeTicker(Ticker):
    """The ticker on a clock that stands still until `advance`."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 1000.0

    def now(self) -> float:
        return self._now

    def watch(self, watched: Watched) -> None:
        self._watched[watched] = None

    def advance(self, seconds: float, tick: float = 0.25) -> None:
        """Move the clock, tick by tick."""
        for _ in range(round(seconds / tick)):
            self._now += tick
            for watched in list(self._watched):
                watched.tick(self._now)


class FakeSource:
    """`held`: pushed from within `start`, as bytes; None among them is the end. `aborted`: the connection is closed."""

    def __init__(self, steps: list[Step], held: Iterable[bytes | None] = ()) -> None:
        self._steps = steps
        self._held = list(held)
        self.started = asyncio.Event()
        self.receiver: Receiver | None = None
        self.aborted = 0

    def start(self, receiver: Receiver) -> None:
        self._steps.append("start")
        self.receiver = receiver
        for data in self._held:
            if data is None:
                receiver.end()
            else:
                receiver.feed(data)
        self.started.set()

    def pause(self) -> None:
        self._steps.append("pause")

    def resume(self) -> None:
        self._steps.append("resume")

    def abort(self) -> None:
        if not self.aborted:
            self._steps.append("abort")
        self.aborted += 1

    # What a test does with it.

    def feed(self, data: bytes) -> None:
        assert self.receiver is not None
        self.receiver.feed(data)

    def end(self) -> None:
        assert self.receiver is not None
        self.receiver.end()

    def fail(self, fault: UpstreamFault) -> None:
        assert self.receiver is not None
        self.receiver.fail(fault)


class FakeSink:
    """`full`: the next writes say so. `unsent`: what `count_unsent` answers. `fault`: raised by every write.
    Awaits named in `hanging` wait until `let_go` or `lose`."""

    def __init__(self, steps: list[Step], hanging: Iterable[str] = ()) -> None:
        self._steps = steps
        self._hanging = set(hanging)
        self._waiter: asyncio.Future[None] | None = None
        self.entered = asyncio.Event()
        self.full = False
        self.unsent = 0
        self.fault: Exception | None = None

    @property
    def body(self) -> bytes:
        return b"".join(step[1] for step in self._steps if isinstance(step, tuple))

    def write(self, data: bytes) -> bool:
        if self.fault is not None:
            raise self.fault
        self._steps.append(("write", data))
        return not self.full

    def keep_alive(self, data: bytes) -> bool:
        return self.write(data)

    def flush(self) -> None:
        self._steps.append("flush")

    async def drain(self) -> None:
        await self._wait("drain")

    def count_unsent(self) -> int:
        return self.unsent

    async def finish(self) -> None:
        await self._wait("finish")

    async def abort(self) -> None:
        await self._wait("cut")

    def kill(self) -> None:
        self._steps.append("kill")
        self.lose()

    # What a test does with it.

    def let_go(self) -> None:
        """The client has read."""
        self.full = False
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def lose(self) -> None:
        """The client is gone."""
        self.fault = ConnectionResetError("gone")
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(self.fault)

    async def _wait(self, step: str) -> None:
        self._steps.append(step)
        self.entered.set()
        if step in self._hanging:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter


class FakeTap:
    """Counts reads as events. `fault`: raised by every feed."""

    def __init__(self) -> None:
        self.events = 0
        self.at_boundary = True
        self.fault: Exception | None = None

    def feed(self, chunk: bytes) -> None:
        if self.fault is not None:
            raise self.fault
        self.events += 1


class FakeOpener:
    """Opens what `act` returns. `asked` holds the requests; `entered` is set when one waits."""

    name = ProviderName("up")
    account: AccountName | None = AccountName("main")

    def __init__(self, act: Callable[[], Awaitable[Answer]]) -> None:
        self._act = act
        self.asked: list[UpstreamRequest] = []
        self.cancelled = False
        self.entered = asyncio.Event()

    async def open(self, request: UpstreamRequest) -> Answer:
        self.asked.append(request)
        self.entered.set()
        try:
            return await self._act()
        except asyncio.CancelledError:
            self.cancelled = True
            raise


async def reach(event: asyncio.Event) -> None:
    """Wait for an event that comes at once, or fail."""
    async with asyncio.timeout(5):
        await event.wait()


async def turn(times: int = 3) -> None:
    """Let everything that is ready run."""
    for _ in range(times):
        await asyncio.sleep(0)
