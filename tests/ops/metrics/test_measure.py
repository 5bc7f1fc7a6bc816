"""Times of attempts and of what the proxy adds."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.ops.metrics.measure import find_answer, is_answered, measure_chunks, measure_operation, measure_overhead
from proxy.relay.outcome import Attempt, Record
from tests.helpers.finished import build_attempt, build_mounted, build_record, build_refused, build_whole

FAILED = {"outcome": "account", "error": "rate_limit", "status": 429}


@pytest.mark.parametrize(
    ("outcome", "status", "answered"),
    [
        ("won", 200, True), ("rescued", 200, True), ("failed", 200, True), ("account", 429, False),
        ("lost", 200, False), ("mismatch", 200, False), ("", 200, True), ("", 404, True), ("", None, False),
    ],
)  # fmt: skip
def test_whether_an_attempt_was_answered(outcome: str, status: int | None, answered: bool) -> None:
    assert is_answered(build_attempt(outcome=outcome, status=status)) is answered


def test_the_last_answer_is_the_client_s() -> None:
    first, second, third = build_attempt(outcome="rescued"), build_attempt(), build_attempt(outcome="lost")
    assert find_answer([first, second, third]) is second
    assert find_answer([third]) is None


def test_an_answer_lasts_until_the_request_is_over() -> None:
    record = build_record(build_attempt(0.5, started=1.0), duration=9.0)
    assert measure_operation(record, record.attempts[0]) == 8.0


def test_a_failed_attempt_lasts_as_long_as_it_did() -> None:
    record = build_record(build_attempt(0.25, **FAILED), build_attempt(started=1.0))
    assert measure_operation(record, record.attempts[0]) == 0.25


def test_a_rescued_answer_lasts_until_another_goes_on_with_it() -> None:
    broken = build_attempt(0.5, started=0.0, outcome="rescued")
    record = build_record(broken, build_attempt(0.5, started=3.0, **FAILED), build_attempt(started=4.0), duration=9.0)
    assert [measure_operation(record, attempt) for attempt in record.attempts] == [3.0, 0.5, 5.0]


def test_a_hedge_beside_an_answer_does_not_end_it() -> None:
    won = build_attempt(2.0, started=0.0)
    record = build_record(won, build_attempt(1.0, started=1.0, outcome="lost"), duration=9.0)
    assert measure_operation(record, won) == 9.0


def test_the_time_between_events() -> None:
    assert measure_chunks(build_record(ttft=1.0, duration=4.0, events=7)) == 0.5


@pytest.mark.parametrize("record", [build_record(events=1), build_record(events=0), build_whole(), build_mounted()])
def test_what_has_no_time_between_events(record: Record) -> None:
    assert measure_chunks(record) is None


def test_what_is_added_to_a_stream() -> None:
    record = build_record(build_attempt(0.5, started=0.25), ttft=0.75, first_byte=0.875)
    assert measure_overhead(record) == 0.25 + 0.125


def test_what_is_added_to_a_stream_whose_client_had_its_head_before() -> None:
    record = build_record(build_attempt(8.0, started=0.25), ttft=8.5, first_byte=5.0)
    assert measure_overhead(record) == 0.25 + 0.25


def test_what_is_added_to_a_whole_answer() -> None:
    record = build_whole(build_attempt(3.0, started=0.25), duration=3.5)
    assert measure_overhead(record) == 0.25 + 0.25


def test_what_is_added_on_a_mount() -> None:
    record = build_mounted(build_attempt(0.5, started=0.25, outcome=""), first_byte=1.0, duration=60.0)
    assert measure_overhead(record) == 0.25 + 0.25


def test_the_search_for_somebody_who_answers_is_not_ours() -> None:
    record = build_record(build_attempt(4.0, started=0.25, **FAILED), build_attempt(1.0, started=5.0), ttft=6.0,
                          first_byte=6.0)  # fmt: skip
    assert measure_overhead(record) == 0.25


def test_a_rescue_adds_nothing() -> None:
    record = build_record(
        build_attempt(0.5, started=0.0, outcome="rescued"), build_attempt(1.0, started=3.0), ttft=0.5, first_byte=0.5
    )
    assert measure_overhead(record) == 0.0


@pytest.mark.parametrize("record", [build_refused(), build_record(build_attempt(**FAILED))])
def test_nothing_is_told_where_nobody_answered(record: Record) -> None:
    assert measure_overhead(record) is None


TIME = st.floats(0, 1e5)
MAYBE = st.none() | TIME
ATTEMPTS = st.lists(
    st.builds(
        build_attempt, TIME, TIME, st.sampled_from(["", "won", "rescued", "failed", "lost", "account", "mismatch"]),
        status=st.sampled_from([None, 200, 429]),
    ), max_size=4,
)  # fmt: skip


@given(ATTEMPTS, MAYBE, MAYBE, TIME, st.integers(0, 10**6))
def test_no_time_is_negative(
    attempts: list[Attempt], ttft: float | None, first_byte: float | None, duration: float, events: int
) -> None:
    record = build_record(ttft=ttft, first_byte=first_byte, duration=duration, events=events)
    record.attempts = attempts
    times = [measure_chunks(record), measure_overhead(record), *(measure_operation(record, a) for a in attempts)]
    assert all(time is None or (time >= 0 and math.isfinite(time)) for time in times)
