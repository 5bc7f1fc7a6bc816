"""`scripts/bench`: what an event, a request and an open stream cost, beside nginx and Envoy where they are installed.

Rounds of all peers are interleaved and medians shown, so that a noisy machine is noisy for all of them. Judge ratios
within one run only.
"""

import argparse
import asyncio
import statistics
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import uvloop

from scripts.benchmark.client import Load, run_load
from scripts.benchmark.cores import measure_cores
from scripts.benchmark.peers import Peer, read_cpu, read_memory, start_peers, start_source, translate
from scripts.benchmark.plot import Chart, draw
from scripts.benchmark.watched import Watched, run_watched, start_watched


@dataclass(frozen=True)
class Scenario:
    """unit: what a figure is per. limit: seconds after which a round is given up."""

    name: str
    title: str
    path: str
    connections: int
    requests: int
    unit: str
    limit: float = 60
    model: str = "bench"


PACE = "n=500&us=2000"
"""What the source is asked for where the path cannot say it."""

SCENARIOS = (
    Scenario("event", "one stream, one event per wake-up", "/x?n=500&us=2000", 1, 2, "event"),
    Scenario("busy", "200 streams of 50 events a second", "/x?n=100&us=20000", 200, 1, "event"),
    Scenario(
        "translated",
        "one stream of Anthropic's events, and the same for an OpenAI client",
        "/v1/messages",
        1,
        2,
        "event",
        model=PACE,
    ),
    Scenario("short", "a short POST", "/x?n=0&size=500", 1, 2000, "request"),
)


LOOKED_AT = Scenario("watched", "one stream on a model route, and who looks at it", "", 1, 2, "event")


@dataclass(frozen=True)
class Row:
    """Medians over the rounds, microseconds."""

    peer: str
    cpu: float
    ratio: float
    delay50: float
    delay99: float
    head: float
    failed: int


def measure(scenario: Scenario, peers: Sequence[Peer], rounds: int) -> list[Row]:
    runs: dict[str, list[tuple[float, Load]]] = {peer.name: [] for peer in peers}
    for _ in range(rounds):
        for peer in peers:
            before = read_cpu(peer.pid)
            load = uvloop.run(
                run_load(
                    peer.port,
                    peer.prefix + (peer.path or scenario.path),
                    peer.header,
                    scenario.connections,
                    scenario.requests,
                    scenario.limit,
                    peer.vendor + scenario.model,
                )
            )
            runs[peer.name].append(((read_cpu(peer.pid) - before) / (load.events or load.answers or 1), load))
    base = statistics.median(cpu for cpu, _ in runs[peers[0].name])
    return [_summarise(name, results, base) for name, results in runs.items()]


def measure_watched(watched: Sequence[Watched], rounds: int) -> list[Row]:
    """As `measure`, beside the proxy that nobody looks at."""
    runs: dict[str, list[tuple[float, Load]]] = {each.peer.name: [] for each in watched}
    for _ in range(rounds):
        for each in watched:
            before = read_cpu(each.peer.pid)
            load = uvloop.run(run_watched(each, 2, 60, PACE))
            runs[each.peer.name].append(((read_cpu(each.peer.pid) - before) / (load.events or 1), load))
    base = statistics.median(cpu for cpu, _ in runs[watched[0].peer.name])
    return [_summarise(name, results, base) for name, results in runs.items()]


def _summarise(name: str, results: list[tuple[float, Load]], base: float) -> Row:
    def median_of(values: list[list[float]], quantile: float) -> float:
        return statistics.median(sorted(each)[int((len(each) - 1) * quantile)] if each else 0.0 for each in values)

    cpu = statistics.median(cost for cost, _ in results)
    loads = [load for _, load in results]
    delays = [load.delays for load in loads]
    return Row(
        name,
        cpu,
        cpu / base,
        median_of(delays, 0.5),
        median_of(delays, 0.99),
        median_of([load.heads for load in loads], 0.5),
        sum(load.failed for load in loads),
    )


async def measure_memory(peer: Peer, streams: int) -> float:
    """Resident bytes per open stream, at the highest while `streams` are open."""
    before = peak = read_memory(peer.pid)
    load = asyncio.ensure_future(run_load(peer.port, f"{peer.prefix}/x?n=6&us=2000000", peer.header, streams, 1, 60))
    while not load.done():
        await asyncio.wait([load], timeout=0.2)
        peak = max(peak, read_memory(peer.pid))
    return (peak - before) / streams


def main() -> None:
    parser = argparse.ArgumentParser("scripts/bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--streams", type=int, default=2000, help="open streams for the memory figure")
    parser.add_argument("--plot", type=Path, default=Path("bench.svg"), help="where the plot goes")
    parser.add_argument("--cores", type=int, default=0, help="only compare 1 to so many instances on one socket")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)  # nginx's worker is another user
        source = start_source(stack)
        if options.cores:
            measure_cores(folder, source, options.cores, options.rounds)
            return
        peers = start_peers(stack, folder, source)
        charts: list[Chart] = []
        # First, while no peer has memory left over from a busier time.
        memory = [(peer.name, uvloop.run(measure_memory(peer, options.streams)) / 1024) for peer in peers]
        for scenario in SCENARIOS:
            asked = translate(peers) if scenario.name == "translated" else peers
            rows = measure(scenario, asked, options.rounds)
            _print(scenario, rows)
            charts.append((f"{scenario.title}: CPU per {scenario.unit}, µs", [(row.peer, row.cpu) for row in rows]))
        rows = measure_watched(start_watched(stack, folder, source), options.rounds)
        _print(LOOKED_AT, rows)
        charts.append((f"{LOOKED_AT.title}: CPU per event, µs", [(row.peer, row.cpu) for row in rows]))
        print(f"\n{options.streams} open streams")
        for name, kilobytes in memory:
            print(f"  {name:10} {kilobytes:8.1f} KB a stream")
        charts.append((f"{options.streams} open streams: KB each", memory))
        options.plot.write_text(draw(charts))
        print(f"\nplot: {options.plot}")


def _print(scenario: Scenario, rows: list[Row]) -> None:
    print(f"\n{scenario.title}")
    print(
        f"  {'':10} {'CPU µs/' + scenario.unit:>16} {'ratio':>7} {'delay p50':>10} {'p99':>8} {'head p50':>9}  failed"
    )
    for row in rows:
        times = f"{row.delay50:10.0f} {row.delay99:8.0f} {row.head:9.0f}"
        print(f"  {row.peer:10} {row.cpu:16.1f} {row.ratio:7.2f} {times}  {row.failed}")


if __name__ == "__main__":
    main()
