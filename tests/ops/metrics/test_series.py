"""Counting as the official client counts, and reading as it writes."""

import math

import prometheus_client
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Metric

from proxy.ops.metrics.families import LONG_TIMES, TOKENS
from proxy.ops.metrics.series import Counts, Spread
from tests.helpers.scraped import scrape

BOUNDS = (0.5, 1.0, 2.0)
VALUES = st.sampled_from([("a",), ("b",), ("",), ('q"\\\n',), ("é",)])
AMOUNTS = st.one_of(st.floats(0, 1e6), st.sampled_from([*LONG_TIMES, *TOKENS, *BOUNDS, 0.0, math.inf]))


def write(family: Metric) -> list[tuple[str, dict[str, str], float]]:
    return [
        (sample.name, sample.labels, sample.value) for sample in family.samples if not sample.name.endswith("_created")
    ]


@given(st.lists(st.tuples(VALUES, AMOUNTS)))
def test_a_spread_counts_as_the_official_histogram(notes: list[tuple[tuple[str], float]]) -> None:
    ours = Spread("x_seconds", "Says.", BOUNDS, "who")
    theirs = prometheus_client.Histogram("x_seconds", "Says.", ["who"], buckets=BOUNDS, registry=CollectorRegistry())
    for values, amount in notes:
        ours.note(values, amount)
        theirs.labels(*values).observe(amount)
    assert write(ours.collect()) == write(next(iter(theirs.collect())))


@given(st.lists(st.tuples(VALUES, st.floats(0, 1e6))))
def test_counts_count_as_the_official_counter(adds: list[tuple[tuple[str], float]]) -> None:
    ours = Counts("x", "Says.", "who")
    theirs = prometheus_client.Counter("x", "Says.", ["who"], registry=CollectorRegistry())
    for values, amount in adds:
        ours.add(values, amount)
        theirs.labels(*values).inc(amount)
    assert write(ours.collect()) == write(next(iter(theirs.collect())))


def test_what_has_no_labels_is_there_from_the_start() -> None:
    found = scrape([Counts("x", "Says.").collect(), Spread("y", "Says.", BOUNDS).collect()])
    assert found.one("x_total") == 0
    assert found.one("y_count") == 0
    assert found.find("y_bucket") == {("0.5",): 0, ("1.0",): 0, ("2.0",): 0, ("+Inf",): 0}


def test_what_has_labels_is_there_once_it_was_counted() -> None:
    counts, spread = Counts("x", "Says.", "who"), Spread("y", "Says.", BOUNDS, "who")
    assert scrape([counts.collect(), spread.collect()]).samples == []
    counts.add(("a",), 0)
    spread.note(("a",), 1.0)
    found = scrape([counts.collect(), spread.collect()])
    assert found.one("x_total", who="a") == 0
    assert found.find("y_bucket", who="a") == {("0.5",): 0, ("1.0",): 1, ("2.0",): 1, ("+Inf",): 1}
    assert found.one("y_sum", who="a") == 1.0
