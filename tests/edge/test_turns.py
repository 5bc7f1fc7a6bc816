"""A few pieces per turn, in order, all of them."""

import asyncio
import itertools

from proxy.edge.turns import Turns

EACH = 3


def build() -> Turns:
    return Turns(asyncio.get_running_loop(), EACH)


async def test_a_few_are_done_per_turn_in_their_order() -> None:
    done, seen, turns = list[int](), list[int](), build()
    for number in range(2 * EACH + 1):
        turns.add(lambda number=number: done.append(number))  # type: ignore[misc]
    assert done == []
    while len(done) < 2 * EACH + 1:
        await asyncio.sleep(0)
        seen.append(len(done))
    assert done == list(range(2 * EACH + 1))
    assert set(seen) <= {0, EACH, 2 * EACH, 2 * EACH + 1}


async def test_what_is_added_meanwhile_and_afterwards_is_done_too() -> None:
    done, turns = list[str](), build()

    def first() -> None:
        done.append("first")
        turns.add(lambda: done.append("from within"))

    for number in (2, 4):
        turns.add(first)
        async with asyncio.timeout(5):
            while len(done) < number:
                await asyncio.sleep(0)
    assert done == ["first", "from within"] * 2


async def test_tasks_wait_for_their_turn_and_one_that_gives_up_holds_nobody_up() -> None:
    turns, done = build(), list[int]()

    async def wait(number: int) -> None:
        await turns.wait()
        done.append(number)

    tasks = [asyncio.create_task(wait(number)) for number in range(3 * EACH)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    async with asyncio.timeout(5):
        await asyncio.gather(*tasks, return_exceptions=True)
    assert done == [number for number in range(3 * EACH) if number != 1]


async def test_a_piece_that_adds_another_gets_no_second_turn() -> None:
    done, seen, turns = list[int](), list[int](), build()

    def first() -> None:
        for number in range(3 * EACH):
            turns.add(lambda number=number: done.append(number))  # type: ignore[misc]

    turns.add(first)
    while len(done) < 3 * EACH:
        await asyncio.sleep(0)
        seen.append(len(done))
    assert set(seen) - {0} == {EACH, 2 * EACH, 3 * EACH}


async def test_there_is_a_pause_between_two_turns_also_when_nothing_waits_in_between() -> None:
    loop, times = asyncio.get_running_loop(), list[float]()
    turns = Turns(loop, 1, 0.02)
    async with asyncio.timeout(5):
        for _ in range(2):
            await asyncio.gather(turns.wait(), turns.wait())
            times.append(loop.time())
            await turns.wait()
            times.append(loop.time())
    steps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert min(steps) > 0.015, steps  # uvloop's clock has milliseconds
    turns = Turns(loop, 1, 60.0)
    async with asyncio.timeout(5):
        await turns.wait()
