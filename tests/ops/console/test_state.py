"""The state that viewers are told: whole at first, then what is newer than what they have."""

import json
from typing import Any

import pytest

from proxy.accounts.board import Board
from proxy.accounts.book import AccountRow
from proxy.config.load import build_config
from proxy.edge.scope import Look, Scope
from proxy.edge.streams import Streams
from proxy.ops.console import state as module
from proxy.ops.console.state import State
from proxy.relay.outcome import EndReason
from proxy.types import AccountName, ProviderName, RequestId
from tests.helpers.cooldowns import build_cooldown, build_spot
from tests.helpers.edge import build_house, build_scope

UP = {"up": {"dialect": "openai-chat", "base_url": "https://up.example/v1"}}


class Bench:
    """A state over streams that a test makes, and a clock that it moves."""

    def __init__(self) -> None:
        self.streams, self.board, self.house = Streams(), Board(), build_house()
        self.rows = {ProviderName("up"): [AccountRow(AccountName("a"))]}
        self.state = State(build_config([("test", {"providers": UP})], {}), self.streams, self.board, lambda: self.rows)
        self.now = 100.0

    def start(self, name: str) -> Scope:
        scope = build_scope(self.house)
        scope.record.id, scope.record.started = RequestId(name), self.now
        self.streams.enter(scope)
        return scope

    def end(self, scope: Scope, reason: EndReason = EndReason.DONE, *, watched: bool = True) -> None:
        self.streams.leave(scope)
        scope.record.close(reason)
        scope.record.duration = self.now - scope.record.started
        self.state.note(scope.record, watched=watched)

    def sample(self) -> int:
        self.now += 0.5
        self.state.sample(self.now, self.now + 1e9)
        return self.state.version

    def read(self, since: int | None = None) -> Any:
        return json.loads(self.state.build(since, self.now, self.now + 1e9))


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_snapshot_has_everything(bench: Bench) -> None:
    bench.start("a")
    bench.sample()
    told = bench.read()
    assert told.keys() == {
        "boot", "version", "place", "content", "clock", "now", "draining", "streams", "hidden", "providers", "routes",
        "mounts", "failures", "usage", "rates",
    }  # fmt: skip
    assert (told["boot"], told["clock"], told["now"]) == (bench.state.boot, 100.5, 1000000100.5)
    assert [row["id"] for row in told["streams"]] == ["a"]
    assert (told["content"], told["draining"], told["hidden"], told["usage"]) == (False, False, 0, None)
    assert [provider["provider"] for provider in told["providers"]] == ["up"]
    assert [route["name"] for route in told["routes"]] == ["up/*"]
    assert len(told["rates"]) == 1


@pytest.mark.parametrize(
    ("admin", "place"), [("unix:/run/penstock/blue/admin.sock", "blue/admin.sock"), ("127.0.0.1:8089", "")]
)
def test_a_snapshot_tells_which_of_several_processes_it_is(admin: str, place: str) -> None:
    config = build_config([("test", {"server": {"admin": admin}, "providers": UP})], {})
    state = State(config, Streams(), Board(), dict)
    assert json.loads(state.build(None, 0.0, 0.0))["place"] == place


def test_an_empty_snapshot_has_empty_lists(bench: Bench) -> None:
    told = bench.read()
    assert all(told[name] == [] for name in ("streams", "providers", "failures", "rates"))


def test_changes_have_what_has_changed_and_nothing_else(bench: Bench) -> None:
    bench.start("a")
    since = bench.sample()
    bench.sample()
    assert bench.read(since).keys() == {"clock", "now", "rates"}
    bench.start("b").look = lambda: Look(10, 2, 1, 0.0, 0.0)
    bench.streams.draining = True
    bench.sample()
    told = bench.read(since)
    assert ([row["id"] for row in told["streams"]], told["draining"], len(told["rates"])) == (["b"], True, 2)
    assert bench.read(bench.state.version).keys() == {"clock", "now"}


def test_who_comes_late_gets_the_latest_state_only(bench: Bench) -> None:
    scope = bench.start("a")
    since = bench.sample()
    for pieces in range(20):
        scope.look = lambda pieces=pieces: Look(pieces, pieces, pieces, 0.0, 0.0)  # type: ignore[misc]
        bench.sample()
    (row,) = bench.read(since)["streams"]
    assert row["substance"] == 19


def test_an_end_is_told(bench: Bench) -> None:
    scope = bench.start("a")
    since = bench.sample()
    bench.end(scope, EndReason.KILLED)
    bench.sample()
    told = bench.read(since)
    assert [(gone["id"], gone["end_reason"]) for gone in told["gone"]] == [("a", "killed")]
    assert [line["request_id"] for line in told["failures"]] == ["a"]
    assert "streams" not in told
    assert "gone" not in bench.read()
    assert (told["rates"][0]["finished"], told["rates"][0]["failed"]) == (1, 1)


def test_of_an_end_that_nobody_saw_only_that_is_told(bench: Bench) -> None:
    scope = bench.start("a")
    since = bench.sample()
    bench.end(scope, watched=False)
    bench.sample()
    assert bench.read(since)["gone"] == [{"id": "a"}]


def test_short_requests_are_counted_and_are_no_rows(bench: Bench) -> None:
    since = bench.sample()
    scope = bench.start("a")
    scope.record.events, scope.record.bytes_down, scope.record.ttft = 10, 500, 0.2
    bench.end(scope)
    bench.sample()
    told = bench.read(since)
    assert told.keys() == {"clock", "now", "rates"}
    (rates,) = told["rates"]
    assert (rates["started"], rates["finished"], rates["failed"], rates["streams"]) == (1, 1, 0, 0)
    assert (rates["events_per_s"], rates["bytes_per_s"], rates["ttft_ms"]) == (20.0, 1000.0, [200.0])


def test_what_flows_is_counted_once(bench: Bench) -> None:
    bench.sample()
    scope = bench.start("a")
    scope.look = lambda: Look(500, 10, 10, 0.0, 0.0)
    scope.record.ttft = 0.1
    bench.sample()
    scope.look = lambda: Look(1000, 20, 20, 0.0, 0.0)
    bench.sample()
    scope.look, scope.record.events, scope.record.bytes_down = None, 25, 1250
    bench.end(scope)
    bench.sample()
    rates = bench.read(1)["rates"]
    assert [sample["events_per_s"] for sample in rates] == [20.0, 20.0, 10.0]
    assert [sample["bytes_per_s"] for sample in rates] == [1000.0, 1000.0, 500.0]
    assert [sample["ttft_ms"] for sample in rates] == [[100.0], [], []]
    assert [sample["streaming"] for sample in rates] == [1, 1, 0]
    assert [sample["started"] for sample in rates] == [1, 0, 0]
    assert rates[1]["gap_ms"] == {"p50": 50.0, "p95": 50.0, "max": 50.0}


def test_what_came_before_anybody_looked_is_no_news(bench: Bench) -> None:
    scope = bench.start("a")
    scope.look = lambda: Look(50000, 1000, 1000, 0.0, 0.0)
    scope.record.ttft = 0.1
    bench.now += 60
    bench.sample()
    (rates,) = bench.read()["rates"]
    assert (rates["events_per_s"], rates["ttft_ms"], rates["streams"]) == (0.0, [], 1)


def test_failures_are_remembered_while_nobody_looks(bench: Bench) -> None:
    since = bench.sample()
    bench.end(bench.start("a"), EndReason.ERROR, watched=False)
    bench.sample()
    assert [line["request_id"] for line in bench.read(since)["failures"]] == ["a"]
    assert bench.read()["failures"][0]["end_reason"] == "error"


def test_a_failure_is_told_once(bench: Bench) -> None:
    since = bench.sample()
    bench.end(bench.start("a"), EndReason.ERROR)
    assert bench.read()["failures"] == []  # it is of the next version, and told with that
    assert "failures" not in bench.read(since)
    bench.sample()
    assert len(bench.read(since)["failures"]) == 1


def test_the_oldest_are_shown_and_all_are_counted(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 2)
    scopes = []
    for name in "abcd":
        bench.now += 0.01
        scopes.append(bench.start(name))
    since = bench.sample()
    told = bench.read()
    assert ([row["id"] for row in told["streams"]], told["hidden"]) == (["a", "b"], 2)
    assert told["rates"][0]["streams"] == 4
    bench.end(scopes[0])
    bench.sample()
    told = bench.read(since)
    assert ([row["id"] for row in told["streams"]], told["hidden"]) == (["c"], 1)
    assert told["streams"][0].keys() >= {"method", "phase"}


def test_a_cooldown_is_told_and_its_countdown_is_not(bench: Bench) -> None:
    since = bench.sample()
    mark = bench.board.account(ProviderName("up"), "a").mark
    now = bench.now + 1e9
    bench.board.cool(build_cooldown(build_spot("a"), since=now, until=now + 600, mark=mark))
    for _ in range(2):
        bench.sample()
    (provider,) = bench.read(since)["providers"]
    assert provider["accounts"][0]["state"] == "cooling"
    since = bench.state.version
    for _ in range(4):
        bench.sample()
    assert "providers" not in bench.read(since)


def test_providers_that_come_and_go_are_told_whole(bench: Bench) -> None:
    since = bench.sample()
    bench.rows = {ProviderName("other"): [AccountRow(None)], **bench.rows}
    for _ in range(2):
        bench.sample()
    told = bench.read(since)
    assert [provider["provider"] for provider in told["providers"]] == ["other", "up"]
    assert told["providers_all"] is True
    del bench.rows[ProviderName("other")]
    since = bench.state.version
    for _ in range(2):
        bench.sample()
    assert [provider["provider"] for provider in bench.read(since)["providers"]] == ["up"]
    assert "providers_all" not in bench.read()


def test_another_configuration_is_told(bench: Bench) -> None:
    since = bench.sample()
    config = {"providers": UP, "models": {"fast": {"targets": ["up/x"]}}, "console": {"content": True}}
    bench.state.configure(build_config([("test", config)], {}))
    bench.state.put("usage", {"day": "2026-01-01"})
    assert "routes" not in bench.read(bench.state.version + 1)
    bench.sample()
    told = bench.read(since)
    assert ([route["name"] for route in told["routes"]], told["content"]) == (["fast", "up/*"], True)
    assert told["usage"] == {"day": "2026-01-01"}
    assert "mounts" not in told


def test_a_viewer_goes_on_from_where_it_was(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    state = bench.state
    bench.sample()
    assert state.find_version(f"{state.boot}.1") == 1
    for strange in ("", "1", f"{state.boot}", f"{state.boot}.", f"{state.boot}.2", f"{state.boot}.-1", "00000000.1",
                    f"{state.boot}.{'9' * 20}", f"{state.boot}.²"):  # fmt: skip
        assert state.find_version(strange) is None


def test_too_much_may_have_been_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_GONE", 2)
    bench = Bench()
    for name in "abc":
        scope = bench.start(name)
        bench.sample()
        bench.end(scope)
    bench.sample()
    versions = [bench.state.find_version(f"{bench.state.boot}.{version}") for version in range(1, 5)]
    assert versions == [None, 2, 3, 4]


def test_rates_are_kept_for_a_while(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(module.MOST_RATES + 3):
        bench.sample()
    assert len(bench.read()["rates"]) == module.MOST_RATES


def test_a_name_that_is_no_unicode_is_shown_all_the_same(bench: Bench) -> None:
    bench.start("a").record.model_asked = "\ud800"
    bench.sample()
    assert bench.read()["streams"][0]["model_asked"] == "\ud800"
