"""What more cores give: one, two and more instances that accept from one socket, as systemd starts them.

They share a ledger and a client's limits, so what instances say to each other is paid for. Source and load are Python
too and run beside them: where there are no cores for these, the rate is bounded by all together, and only the CPU per
request or event can be compared. `apart` says how even the kernel hands connections out: the least busy instance's
part of the CPU, to that of the busiest.
"""

import socket
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import uvloop

from scripts.benchmark.client import Load, run_load
from scripts.benchmark.peers import PENSTOCK, read_cpu, stop

_MORE = """
[ledger]
path = "{folder}/ledger-{count}.db"
"""
_LIMITS = """max_streams = 100000
rpm = 100000000
"""

# A service manager's way to pass a socket: descriptor 3, and the process's own number (sd_listen_fds(3)).
_PASS = 'exec 3<&"$0"; LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"'


@dataclass(frozen=True)
class Task:
    title: str
    unit: str
    path: str
    connections: int
    requests: int


TASKS = (
    Task("short POSTs over 64 kept connections, as fast as they are answered", "request", "/x?n=0&size=500", 64, 150),
    Task("400 streams of 50 events a second", "event", "/x?n=100&us=20000", 400, 1),
)


@dataclass(frozen=True)
class Run:
    """rate: a second. cpu: of all instances, microseconds per unit. busy: CPU of all instances, in cores."""

    rate: float
    cpu: float
    busy: float
    apart: float
    load: Load


def measure_cores(folder: Path, source: int, most: int, rounds: int) -> None:
    """Print it, for 1 to `most` instances."""
    with ExitStack() as stack:
        groups = [_start(stack, folder, source, count) for count in range(1, most + 1)]
        for task in TASKS:
            runs: list[list[Run]] = [[] for _ in groups]
            for _ in range(rounds):
                for (port, pids), kept in zip(groups, runs, strict=True):
                    kept.append(_measure(task, port, pids))
            _print(task, runs)


def _start(stack: ExitStack, folder: Path, source: int, count: int) -> tuple[int, list[int]]:
    """So many instances on a socket of their own; its port, and their process numbers."""
    sock = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=4096))
    port = sock.getsockname()[1]
    pids = []
    for number in range(count):
        file = folder / f"cores-{count}-{number}.toml"
        text = PENSTOCK.format(port=port, admin=0, source=source).replace(
            'key = "bench"\n[prov', f'key = "bench"\n{_LIMITS}[prov', 1
        )
        text = text.replace('path = ":memory:"', f'path = "{folder}/state-{count}.db"')
        file.write_text(text + _MORE.format(folder=folder, count=count))
        command = ["sh", "-c", _PASS, str(sock.fileno()), sys.executable, "-m", "proxy", "serve", "--config", str(file)]
        log = file.with_suffix(".log")
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log.open("wb"), pass_fds=[sock.fileno()])
        stack.callback(stop, process)
        _wait(log)
        pids.append(process.pid)
    return port, pids


def _wait(log: Path) -> None:
    """Until it says that it listens: on a socket that others have too a connection proves nothing."""
    for _ in range(200):
        if b"listening on" in log.read_bytes():
            return
        time.sleep(0.05)
    raise SystemExit(f"penstock did not start: {log.read_text()}")


def _measure(task: Task, port: int, pids: list[int]) -> Run:
    before, began = [read_cpu(pid) for pid in pids], time.monotonic()
    load = uvloop.run(
        run_load(port, f"/source{task.path}", "Authorization: Bearer bench", task.connections, task.requests, 60)
    )
    took = time.monotonic() - began
    used = [read_cpu(pid) - cpu for pid, cpu in zip(pids, before, strict=True)]
    units = (load.events if task.unit == "event" else load.answers) or 1
    return Run(units / took, sum(used) / units, sum(used) / 1e6 / took, min(used) / max(used), load)


def _print(task: Task, runs: list[list[Run]]) -> None:
    print(f"\n{task.title}")
    print(f"  instances  {task.unit + 's/s':>11} {'CPU µs/' + task.unit:>15} {'cores':>6} {'apart':>6} {'head p50':>9}"
          f" {'p99':>8} {'delay p50':>10} {'p99':>8}  failed")  # fmt: skip
    for number, each in enumerate(runs, 1):
        middle = [statistics.median(getattr(run, name) for run in each) for name in ("rate", "cpu", "busy", "apart")]
        heads = [_find(run.load.heads, part) for part in (0.5, 0.99) for run in each]
        delays = [_find(run.load.delays, part) for part in (0.5, 0.99) for run in each]
        half = len(each)
        times = [statistics.median(part) for part in (heads[:half], heads[half:], delays[:half], delays[half:])]
        failed = sum(run.load.failed for run in each)
        print(f"  {number:9}  {middle[0]:11.0f} {middle[1]:15.1f} {middle[2]:6.2f} {middle[3]:6.2f} {times[0]:9.0f}"
              f" {times[1]:8.0f} {times[2]:10.0f} {times[3]:8.0f}  {failed}")  # fmt: skip


def _find(values: list[float], part: float) -> float:
    return sorted(values)[int((len(values) - 1) * part)] if values else 0.0
