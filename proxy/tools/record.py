"""`penstock record`: have a running proxy record for a while, beside what its configuration says; or see what it does.

With `--for TIME` it asks the admin listener to record from now on, all requests or those of a client or of models, and
returns at once: the proxy goes on by itself. `--stop` ends what was asked so. `--failures` lists the failed requests
that are remembered, for `penstock show ID`. Otherwise it says what is being recorded, where to, and what the directory
holds. Exit code 1 when the proxy cannot be asked.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable
from typing import Any, Final

from proxy.config.address import Address
from proxy.config.units import format_duration, parse_duration
from proxy.tools.admin_client import AdminError, ask_admin
from proxy.tools.admin_options import add_admin_options, choose_admin
from proxy.tools.event_lines import escape
from proxy.tools.exits import OK

_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")


def fill(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--for", dest="seconds", metavar="TIME", type=_parse_time, help="record so long, such as 60s")
    parser.add_argument("--client", metavar="NAME", help="with --for: requests of this client only")
    parser.add_argument("--model", metavar="PATTERN", help="with --for: these models only; * stands for any text")
    parser.add_argument("--stop", action="store_true", help="end what was asked for with --for")
    parser.add_argument("--failures", action="store_true", help="list the failed requests that are remembered")
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    add_admin_options(parser)
    parser.set_defaults(run=run, misused=parser.error)


def run(options: argparse.Namespace) -> int:
    if (options.client or options.model) and options.seconds is None:
        options.misused("--client and --model go with --for")
    if sum((options.stop, options.failures, options.seconds is not None)) > 1:
        options.misused("--for, --stop and --failures do not go together")
    address = choose_admin(options, os.environ)
    if options.failures:
        answer, show = ask_admin(address, "/failures"), format_failures
    else:
        answer, show = ask_admin(address, "/record", _build_body(options)), format_record
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    print(json.dumps(answer, indent=2) if options.json else _format(address, answer, show))
    return OK


def format_record(answer: Any) -> str:
    """What `GET /record` tells, for people."""
    lines = [f"configured: {', '.join(answer['rules']) or 'nothing'}; the last {answer['ring']} failures in memory"]
    for wish in answer["wishes"]:
        about = [f"{name} {wish[name]}" for name in ("client", "model") if wish[name]]
        lines.append(f"asked for: {', '.join(about) or 'everything'}, {wish['seconds_left']:.0f} s more")
    lines.append(f"under way: {answer['recording']}; kept {answer['kept']}, lost {answer['lost']} since the start")
    files = f"{answer['files']} cassette{'s' if answer['files'] != 1 else ''}"
    lines.append(f"{files}, {_format_bytes(answer['bytes'])}, in {answer['directory'] or 'nowhere'}")
    return "\n".join(map(escape, lines))


def format_failures(answer: Any) -> str:
    """What `GET /failures` tells: a line for each, the latest first."""
    lines = []
    for failure in answer["failures"]:
        line = failure["line"]
        asked = "/".join(str(line[name]) for name in ("provider", "account") if line.get(name))
        told = (line["ts"][:19], line.get("client"), line.get("model_asked") or line.get("route"), asked,
                line["end_reason"], line.get("error"))  # fmt: skip
        lines.append("  ".join([failure["id"], *(escape(str(word)) for word in told if word)]))
    return "\n".join(lines) or "no failure is remembered: [record] ring says how many are"


def _build_body(options: argparse.Namespace) -> dict[str, Any] | None:
    if options.stop:
        return {"seconds": 0}
    if options.seconds is None:
        return None
    wanted = {"seconds": options.seconds, "client": options.client, "model": options.model}
    return {name: value for name, value in wanted.items() if value is not None}


def _format(address: Address, answer: Any, show: Callable[[Any], str]) -> str:
    try:
        return show(answer)
    except (TypeError, KeyError, ValueError, AttributeError):
        raise AdminError(f"what answers at {address} is no admin listener of this version") from None


def _format_bytes(size: float) -> str:
    unit = 0
    while size >= 1024 and unit < len(_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:.1f} {_UNITS[unit]}" if unit else f"{size:.0f} B"


def _parse_time(text: str) -> float:
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if not 0 < seconds <= 86400:
        raise argparse.ArgumentTypeError(f"not above 0 and up to {format_duration(86400)}")
    return seconds
