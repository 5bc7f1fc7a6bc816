"""scripts/failover: the scenarios by themselves, with a scorecard; ends with 1 when one failed."""

import argparse
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any

from tests.failover.profile import FULL, SCALED
from tests.failover.run import Result
from tests.failover.scenarios import SCENARIOS
from tests.failover.scorecard import CLIENTS, build_card, build_table, play


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/failover", description="Sixteen ways for a provider to fail.")
    parser.add_argument("--full", action="store_true", help="the scenarios' own times instead of a tenth of them")
    parser.add_argument("--client", action="append", choices=CLIENTS, help="only this client's dialect")
    parser.add_argument("--scenario", action="append", metavar="S08", help="only this scenario, with its variants")
    parser.add_argument("--cross", action="store_true", help="the model under test speaks another dialect")
    parser.add_argument("--mixed", action="store_true", help="its fallback speaks another dialect")
    parser.add_argument("--table", action="store_true", help="the scorecard as docs/failover.md has it")
    given = parser.parse_args()
    wanted = [one for one in SCENARIOS if given.scenario is None or one.name in given.scenario]
    if not wanted:
        parser.error("no such scenario")
    profile = FULL if given.full else SCALED
    lineup = "cross" if given.cross else "mixed" if given.mixed else "same"
    started = time.monotonic()
    results: list[Result] = find_run()(play(wanted, given.client or CLIENTS, profile, lineup))
    title = f"times: {profile.name}; providers: {lineup}"
    print(build_table(results) if given.table else build_card(results, title))
    print(f"{len(results)} runs in {time.monotonic() - started:.0f} s")
    return int(any(result.complaints for result in results))


def find_run() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """uvloop's where it is to be had, as the command does."""
    try:
        import uvloop
    except ImportError:
        import asyncio

        return asyncio.run
    return uvloop.run


if __name__ == "__main__":
    sys.exit(main())
