"""Do the books agree? Every function takes two of them and returns what they do not agree in, in words; [] is good.

Lines are what the access log says, rows what the ledger holds, and a scrape what the metrics say; products are the
upstream's own, calls what the callers saw.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from proxy.demo.produced import End, Product
from proxy.ops.log import AccessLine
from proxy.ops.metrics.labels import OPERATIONS
from tests.books.callers import Call
from tests.books.house import Family
from tests.books.plans import Leave

Row = dict[str, Any]
Sums = Mapping[tuple[str, ...], float]

RENAMED: Final = {
    "request_id": "id", "tokens_in": "input", "tokens_cached": "cache_read", "tokens_cache_write": "cache_write",
    "tokens_out": "output", "tokens_reasoning": "reasoning", "usage_source": "source",
}  # fmt: skip
"""Fields of a line to columns."""

SAID_OTHERWISE: Final = {"level", "ts"}
GOOD: Final = ("done", "late_cut")
ROUNDED: Final = 0.05
"""Milliseconds by which a time in a row is off at most."""

PLAIN: Final = ("won", "lost", "failed")
"""Outcomes of an attempt that may be a request's only one."""

KINDS: Final = ("input", "cache_read", "output", "reasoning")


def read_line(fields: Row) -> AccessLine:
    return msgspec.convert(fields, AccessLine)


def compare_rows(lines: Sequence[AccessLine], rows: Sequence[Row]) -> list[str]:
    """The ledger has a row for every line, and no other, and each says the same."""
    told, kept = {line.request_id: line for line in lines}, {row["id"]: row for row in rows}
    found = [f"{len(lines)} lines, {len(told)} ids, {len(rows)} rows, {len(kept)} ids"]
    found = found if len({len(lines), len(told), len(rows), len(kept)}) != 1 else []
    found += [f"only in one book: {name}" for name in told.keys() ^ kept.keys()]
    for name in told.keys() & kept.keys():
        line, row = told[name], kept[name]
        for field in AccessLine.__struct_fields__:
            if field in SAID_OTHERWISE:
                continue
            said, held = msgspec.to_builtins(getattr(line, field)), row[RENAMED.get(field, field)]
            if (json.loads(held) if field == "trail" and held else held) != said:
                found.append(f"{name} {field}: line {said!r}, row {held!r}")
    return found


def compare_sums(what: str, one: Sums, other: Sums) -> list[str]:
    """Two sums by labels; amounts of money may differ in the last digits, since they were added in another order."""
    return [
        f"{what} {key}: {one.get(key, 0)} and {other.get(key, 0)}"
        for key in one.keys() | other.keys()
        if abs(one.get(key, 0) - other.get(key, 0)) > 1e-9 * max(1.0, abs(one.get(key, 0)))
    ]


def add_up(rows: Iterable[Row], key: Callable[[Row], tuple[str, ...] | None], value: Callable[[Row], Any]) -> Sums:
    sums: dict[tuple[str, ...], float] = defaultdict(float)
    for row in rows:
        name, amount = key(row), value(row)
        if name is not None and amount:
            sums[name] += amount
    return sums


def compare_metrics(lines: Sequence[AccessLine], rows: Sequence[Row], scrape: Family) -> list[str]:
    found = compare_sums(
        "ends", scrape.add("penstock_stream_end_total", "reason"), Counter((row["end_reason"],) for row in rows)
    )
    found += _compare_attempts(lines, scrape)
    found += _compare_tokens(rows, scrape)
    for name, column in (
        ("rescues", "rescues"), ("hedges", "hedges"), ("heartbeats", "heartbeats"), ("malformed_events", "malformed"),
        ("events", "events"),
    ):  # fmt: skip
        told = scrape.add(f"penstock_{name}_total")
        found += compare_sums(name, told, add_up(rows, lambda row: (), lambda row, at=column: row[at]))
    for direction, column in (("up", "bytes_up"), ("down", "bytes_down")):
        told = scrape.add("penstock_bytes_total", direction=direction)
        found += compare_sums(f"bytes {direction}", told, add_up(rows, lambda row: (), lambda row, at=column: row[at]))
    return found + _compare_times(rows, scrape)


def _compare_attempts(lines: Sequence[AccessLine], scrape: Family) -> list[str]:
    """A line has a trail where its attempts say more than the line: the outcomes that stand only there are compared
    too."""
    every, told = Counter[tuple[str, ...]](), Counter[tuple[str, ...]]()
    for line in lines:
        trail = [(attempt.provider, attempt.outcome) for attempt in line.trail or ()]
        told.update(pair for pair in trail if pair[1] not in ("", *PLAIN))
        every.update((provider,) for provider, _ in trail or [(line.provider or "", "")] * line.attempts)
    counted = scrape.add("penstock_upstream_attempts_total", "provider", "outcome")
    found = compare_sums("attempts", scrape.add("penstock_upstream_attempts_total", "provider"), every)
    return found + compare_sums("attempts", {pair: n for pair, n in counted.items() if pair[1] not in PLAIN}, told)


def _compare_tokens(rows: Sequence[Row], scrape: Family) -> list[str]:
    found: list[str] = []
    for kind in ("input", "output"):
        told = scrape.add("penstock_tokens_total", "gen_ai_provider_name", "source", gen_ai_token_type=kind)
        held = add_up(rows, lambda row: (row["provider"] or "", row["source"]), lambda row, at=kind: row[at])
        found += compare_sums(f"{kind} tokens", told, held)
        told = scrape.add("gen_ai_client_token_usage_sum", "gen_ai_provider_name", gen_ai_token_type=kind)
        reported = [row for row in rows if row["source"] == "reported"]
        held = add_up(reported, lambda row: (row["provider"] or "",), lambda row, at=kind: row[at])
        found += compare_sums(f"reported {kind} tokens", told, held)
    for kind in ("cache_read", "cache_write", "reasoning"):
        told = scrape.add("penstock_token_details_total", "gen_ai_provider_name", kind=kind)
        held = add_up(rows, lambda row: (row["provider"] or "",), lambda row, at=kind: row[at])
        found += compare_sums(f"{kind} tokens", told, held)
    told = scrape.add("penstock_cost_usd_total", "gen_ai_provider_name")
    return found + compare_sums(
        "cost", told, add_up(rows, lambda row: (row["provider"] or "",), lambda row: row["cost"])
    )


def compare_costs(rows: Sequence[Row], prices: Mapping[str, tuple[float, float, float]], told: str) -> list[str]:
    """By hand: the price of each token, once; `told` is a provider that says itself what it takes."""
    found: list[str] = []
    for row in rows:
        if row["source"] != "reported" or row["provider"] == told or row["rescues"]:
            continue
        read, cached, written = prices.get(f"{row['provider']}/*", prices["*/*"])
        held = row["cache_read"] or 0
        wanted = ((row["input"] - held) * read + held * cached + row["output"] * written) / 1e6
        if abs((row["cost"] or 0.0) - wanted) > 1e-9:
            found.append(f"{row['id']}: {row['cost']} is written down, {wanted} by hand")
    return found


def has_failed(row: Row) -> bool:
    """It went wrong, not because its client left, and not at the door."""
    if row["end_reason"] in ("refused", "limit"):
        return bool(row["attempts"])
    if row["end_reason"] == "done":
        return bool(row["status"] >= 500)
    return row["end_reason"] not in ("late_cut", "client_gone")


def compare_summary(rows: Sequence[Row], said: Any, by: Sequence[str]) -> list[str]:
    """What `penstock usage --json` says, and the rows."""
    found: list[str] = []
    sums = {
        "requests": lambda row: 1, "failed": has_failed,
        "input": lambda row: row["input"], "cached": lambda row: row["cache_read"], "output": lambda row: row["output"],
        "reasoning": lambda row: row["reasoning"], "cost": lambda row: row["cost"],
        "not_reported": lambda row: row["source"] in ("partial", "estimated"),
    }  # fmt: skip
    for name, read in sums.items():
        told = {tuple(row[key] or "" for key in by): row[name] or 0 for row in said["rows"] if row[name]}
        found += compare_sums(name, told, add_up(rows, lambda row: tuple(row[key] or "" for key in by), read))
        found += compare_sums(f"total {name}", {(): said["total"][name] or 0}, add_up(rows, lambda row: (), read))
    return found


def _name_operation(row: Row) -> tuple[str, ...] | None:
    name = OPERATIONS.get(row["route"]) or ("pass_through" if row["attempts"] else "")
    return (name,) if name and row["method"] in ("GET", "POST") else None


def _compare_times(rows: Sequence[Row], scrape: Family) -> list[str]:
    told = scrape.add("gen_ai_server_request_duration_seconds_count", "gen_ai_operation_name")
    found = compare_sums("requests", told, add_up(rows, _name_operation, lambda row: 1))
    told = scrape.add("gen_ai_server_time_to_first_token_seconds_count", "gen_ai_operation_name")
    held = add_up(rows, _name_operation, lambda row: row["ttft_ms"] is not None)
    found += compare_sums("first tokens", told, held)
    for name, column in (("request_duration", "duration_ms"), ("time_to_first_token", "ttft_ms")):
        told = scrape.add(f"gen_ai_server_{name}_seconds_sum", "gen_ai_operation_name")
        held = add_up(rows, _name_operation, lambda row, at=column: row[at])
        for key in told.keys() | held.keys():
            if abs(told.get(key, 0) * 1000 - held.get(key, 0)) > ROUNDED * len(rows):
                found.append(f"{name} {key}: {told.get(key)} s, {held.get(key)} ms")
    return found


def key_of(model: str) -> str:
    """What tells a request apart: the end of its model's name."""
    return model.rpartition("/")[2]


def compare_products(rows: Sequence[Row], products: Sequence[Product], providers: Mapping[str, str]) -> list[str]:
    """What the upstream says of each answer is what the ledger holds of it, token by token, and what the upstream has
    told to the end is in the ledger as told. providers: their names to the routes of the upstream."""
    answers: dict[tuple[str, str], list[Product]] = defaultdict(list)
    for product in products:
        if product.bill is not None:
            answers[product.route, key_of(product.bill.model)].append(product)
    found: list[str] = []
    for row in rows:
        route, key = providers.get(row["provider"] or "", ""), key_of(row["model_asked"])
        made = answers.pop((route, key), []) if key else []
        whole = any(product.end is End.COMPLETE for product in made)
        whole = whole or key.startswith("fin-")  # whose callers leave once all is told
        bills = {
            (product.bill.input, product.bill.cached, product.bill.output, product.bill.reasoning)
            for product in made
            if product.bill is not None
        }
        held = tuple(row[kind] or 0 for kind in KINDS)
        if row["source"] == "reported" and held not in bills:
            found.append(f"{row['id']} {key}: the ledger has {held} as reported, the upstream made {bills}")
        good = row["end_reason"] in GOOD and not row["rescues"]
        if whole and good and row["source"] != "reported":
            found.append(f"{row['id']} {key}: {bills} were told, the ledger has {held} as {row['source']!r}")
        found += _compare_sizes(row, made) if row["end_reason"] == "done" else []
    return found + _compare_visits(rows, products)


def _compare_sizes(row: Row, made: Sequence[Product]) -> list[str]:
    """Of a stream that came to its end, with nobody else's help."""
    if row["attempts"] != 1 or len(made) != 1 or made[0].end is not End.COMPLETE or not made[0].events:
        return []
    [product] = made
    streamed = product.bill is not None and product.bill.stream
    came, sent = (row["events"], row["bytes_down"]), (product.events, product.bytes)
    return (
        [f"{row['id']}: {came} events and bytes are written down, {sent} were sent"]
        if streamed and came != sent
        else []
    )


def _compare_visits(rows: Sequence[Row], products: Sequence[Product]) -> list[str]:
    """Every attempt came to the upstream, but for those to a dead port, and those whose caller left meanwhile; one on a
    kept connection that is closed without a word is sent once more."""
    tried, unsure = 0, 0
    again = sum(product.end is End.CUT and product.status is None for product in products)
    for row in rows:
        trail = json.loads(row["trail"]) if row["trail"] else []
        tried += row["attempts"] - sum(attempt["provider"] == "dead" for attempt in trail)
        unsure += row["end_reason"] in ("client_gone", "killed") and row["attempts"] > 0 and not row["status"]
        unsure += row["hedges"]  # the slower one is given up, at times before it was sent
    came = len(products)
    agree = tried - unsure <= came <= tried + again
    return [] if agree else [f"{tried} attempts, {unsure} unsure, {again} repeated; {came} came"]


def compare_calls(calls: Sequence[Call], rows: Sequence[Row]) -> list[str]:
    """What callers saw is what is written of them."""
    kept, found = {row["id"]: row for row in rows}, list[str]()
    for call in calls:
        if call.reply is None or call.id is None:
            continue
        row = kept.get(call.id)
        if row is None:
            found.append(f"{call.id} {call.plan.key}: an answer that nobody has written down")
            continue
        who = None if call.plan.caller == "nobody" else call.plan.caller
        wanted = {"status": call.reply.status, "client": who if row["client"] else None}
        if call.plan.leave is Leave.NEVER and call.whole:
            wanted["phase"] = ""
        if call.killed:
            wanted["end_reason"] = "killed"
        found += [
            f"{call.id} {call.plan.kind} {call.plan.key} {name}: seen {value!r}, written {row[name]!r}"
            for name, value in wanted.items()
            if row[name] != value
        ]
    return found
