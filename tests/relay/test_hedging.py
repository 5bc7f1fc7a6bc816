"""A second attempt beside a slow one: who wins, and what becomes of the other."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from proxy.accounts.budget import HedgeBudget
from proxy.accounts.rotation import Go
from proxy.accounts.trouble import Trouble
from proxy.relay.failover import Exhausted, Failover, Hedging
from tests.helpers.asked import UNFIT, Asker, Held, Saying, WallTicker
from tests.helpers.books import NOW
from tests.helpers.fakes import reach, turn
from tests.helpers.rotating import Route, name
from tests.helpers.troubles import INVALID, OVERLOADED

AT_ONCE = 0.0
NEVER = 3600.0


class Race:
    """A hedged request, running."""

    def __init__(
        self,
        says: Mapping[str, Sequence[Saying]],
        route: Route | None = None,
        after: float | None = AT_ONCE,
        share: float = 1.0,
    ) -> None:
        self.ticker = WallTicker()
        self.asker = Asker(self.ticker, says)
        self.route = route or Route("x y")
        self.hedges = 0
        self.after = after
        self.compared: list[str] = []
        budget = HedgeBudget(share)
        budget.deposit(NOW)
        hedging = Hedging(self._find_delay, budget, self._note)
        failover = Failover(self.route.rotate(), self.asker.ask, self.asker.drop, self.ticker, hedging)
        self.task = asyncio.ensure_future(failover.run())

    def _find_delay(self, go: Go) -> float | None:
        self.compared.append(name(go))
        return self.after

    def _note(self) -> None:
        self.hedges += 1

    async def result(self) -> str:
        async with asyncio.timeout(5):
            return await self.task

    def list_in_flight(self) -> list[str]:
        board, books = self.route.board, self.route.books.values()
        rows = [(book.provider, row.name or "") for book in books for row in book.rows]
        return [account for provider, account in rows if board.account(provider, account).in_flight]


async def test_a_second_one_is_begun_beside_a_slow_one_and_may_win() -> None:
    slow = Held()
    race = Race({"x1": [slow]})
    assert await race.result() == "y1"
    assert (race.asker.asked, race.hedges, set(race.compared)) == (["x1@0", "y1@0"], 1, {"x1"})
    assert slow.cancelled.is_set()
    assert race.list_in_flight() == ["y1"]
    assert race.route.board.list(NOW) == [], "a slow one is blamed for nothing"


async def test_the_first_may_still_win() -> None:
    slow, second = Held(), Held()
    race = Race({"x1": [slow], "y1": [second]})
    await reach(second.entered)
    assert race.list_in_flight() == ["x1", "y1"]
    slow.let_go()
    assert await race.result() == "x1"
    assert second.cancelled.is_set()
    assert race.list_in_flight() == ["x1"]


async def test_of_two_answers_at_once_one_is_dropped() -> None:
    slow, second = Held(), Held()
    race = Race({"x1": [slow], "y1": [second]})
    await reach(second.entered)
    slow.let_go()
    second.let_go()
    won = await race.result()
    assert {won, *race.asker.dropped} == {"x1", "y1"}
    assert race.list_in_flight() == [won]


async def test_an_answer_that_comes_though_it_was_called_off_is_dropped() -> None:
    slow, second = Held(stubborn=True), Held()
    race = Race({"x1": [slow], "y1": [second]})
    await reach(second.entered)
    second.let_go()
    await reach(slow.cancelled)
    slow.let_go()
    assert await race.result() == "y1"
    await turn()
    assert race.asker.dropped == ["x1"]
    assert race.list_in_flight() == ["y1"]


# No second one.


async def test_a_fast_one_is_alone() -> None:
    race = Race({}, after=NEVER)
    assert await race.result() == "x1"
    assert (race.asker.asked, race.hedges) == (["x1@0"], 0)


@pytest.mark.parametrize(
    ("after", "share", "route"),
    [
        (None, 1.0, Route("x y")),
        (AT_ONCE, 0.5, Route("x y")),
        (AT_ONCE, 1.0, Route("x")),
        (AT_ONCE, 1.0, Route("x y", attempts=1)),
    ],
    ids=["no delay known", "no budget", "nobody else", "no attempt left"],
)
async def test_where_there_can_be_none_the_first_is_waited_for(after: float | None, share: float, route: Route) -> None:
    slow = Held()
    race = Race({"x1": [slow]}, route, after, share)
    await reach(slow.entered)
    await turn(10)
    slow.let_go()
    assert await race.result() == "x1"
    assert (race.asker.asked, race.hedges) == (["x1@0"], 0)


async def test_one_that_fails_in_time_leads_to_the_next_and_not_to_a_hedge() -> None:
    race = Race({"x1": [OVERLOADED]}, after=NEVER)
    assert await race.result() == "y1"
    assert (race.hedges, race.list_in_flight()) == (0, ["y1"])


# One of two fails.


@pytest.mark.parametrize("said", [OVERLOADED, INVALID, UNFIT])
@pytest.mark.parametrize("first", [True, False])
async def test_the_other_is_waited_for(said: Trouble | str, first: bool) -> None:
    """Also when the failure alone would have been the end."""
    fails, answers = Held(), Held()
    race = Race({"x1": [fails], "y1": [answers]} if first else {"x1": [answers], "y1": [fails]})
    await reach(answers.entered)
    await reach(fails.entered)
    fails.let_go(said)
    await turn()
    assert not race.task.done()
    answers.let_go()
    assert await race.result() == ("y1" if first else "x1")
    assert len(race.list_in_flight()) == 1


async def test_when_both_fail_the_next_is_asked() -> None:
    race = Race({"x1": [OVERLOADED], "y1": [OVERLOADED]}, Route("x y z"))
    assert await race.result() == "z1"
    assert race.list_in_flight() == ["z1"]
    assert {cooldown.spot.provider for cooldown in race.route.board.list(NOW)} == {"x", "y"}


async def test_when_all_fail_that_is_the_end() -> None:
    slow, second = Held(), Held()
    race = Race({"x1": [slow], "y1": [second]})
    await reach(second.entered)
    slow.let_go(INVALID)
    await turn()
    second.let_go(INVALID)
    with pytest.raises(Exhausted) as caught:
        await race.result()
    assert str(caught.value.error) == "y1 failed"
    assert race.list_in_flight() == []


# The client leaves.


async def test_while_both_are_asked() -> None:
    slow, second = Held(), Held()
    race = Race({"x1": [slow], "y1": [second]})
    await reach(second.entered)
    race.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await race.result()
    assert slow.cancelled.is_set()
    assert second.cancelled.is_set()
    assert race.list_in_flight() == []


async def test_while_the_loser_is_let_go() -> None:
    slow, second = Held(stubborn=True), Held()
    race = Race({"x1": [slow], "y1": [second]})
    await reach(second.entered)
    second.let_go()
    await reach(slow.cancelled)
    race.task.cancel()
    slow.let_go()
    with pytest.raises(asyncio.CancelledError):
        await race.result()
    await turn()
    assert sorted(race.asker.dropped) == ["x1", "y1"]
    assert race.list_in_flight() == []


async def test_when_an_answer_has_just_come() -> None:
    slow, second = Held(), Held()
    race = Race({"x1": [slow], "y1": [second]})
    await reach(second.entered)
    slow.let_go()
    await turn(1)
    race.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await race.result()
    await turn()
    assert race.list_in_flight() == []
