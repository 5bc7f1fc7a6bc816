"""A question put to candidates whose openers a test answers for: no socket, and a clock moved by hand."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from proxy.accounts.board import Board
from proxy.accounts.book import AccountRow, Book, Lease
from proxy.accounts.rotation import Go
from proxy.dialects.capability_rows import build_rows
from proxy.edge.attempts import Attempts, Begun, Done
from proxy.edge.house import House
from proxy.edge.question import Question, understand
from proxy.edge.scope import Scope
from proxy.errors import UpstreamFault
from proxy.relay.failover import AttemptFailed
from proxy.relay.outcome import Attempt, Phase
from proxy.relay.ports import Answer, UpstreamRequest
from proxy.types import AccountName, ProviderName
from proxy.wire.headers import Headers
from tests.helpers.asked import WallTicker
from tests.helpers.asking import CHAT, SAID, build_asking_scope
from tests.helpers.edge import build_model_house
from tests.helpers.fakes import FakeSource, reach
from tests.helpers.models import encode

EVENTS = (b"Content-Type", b"text/event-stream")
JSON = (b"Content-Type", b"application/json")


class Desk:
    """An Opener; `answer` or `fault` replies to the last request. asked: all of them."""

    def __init__(self, name: str) -> None:
        self.name = ProviderName(name)
        self.account: AccountName | None = AccountName("main")
        self.asked: list[UpstreamRequest] = []
        self.entered = asyncio.Event()
        self.cancelled = False
        self._reply: asyncio.Future[Answer] | None = None

    async def open(self, request: UpstreamRequest) -> Answer:
        self.asked.append(request)
        self._reply = asyncio.get_running_loop().create_future()
        self.entered.set()
        try:
            return await self._reply
        except asyncio.CancelledError:
            self.cancelled = True
            raise

    def answer(self, *fields: tuple[bytes, bytes], status: int = 200, body: Any = ()) -> FakeSource:
        """body: as FakeSource holds it; None for no body at all."""
        source = FakeSource([], body or ())
        answer = Answer(status, "Said", Headers(fields), None, None if body is None else source)
        assert self._reply is not None
        self.entered.clear()
        self._reply.set_result(answer)
        return source

    def refuse(self, fault: UpstreamFault) -> None:
        assert self._reply is not None
        self.entered.clear()
        self._reply.set_exception(fault)


def build_desk_house(
    dialects: dict[str, str], models: dict[str, Any], capabilities: Mapping[str, Any], max_streams: int
) -> tuple[House, dict[str, Desk], Board]:
    """Providers of one account, `main`, each with a Desk."""
    house, board = build_model_house(dialects, models, rows=build_rows(capabilities)), Board()
    desks = {name: Desk(name) for name in dialects}
    providers = {
        name: replace(
            provider,
            openers=(desks[name],),
            book=Book(provider.name, [AccountRow(AccountName("main"), max_streams=max_streams)], board),
        )
        for name, provider in house.providers.items()
    }
    return replace(house, providers=providers), desks, board


class Bureau:
    """A question of an OpenAI client for `m`, and the Attempts at it. Candidate 0 is `oai`, 1 is `ant`."""

    def __init__(
        self,
        body: dict[str, Any] | None = None,
        target: str = CHAT,
        *,
        track: bool = False,
        capabilities: Mapping[str, Any] | None = None,
        max_streams: int = 0,
        **model: Any,
    ) -> None:
        models = {"m": {"targets": ["oai/m1", "ant/m2"], **model}}
        dialects = {"oai": "openai-chat", "ant": "anthropic"}
        self.house, self.desks, self.board = build_desk_house(dialects, models, capabilities or {}, max_streams)
        self.ticker = WallTicker()
        self.scope: Scope = build_asking_scope(target, house=self.house)
        self.scope.record.started = self.ticker.now()
        assert self.scope.route is not None
        asked = encode({"model": "m", "stream": True, "messages": SAID, **(body or {})})
        self.question: Question = understand(self.scope, self.scope.route, asked, 1700000000)
        self.attempts = Attempts(self.scope, self.question, self.ticker, track=track)

    def go(self, candidate: int = 0) -> Go:
        goal = self.question.found.goals[candidate]
        lease = self.house.providers[goal.provider].book.pick(self.ticker.wall(), goal.model)
        assert isinstance(lease, Lease)
        return Go(candidate, lease)

    def count_in_flight(self) -> int:
        return sum(self.board.account(desk.name, "main").in_flight for desk in self.desks.values())


class Asked:
    """An attempt under way: `desk` has its request."""

    def __init__(self, bureau: Bureau, candidate: int = 0) -> None:
        self.bureau = bureau
        self.desk: Desk = bureau.desks[("oai", "ant")[candidate]]
        self.go: Go = bureau.go(candidate)
        self.task = asyncio.ensure_future(bureau.attempts.ask(self.go))

    async def begin(self) -> "Asked":
        await reach(self.desk.entered)
        return self

    @property
    def noted(self) -> Attempt:
        return self.bureau.scope.record.attempts[-1]

    async def result(self) -> Begun | Done:
        async with asyncio.timeout(5):
            return await self.task

    async def failure(self) -> AttemptFailed:
        with pytest.raises(AttemptFailed) as caught:
            await self.result()
        assert caught.value.attempt is self.noted
        assert self.bureau.scope.record.phase is Phase.QUEUED
        assert len(self.bureau.ticker) == 0
        return caught.value


async def ask(candidate: int = 0, **options: Any) -> Asked:
    return await Asked(Bureau(**options), candidate).begin()
