"""A stream on a model route from its first substance on, between desks and a sink: no socket, a clock moved by hand."""

import asyncio
from typing import Any, cast

import pytest

from proxy.edge.attempts import Begun
from proxy.edge.client_stream import ClientStream
from proxy.edge.flow import Flow
from proxy.edge.routing import build_rotation
from proxy.relay.outcome import EndReason
from tests.helpers.attempted import EVENTS, Bureau, Desk
from tests.helpers.fakes import FakeSink, FakeSource, Step, reach, turn
from tests.helpers.models import PROVIDERS

OPENAI, CLAUDE = PROVIDERS["openai"], PROVIDERS["claude"]
BEGUN = OPENAI.opening + OPENAI.texts[0]
REST = OPENAI.texts[1] + OPENAI.finish + OPENAI.mark


class Flowing(Bureau):
    """`source` is that of the answer that flows, by `oai` unless another has come."""

    def __init__(self, body: dict[str, Any] | None = None, *, hanging: tuple[str, ...] = (), **model: Any) -> None:
        super().__init__(body, track=model.get("rescue", "off") != "off", **model)
        self.steps: list[Step] = []
        self.sink = FakeSink(self.steps, hanging)
        self.record = self.scope.record
        self.rotation = build_rotation(self.scope, self.question, self.ticker)

    async def begin(self, said: bytes = BEGUN) -> "Flowing":
        move = self.rotation.next(self.ticker.wall())
        opening = asyncio.ensure_future(self.attempts.ask(cast(Any, move)))
        self.source = await self.answer("oai", said)
        won = await opening
        assert isinstance(won, Begun)
        flow = Flow(self.scope, self.question, cast(ClientStream, self.sink), self.rotation, self.attempts, self.ticker)
        self.task = asyncio.ensure_future(flow.run(won))
        await turn()
        return self

    async def answer(self, name: str, *said: bytes) -> FakeSource:
        """The next request at this provider gets a stream that begins so."""
        desk: Desk = self.desks[name]
        await reach(desk.entered)
        source = desk.answer(EVENTS)
        await reach(source.started)
        for data in said:
            source.feed(data)
        await turn()
        return source

    async def over(self) -> EndReason | None:
        async with asyncio.timeout(5):
            await self.task
        self.assert_clean()
        return self.record.end

    async def leave(self) -> None:
        """aiohttp cancels the handler of a client that is gone."""
        self.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            async with asyncio.timeout(5):
                await self.task
        self.assert_clean()

    def assert_clean(self) -> None:
        assert self.count_in_flight() == 0
        assert len(self.ticker) == 0
        assert (self.scope.stop, self.scope.look) == (None, None)

    @property
    def told(self) -> bytes:
        return self.sink.body

    def read_trail(self) -> list[tuple[str, str, str]]:
        return [(attempt.provider, attempt.error, attempt.outcome) for attempt in self.record.attempts]


def wake_at_once(flow: Flowing, monkeypatch: pytest.MonkeyPatch) -> Flowing:
    """Whoever sleeps wakes at once, and the flow's clock goes on by it."""

    async def sleep(seconds: float) -> None:
        if seconds:
            flow.ticker.advance(seconds, tick=seconds)

    monkeypatch.setattr("proxy.relay.failover.asyncio.sleep", sleep)
    return flow
