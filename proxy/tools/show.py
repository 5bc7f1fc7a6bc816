"""`penstock show FILE`: a cassette as people read it: who was asked, each event with the gap before it and what it says
in its dialect, and a plot of the gaps.

`--json` prints an object per event, `--raw` the events as they came, `--body` the bytes of the answer and nothing else:
what a recording was made of. What a provider sent must not drive the terminal, so nothing unprintable is printed but
with `--body`.
"""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Final

from proxy.dialects.registry import PROVIDERS
from proxy.tools.cassette_events import Moment, list_moments
from proxy.tools.cassette_file import CassetteError, add_cassette_options, open_cassette
from proxy.tools.event_lines import INDENT, escape
from proxy.tools.exits import OK
from proxy.tools.gap_plot import format_seconds, plot_gaps
from proxy.tools.replay_server import describe
from proxy.wire.cassette import Cassette, Take

LONGEST: Final = 400
"""Characters of what one event says; --raw and --json have all of it."""

PLOT_WIDTH: Final = 100
"""Columns of the plot at most, and where the output is no terminal."""


def fill(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_cassette_options(parser)
    parser.add_argument("--take", type=int, metavar="N", help="this attempt only")
    parser.add_argument("--as", dest="dialect", choices=tuple(PROVIDERS), help="read it as this dialect's")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--raw", action="store_true", help="the events as they came, without their meaning")
    form.add_argument("--json", action="store_true", help="one JSON object per event")
    form.add_argument("--body", action="store_true", help="the bytes of the answer, the last attempt's unless --take")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    cassette = open_cassette(options, os.environ)
    takes = [take for take in cassette.takes if options.take in (None, take.number)]
    if not takes:
        raise CassetteError(f"{options.file}: there is no take {options.take}; it has {len(cassette.takes)}")
    if options.body:
        sys.stdout.buffer.write(takes[-1].answer)
        sys.stdout.buffer.flush()
        return OK
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    for line in _list_lines(cassette, takes, options):
        print(line)
    return OK


def _list_lines(cassette: Cassette, takes: Sequence[Take], options: argparse.Namespace) -> Iterator[str]:
    if options.json:
        for take in takes:
            yield from format_json(take, options.dialect or take.asked.dialect)
        return
    yield from format_about(cassette)
    plain = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    width = min(shutil.get_terminal_size((PLOT_WIDTH, 24)).columns, PLOT_WIDTH)
    for take in takes:
        yield from format_take(take, options.dialect or take.asked.dialect, raw=options.raw)
        known = bool(cassette.about.request_id)  # of a bare body nobody knows when it came
        plot = plot_gaps([at for at, _ in take.data], width, plain=plain) if known else []
        yield from ["", *plot] if plot else []


def format_about(cassette: Cassette) -> Iterator[str]:
    about, outcome = cassette.about, cassette.outcome or {}
    names = {"client": about.client, "route": about.route, "dialect": about.dialect, "model": about.model}
    words = [f"{name} {escape(value)}" for name, value in names.items() if value]
    if about.request_id:
        yield "  ".join([escape(about.request_id), *words])
    if outcome:
        shown = ("status", "end_reason", "error", "detail", "ttft_ms", "duration_ms")
        yield "  ".join(f"{name} {escape(str(outcome[name]))}" for name in shown if outcome.get(name))
    elif about.request_id:
        yield "the recording broke off: what became of the request is not in it"


def format_take(take: Take, dialect: str, *, raw: bool) -> Iterator[str]:
    yield ""
    yield escape(f"take {take.number}: {_describe_asked(take)}")
    if take.head is not None and take.answered is not None:
        yield f"{_gap(take.answered - take.begun)}  head: {escape(describe(take))}"
        yield from (escape(f"{INDENT}{name}: {value}") for name, value in take.head.headers)
    for moment in list_moments(take, dialect):
        yield from _format_moment(moment, raw=raw)
    if take.end is not None and take.ended is not None:
        before = max([take.begun, *(at for at, _ in take.data)])
        told = " ".join(filter(None, (take.end.how, take.end.code, take.end.detail)))
        yield f"{_gap(take.ended - before)}  end: {escape(told)}"


def _describe_asked(take: Take) -> str:
    asked = take.asked
    provider = asked.provider + (f"/{asked.account}" if asked.account else "")
    who = " ".join(filter(None, (provider, asked.model)))
    if not asked.method:
        return who
    return f"{who} at {format_seconds(take.begun)}: {asked.method} {asked.target}"


def format_json(take: Take, dialect: str) -> Iterator[str]:
    for moment in list_moments(take, dialect):
        fields: dict[str, Any] = {
            "take": take.number, "at_ms": round(moment.at * 1000, 3), "gap_ms": round(moment.gap * 1000, 3),
            "bytes": moment.size, "type": moment.type, "data": moment.data, "means": moment.means,
        }  # fmt: skip
        yield json.dumps(fields).replace("\x7f", "\\u007f")


def _format_moment(moment: Moment, *, raw: bool) -> Iterator[str]:
    told = "" if raw else " · ".join(moment.means)
    kind = moment.type if moment.type not in (None, "message") else ""
    if not told:
        told = " ".join(filter(None, (kind, moment.data))) if moment.data is not None else " ".join(moment.means)
    lines = [escape(line) for line in (told or "(no event)").split("\n")]
    if not raw:
        lines = [line if len(line) <= LONGEST else line[:LONGEST] + "…" for line in lines]
    yield f"{_gap(moment.gap)}  {lines[0]}"
    yield from (INDENT + line for line in lines[1:])


def _gap(seconds: float) -> str:
    return f"+{seconds:7.3f}s"
