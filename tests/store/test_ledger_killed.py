"""What a kill costs a ledger: a real process, in the middle of its work."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from proxy.store.database import open_reader, read_number
from proxy.store.ledger import Ledger
from tests.helpers.entries import build_entry, read_ids

ROOT = Path(__file__).parents[2]


async def run_until_killed(path: Path, rate: int, seconds: float) -> tuple[int, Mapping[int, float]]:
    """Start a writer, kill it with entries under way; how many it had put by a moment (of the monotonic clock)."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.helpers.ledger_process", str(path), str(rate),
        stdout=asyncio.subprocess.PIPE, cwd=ROOT, env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdout is not None
    put: dict[int, float] = {}
    began = 0.0
    async with asyncio.timeout(20):
        while line := await process.stdout.readline():
            number, moment = line.split()
            put[int(number)] = float(moment)
            began = began or (float(moment) if is_made(path) else 0.0)
            if not began:
                continue
            if float(moment) - began > seconds and process.returncode is None:
                process.send_signal(signal.SIGKILL)
                break
        await process.wait()
    return max(put), put


def is_made(path: Path) -> bool:
    """The table is there: on a busy machine that takes longer than the first rows."""
    if not path.exists():
        return False
    with closing(open_reader(path)) as connection:
        return read_number(connection, "user_version") > 0


@pytest.mark.parametrize(("rate", "seconds"), [(50, 2.2), (2000, 2.4), (2000, 0.05)])
@pytest.mark.long
async def test_a_kill_costs_at_most_the_last_second_and_never_the_file(
    tmp_path: Path, rate: int, seconds: float
) -> None:
    path = tmp_path / "penstock.db"
    last, put = await run_until_killed(path, rate, seconds)
    with closing(open_reader(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    kept = read_ids(path)
    assert kept == [f"req_{number}" for number in range(len(kept))], "in their order, without a gap"
    before = put[last] - 1.5  # a second, and a busy machine
    assert len(kept) >= max((number for number, moment in put.items() if moment < before), default=0)
    made = Ledger(path)
    made.put(build_entry("next"))
    await made.close()
    assert read_ids(path)[-1] == "req_next"
