"""A client that waits for its answer on a real connection, under a clock that is moved by hand."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from proxy.edge.downstream import Downstream, Fields
from proxy.edge.question import Question, understand
from proxy.edge.waiting import Waiting
from tests.helpers.asking import build_asking_scope
from tests.helpers.edge import build_house, serving
from tests.helpers.fakes import FakeTicker, turn
from tests.helpers.models import build
from tests.helpers.rawhttp import RawClient, connected

ARRAY = "array"
FIELDS: Fields = [(b"X-Made", b"while waiting")]


def question(who: str) -> Question:
    """As it asks for a stream."""
    target, body = build("gemini" if who == ARRAY else who, "gpt-best")
    scope = build_asking_scope(target.partition("?")[0] if who == ARRAY else target)
    assert scope.route is not None
    return understand(scope, scope.route, json.dumps(body).encode(), 1700000000)


class Waited:
    """built: how often the fields of an early head were asked for."""

    def __init__(self, request: web.BaseRequest, client: RawClient, who: str, hold: float, heartbeat: float) -> None:
        self.client = client
        self.ticker = FakeTicker()
        self.question = question(who)
        self.built = 0
        self.over: asyncio.Future[Downstream] = asyncio.get_running_loop().create_future()
        self.waiting = Waiting(
            request, self.question, self._build, self.ticker, hold, heartbeat, since=self.ticker.now()
        )

    def _build(self) -> Fields:
        self.built += 1
        return FIELDS

    async def advance(self, seconds: float) -> None:
        self.ticker.advance(seconds)
        await turn(5)

    async def wait_until_left(self) -> None:
        """aiohttp cancels the handler of a client that is gone."""
        async with asyncio.timeout(5):
            await asyncio.wait([self.over])
        assert self.over.cancelled()

    def end(self, response: Downstream) -> None:
        """The handler returns it."""
        self.over.set_result(response)


@asynccontextmanager
async def waited(who: str = "openai", *, hold: float = 10.0, heartbeat: float = 15.0) -> AsyncIterator[Waited]:
    loop = asyncio.get_running_loop()
    arrived: asyncio.Future[web.BaseRequest] = loop.create_future()
    begun: asyncio.Future[Waited] = loop.create_future()

    async def handle(request: web.Request) -> web.StreamResponse:
        arrived.set_result(request)
        return await (await begun).over

    async with serving(build_house(), [], handle) as port, connected("127.0.0.1", port) as client:
        await client.ask("/")
        one = Waited(await arrived, client, who, hold, heartbeat)
        begun.set_result(one)
        try:
            yield one
        finally:
            one.waiting.close()
            one.over.cancel()
