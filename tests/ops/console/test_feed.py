"""When samples are taken: while somebody looks, and not too often."""

import asyncio
import json
from typing import Any

import pytest

from proxy.accounts.board import Board
from proxy.config.load import build_config
from proxy.edge.streams import Streams
from proxy.ops.console.feed import EVERY, PAUSE, PERIOD, REST, Feed
from proxy.ops.console.state import State
from proxy.relay.outcome import EndReason, Record
from proxy.types import RequestId
from tests.helpers.fakes import FakeTicker, turn


class Books:
    """What is read of them, and how often."""

    def __init__(self) -> None:
        self.read = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self) -> object:
        self.read += 1
        await self.gate.wait()
        return {"day": str(self.read)}


class Bench:
    def __init__(self) -> None:
        self.ticker, self.books = FakeTicker(), Books()
        self.state = State(build_config([("test", {})], {}), Streams(), Board(), dict)
        self.feed = Feed(self.state, self.ticker, self.books)

    def read(self, since: int | None = None) -> Any:
        return json.loads(self.feed.build(since))


@pytest.fixture
async def bench() -> Bench:
    return Bench()


async def test_nothing_runs_while_nobody_looks(bench: Bench) -> None:
    assert len(bench.ticker) == 0
    with bench.feed.watch():
        assert (len(bench.ticker), bench.state.version) == (1, 1)
    assert len(bench.ticker) == 0
    bench.ticker.advance(60)
    assert bench.state.version == 1


async def test_samples_are_shared(bench: Bench) -> None:
    with bench.feed.watch(), bench.feed.watch():
        assert (bench.feed.viewers, bench.state.version) == (2, 1)
        for _ in range(4):
            bench.ticker.advance(0.25)
        assert bench.state.version == 1 + 1.0 / PERIOD
    assert bench.feed.viewers == 0


async def test_who_comes_back_at_once_starts_no_other_sample(bench: Bench) -> None:
    for _ in range(3):
        with bench.feed.watch():
            pass
    assert bench.state.version == 1
    bench.ticker.advance(PERIOD)
    with bench.feed.watch():
        assert bench.state.version == 2


async def test_a_sample_wakes_who_waits(bench: Bench) -> None:
    with bench.feed.watch():
        waiting = [asyncio.ensure_future(bench.feed.wait()) for _ in range(2)]
        await turn()
        assert not any(task.done() for task in waiting)
        bench.ticker.advance(PERIOD)
        await asyncio.gather(*waiting)


async def test_a_sample_that_takes_long_is_followed_by_a_long_rest(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = bench.state.sample

    def sample_slowly(now: float, wall: float) -> None:
        sample(now, wall)
        bench.ticker._now += 0.1

    monkeypatch.setattr(bench.state, "sample", sample_slowly)
    with bench.feed.watch():
        at = bench.ticker.now()
        while bench.state.version == 1:
            bench.ticker.advance(0.25)
        assert 0.1 * REST - 0.2 <= bench.ticker.now() - at <= 0.1 * REST + 0.5


async def test_a_sample_that_fails_stops_no_clock(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(now: float, wall: float) -> None:
        raise KeyError("secret")

    with monkeypatch.context() as patched:
        patched.setattr(bench.state, "sample", fail)
        with bench.feed.watch():
            bench.ticker.advance(1.0)
            assert caplog.text.count("unexpected KeyError") == 1
    with bench.feed.watch():
        assert bench.state.version == 0
        bench.ticker.advance(PAUSE - 1.5)
        assert bench.state.version == 0
        bench.ticker.advance(0.5)
        assert bench.state.version == 1


async def test_the_books_are_read_now_and_then(bench: Bench) -> None:
    with bench.feed.watch():
        await turn()
        for _ in range(int(2 * EVERY / 0.25) + 1):
            bench.ticker.advance(0.25)
            await turn()
        assert bench.books.read == 3
        assert bench.read()["usage"] == {"day": "3"}


async def test_slow_books_are_read_one_at_a_time(bench: Bench) -> None:
    bench.books.gate.clear()
    with bench.feed.watch():
        await turn()
        bench.ticker.advance(3 * EVERY)
        await turn()
        assert bench.books.read == 1
        bench.books.gate.set()
        await turn()
        bench.ticker.advance(3 * EVERY * REST - 1.0)
        await turn()
        assert bench.books.read == 1
        bench.ticker.advance(1.0)
        await turn()
        assert bench.books.read == 2


async def test_nobody_reads_books_for_nobody(bench: Bench) -> None:
    bench.books.gate.clear()
    with bench.feed.watch():
        await turn()
    await turn()
    assert bench.read()["usage"] is None
    bench.books.gate.set()
    bench.ticker.advance(EVERY)
    with bench.feed.watch():
        await turn()
        bench.ticker.advance(PERIOD)
        assert bench.read()["usage"] == {"day": "2"}


async def test_ends_are_noted_for_who_looks_and_those_of_operators_never(bench: Bench) -> None:
    def end(name: str, door: str = "public") -> None:
        bench.feed.note(Record(RequestId(name), 0.0, 0.0, door=door, end=EndReason.ERROR))

    end("before")
    with bench.feed.watch():
        end("within")
        end("admin", "admin")
        bench.ticker.advance(PERIOD)
        told = bench.read()
        assert [line["request_id"] for line in told["failures"]] == ["within", "before"]
        assert told["rates"][-1]["finished"] == 1
        end("late")
    with bench.feed.watch():
        bench.ticker.advance(PERIOD)
        assert bench.read()["rates"][-1]["finished"] == 0
