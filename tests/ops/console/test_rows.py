"""A request in flight as a row: what is told of it, when it is told again, and how fast it is."""

import json
from typing import Any

import pytest

from proxy.edge.scope import Look, Scope
from proxy.ops.console.rows import Row
from proxy.relay.outcome import Phase
from proxy.types import AccountName, ProviderName
from tests.helpers.edge import build_house, build_scope


@pytest.fixture
def scope() -> Scope:
    made = build_scope(build_house())
    made.record.started, made.record.remote, made.record.method = 100.0, "10.0.0.1", "POST"
    made.record.mount, made.record.dialect, made.record.model_asked = "/v1/x", "openai-chat", "m"
    return made


def look(scope: Scope, size: int, events: int, substance: int, still: float = 0.0) -> None:
    scope.look = lambda: Look(size, events, substance, still, 0.0)


def read(row: Row, since: int = 0) -> Any:
    return json.loads(row.encode(since) or b"null")


def test_a_row_tells_who_and_where(scope: Scope) -> None:
    row = Row(scope.record)
    attempt = scope.record.begin(ProviderName("up"), AccountName("a"), 100.5, "m-1")
    attempt.status, attempt.outcome, scope.record.ttft = 200, "won", 0.75
    row.update(scope, 101.0, 1)
    assert read(row) == {
        "id": "req_1", "started": 100.0, "method": "POST", "remote": "10.0.0.1", "client": None, "route": "/v1/x",
        "dialect": "openai-chat", "model_asked": "m", "model": "", "provider": "up", "account": "a", "bytes_up": 0,
        "ttft_ms": 750.0, "rescues": 0, "hedges": 0,
        "trail": [{"provider": "up", "account": "a", "model": "m-1", "at_ms": 500.0, "ms": 0.0, "status": 200,
                   "outcome": "won"}],
        "phase": "accepted", "bytes_down": 0, "events": 0, "substance": 0, "per_second": 0.0, "moved": None,
    }  # fmt: skip


def test_what_has_not_changed_is_not_told_again(scope: Scope) -> None:
    row = Row(scope.record)
    row.update(scope, 101.0, 1)
    row.update(scope, 101.5, 2)
    assert row.seen == 2
    assert read(row, 1) is None
    look(scope, 100, 2, 1)
    row.update(scope, 102.0, 3)
    assert read(row, 2).keys() == {"id", "phase", "bytes_down", "events", "substance", "per_second", "moved"}
    scope.record.model = "m-2"
    row.update(scope, 102.0, 4)
    assert read(row, 3)["model"] == "m-2"
    assert "phase" not in read(row, 3)
    assert read(row, 2).keys() > {"phase", "model"}


def test_an_earlier_attempt_that_changes_is_told(scope: Scope) -> None:
    row = Row(scope.record)
    first = scope.record.begin(ProviderName("up"), None, 100.5)
    scope.record.begin(ProviderName("up"), None, 100.6)
    row.update(scope, 101.0, 1)
    first.outcome = "lost"
    row.update(scope, 101.0, 2)
    assert [entry.get("outcome") for entry in read(row, 1)["trail"]] == ["lost", None]


def test_the_rate_is_that_of_the_last_seconds(scope: Scope) -> None:
    row = Row(scope.record)
    rates = []
    for tenth in range(100):
        look(scope, tenth * 10, tenth, tenth if tenth < 50 else 50)
        row.update(scope, 100.0 + tenth / 10, tenth + 1)
        rates.append(read(row)["per_second"])
    assert (rates[0], rates[1], rates[49]) == (0.0, 10.0, 10.0)
    assert 4.0 < rates[60] < 6.0
    assert rates[75] == rates[99] == 0.0


def test_gaps_and_growth_are_those_since_the_sample_before(scope: Scope) -> None:
    row = Row(scope.record)
    row.update(scope, 100.0, 1)
    assert (row.streams, row.gap, row.grown) == (False, None, (0, 0))
    look(scope, 1000, 6, 5, 0.25)
    row.update(scope, 100.5, 2)
    assert (row.streams, row.gap, row.grown) == (True, None, (6, 1000))
    look(scope, 1500, 11, 10)
    row.update(scope, 101.0, 3)
    assert (row.gap, row.grown) == (pytest.approx(0.1), (5, 500))
    look(scope, 1500, 11, 10, 0.5)
    row.update(scope, 101.5, 4)
    assert (row.gap, row.grown) == (0.5, (0, 0))
    assert read(row)["moved"] == 101.0
    scope.record.events, scope.record.bytes_down = 12, 1600
    assert row.find_rest(scope.record) == (1, 100)


def test_a_mount_counts_events_because_it_does_not_know_the_answer(scope: Scope) -> None:
    scope.mount = build_house("/up").mounts[0]
    row = Row(scope.record)
    look(scope, 1000, 6, 1000)
    row.update(scope, 100.0, 1)
    assert read(row)["substance"] == 6


def test_a_second_answer_is_counted_anew(scope: Scope) -> None:
    row = Row(scope.record)
    for now, pieces in ((100.0, 50), (100.5, 60), (101.0, 2)):
        look(scope, 10, 10, pieces)
        row.update(scope, now, 1)
    assert (read(row)["per_second"], row.gap) == (0.0, None)


def test_between_two_answers_it_stands_where_it_was(scope: Scope) -> None:
    row = Row(scope.record)
    scope.record.phase = Phase.STREAMING
    look(scope, 10, 10, 60, 0.5)
    row.update(scope, 100.5, 1)
    scope.look, scope.record.phase = None, Phase.QUEUED
    scope.record.bytes_down, scope.record.events = 10, 10
    row.update(scope, 101.0, 2)
    told = read(row)
    assert (told["phase"], told["substance"], told["per_second"], told["moved"]) == ("queued", 60, 0.0, 100.0)
    assert row.streams is False


def test_one_that_is_not_shown_is_only_counted(scope: Scope) -> None:
    row = Row(scope.record)
    look(scope, 10, 10, 60)
    row.update(scope, 100.5, 1, shown=False)
    assert "method" not in read(row)
    assert row.grown == (10, 10)
    row.update(scope, 100.5, 2)
    assert (read(row, 1)["method"], read(row, 1)["substance"]) == ("POST", 60)
