"""The loop around a rotation: what it waits for, what it makes of failures, how it ends. Hedging: test_hedging.py."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from proxy.dialects.events import FailureKind
from proxy.relay.failover import NOBODY, Exhausted, Failover
from tests.helpers.asked import UNFIT, AskedError, Asker, Held, Saying, WallTicker
from tests.helpers.fakes import reach, turn
from tests.helpers.rotating import Route
from tests.helpers.troubles import INVALID, OVERLOADED, REFUSED, SERVER, SILENT, answer

K = FailureKind
SOON = answer(K.RATE_LIMIT, 429, delay=2)
MUCH_LATER = answer(K.RATE_LIMIT, 429, delay=30)
LATEST = answer(K.RATE_LIMIT, 429, delay=40)


class Run:
    """One request; its clock goes on by what is slept."""

    def __init__(self, words: str, says: Mapping[str, Sequence[Saying]], route: Route | None = None) -> None:
        self.ticker = WallTicker()
        self.asker = Asker(self.ticker, says)
        self.route = route or Route(words)
        self.failover = Failover(self.route.rotate(), self.asker.ask, self.asker.drop, self.ticker)
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))
        self.ticker.advance(seconds, tick=seconds)

    async def exhaust(self) -> Exhausted:
        with pytest.raises(Exhausted) as caught:
            await self.failover.run()
        return caught.value

    def count_in_flight(self) -> int:
        board = self.route.board
        return sum(
            board.account(book.provider, row.name or "").in_flight
            for book in self.route.books.values()
            for row in book.rows
        )


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> type[Run]:
    """A Run that is never asleep."""

    class Awake(Run):
        def __init__(self, words: str, says: Mapping[str, Sequence[Saying]], route: Route | None = None) -> None:
            super().__init__(words, says, route)
            monkeypatch.setattr(asyncio, "sleep", self.sleep)

    return Awake


async def test_the_first_answer_is_the_answer_and_its_lease_stays_open(run: type[Run]) -> None:
    one = run("x y", {})
    assert await one.failover.run() == "x1"
    assert (one.asker.asked, one.slept, one.count_in_flight()) == (["x1@0"], [], 1)
    assert one.asker.dropped == []


async def test_who_fails_is_told_to_the_accounts_and_the_next_one_asked(run: type[Run]) -> None:
    one = run("x y", {"x1": [OVERLOADED]})
    assert await one.failover.run() == "y1"
    assert one.asker.asked == ["x1@0", "y1@0"]
    assert one.asker.attempts[0].outcome == "target"
    assert one.count_in_flight() == 1
    (cooldown,) = one.route.board.list(one.ticker.wall())
    assert (cooldown.spot.provider, cooldown.why) == ("x", "overloaded")


async def test_it_waits_as_long_as_the_rotation_says(run: type[Run]) -> None:
    one = run("x y", {"x1": [SERVER, SOON, None]})
    assert await one.failover.run() == "x1"
    assert one.asker.asked == ["x1@0", "x1@0.3", "x1@2.3"]
    assert one.slept == [0.3, 2.0]
    assert [attempt.outcome for attempt in one.asker.attempts] == ["again", "account"]


async def test_a_client_that_leaves_while_it_waits_ends_it() -> None:
    one = Run("x", {"x1": [SOON]})
    task = asyncio.ensure_future(one.failover.run())
    await turn()
    assert one.asker.asked == ["x1@0"]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert one.count_in_flight() == 0


async def test_a_client_that_leaves_while_one_is_asked_gives_its_lease_back() -> None:
    held = Held()
    one = Run("x", {"x1": [held]})
    task = asyncio.ensure_future(one.failover.run())
    await reach(held.entered)
    assert one.count_in_flight() == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert held.cancelled.is_set()
    assert one.count_in_flight() == 0
    assert one.route.board.list(one.ticker.wall()) == []


# Nobody answered.


async def test_the_last_failure_is_what_the_caller_is_told(run: type[Run]) -> None:
    one = run("x y", {"x1": [SILENT], "y1": [INVALID]})
    end = await one.exhaust()
    assert (str(end.error), end.failure.kind, end.failure.status) == ("y1 failed", K.INVALID, 400)
    assert end.retry_after is None
    assert one.count_in_flight() == 0


async def test_and_the_earliest_delay_of_all(run: type[Run]) -> None:
    end = await run("x y", {"x1": [MUCH_LATER], "y1": [LATEST]}).exhaust()
    assert str(end.error) == "y1 failed"
    assert end.retry_after == end.failure.retry_after == 30


async def test_the_failure_s_own_delay_when_the_accounts_know_of_none(run: type[Run]) -> None:
    one = run("x y", {"x1": [REFUSED], "y1": [MUCH_LATER]}, Route("x y", attempts=2))
    end = await one.exhaust()
    assert end.retry_after == end.failure.retry_after == 30


async def test_nobody_could_be_asked(run: type[Run]) -> None:
    one = run("x y", {})
    one.route.strike("x1", LATEST)
    one.route.strike("y1", MUCH_LATER)
    end = await one.exhaust()
    assert (end.error, end.failure.kind, end.failure.retry_after, end.retry_after) == (None, K.RATE_LIMIT, 30, 30)
    assert one.asker.asked == []


async def test_the_time_was_over_before(run: type[Run]) -> None:
    end = await run("x", {}, Route("x", until=0)).exhaust()
    assert (end.error, end.failure, end.retry_after) == (None, NOBODY, None)


# One that cannot take the request.


async def test_who_cannot_take_it_is_passed_over_and_blamed_for_nothing(run: type[Run]) -> None:
    one = run("x y", {"x1": [UNFIT]}, Route("x y", attempts=1))
    assert await one.failover.run() == "y1"
    assert one.count_in_flight() == 1
    assert one.route.board.list(one.ticker.wall()) == []


async def test_when_none_can_take_it_the_first_reason_is_told(run: type[Run]) -> None:
    one = run("x y", {"x1": [UNFIT], "y1": [UNFIT]})
    with pytest.raises(AskedError, match="x1 is unfit"):
        await one.failover.run()
    assert one.count_in_flight() == 0


async def test_a_failure_is_told_rather_than_that_another_could_not_take_it(run: type[Run]) -> None:
    for unfit, failing, trouble in (("x1", "y1", INVALID), ("y1", "x1", SILENT)):
        end = await run("x y", {unfit: [UNFIT], failing: [trouble]}).exhaust()
        assert str(end.error) == f"{failing} failed"


async def test_a_bug_passes_and_the_lease_is_given_back() -> None:
    one = Run("x", {})
    failover = Failover(one.route.rotate(), lambda go: None, one.asker.drop, one.ticker)  # type: ignore[arg-type,return-value]
    with pytest.raises(TypeError):
        await failover.run()
    assert one.count_in_flight() == 0
