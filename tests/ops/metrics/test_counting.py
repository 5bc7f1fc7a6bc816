"""What a record moves."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.events import Usage
from proxy.ops.metrics.counting import Counting
from proxy.ops.metrics.families import Families
from proxy.ops.metrics.labels import ModelNames
from proxy.relay.outcome import EndReason, Record
from proxy.types import ProviderName
from tests.helpers.finished import build_attempt, build_mounted, build_record, build_refused, build_whole
from tests.helpers.scraped import Scrape, scrape

LABELS = (
    "error_type",
    "gen_ai_operation_name",
    "gen_ai_provider_name",
    "gen_ai_request_model",
    "gen_ai_response_model",
)
LIMITED = {"outcome": "account", "error": "rate_limit", "status": 429}


def count(*records: Record) -> Scrape:
    families = Families()
    counting = Counting(families, ModelNames(["fast", "m1", "m2"]))
    for record in records:
        counting.count(record)
    return scrape(families.collect())


def find_labels(found: Scrape, name: str) -> list[dict[str, str]]:
    return [dict(sample.labels) for sample in found.samples if sample.name == f"{name}_count"]


SERVER = {"gen_ai_operation_name": "chat", "gen_ai_provider_name": "up", "gen_ai_request_model": "fast",
          "gen_ai_response_model": "m1"}  # fmt: skip
CLIENT = SERVER | {"gen_ai_request_model": "m1"}


def test_a_stream_that_went_well() -> None:
    found = count(build_record())
    for name, value in (("request_duration", 5.01), ("time_to_first_token", 0.51)):
        assert find_labels(found, f"gen_ai_server_{name}_seconds") == [SERVER]
        assert found.one(f"gen_ai_server_{name}_seconds_sum") == value
    times = {"duration": 5.01 - 0.002, "time_to_first_chunk": 0.5, "time_per_output_chunk": 4.5 / 9}
    for name, value in times.items():
        assert find_labels(found, f"gen_ai_client_operation_{name}_seconds") == [CLIENT]
        assert found.one(f"gen_ai_client_operation_{name}_seconds_sum") == pytest.approx(value)
    assert found.one("penstock_overhead_seconds_sum") == pytest.approx(0.01)
    assert found.one("penstock_stream_end_total", reason="done") == 1
    assert found.find("penstock_upstream_attempts_total") == {("won", "up"): 1}
    assert found.find("penstock_cost_usd_total") == {("up", "m1"): 0.25}


def test_a_whole_answer_has_no_first_token() -> None:
    found = count(build_whole())
    assert found.one("gen_ai_server_request_duration_seconds_count") == 1
    assert found.one("gen_ai_client_operation_duration_seconds_count") == 1
    for name in ("gen_ai_server_time_to_first_token", "gen_ai_client_operation_time_to_first_chunk",
                 "gen_ai_client_operation_time_per_output_chunk"):  # fmt: skip
        assert found.find(f"{name}_seconds_count") == {}


def test_a_mount_names_no_model() -> None:
    found = count(build_mounted())
    wanted = {"gen_ai_operation_name": "pass_through", "gen_ai_provider_name": "up"}
    assert find_labels(found, "gen_ai_server_request_duration_seconds") == [wanted]
    assert find_labels(found, "gen_ai_client_operation_duration_seconds") == [wanted]
    assert found.find("penstock_upstream_attempts_total") == {("won", "up"): 1}


def test_a_request_that_was_refused_is_an_end_and_an_error() -> None:
    found = count(build_refused(error="unauthorized", status=401))
    assert found.one("penstock_stream_end_total", reason="refused") == 1
    assert find_labels(found, "gen_ai_server_request_duration_seconds") == [
        {"gen_ai_operation_name": "chat", "gen_ai_request_model": "fast", "error_type": "unauthorized"}
    ]
    assert found.find("gen_ai_client_operation_duration_seconds_count") == {}
    assert found.one("penstock_overhead_seconds_count") == 0


def test_a_request_that_came_to_no_route_is_an_end_and_nothing_else() -> None:
    found = count(build_refused(mount="", model_asked=""))
    assert found.total("penstock_stream_end_total") == 1
    assert found.find("gen_ai_server_request_duration_seconds_count") == {}


def test_each_attempt_is_an_operation() -> None:
    other = ProviderName("other")
    record = build_record(build_attempt(0.25, **LIMITED), build_attempt(1.0, started=1.0, provider=other, model="m2"),
                          provider=other, model="m2")  # fmt: skip
    found = count(record)
    assert found.find("gen_ai_client_operation_duration_seconds_count") == {
        ("rate_limit", "chat", "up", "m1"): 1, ("chat", "other", "m2", "m2"): 1,
    }  # fmt: skip
    assert found.find("gen_ai_client_operation_time_to_first_chunk_seconds_sum") == {("chat", "other", "m2", "m2"): 1.0}
    assert found.find("penstock_upstream_attempts_total") == {("account", "up"): 1, ("won", "other"): 1}
    assert found.find("penstock_tokens_total", gen_ai_token_type="input") == {("other", "m2", "reported"): 20}


def test_how_an_answer_ended_is_said_of_who_gave_it_too() -> None:
    found = count(build_record(end=EndReason.CLIENT_GONE))
    assert find_labels(found, "gen_ai_server_request_duration_seconds") == [SERVER | {"error_type": "client_gone"}]
    assert find_labels(found, "gen_ai_client_operation_duration_seconds") == [CLIENT | {"error_type": "client_gone"}]


@pytest.mark.parametrize("source", ["reported", "partial", "estimated"])
def test_only_what_a_provider_told_is_usage(source: str) -> None:
    usage = Usage(input=20, output=30, cache_read=5, cache_write=0, reasoning=7)
    found = count(build_record(usage=usage, usage_source=source))
    assert found.find("penstock_tokens_total", source=source) == {("up", "m1", "input"): 20, ("up", "m1", "output"): 30}
    assert found.find("penstock_token_details_total", source=source) == {
        ("up", "m1", "cache_read"): 5, ("up", "m1", "reasoning"): 7,
    }  # fmt: skip
    told = {("chat", "up", "m1", "m1", "input"): 20, ("chat", "up", "m1", "m1", "output"): 30}
    assert found.find("gen_ai_client_token_usage_sum") == (told if source == "reported" else {})


def test_usage_that_nobody_has_judged_is_no_provider_s_word() -> None:
    found = count(build_record(usage=Usage(output=3), usage_source=""))
    assert found.find("penstock_tokens_total") == {("up", "m1", "output", "estimated"): 3}


@pytest.mark.parametrize("cost", [None, 0.0])
def test_what_costs_nothing_has_no_cost(cost: float | None) -> None:
    assert count(build_record(cost=cost)).find("penstock_cost_usd_total") == {}


def test_what_was_spent_without_an_answer_is_not_lost() -> None:
    found = count(build_record(build_attempt(outcome="lost")))
    assert found.total("penstock_tokens_total") == 50
    assert found.total("penstock_cost_usd_total") == 0.25


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({"rescues": 2}, "rescues", 2), ({"hedges": 1}, "hedges", 1), ({"heartbeats": 5}, "heartbeats", 5),
        ({"malformed": 3}, "malformed_events", 3), ({"tap_failed": True}, "tap_failures", 1),
    ],
)  # fmt: skip
def test_what_is_rare_is_counted(fields: dict[str, Any], name: str, value: int) -> None:
    assert count(build_record()).one(f"penstock_{name}_total") == 0
    assert count(build_record(**fields), build_record()).one(f"penstock_{name}_total") == value


@pytest.mark.parametrize("reason", EndReason)
def test_every_end_is_counted(reason: EndReason) -> None:
    assert count(build_record(end=reason)).one("penstock_stream_end_total", reason=reason.value) == 1


def test_what_others_write_is_no_label() -> None:
    records = [
        build_record(build_attempt(model=f"t{n}"), model_asked=f"x{n}", model=f"y{n}") for n in range(100)
    ]  # fmt: skip
    found = count(*records)
    assert find_labels(found, "gen_ai_server_request_duration_seconds") == [
        SERVER | {"gen_ai_request_model": "other", "gen_ai_response_model": "other"}
    ]
    assert len(find_labels(found, "gen_ai_client_operation_duration_seconds")) == 1
    assert found.one("gen_ai_server_request_duration_seconds_count") == 100


WORDS = st.text(max_size=5)
TOKENS = st.none() | st.integers(0, 10**9)
RECORDS = st.builds(
    build_record,
    st.builds(build_attempt, outcome=st.sampled_from(["", "won", "lost", "rescued", "failed", "again"]), model=WORDS,
              status=st.sampled_from([None, 200, 429, 799]), seconds=st.floats(0, 1e6)),
    method=WORDS, mount=st.sampled_from(["", "/up", "/v1/messages"]), model=WORDS, model_asked=WORDS,
    end=st.none() | st.sampled_from(EndReason), error=WORDS, status=st.integers(0, 999), duration=st.floats(0, 1e6),
    ttft=st.none() | st.floats(0, 1e6), first_byte=st.none() | st.floats(0, 1e6), events=st.integers(0, 10**6),
    usage=st.none() | st.builds(Usage, TOKENS, TOKENS, TOKENS, TOKENS, TOKENS), usage_source=WORDS,
    cost=st.none() | st.floats(0, 1e6),
)  # fmt: skip


@given(st.lists(RECORDS, max_size=5))
def test_whatever_a_record_says_it_is_one_end(records: list[Record]) -> None:
    found = count(*records)
    assert found.total("penstock_stream_end_total") == len(records)
    assert found.total("penstock_upstream_attempts_total") <= len(records)
