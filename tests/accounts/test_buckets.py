"""Limits per minute."""

from hypothesis import given
from hypothesis import strategies as st

from proxy.accounts.buckets import Bucket

EPOCH = 1.8e9


def test_a_full_minute_at_once_then_by_the_second() -> None:
    bucket = Bucket(60)
    for _ in range(60):
        assert bucket.find_ready(1, EPOCH) == EPOCH
        bucket.take(1, EPOCH)
    assert bucket.find_ready(1, EPOCH) == EPOCH + 1
    assert bucket.find_ready(30, EPOCH) == EPOCH + 30
    assert bucket.find_ready(1, EPOCH + 1) == EPOCH + 1
    assert bucket.left(EPOCH + 1e6) == 60


def test_more_than_fits_asks_for_a_full_bucket() -> None:
    bucket = Bucket(60)
    assert bucket.find_ready(1000, EPOCH) == EPOCH
    bucket.take(1000, EPOCH)
    assert bucket.left(EPOCH) == -940
    assert bucket.find_ready(1, EPOCH) == EPOCH + 941


def test_what_is_given_back_does_not_flow_over() -> None:
    bucket = Bucket(60)
    bucket.take(-10, EPOCH)
    assert bucket.left(EPOCH) == 60


def test_another_size_gives_nothing_back() -> None:
    bucket = Bucket(60)
    bucket.take(50, EPOCH)
    bucket.resize(100)
    assert bucket.left(EPOCH) == 50
    bucket.resize(30)
    assert bucket.left(EPOCH) == -20
    assert bucket.left(EPOCH + 600) == 30


def test_a_clock_that_is_set_back_stops_nothing() -> None:
    bucket = Bucket(60)
    bucket.take(60, EPOCH)
    assert bucket.find_ready(1, EPOCH - 3600) == EPOCH - 3600 + 1
    assert bucket.find_ready(1, EPOCH - 3599) == EPOCH - 3599


@given(
    size=st.integers(1, 500),
    asks=st.lists(st.tuples(st.floats(0, 30), st.integers(1, 700)), min_size=1, max_size=60),
)
def test_never_more_than_its_rate_over_any_window(size: int, asks: list[tuple[float, int]]) -> None:
    bucket, now, taken = Bucket(size), EPOCH, []
    for pause, amount in asks:
        now += pause
        amount = min(amount, size)
        if bucket.find_ready(amount, now) <= now:
            bucket.take(amount, now)
            taken.append((now, amount))
    for start in range(len(taken)):
        total = 0
        for at, amount in taken[start:]:
            total += amount
            assert total <= size * (1 + (at - taken[start][0]) / 60) + 1e-3


@given(size=st.integers(1, 10**7), used=st.floats(0, 1e8), amount=st.integers(1, 10**8), at=st.floats(0, 4e9))
def test_waiting_as_long_as_was_said_is_enough(size: int, used: float, amount: int, at: float) -> None:
    bucket = Bucket(size)
    bucket.take(used, at)
    ready = bucket.find_ready(amount, at)
    assert bucket.find_ready(amount, ready) <= ready
