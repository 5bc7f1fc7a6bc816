"""A process that writes a ledger until it is killed, for tests/store/test_ledger_killed.py.

It prints how many entries it has put, and the moment. Arguments: the file, and how many entries to put in a second.
"""

import asyncio
import sys
import time
from pathlib import Path

from proxy.store.ledger import Ledger
from tests.helpers.entries import build_entry


async def write(path: Path, rate: int) -> None:
    ledger = Ledger(path)
    loop, number = asyncio.get_running_loop(), 0
    began = loop.time()
    while True:
        while number < (loop.time() - began) * rate:
            ledger.put(build_entry(number, started=time.time(), input=number))
            number += 1
        print(number, time.monotonic(), flush=True)
        await asyncio.sleep(0.01)


if __name__ == "__main__":
    asyncio.run(write(Path(sys.argv[1]), int(sys.argv[2])))
