"""One ledger of several processes, each writing as fast as a busy proxy does."""

import asyncio
import json
import os
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from proxy.store.database import open_reader
from proxy.store.ledger import Ledger

ROOT = Path(__file__).parents[2]
COUNT = 6000
RATE = 3000
KEPT = 3600  # seconds; every tenth entry is older


async def write(path: Path, name: str) -> Any:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.helpers.ledger_writer", str(path), name, str(COUNT), str(RATE), str(KEPT),
        stdout=asyncio.subprocess.PIPE, cwd=ROOT, env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    async with asyncio.timeout(60):
        out, _ = await process.communicate()
    assert process.returncode == 0
    return json.loads(out)


def count(path: Path, condition: str) -> dict[str, int]:
    """Rows by client, before or after what is kept."""
    with closing(open_reader(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        statement = f"SELECT client, count(*) FROM requests WHERE started {condition} ? GROUP BY client"
        return dict(connection.execute(statement, (time.time() - KEPT,)).fetchall())


async def test_no_row_is_lost_and_no_old_one_kept_by_two_who_write_and_forget(tmp_path: Path) -> None:
    path = tmp_path / "penstock.db"
    said = await asyncio.gather(write(path, "a"), write(path, "b"))
    assert list(said) == [{"lost": 0, "said": []}] * 2
    assert count(path, ">") == {"a": COUNT * 9 // 10, "b": COUNT * 9 // 10}
    made = Ledger(path, KEPT)
    made.read_today()
    await made.close()
    assert count(path, "<") == {}
