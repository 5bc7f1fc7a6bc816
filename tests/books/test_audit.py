"""The audit finds what does not agree: small books that do, and the same with one entry changed."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from proxy.demo.produced import Bill, End, Product
from proxy.dialects.events import Usage
from proxy.ops.booking import build_entry
from proxy.ops.log import AccessLine, build_line
from proxy.relay.outcome import Attempt, EndReason, Record
from proxy.types import AccountName, ClientName, ProviderName, RequestId
from tests.books.audit import (
    compare_calls,
    compare_costs,
    compare_metrics,
    compare_products,
    compare_rows,
    compare_summary,
)
from tests.books.callers import Call
from tests.books.house import Family
from tests.books.plans import Plan
from tests.helpers.rawhttp import Reply

UP = ProviderName("anthropic")
ROUTES = {"anthropic": "anthropic"}
PRICES = {"*/*": (2.0, 1.0, 8.0)}


def build_record(number: int = 1, **fields: Any) -> Record:
    record = Record(RequestId(f"req_{number}"), 0.0, 1_700_000_000.25, method="POST", remote="127.0.0.1")
    told = {
        "client": ClientName("alice"), "mount": "/v1/messages", "dialect": "anthropic", "provider": UP, "status": 200,
        "end": EndReason.DONE, "ttft": 0.5, "duration": 2.0, "bytes_up": 10, "bytes_down": 90, "events": 3,
        "model_asked": f"anthropic/ok-{number}", "model": f"ok-{number}", "finish": "stop", "cost": 0.00025,
        "usage": Usage(30, 10, 0, 25, 5), "usage_source": "reported",
        "attempts": [Attempt(UP, AccountName("a"), 0.1, 200, outcome="won")],
    }  # fmt: skip
    for name, value in {**told, **fields}.items():
        setattr(record, name, value)
    return record


def build_books(*records: Record) -> tuple[list[AccessLine], list[dict[str, Any]]]:
    return [build_line(record, "info") for record in records], [
        msgspec.to_builtins(build_entry(record)) for record in records
    ]


def build_product(number: int = 1, **fields: Any) -> Product:
    bill = Bill(f"ok-{number}", True, True, 30, 10, 25, 5)
    return replace(Product(number, "anthropic", 200, 3, 90, End.COMPLETE, bill), **fields)


SCRAPE = {
    ("penstock_stream_end_total", "reason", "done"): 1, ("penstock_events_total",): 3,
    ("penstock_upstream_attempts_total", "provider", "anthropic", "outcome", "won"): 1,
    ("penstock_bytes_total", "direction", "up"): 10, ("penstock_bytes_total", "direction", "down"): 90,
    ("penstock_cost_usd_total", "gen_ai_provider_name", "anthropic"): 0.00025,
    ("gen_ai_server_request_duration_seconds_count", "gen_ai_operation_name", "chat"): 1,
    ("gen_ai_server_request_duration_seconds_sum", "gen_ai_operation_name", "chat"): 2.0,
    ("gen_ai_server_time_to_first_token_seconds_count", "gen_ai_operation_name", "chat"): 1,
    ("gen_ai_server_time_to_first_token_seconds_sum", "gen_ai_operation_name", "chat"): 0.5,
    **{
        ("penstock_token_details_total", "gen_ai_provider_name", "anthropic", "kind", kind): count
        for kind, count in (("cache_read", 10), ("reasoning", 5))
    },
    **{
        (name, "gen_ai_provider_name", "anthropic", "gen_ai_token_type", kind, "source", "reported"): count
        for name in ("penstock_tokens_total", "gen_ai_client_token_usage_sum")
        for kind, count in (("input", 30), ("output", 25))
    },
}  # fmt: skip


def build_scrape(samples: dict[tuple[str, ...], float]) -> Family:
    return Family({
        (name, frozenset(zip(rest[::2], rest[1::2], strict=True))): value for (name, *rest), value in samples.items()
    })  # fmt: skip


def test_rows_and_lines() -> None:
    lines, rows = build_books(build_record(1), build_record(2))
    assert compare_rows(lines, rows) == []
    assert compare_rows(lines, rows[:1])
    assert compare_rows(lines[:1], rows)
    assert compare_rows(lines, [*rows, rows[0]])
    for column in rows[0]:
        if column not in ("started", "id"):
            assert compare_rows(lines, [{**rows[0], column: "[1]"}, rows[1]]), column


@pytest.mark.parametrize("sample", SCRAPE, ids=lambda sample: f"{sample[0]} {sample[-1]}")
def test_metrics(sample: tuple[str, ...]) -> None:
    lines, rows = build_books(build_record())
    assert compare_metrics(lines, rows, build_scrape(SCRAPE)) == []
    assert compare_metrics(lines, rows, build_scrape({**SCRAPE, sample: SCRAPE[sample] + 1}))
    assert compare_metrics(lines, rows, build_scrape({**SCRAPE, sample: 0}))


def test_attempts_that_a_line_tells_one_by_one() -> None:
    lost = Attempt(ProviderName("openai"), None, 0.1, 503, "overloaded", outcome="target")
    lines, rows = build_books(build_record(attempts=[lost, Attempt(UP, None, 0.1, 200, outcome="won")]))
    told = {("penstock_upstream_attempts_total", "provider", "openai", "outcome", "target"): 1.0}
    other = {("penstock_upstream_attempts_total", "provider", "openai", "outcome", "again"): 1.0}
    assert compare_metrics(lines, rows, build_scrape({**SCRAPE, **told})) == []
    assert compare_metrics(lines, rows, build_scrape({**SCRAPE, **other}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"usage": Usage(30, 10, 0, 26, 5)},
        {"usage": Usage(30, 9, 0, 25, 5)},
        {"usage_source": "estimated"},
        {"usage_source": "", "usage": None},
        {"events": 4},
        {"bytes_down": 91},
        {"attempts": [Attempt(UP, None), Attempt(UP, None)]},
        {"attempts": []},
        {"model_asked": "anthropic/ok-2"},
    ],
    ids=str,
)
def test_products(wrong: dict[str, Any]) -> None:
    assert compare_products(build_books(build_record())[1], [build_product()], ROUTES) == []
    assert compare_products(build_books(build_record(**wrong))[1], [build_product()], ROUTES)


def test_an_answer_that_broke_off_need_not_be_known() -> None:
    _, rows = build_books(build_record(usage_source="partial", end=EndReason.UPSTREAM_CUT))
    assert compare_products(rows, [build_product(end=End.CUT)], ROUTES) == []


@pytest.mark.parametrize(("status", "id", "good"), [(200, "req_1", True), (502, "req_1", False), (200, "req_2", False)])
def test_calls(status: int, id: str, good: bool) -> None:  # noqa: A002
    _, rows = build_books(build_record())
    plan = Plan("ok", "ok-1", "/v1/messages")
    reply = Reply(status, {"x-penstock-request-id": id})
    assert (compare_calls([Call(plan, reply, True)], rows) == []) is good
    assert compare_calls([Call(replace(plan, caller="bob"), reply, True)], rows)
    assert compare_calls([Call(plan, reply, True, killed=True)], rows)


def test_costs() -> None:
    _, rows = build_books(build_record())
    assert compare_costs(rows, PRICES, "openrouter") == []
    assert compare_costs(rows, {"*/*": (2.0, 2.0, 8.0)}, "openrouter")
    assert compare_costs(rows, {**PRICES, "anthropic/*": (2.0, 1.0, 9.0)}, "openrouter")


@pytest.mark.parametrize("column", ["requests", "failed", "input", "cached", "output", "reasoning", "cost"])
def test_summaries(column: str) -> None:
    sums = {"requests": 1, "failed": 0, "input": 30, "cached": 10, "output": 25, "reasoning": 5, "not_reported": 0}
    row = {"client": "alice", **sums, "cost": 0.00025}
    _, rows = build_books(build_record())
    assert compare_summary(rows, {"rows": [row], "total": row}, ["client"]) == []
    assert compare_summary(rows, {"rows": [{**row, column: 7}], "total": row}, ["client"])
    assert compare_summary(rows, {"rows": [row], "total": {**row, column: 7}}, ["client"])
