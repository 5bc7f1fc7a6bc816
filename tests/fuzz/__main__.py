"""The fuzz run: every target, and the sockets, over and over for as long as it is told, with seeds nobody has used.

What is found is printed with its seed, once for each place in the code that raised, and the run goes on; it fails at
the end. `--seed N --only TARGET` shows one again. Memory is compared with what it was after each target's first turn.
"""

import argparse
import asyncio
import gc
import resource
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random, SystemRandom
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Final

from tests.fuzz.siege import Siege, besieged
from tests.fuzz.storm import Found, play, poke
from tests.fuzz.targets import TARGETS

SLICE: Final = 5.0
"""Seconds of a target's turn."""

BOUND: Final = 10
"""Seconds of one example: a thousand times what the slowest takes."""

SOCKETS: Final = {"poke": (poke, 640), "play": (play, 128)}
"""Examples in a turn of about as long."""

GROWTH: Final = 64 * 1024 * 1024
"""Bytes by which this process may have grown after all turns: seeds in every form, and an allocator's habits."""


def read_memory() -> int:
    """Resident bytes of this process."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


class Run:
    """found: how often each place has raised. examples: of each target."""

    def __init__(self, first: int) -> None:
        self.seed = first
        self.found: Counter[str] = Counter()
        self.examples: Counter[str] = Counter()

    def take_turn(self, name: str) -> None:
        target, ends = TARGETS[name], time.monotonic() + SLICE
        while time.monotonic() < ends:
            for _ in range(20):
                self.seed += 1
                self.examples[name] += 1
                with self._watched(f"{name} --seed {self.seed}"):
                    target.check(target.draw(Random(self.seed)))

    async def storm(self, siege: Siege, name: str) -> None:
        attack, count = SOCKETS[name]
        self.seed += count
        self.examples[name] += count
        try:
            await attack(siege, range(self.seed, self.seed + count))
        except (Found, TimeoutError) as error:
            self._note(f"{name} --seed {self.seed}", error)

    def show(self, name: str, seed: int) -> None:
        target = TARGETS[name]
        sample = target.draw(Random(seed))
        print(repr(sample))
        target.check(sample)

    @contextmanager
    def _watched(self, called: str) -> Iterator[None]:
        signal.alarm(BOUND)
        try:
            yield
        except Exception as error:
            self._note(called, error)
        finally:
            signal.alarm(0)

    def _note(self, called: str, error: Exception) -> None:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}"
        self.found[place] += 1
        if self.found[place] == 1:
            told = "".join(traceback.format_exception(error))[-3000:]
            print(f"FOUND by --only {called}: {place}\n{told}", flush=True)


def _time_out(number: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"one example took more than {BOUND} s")


async def _run(run: Run, names: list[str], until: float) -> list[str]:
    """What has grown."""
    grown = []
    sockets, pure = [name for name in names if name in SOCKETS], [name for name in names if name in TARGETS]
    with TemporaryDirectory() as folder:
        async with besieged(Path(folder)) as siege:
            before: tuple[int, int] | None = None
            while before is None or time.monotonic() < until:
                for name in sockets:
                    await run.storm(siege, name)
                for name in pure:
                    run.take_turn(name)
                if before is None:
                    before = read_memory(), (await siege.settle())[2]
            flying, descriptors, resident = await siege.settle()
            print(f"at the end: {flying} requests in flight, {descriptors} descriptors, {resident >> 20} MiB resident "
                  f"({before[1] >> 20} after the first turn)")  # fmt: skip
            if flying or resident > before[1] + GROWTH:
                grown.append("the proxy")
            if read_memory() > before[0] + GROWTH:
                grown.append("this process")
    return grown


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/fuzz")
    parser.add_argument("--minutes", type=float, default=5.0, help="how long, 5 unless given")
    parser.add_argument("--only", action="append", choices=[*TARGETS, *SOCKETS], metavar="TARGET")
    parser.add_argument("--seed", type=int, help="one example, by the seed that was printed")
    options = parser.parse_args()
    names: list[str] = options.only or [*SOCKETS, *TARGETS]
    signal.signal(signal.SIGALRM, _time_out)
    run = Run(SystemRandom().randrange(10**12))
    if options.seed is not None:
        for name in names:
            run.show(name, options.seed)
        return 0
    grown = asyncio.run(_run(run, names, time.monotonic() + 60 * options.minutes))
    for name, count in run.examples.items():
        print(f"{name:15} {count:>9,} examples")
    for place, count in run.found.most_common():
        print(f"FOUND {count} times: {place}")
    for what in grown:
        print(f"FOUND: {what} has grown")
    return 1 if run.found or grown else 0


if __name__ == "__main__":
    sys.exit(main())
