"""The command `penstock` as a process of its own, as a person or a service manager starts it.

`ran(...)` waits for its end, `started(...)` yields a Running whose output can be waited for, line by line. The
environment is bare but for what is given, so nothing of the machine's leaks into a configuration.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULE = (sys.executable, "-m", "proxy")
EXAMPLE = ROOT / "docs" / "penstock.example.toml"
SCRIPT = (str(Path(sys.executable).with_name("penstock")),)
WAIT = 20.0  # seconds; a start takes half of one, on a busy machine several


@dataclass(frozen=True)
class Finished:
    code: int
    out: str
    err: str


class Running:
    """A process whose lines are read as they come. `out` and `err` hold what was read so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.out: list[str] = []
        self.err: list[str] = []

    async def out_line(self, part: str = "") -> str:
        """The next line of standard output that holds `part`. Fails when the output ends before."""
        assert self.process.stdout is not None
        return await self._line(self.process.stdout, self.out, part)

    async def err_line(self, part: str = "") -> str:
        assert self.process.stderr is not None
        return await self._line(self.process.stderr, self.err, part)

    def interrupt(self, number: signal.Signals = signal.SIGINT) -> None:
        self.process.send_signal(number)

    async def finish(self) -> Finished:
        """Close its standard input and wait for the end, reading the rest."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        async with asyncio.timeout(WAIT):
            out, err = await self.process.communicate()
        assert self.process.returncode is not None
        return Finished(self.process.returncode, "".join(self.out) + out.decode(), "".join(self.err) + err.decode())

    async def _line(self, stream: asyncio.StreamReader, kept: list[str], part: str) -> str:
        async with asyncio.timeout(WAIT):
            while line := (await stream.readline()).decode():
                kept.append(line)
                if part in line:
                    return line.rstrip("\n")
        raise AssertionError(f"the output ended without {part!r}: {''.join(kept)}")


@asynccontextmanager
async def started(
    *arguments: str, command: Sequence[str] = MODULE, env: dict[str, str] | None = None, cwd: Path = ROOT
) -> AsyncIterator[Running]:
    """A process that is killed at the end if it is still there."""
    process = await asyncio.create_subprocess_exec(
        *command,
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", **(env or {})},
        cwd=cwd,
        limit=2**24,
        start_new_session=True,
    )
    try:
        yield Running(process)
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.communicate()


async def ran(
    *arguments: str, command: Sequence[str] = MODULE, env: dict[str, str] | None = None, cwd: Path = ROOT
) -> Finished:
    async with started(*arguments, command=command, env=env, cwd=cwd) as running:
        return await running.finish()
