"""Tokens from whatever gives them: fetched once, renewed in time, and never shown."""

import asyncio

import pytest

from proxy.errors import Code, UpstreamFault
from proxy.upstream.tokens import EARLY, PAUSE, YOUNG, CachedTokens, TokenFault

LIFE = 3000.0


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Issuer:
    """Gives t1, t2, …; waits while `gate` is closed, fails while `fault` is set."""

    def __init__(self) -> None:
        self.calls = 0
        self.fault = ""
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self) -> str:
        self.calls += 1
        token = f"t{self.calls}"
        await self.gate.wait()
        if self.fault:
            raise TokenFault(self.fault)
        return token


class Stage:
    def __init__(self, life: float = LIFE, early: float = EARLY) -> None:
        self.clock, self.issuer = Clock(), Issuer()
        self.tokens = CachedTokens(self.issuer, life, early, self.clock)

    async def settle(self) -> None:
        """Let a fetch in the background end."""
        for _ in range(5):
            await asyncio.sleep(0)


async def test_a_token_is_fetched_once_and_used_for_its_life() -> None:
    stage = Stage()
    assert [await stage.tokens.get() for _ in range(3)] == ["t1"] * 3
    stage.clock.now += LIFE - EARLY - 1
    assert await stage.tokens.get() == "t1"
    await stage.settle()
    assert stage.issuer.calls == 1


async def test_nothing_is_fetched_before_somebody_asks() -> None:
    stage = Stage()
    await stage.settle()
    assert stage.issuer.calls == 0


async def test_the_next_token_is_fetched_before_the_end_and_nobody_waits() -> None:
    stage = Stage()
    await stage.tokens.get()
    stage.clock.now += LIFE - EARLY
    stage.issuer.gate.clear()
    assert [await stage.tokens.get() for _ in range(3)] == ["t1"] * 3
    stage.issuer.gate.set()
    await stage.settle()
    assert await stage.tokens.get() == "t2"
    assert stage.issuer.calls == 2


async def test_an_expired_token_is_not_given_out() -> None:
    stage = Stage()
    await stage.tokens.get()
    stage.clock.now += LIFE
    assert await stage.tokens.get() == "t2"


async def test_however_many_ask_one_fetch_runs() -> None:
    stage = Stage()
    stage.issuer.gate.clear()
    asking = [asyncio.create_task(stage.tokens.get()) for _ in range(20)]
    await stage.settle()
    stage.issuer.gate.set()
    assert await asyncio.gather(*asking) == ["t1"] * 20
    assert stage.issuer.calls == 1


async def test_who_gives_up_does_not_take_the_token_from_the_others() -> None:
    stage = Stage()
    stage.issuer.gate.clear()
    first, second = (asyncio.create_task(stage.tokens.get()) for _ in range(2))
    await stage.settle()
    first.cancel()
    await stage.settle()
    stage.issuer.gate.set()
    assert await second == "t1"
    assert first.cancelled()


async def test_a_failure_reaches_all_who_wait_and_is_not_repeated_at_once() -> None:
    stage = Stage()
    stage.issuer.fault = "token_command ended with status 3"
    results = await asyncio.gather(*(stage.tokens.get() for _ in range(5)), return_exceptions=True)
    assert [str(result) for result in results] == ["upstream_token (token_command ended with status 3)"] * 5
    with pytest.raises(TokenFault, match="status 3"):
        await stage.tokens.get()
    assert stage.issuer.calls == 1
    stage.clock.now += PAUSE
    stage.issuer.fault = ""
    assert await stage.tokens.get() == "t2"


async def test_a_failed_renewal_leaves_the_old_token_until_its_end() -> None:
    stage = Stage()
    await stage.tokens.get()
    stage.clock.now += LIFE - EARLY
    stage.issuer.fault = "broken"
    for _ in range(3):
        assert await stage.tokens.get() == "t1"
        await stage.settle()
    assert stage.issuer.calls == 2
    stage.clock.now += EARLY
    with pytest.raises(TokenFault, match="broken"):
        await stage.tokens.get()


async def test_a_refused_token_is_replaced() -> None:
    stage = Stage()
    await stage.tokens.get()
    stage.clock.now += YOUNG
    stage.tokens.expire()
    assert await stage.tokens.get() == "t2"


async def test_a_token_that_has_just_come_is_not_thrown_away_by_those_who_were_refused_before() -> None:
    stage = Stage()
    await stage.tokens.get()
    stage.clock.now += YOUNG
    for _ in range(3):
        stage.tokens.expire()
        assert await stage.tokens.get() == "t2"
    assert stage.issuer.calls == 2


async def test_a_fault_is_one_of_the_upstream() -> None:
    fault = TokenFault("x")
    assert isinstance(fault, UpstreamFault)
    assert (fault.code, fault.detail) == (Code.TOKEN, "x")
