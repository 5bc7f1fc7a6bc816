"""A pump between fakes, running: `async with staged(...) as stage`, then tell source, sink and clock what to do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from proxy.relay.outcome import EndReason
from proxy.relay.pump import Clocks, Pump
from proxy.relay.staged import StagedSink
from tests.helpers.crossing import open_passage, open_translation
from tests.helpers.fakes import FakeSink, FakeSource, FakeTicker, Step, reach, turn

OFF = Clocks(idle=0, write_stall=0)


class Stage:
    """A pump between fakes, and the task it runs in."""

    def __init__(self, clocks: Clocks = OFF, tap: Any = None, hanging: tuple[str, ...] = (), held: Any = ()) -> None:
        self.steps: list[Step] = []
        self.ticker = FakeTicker()
        self.source = FakeSource(self.steps, held)
        self.sink = FakeSink(self.steps, hanging)
        self.pump = self.build_pump(tap, clocks)
        self.task = asyncio.get_running_loop().create_task(self.pump.run())

    def build_pump(self, tap: Any, clocks: Clocks) -> Pump:
        return Pump(self.source, self.sink, tap, clocks, self.ticker)

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


class Translating(Stage):
    """A pump whose sink speaks another dialect than its source: `provider`'s goes in, `client`'s comes out."""

    def __init__(
        self, provider: str, client: str, clocks: Clocks = OFF, *, hanging: tuple[str, ...] = (), lingers: bool = False
    ) -> None:
        self.stage = open_passage(client) if provider == client else open_translation(provider, client)
        self._lingers = lingers
        super().__init__(clocks, hanging=hanging)

    def build_pump(self, tap: Any, clocks: Clocks) -> Pump:
        self.staged = StagedSink(self.sink, self.stage, lambda: self.pump.ended, self._hurry)
        return Pump(self.source, self.staged, tap, clocks, self.ticker, gauges=self.staged, lingers=self._lingers)

    def _hurry(self, failed: bool) -> None:
        self.pump.hurry(failed=failed)


@asynccontextmanager
async def translated(*args: Any, **options: Any) -> AsyncIterator[Translating]:
    stage = Translating(*args, **options)
    await reach(stage.source.started)
    await turn()
    try:
        yield stage
    finally:
        stage.task.cancel()
        await asyncio.gather(stage.task, return_exceptions=True)
