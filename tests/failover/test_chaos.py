"""Twenty accounts, five hundred clients, and providers that fail in every way at random: nobody is told a short answer,
nobody is forgotten, nobody is hammered, and afterwards everything is where it was.

15 seconds; two minutes with PENSTOCK_FULL=1. What happened stands at the end of the output.
"""

import asyncio
import ctypes
import gc
import os
import random
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from typing import Final

import pytest

from proxy.accounts.budget import RETRY_SECONDS
from proxy.relay.outcome import EndReason, Record
from tests.failover.chaos import FAULTS, LONGEST, OUTAGES, Chaos, Tally, build_config, chaos, run_clients
from tests.helpers.bare import count_descriptors, no_new_tasks, settle, stand_still
from tests.helpers.service import RunningProxy, running

SECONDS: Final = 120.0 if os.environ.get("PENSTOCK_FULL", "") not in ("", "0") else 15.0
WARM_UP: Final = 8.0
CLIENTS: Final = 500
ACCOUNTS: Final = 20
SHARE: Final = 0.2
FLOOR: Final = 3.0
"""Attempts beyond a request's first: a share of all requests, and so many a second, whatever is more."""

TOLERANCE: Final = 16 * 1024 * 1024
"""Bytes: how far the allocator's share wanders while five hundred clients come and go."""

OWN: Final = frozenset({"Scope", "Question", "Attempts", "Begun", "Lease", "Flow", "Pump", "Peek", "ClientStream"})
"""Classes of the proxy's of which nothing is left when nobody is served."""

pytestmark = [pytest.mark.long, pytest.mark.timeout(int(SECONDS + WARM_UP + 3 * LONGEST))]


def read_memory() -> int:
    """Resident bytes of this process, without what its allocator keeps for later."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def count_own() -> Counter[str]:
    gc.collect()
    kinds = (type(thing) for thing in gc.get_objects())
    return Counter(kind.__name__ for kind in kinds if kind.__name__ in OWN and kind.__module__.startswith("proxy."))


async def come_to_rest(
    proxy: RunningProxy, provider: Chaos, before: set[asyncio.Task[object]], kept: Counter[str]
) -> None:
    """Nothing is under way, and no connection is kept. kept: what other tests of this process have left."""
    penstock = proxy.penstock
    await settle(lambda: len(penstock.streams) == 0 and len(penstock.ticker) == 0)
    await proxy.wait_unconnected()
    await provider.hang_up()  # what the proxy keeps for the next request
    await stand_still(count_descriptors)
    await no_new_tasks(before)
    await settle(lambda: not count_own() - kept, 10.0, every=1.0)
    assert all(row.state.in_flight == 0 for house in penstock.house.providers.values() for row in house.book._seats)


class Ledger(list[Record]):
    """What is wanted of the records, which themselves would be most of the memory that is measured. Times are in order
    of ending."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.again = array("d"), array("d")
        self.ends: set[EndReason | None] = set()
        self.rescues = 0

    def append(self, record: Record) -> None:
        self.asked.append(record.started)
        self.again.extend(record.started + attempt.started for attempt in record.attempts[1:])
        self.ends.add(record.end)
        self.rescues += record.rescues

    def list_excess(self) -> list[str]:
        """Where more was tried again than the budget allows. It counts in slots of a tenth of its time, so what it
        holds for certain is one slot less; a request is counted a moment after it came."""
        slack = 0.1
        asked, again, excess = sorted(self.asked), sorted(self.again), []
        for number, at in enumerate(again, 1):
            tried = number - bisect_right(again, at - RETRY_SECONDS * 0.9 + slack)
            requests = bisect_right(asked, at) - bisect_left(asked, at - RETRY_SECONDS - slack)
            if tried > max(SHARE * requests, FLOOR * RETRY_SECONDS) + 1:
                excess.append(f"{tried} of {requests} requests")
        return excess


def describe(tally: Tally, ledger: Ledger, provider: Chaos, grown: int) -> str:
    requests, again = len(ledger.asked), len(ledger.again)
    lines = [
        f"chaos: {requests} requests of {CLIENTS} clients at {ACCOUNTS} accounts in {SECONDS:.0f} s",
        "  heard: " + ", ".join(f"{word} {count}" for word, count in tally.verdicts.most_common()),
        "  played: " + ", ".join(f"{word} {count}" for word, count in provider.played.most_common()),
        f"  tried again: {again} ({again / requests:.1%} of the requests), rescued: {ledger.rescues}",
        f"  affinity: {tally.hit_rate:.1%} of the answers from the session's own account",
        f"  longest request: {tally.longest:.1f} s, memory: {grown / 2**20:+.1f} MB",
    ]
    return "\n".join(lines)


async def test_chaos(capsys: pytest.CaptureFixture[str]) -> None:
    dice, kept = random.Random(20), count_own()
    async with chaos(7) as provider, running(build_config(provider.port, ACCOUNTS)) as proxy:
        before, proxy.records = asyncio.all_tasks(), Ledger()
        await run_clients(proxy.port, CLIENTS, WARM_UP, dice)
        await come_to_rest(proxy, provider, before, kept)
        proxy.records = ledger = Ledger()
        provider.played.clear()
        descriptors, memory = count_descriptors(), read_memory()

        tally = await run_clients(proxy.port, CLIENTS, SECONDS, dice)
        await come_to_rest(proxy, provider, before, kept)
        await settle(lambda: count_descriptors() <= descriptors)
        grown = read_memory() - memory
    with capsys.disabled():
        print("\n" + describe(tally, ledger, provider, grown))

    assert tally.wrong == []
    assert tally.verdicts.total() == len(ledger.asked)
    assert None not in ledger.ends
    assert tally.longest < LONGEST
    assert ledger.list_excess() == []
    assert set(provider.played) == {"sound", *FAULTS, *OUTAGES}
    assert tally.verdicts["full"] > 0.85 * len(ledger.asked)
    assert tally.hit_rate > 0.5
    assert grown < TOLERANCE
