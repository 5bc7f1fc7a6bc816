"""Bytes and events of what is over and of what still runs."""

from hypothesis import given
from hypothesis import strategies as st

from proxy.edge.scope import Look, Scope
from proxy.ops.metrics.traffic import Totals, Traffic
from tests.helpers.edge import build_house, build_scope
from tests.helpers.finished import build_record

HOUSE = build_house()


def build_flowing(size: int, events: int, up: int = 0) -> Scope:
    scope = build_scope(HOUSE)
    scope.record.bytes_up = up
    scope.look = lambda: Look(size, events, 0, 0.0, 0.0)
    return scope


def test_nothing_has_flowed_yet() -> None:
    assert Traffic().read([]) == Totals(0, 0, 0)


def test_what_is_over_is_counted() -> None:
    traffic = Traffic()
    for _ in range(2):
        traffic.add(build_record(bytes_up=100, bytes_down=1000, events=10))
    assert traffic.read([]) == Totals(200, 2000, 20)


def test_what_runs_is_counted_as_it_flows() -> None:
    traffic = Traffic()
    traffic.add(build_record(bytes_up=100, bytes_down=1000, events=10))
    assert traffic.read([build_flowing(500, 5, up=7), build_flowing(50, 4)]) == Totals(107, 1550, 19)


def test_a_request_that_does_not_flow_yet_has_its_body() -> None:
    scope = build_scope(HOUSE)
    scope.record.bytes_up = 7
    assert Traffic().read([scope]) == Totals(7, 0, 0)


def test_a_stream_that_ends_is_counted_once() -> None:
    traffic = Traffic()
    before = traffic.read([build_flowing(1000, 10, up=100)])
    traffic.add(build_record(bytes_up=100, bytes_down=1000, events=10))
    assert traffic.read([]) == before


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 99), st.integers(0, 9), st.integers(0, 99))))
def test_it_never_goes_back(steps: list[tuple[bool, int, int, int]]) -> None:
    traffic, told = Traffic(), Totals()
    for over, size, events, up in steps:
        if over:
            traffic.add(build_record(bytes_up=up, bytes_down=size, events=events))
        now = traffic.read([] if over else [build_flowing(size, events, up)])
        assert all(new >= old for new, old in zip(now, told, strict=True))
        told = now
