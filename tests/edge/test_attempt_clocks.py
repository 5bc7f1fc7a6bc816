"""How long an attempt may take, and what is left of one that is called off."""

import asyncio
from typing import Any

import pytest

from proxy.accounts.trouble import How
from proxy.edge.attempts import Begun
from proxy.relay.outcome import Phase
from tests.helpers.attempted import EVENTS, JSON, Asked, ask
from tests.helpers.fakes import FakeSource, reach, turn
from tests.helpers.models import PROVIDERS, WHOLE

SPOKEN = PROVIDERS["openai"]
BEGUN = SPOKEN.opening + SPOKEN.texts[0]
PING = b": ping\n\n"

# Clocks.


@pytest.mark.parametrize(
    ("limits", "stream", "seconds"),
    [
        ({"first_byte": "30s", "ttft": "50s"}, True, 30),
        ({"first_byte": "30s", "ttft": "20s"}, True, 20),
        ({"first_byte": "off", "ttft": "20s"}, True, 20),
        ({"first_byte": "30s", "ttft": "off"}, True, 30),
        ({"first_byte": "30s", "ttft": "20s"}, False, 30),
    ],
)
async def test_a_head_has_to_come_in_time(limits: dict[str, Any], stream: bool, seconds: float) -> None:
    one = await ask(body={"stream": stream}, **limits)
    one.bureau.ticker.advance(seconds - 0.25)
    await turn()
    assert not one.task.done()
    one.bureau.ticker.advance(0.25)
    failed = await one.failure()
    assert (failed.trouble.how, one.noted.error, one.noted.seconds) == (How.SILENT, "first_byte_timeout", seconds)
    assert one.desk.cancelled


async def test_the_time_to_substance_counts_from_the_attempt_s_beginning() -> None:
    one = await ask(ttft="10s")
    one.bureau.ticker.advance(6)
    source = one.desk.answer(EVENTS)
    await reach(source.started)
    for _ in range(3):
        one.bureau.ticker.advance(1)
        source.feed(PING)
    one.bureau.ticker.advance(0.75)
    await turn()
    assert not one.task.done()
    one.bureau.ticker.advance(0.25)
    failed = await one.failure()
    assert (failed.trouble.how, one.noted.error, one.noted.seconds) == (How.SILENT, "ttft_timeout", 10.0)
    assert source.aborted


async def test_a_head_that_comes_at_the_last_moment_has_a_tick_left() -> None:
    one = await ask(ttft="10s", first_byte="off")
    one.bureau.ticker.advance(9.75)
    source = one.desk.answer(EVENTS)
    await reach(source.started)
    source.feed(BEGUN)
    assert isinstance(await one.result(), Begun)


async def test_a_body_may_be_silent_for_so_long() -> None:
    one = await ask(ttft="off", body={"stream": False})
    source = one.desk.answer(JSON)
    await reach(source.started)
    one.bureau.ticker.advance(300)
    failed = await one.failure()
    assert (failed.trouble.how, one.noted.error) == (How.SILENT, "idle_timeout")
    assert source.aborted


# Called off.


async def leave(one: Asked) -> None:
    one.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await one.result()
    assert one.noted.outcome == "lost"
    assert len(one.bureau.ticker) == 0


async def test_before_the_head() -> None:
    one = await ask()
    await leave(one)
    assert one.desk.cancelled
    assert one.bureau.scope.record.phase is Phase.WAITING


@pytest.mark.parametrize("stream", [True, False])
async def test_before_substance(stream: bool) -> None:
    one = await ask(body={"stream": stream})
    source: FakeSource = one.desk.answer(EVENTS if stream else JSON)
    await reach(source.started)
    await leave(one)
    assert source.aborted
    assert one.bureau.scope.record.phase is Phase.HELD


async def test_an_answer_that_is_not_wanted_is_let_go() -> None:
    one = await ask()
    source = one.desk.answer(EVENTS, body=[BEGUN])
    one.bureau.attempts.drop(await one.result())
    assert (source.aborted > 0, one.noted.outcome, one.bureau.count_in_flight()) == (True, "lost", 0)


async def test_a_whole_one_too() -> None:
    one = await ask(body={"stream": False})
    one.desk.answer(JSON, body=[WHOLE["openai"], None])
    one.bureau.attempts.drop(await one.result())
    assert (one.noted.outcome, one.bureau.count_in_flight()) == ("lost", 0)
