"""A pump between fakes, running: `async with staged(...) as stage`, then tell source, sink and clock what to do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from proxy.relay.outcome import EndReason
from proxy.relay.pump import Clocks, Pump
from tests.helpers.fakes import FakeSink, FakeSource, FakeTicker, Step, reach, turn

OFF = Clocks(idle=0, write_stall=0)


class Stage:
    """A pump between fakes, and the task it runs in."""

    def __init__(self, clocks: Clocks = OFF, tap: Any = None, hanging: tuple[str, ...] = (), held: Any = ()) -> None:
        self.steps: list[Step] = []
        self.ticker = FakeTicker()
        self.source = FakeSource(self.steps, held)
        self.sink = FakeSink(self.steps, hanging)
        self.pump = Pump(self.source, self.sink, tap, clocks, self.ticker)
        self.task = asyncio.get_running_loop().create_task(self.pump.run())

    async def over(self) -> EndReason | None:
        async with asyncio.timeout(5):
            await self.task
        assert len(self.ticker) == 0
        return self.pump.ended


@asynccontextmanager
async def staged(*args: Any, **options: Any) -> AsyncIterator[Stage]:
    stage = Stage(*args, **options)
    await reach(stage.source.started)
    await turn()
    try:
        yield stage
    finally:
        stage.task.cancel()
        await asyncio.gather(stage.task, return_exceptions=True)
