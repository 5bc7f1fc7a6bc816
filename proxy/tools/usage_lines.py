"""The sums of a ledger as a table for people, as JSON or as CSV. Pure: a Report in, text out.

What a caller or a provider named a model must not drive the terminal, or a spreadsheet: it is escaped, and a cell that
a spreadsheet would take for a formula begins with an apostrophe (owasp.org/www-community/attacks/CSV_Injection).
"""

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from proxy.store.entries import SUMS, Value
from proxy.tools.event_lines import escape

_NONE: Final = "-"
_ALWAYS: Final = frozenset({"requests", "input", "output"})
"""Sums that are shown also where all of them are nought."""

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Report:
    """since: seconds since the epoch. rows: the values of `by`, then SUMS. total: SUMS."""

    since: float
    by: tuple[str, ...]
    rows: Sequence[tuple[Value, ...]]
    total: tuple[Value, ...]


def format_table(report: Report) -> str:
    """A line for each row; one with the total where there are several."""
    if not report.rows:
        return f"no requests since {_format_moment(report.since)}"
    heads, count = (*report.by, *SUMS), len(report.by)
    lines = [[head.upper().replace("_", "-") for head in heads]]
    lines += [[_show(head, value) for head, value in zip(heads, row, strict=True)] for row in report.rows]
    if len(report.rows) > 1:
        total = [_show(head, value) for head, value in zip(SUMS, report.total, strict=True)]
        lines.append(["total", *[""] * (count - 1), *total])
    shown = [
        at
        for at, head in enumerate(heads)
        if at < count or head in _ALWAYS or any(row[at] for row in report.rows)
    ]  # fmt: skip
    widths = {at: max(len(line[at]) for line in lines) for at in shown}
    return "\n".join("  ".join(_align(at < count)(line[at], widths[at]) for at in shown).rstrip() for line in lines)


def format_json(report: Report) -> str:
    return json.dumps(
        {
            "since": _format_moment(report.since),
            "by": report.by,
            "rows": [_name((*report.by, *SUMS), row) for row in report.rows],
            "total": _name(SUMS, report.total),
        },
        indent=2,
    )


def format_csv(report: Report) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow((*report.by, *SUMS))
    writer.writerows([_guard(value) for value in row] for row in report.rows)
    return out.getvalue().removesuffix("\n")


def _name(heads: Sequence[str], row: Sequence[Value]) -> dict[str, Any]:
    return dict(zip(heads, row, strict=True))


def _show(head: str, value: Value) -> str:
    if value is None:
        return "" if head in SUMS else _NONE
    if head == "cost":
        return f"{value:.4f}"
    return f"{value:,}" if isinstance(value, int) else escape(str(value))


def _guard(value: Value) -> Value:
    if isinstance(value, str):
        text = escape(value)
        return f"'{text}" if text.startswith(_FORMULA) else text
    return value


def _align(left: bool) -> Callable[[str, int], str]:
    return str.ljust if left else str.rjust


def _format_moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
