"""One sample of what flows."""

from proxy.ops.console.rates import MOST_TIMES, Gaps, Tally


def test_a_sample_counts_by_the_second() -> None:
    tally = Tally()
    tally.streams, tally.streaming, tally.started, tally.finished, tally.failed = 5, 4, 3, 2, 1
    tally.events, tally.bytes = 30, 1000
    tally.times += [0.25]
    rates = tally.build(12.34567, 0.5)
    assert (rates.at, rates.streams, rates.streaming) == (12.346, 5, 4)
    assert (rates.started, rates.finished, rates.failed) == (3, 2, 1)
    assert (rates.events_per_s, rates.bytes_per_s, rates.ttft_ms, rates.gap_ms) == (60.0, 2000.0, [250.0], None)


def test_the_first_sample_has_no_rate() -> None:
    tally = Tally()
    tally.events = 30
    assert tally.build(1.0, 0.0).events_per_s == 0.0


def test_gaps_are_summed_up_in_milliseconds() -> None:
    tally = Tally()
    tally.gaps += [n / 1000 for n in range(100, 0, -1)]
    assert tally.build(1.0, 0.5).gap_ms == Gaps(50.0, 95.0, 100.0)
    one = Tally()
    one.gaps.append(2.0)
    assert one.build(1.0, 0.5).gap_ms == Gaps(2000.0, 2000.0, 2000.0)


def test_only_the_last_times_are_told() -> None:
    tally = Tally()
    tally.times += [float(n) for n in range(100)]
    assert tally.build(1.0, 0.5).ttft_ms == [n * 1000.0 for n in range(100 - MOST_TIMES, 100)]
