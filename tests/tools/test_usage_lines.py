"""Sums as a table, as JSON, as CSV."""

import csv
import io
import json
from typing import Any

from proxy.store.entries import SUMS
from proxy.tools.usage_lines import Report, format_csv, format_json, format_table
from tests.helpers.entries import NOON


def row(*keys: str | None, **sums: Any) -> tuple[Any, ...]:
    return (*keys, *(sums.get(name, None if name == "cost" else 0) for name in SUMS))


TWO = Report(
    NOON,
    ("client", "model"),
    [
        row("alice", "gpt-5", requests=1200, failed=2, input=3_456_789, cached=1000, output=98_765, cost=12.345678),
        row(None, "m", requests=1),
    ],
    row(requests=1201, failed=2, input=3_456_789, cached=1000, output=98_765, cost=12.345678),
)


def test_a_table_has_a_line_for_each_and_the_total() -> None:
    assert format_table(TWO) == "\n".join([
        "CLIENT  MODEL  REQUESTS  FAILED      INPUT  CACHED  OUTPUT     COST",
        "alice   gpt-5     1,200       2  3,456,789   1,000  98,765  12.3457",
        "-       m             1       0          0       0       0",
        "total             1,201       2  3,456,789   1,000  98,765  12.3457",
    ])  # fmt: skip


def test_one_line_needs_no_total_and_nought_no_column() -> None:
    only = row("m", requests=3)
    assert format_table(Report(NOON, ("model",), [only], only[1:])).splitlines() == [
        "MODEL  REQUESTS  INPUT  OUTPUT", "m             3      0       0",
    ]  # fmt: skip


def test_nothing_is_said() -> None:
    assert format_table(Report(NOON, ("model",), [], row())) == "no requests since 2026-11-21T12:00:00Z"


def test_a_terminal_is_not_driven_by_a_model_s_name() -> None:
    shown = format_table(Report(NOON, ("model",), [row("\x1b[2J\u202em\n")], row()))
    assert "\x1b" not in shown
    assert len(shown.splitlines()) == 2
    assert "\u202e" not in shown


def test_json_has_everything() -> None:
    found = json.loads(format_json(TWO))
    assert (found["since"], found["by"]) == ("2026-11-21T12:00:00Z", ["client", "model"])
    assert found["rows"][0] == {
        "client": "alice", "model": "gpt-5", "requests": 1200, "failed": 2, "input": 3456789, "cached": 1000,
        "output": 98765, "reasoning": 0, "not_reported": 0, "cost": 12.345678,
    }  # fmt: skip
    assert (found["rows"][1]["client"], found["rows"][1]["cost"]) == (None, None)
    assert found["total"]["requests"] == 1201


def test_csv_has_a_head_and_whole_numbers() -> None:
    head, first, second = csv.reader(io.StringIO(format_csv(TWO)))
    assert head == ["client", "model", *SUMS]
    assert first == ["alice", "gpt-5", "1200", "2", "3456789", "1000", "98765", "0", "0", "12.345678"]
    assert second == ["", "m", "1", "0", "0", "0", "0", "0", "0", ""]


def test_a_spreadsheet_gets_no_formula() -> None:
    rows = [row(name) for name in ("=1+1", "+1", "-1", "@x", 'a"b,c')]
    names = [line[0] for line in csv.reader(io.StringIO(format_csv(Report(NOON, ("model",), rows, row()))))]
    assert names == ["model", "'=1+1", "'+1", "'-1", "'@x", 'a"b,c']
