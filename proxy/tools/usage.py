"""`penstock usage`: what requests used and cost, summed from the ledger's file.

It reads the file itself, whether a proxy is running or not: `--file`, else the one that `penstock serve` would write
here. Exit code 1 when there is none, or it cannot be read.
"""

import argparse
import os
import sqlite3
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from proxy.config.load import find_default_paths, load
from proxy.config.state import find_ledger_file
from proxy.config.units import parse_duration
from proxy.errors import PenstockError
from proxy.store.database import NewerSchema, explain, open_reader, read_number
from proxy.store.entries import KEYS, VERSION, read_sums
from proxy.tools.exits import OK
from proxy.tools.usage_lines import Report, format_csv, format_json, format_table


class LedgerError(PenstockError):
    """The ledger cannot be read."""


def fill(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--since", metavar="WHEN", type=_parse_since, default="7d",
        help="how far back, such as 12h or 7d (the default), or from a date on, such as 2026-11-21 (UTC)",
    )  # fmt: skip
    parser.add_argument(
        "--by", metavar="KEYS", type=_parse_keys, default="client,model",
        help=f"what to tell apart, several with commas between them: {', '.join(KEYS)} (client,model)",
    )  # fmt: skip
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_const", dest="show", const=format_json, help="print one JSON object")
    form.add_argument("--csv", action="store_const", dest="show", const=format_csv, help="print comma-separated values")
    parser.add_argument("--file", metavar="FILE", type=Path, help="the ledger; else the one of the configuration")
    parser.add_argument(
        "--config", metavar="FILE", type=Path, action="append", default=[],
        help="where to look for [ledger] path; as for serve",
    )  # fmt: skip
    parser.set_defaults(run=run, show=format_table)


def run(options: argparse.Namespace) -> int:
    path = options.file or find_ledger(options.config, os.environ)
    report = read_report(path, options.by, options.since)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    print(options.show(report))
    return OK


def find_ledger(paths: Sequence[Path], environ: Mapping[str, str]) -> Path:
    """The file that would be written. Raises ConfigError, and LedgerError where none would."""
    config = load(tuple(paths) or find_default_paths(environ), environ)
    path = find_ledger_file(config.ledger.path, config.state.path, environ)
    if path is None:
        raise LedgerError("no ledger is kept: [ledger] path names no file")
    return path


def read_report(path: Path, by: Sequence[str], since: float) -> Report:
    """Raises LedgerError."""
    try:
        with closing(open_reader(path)) as connection:
            if read_number(connection, "user_version") < VERSION:
                raise LedgerError(f"{path}: there is no ledger in this file yet")
            rows, total = read_sums(connection, by, since), read_sums(connection, (), since)
    except FileNotFoundError:
        raise LedgerError(f"{path}: there is no such file; --file says where the ledger is") from None
    except (sqlite3.Error, OSError, NewerSchema) as error:
        raise LedgerError(f"{path}: {explain(error)}") from None
    return Report(since, tuple(by), rows, total[0])


def _parse_since(text: str) -> float:
    """Seconds since the epoch."""
    try:
        return max(time.time() - parse_duration(text), 0.0)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("not a time: write 12h, 7d or 2026-11-21") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _parse_keys(text: str) -> tuple[str, ...]:
    keys = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    if not set(keys) <= set(KEYS):
        raise argparse.ArgumentTypeError(f"not to be told apart by: choose among {', '.join(KEYS)}")
    return keys
