"""The books agree: the access log, the ledger and the metrics of a real process, its callers and its upstream, over
thousands of requests that end in every way there is.
"""

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from tests.books.audit import (
    compare_calls,
    compare_costs,
    compare_metrics,
    compare_products,
    compare_rows,
    compare_summary,
    read_line,
)
from tests.books.callers import Call, call_all
from tests.books.house import BASES, PRICES, kept
from tests.books.plans import Leave, build_plans

AT_ONCE: Final = 64
SHOWN: Final = 20
"""Differences that are shown; one cause has hundreds."""

ENDS: Final = {"done", "client_gone", "upstream_cut", "error", "refused", "killed"}
RARE: Final = {"limit", "ttft", "progress"}
PHASES: Final = {"uploading", "waiting", "held", "streaming"}
SHARED: Final = ("requests", "failed", "input", "cached", "output", "reasoning")
"""Sums that the console and the command both have."""

PROVIDERS: Final = {**{name: name for name in BASES}, "limited": "openai-chat", "slow": "openai-chat"}


async def keep(folder: Path, count: int, seed: int, ends: set[str]) -> None:
    plans = list(build_plans(count, seed))
    async with kept(folder) as house:
        calls = await call_all(plans[: count // 2], house, AT_ONCE)
        calls += (await asyncio.gather(call_all(plans[count // 2 :], house, AT_ONCE), house.reload()))[0]
        await house.wait_lines(count)
        scrape, today = await house.scrape(), await house.watch_usage(count)
        await house.stop()
        summary = await house.read_summary("client", "provider")
        products = await house.read_products()
        lines, rows = [read_line(fields) for fields in house.lines], house.read_ledger()
    assert compare_rows(lines, rows)[:SHOWN] == []
    assert len(rows) == count
    assert compare_calls(calls, rows)[:SHOWN] == []
    assert compare_products(rows, products, PROVIDERS)[:SHOWN] == []
    assert compare_metrics(lines, rows, scrape)[:SHOWN] == []
    assert compare_costs(rows, PRICES, "openrouter")[:SHOWN] == []
    assert compare_summary(rows, summary, ["client", "provider"])[:SHOWN] == []
    assert {name: today["total"][name] for name in SHARED} == {name: summary["total"][name] for name in SHARED}
    check_mix(calls, rows, ends)


def check_mix(calls: list[Call], rows: list[dict[str, Any]], wanted: set[str]) -> None:
    """All of it has happened."""
    ends = Counter(row["end_reason"] for row in rows)
    phases = Counter(row["phase"] for row in rows)
    sources = Counter(row["source"] for row in rows)
    assert ends.keys() >= wanted, ends
    assert phases.keys() >= PHASES, phases
    assert set(sources) == {"", "reported", "partial", "estimated"}, sources
    assert sources["reported"] > len(rows) / 2, sources
    assert any(row["rescues"] for row in rows)
    if len(rows) > 1000:  # a hedge takes somebody who is slow, and among few there may be none
        assert any(row["hedges"] for row in rows)
    assert sum(row["attempts"] > 1 for row in rows) > len(rows) / 25
    assert {row["client"] for row in rows} == {None, "alice", "bob", "carol"}
    assert {row["provider"] for row in rows} >= set(BASES)
    succeeded = [call for call in calls if call.plan.kind == "ok"]
    well = [call for call in succeeded if call.reply is not None and call.reply.status == 200 and call.whole]
    assert len(well) > 0.95 * len(succeeded), "more than a fault's cool-downs explain"


async def test_the_books_agree(tmp_path: Path) -> None:
    await keep(tmp_path, 300, 1, ENDS)


async def test_what_is_under_way_at_the_end_is_in_the_books(tmp_path: Path) -> None:
    """The process is told to go: streams that do not end by then are ended, and nothing is left out."""
    plans = [plan for plan in build_plans(150, 3) if plan.kind in ("ok", "gone", "kill", "fo")]
    stays = [replace(plan, leave=Leave.NEVER) for plan in plans]
    async with kept(tmp_path) as house:
        calling = asyncio.ensure_future(call_all(stays, house, len(stays)))
        await house.wait_lines(sum(plan.kind == "ok" for plan in plans))
        await house.stop()
        calls = await calling
        lines, rows = [read_line(fields) for fields in house.lines], house.read_ledger()
        products = await house.read_products()
    assert compare_rows(lines, rows)[:SHOWN] == []
    assert compare_calls(calls, rows)[:SHOWN] == []
    assert compare_products(rows, products, PROVIDERS)[:SHOWN] == []
    assert len(rows) == len(stays)
    assert {row["end_reason"] for row in rows} >= {"done", "drain"}


@pytest.mark.long
async def test_the_books_agree_over_thousands_of_requests(tmp_path: Path) -> None:
    await keep(tmp_path, 5000, 2, ENDS | RARE)
