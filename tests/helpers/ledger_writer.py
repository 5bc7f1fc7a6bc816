"""A process that writes so many entries to a ledger and ends, for tests/store/test_ledger_shared.py.

It prints how many it has lost and what it has warned of, as JSON. Arguments: the file, a name for its entries, how
many, how many a second, and for how many seconds rows are kept. Every tenth entry is a day old.
"""

import asyncio
import json
import logging
import sys
import time
from pathlib import Path

from proxy.store import ledger
from tests.helpers.entries import build_entry


class Warnings(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


async def write(path: Path, name: str, count: int, rate: int, retain: float) -> int:
    made = ledger.Ledger(path, retain)
    made.read_today()
    began, loop = time.monotonic(), asyncio.get_running_loop()
    for number in range(count):
        if number % 50 == 0:
            await asyncio.sleep(max(0.0, began + number / rate - loop.time()))
        age = 86400 if number % 10 == 9 else 0
        made.put(build_entry(f"{name}_{number}", started=time.time() - age, client=name, input=1))
    await made.close()
    return made.lost


if __name__ == "__main__":
    ledger.FORGET_EVERY = 0.05  # type: ignore[misc]  # far more often than once an hour
    ledger.FORGET_MOST = 100  # type: ignore[misc]
    warnings = Warnings()
    logging.getLogger().addHandler(warnings)
    lost = asyncio.run(write(Path(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:6])))
    print(json.dumps({"lost": lost, "said": warnings.said}))
