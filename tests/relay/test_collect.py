"""A whole answer, collected; or why there is none."""

import asyncio

import pytest

from proxy.errors import Code, UpstreamFault
from proxy.relay.peek import collect
from proxy.relay.ports import Source
from tests.helpers.fakes import FakeSource, FakeTicker, reach, turn

CUT = UpstreamFault(Code.CUT, "x")


def collecting(source: Source | None, silence: float = 0.0, **options: int) -> tuple[asyncio.Task[bytes], FakeTicker]:
    ticker = FakeTicker()
    return asyncio.ensure_future(collect(source, ticker, silence, **options)), ticker


async def test_no_body_is_an_empty_one() -> None:
    task, _ = collecting(None)
    assert await task == b""


async def test_a_body_is_collected_to_its_end() -> None:
    task, ticker = collecting(FakeSource([], held=[b"ab", b"c", None]))
    assert await task == b"abc"
    assert len(ticker) == 0


async def test_a_cut_body_is_none_at_all() -> None:
    source = FakeSource([])
    task, _ = collecting(source)
    await reach(source.started)
    source.feed(b'{"almost":"whole"')
    source.fail(CUT)
    with pytest.raises(UpstreamFault) as caught:
        await task
    assert caught.value is CUT
    assert source.aborted


@pytest.mark.parametrize(("pieces", "fits"), [((5, 5), True), ((5, 5, 1), False), ((11,), False), ((10,), True)])
async def test_a_body_may_be_as_long_as_the_limit(pieces: tuple[int, ...], fits: bool) -> None:
    source = FakeSource([], held=[*(b"x" * size for size in pieces), None])
    task, _ = collecting(source, limit=10)
    if fits:
        assert await task == b"x" * 10
        return
    with pytest.raises(UpstreamFault) as caught:
        await task
    assert caught.value.code is Code.ANSWER_TOO_LARGE
    assert source.aborted


async def test_a_silent_body_is_given_up_and_its_connection_closed() -> None:
    source = FakeSource([])
    task, ticker = collecting(source, 5.0)
    await reach(source.started)
    ticker.advance(4.75)
    source.feed(b"x")
    ticker.advance(4.75)
    await turn()
    assert not task.done()
    ticker.advance(1)
    with pytest.raises(UpstreamFault) as caught:
        await task
    assert caught.value.code is Code.IDLE_TIMEOUT
    assert source.aborted
    assert len(ticker) == 0


async def test_a_client_that_leaves_closes_the_connection() -> None:
    source = FakeSource([])
    task, ticker = collecting(source)
    await reach(source.started)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert source.aborted
    assert len(ticker) == 0
    source.feed(b"late")
    source.end()
