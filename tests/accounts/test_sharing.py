"""Limits that several processes share: what they say to each other comes together, and nobody takes more than may be.

Processes are played: each has counts of its own, and `talk` is what an exchange through a file comes to.
"""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.accounts.buckets import Bucket
from proxy.accounts.sharing import NOTHING, Count, Counted, Pool, Taken, Word, merge

EPOCH = 1.8e9


class Together:
    """Processes that share one holder's limit per minute."""

    def __init__(self, processes: int, size: int) -> None:
        self.size = size
        self.pool = Pool()
        self.processes = [Counted(requests=Bucket(size)) for _ in range(processes)]
        self.taken: list[float] = []

    def talk(self, number: int, now: float) -> None:
        counted = self.processes[number]
        self.pool = merge(self.pool, counted.tell(now, now))
        counted.hear(self.pool, now, 0.0)

    def take(self, number: int, now: float, amount: int = 1) -> bool:
        bucket = self.processes[number].requests
        assert bucket is not None
        if bucket.find_ready(amount, now) > now:
            return False
        bucket.take(amount, now)
        self.taken += [now] * amount
        return True

    def left(self, number: int, now: float) -> float:
        bucket = self.processes[number].requests
        assert bucket is not None
        return bucket.left(now)


def test_what_one_takes_the_other_has_not() -> None:
    both = Together(2, 60)
    assert both.take(0, EPOCH, 50)
    assert both.left(1, EPOCH) == 60
    both.talk(0, EPOCH)
    both.talk(1, EPOCH)
    assert both.left(1, EPOCH) == 10
    assert both.take(1, EPOCH, 10)
    both.talk(1, EPOCH + 30)
    both.talk(0, EPOCH + 30)
    assert [both.left(number, EPOCH + 30) for number in (0, 1)] == pytest.approx([30, 30])


def test_alone_it_is_as_if_nothing_were_told() -> None:
    shared, alone = Together(1, 60), Bucket(60)
    shared.take(0, EPOCH, 60)
    alone.take(60, EPOCH)
    for moment in (EPOCH + 0.3, EPOCH + 0.6, EPOCH + 7, EPOCH + 7.1):
        shared.talk(0, moment)
        assert shared.left(0, moment) == pytest.approx(alone.left(moment))
        shared.take(0, moment, 1)
        if moment > EPOCH + 1:
            alone.take(1, moment)


def test_one_that_starts_finds_what_was_taken() -> None:
    both = Together(1, 60)
    both.take(0, EPOCH, 60)
    both.talk(0, EPOCH)
    both.processes.append(Counted(requests=Bucket(60)))
    both.talk(1, EPOCH + 6)
    assert both.left(1, EPOCH + 6) == pytest.approx(6)


def test_what_was_not_heard_is_told_again_and_once() -> None:
    both = Together(2, 60)
    both.take(0, EPOCH, 20)
    both.processes[0].tell(EPOCH, EPOCH)
    both.processes[0].retell()
    assert both.processes[0].touched
    both.take(0, EPOCH, 10)
    both.talk(0, EPOCH)
    both.talk(0, EPOCH)
    assert both.pool.requests == 30
    assert both.left(0, EPOCH) == 30
    both.processes[0].retell()
    both.talk(0, EPOCH)
    assert both.pool.requests == 30


def test_what_is_taken_between_word_and_answer_stays_taken() -> None:
    both = Together(2, 60)
    both.take(0, EPOCH, 20)
    word = both.processes[0].tell(EPOCH, EPOCH)
    both.take(0, EPOCH, 5)
    both.processes[0].hear(merge(Pool(requests=10, requests_at=EPOCH), word), EPOCH, 0.0)
    assert both.left(0, EPOCH) == 60 - 10 - 20 - 5
    assert both.processes[0].tell(EPOCH, EPOCH).requests.amount == 5


def test_a_file_that_failed_for_minutes_brings_no_old_debt() -> None:
    both = Together(2, 60)
    for second in range(600):
        assert both.take(0, EPOCH + second)
        assert both.take(1, EPOCH + second)
    both.talk(0, EPOCH + 600)
    both.talk(1, EPOCH + 600)
    assert both.left(1, EPOCH + 600) > 50


def test_a_clock_of_its_own_is_converted() -> None:
    ours, theirs = Counted(requests=Bucket(60)), Counted(requests=Bucket(60))
    assert ours.requests is not None
    assert theirs.requests is not None
    ours.requests.take(60, EPOCH)
    pool = merge(Pool(), ours.tell(EPOCH, EPOCH))
    theirs.hear(pool, EPOCH + 3600 + 6, 3600)
    assert theirs.requests.left(EPOCH + 3600 + 6) == pytest.approx(6)
    theirs.requests.take(6, EPOCH + 3606)
    pool = merge(pool, theirs.tell(EPOCH + 3606, EPOCH + 6))
    ours.hear(pool, EPOCH + 6, 0)
    assert ours.requests.left(EPOCH + 6) == pytest.approx(0, abs=1e-6)


def test_what_has_no_limit_here_is_left_as_it_is() -> None:
    pool = merge(Pool(), Word(EPOCH, Taken(60, 30, EPOCH), NOTHING))
    assert merge(pool, Word(EPOCH + 10, NOTHING, Taken(60, 1, EPOCH))) == Pool(30, EPOCH, 0, EPOCH + 10)


def test_a_day_is_the_latest_anybody_speaks_of() -> None:
    pool = merge(Pool(), Word(EPOCH, day=5, day_tokens=10, day_cost=0.5))
    pool = merge(pool, Word(EPOCH, day=5, day_tokens=-3, day_cost=0.25))
    assert (pool.day_tokens, pool.day_cost) == (7, 0.75)
    assert merge(pool, Word(EPOCH, day=4, day_tokens=10)) == pool
    pool = merge(pool, Word(EPOCH, day=6, day_tokens=1))
    assert (pool.day, pool.day_tokens, pool.day_cost) == (6, 1, 0)


def test_what_was_used_before_is_told_by_all_and_counts_once() -> None:
    first, second = (Word(EPOCH, day=5, day_tokens=own, least_tokens=100, least_cost=1.0) for own in (7, 5))
    pool = merge(merge(Pool(), first), second)
    assert (pool.day_tokens, pool.day_cost) == (112, 1.0)


def test_a_count_is_the_sum_of_all_and_of_what_is_new_here() -> None:
    count = Count()
    count.start_from(10)
    count.add(5)
    assert (count.tell(), count.value) == (5, 15)
    count.add(2)
    count.hear(115)
    assert count.value == 117
    assert count.tell() == 2
    count.retell()
    count.add(1)
    assert count.tell() == 3
    count.hear(118)
    assert (count.value, count.tell()) == (118, 0)


@pytest.mark.parametrize("processes", [1, 2, 4])
def test_a_minute_refills_once_however_many_take_from_it(processes: int) -> None:
    """Each for itself stays below the limit, so that its own bucket is hardly touched."""
    several, seconds = Together(processes, 6000), 180
    for twentieth in range(seconds * 20):
        now = EPOCH + twentieth / 20
        for number in range(processes):
            for _ in range(4):
                several.take(number, now)
            if twentieth % 5 == 0:
                several.talk(number, now)
    most = 6000 * (1 + seconds / 60)
    assert min(seconds * 80 * processes, most) * 0.98 <= len(several.taken) <= most + 80


Steps = Sequence[tuple[int, int, int]]
steps = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 2), st.integers(1, 30)), min_size=1, max_size=80)


@given(size=st.sampled_from([1, 6, 60, 480]), steps=steps)
def test_processes_that_talk_before_each_request_are_as_one(size: int, steps: Steps) -> None:
    three, one, now = Together(3, size), Together(1, size), EPOCH
    for eighths, number, amount in steps:
        now += eighths / 8
        three.talk(number, now)
        assert three.take(number, now, amount) == one.take(0, now, amount)
        three.talk(number, now)


@given(size=st.sampled_from([6, 60, 480, 6000]), steps=steps, every=st.sampled_from([0.25, 0.5, 1.0]))
def test_a_limit_is_overrun_by_what_others_took_since_they_spoke(size: int, steps: Steps, every: float) -> None:
    """As often as they speak, each taking as fast as it can: in all no more than one bucket gives, and what is taken in
    the time from one word to the next once."""
    three, now, spoken = Together(3, size), EPOCH, EPOCH
    unheard, most = [0, 0, 0], 0
    for eighths, number, amount in steps:
        now += eighths / 8
        while spoken + every <= now:
            spoken += every
            for each in range(3):
                three.talk(each, spoken)
            for each in range(3):
                three.talk(each, spoken)
            unheard = [0, 0, 0]
        for _ in range(amount):
            unheard[number] += three.take(number, now)
        most = max(most, sum(unheard) - max(unheard))
        assert len(three.taken) <= size * (1 + (now - EPOCH + every) / 60) + most + 1e-3
