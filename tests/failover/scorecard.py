"""Runs scenarios side by side: `play` gives the results, `build_card` what is printed of them."""

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from typing import Final

from tests.failover.profile import SAME, Profile
from tests.failover.run import Result, Scenario, perform

CLIENTS: Final = tuple(SAME)
AT_ONCE: Final = 16
"""Runs side by side: more would make proxy and clients slow for reasons of their own, and times are judged."""

_MARKS = {True: "pass", False: "FAIL", None: "-"}


async def play(
    scenarios: Iterable[Scenario], clients: Sequence[str], profile: Profile, lineup: str = "same"
) -> list[Result]:
    """Every scenario with every client, streamed and, where that says something, in one piece; many at the same time,
    each with a proxy and a provider of its own."""
    runs = [
        (scenario, client, stream)
        for scenario in scenarios
        for client in clients
        for stream in (True, False)
        if stream or not scenario.streamed_only
    ]

    room = asyncio.Semaphore(AT_ONCE)

    async def start(scenario: Scenario, client: str, stream: bool) -> Result:
        async with contextlib.nullcontext() if scenario.sparse else room:
            try:
                return await perform(scenario, client, profile, lineup, stream=stream)
            except Exception as bad:  # one run that cannot be made shall not cost the others
                return Result(scenario, client, stream, (f"could not be run: {bad!r}",), (0, 0), 0.0, 0.0)

    return await asyncio.gather(*(start(*run) for run in runs))


def build_card(results: Sequence[Result], title: str) -> str:
    """For people, with everything that is wrong below."""
    lines = []
    for name, told, *cells, attempts, gap, wall in _build_rows(results):
        middle = "".join(f"{cell:<18}" for cell in cells)
        lines.append(f"{name:<15}{told:<44}{middle}{attempts:>12}{gap:>7}{wall:>7}".rstrip())
    return "\n".join([title, "", *lines, *_list_complaints(results)])


def build_table(results: Sequence[Result]) -> str:
    """For a page."""
    head, *rows = (f"| {' | '.join(row)} |" for row in _build_rows(results))
    return "\n".join([head, f"|{'---|' * (head.count('|') - 1)}", *rows])


def _build_rows(results: Sequence[Result]) -> list[list[str]]:
    """The head, a row for each scenario and variant, and the sum."""
    clients = list(dict.fromkeys(result.client for result in results))
    rows = [["", "stream, whole", *clients, "attempts", "gap s", "wall s"]]
    for label in sorted({result.scenario.label for result in results}):
        found = [result for result in results if result.scenario.label == label]
        tried = f"{max(one.attempts[0] for one in found)}+{max(one.attempts[1] for one in found)}"
        gap = max((one.gap for one in found if one.stream), default=0.0)
        wall = max(one.wall for one in found)
        cells = [_show(found, client) for client in clients]
        rows.append([label, found[0].scenario.title, *cells, tried, f"{gap:.1f}", f"{wall:.1f}"])
    return [*rows, ["", "scenarios passed", *(_count(results, client) for client in clients), "", "", ""]]


def _show(rows: Iterable[Result], client: str) -> str:
    found = {row.stream: not row.complaints for row in rows if row.client == client}
    return f"{_MARKS[found.get(True)]}, {_MARKS[found.get(False)]}"


def _count(results: Iterable[Result], client: str) -> str:
    """Scenarios of which every variant passed."""
    mine = [result for result in results if result.client == client]
    names = {result.scenario.name for result in mine}
    return f"{len(names - {result.scenario.name for result in mine if result.complaints})}/{len(names)}"


def _list_complaints(results: Iterable[Result]) -> list[str]:
    return [
        f"{result.scenario.label}, {result.client}, {'stream' if result.stream else 'whole'}: {complaint}"
        for result in sorted(results, key=lambda result: (result.scenario.label, result.client))
        for complaint in result.complaints
    ]
