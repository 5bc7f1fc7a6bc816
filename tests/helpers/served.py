"""A question served to a client on a real connection, by desks instead of providers, under a clock moved by hand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from proxy.edge.serving import Serving
from proxy.relay.outcome import Record
from tests.helpers.attempted import Bureau
from tests.helpers.edge import build_house, serving
from tests.helpers.fakes import FakeSource, reach, turn
from tests.helpers.rawhttp import RawClient, connected


class Served(Bureau):
    """`task` is the handler's; what it raises is raised by `raised`."""

    client: RawClient
    task: asyncio.Task[web.StreamResponse]

    @property
    def record(self) -> Record:
        return self.scope.record

    async def start(self, request: web.BaseRequest) -> None:
        self.task = asyncio.ensure_future(Serving(request, self.scope, self.question, self.ticker).run())
        await turn()

    async def raised(self) -> BaseException:
        async with asyncio.timeout(5):
            await asyncio.wait([self.task])
        error = self.task.exception()
        assert error is not None
        self.assert_clean()
        return error

    async def over(self) -> web.StreamResponse:
        async with asyncio.timeout(5):
            response = await asyncio.shield(self.task)
        self.assert_clean()
        return response

    async def answer(self, name: str, *fields: tuple[bytes, bytes], status: int = 200, body: Any = ()) -> FakeSource:
        """The next request at this provider is answered so."""
        desk = self.desks[name]
        await reach(desk.entered)
        source = desk.answer(*fields, status=status, body=body)
        await turn()
        return source

    async def advance(self, seconds: float) -> None:
        self.ticker.advance(seconds)
        await turn(5)

    def assert_clean(self) -> None:
        assert self.count_in_flight() == 0
        assert len(self.ticker) == 0


@asynccontextmanager
async def served(body: dict[str, Any] | None = None, **options: Any) -> AsyncIterator[Served]:
    one, started = Served(body, **options), asyncio.Event()

    async def handle(request: web.Request) -> web.StreamResponse:
        await one.start(request)
        started.set()
        try:
            return await one.task
        except Exception:
            return web.Response(status=599)

    async with serving(build_house(), [], handle) as port, connected("127.0.0.1", port) as client:
        one.client = client
        await client.ask("/")
        await reach(started)
        try:
            yield one
        finally:
            one.task.cancel()
            await asyncio.wait([one.task])
