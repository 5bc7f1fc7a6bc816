"""The command `penstock` in a terminal: a pseudo-terminal whose screen is read and whose keys are pressed."""

import asyncio
import fcntl
import os
import pty
import struct
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.helpers.command import MODULE, ROOT, WAIT


class Terminal:
    """`told`: everything that was written so far, escape sequences and all."""

    def __init__(self, master: int) -> None:
        self._master = master
        self._news = asyncio.Event()
        self.told = ""
        self.code: int | None = None
        asyncio.get_running_loop().add_reader(master, self._read)

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    async def wait_for(self, part: str) -> str:
        """The first screen from now on that holds `part`."""
        self.told = ""
        async with asyncio.timeout(WAIT):
            while True:
                for screen in self.told.split("\x1b[H")[1:]:
                    if part in screen and screen.endswith("\x1b[J"):
                        return screen
                self._news.clear()
                await self._news.wait()

    def _read(self) -> None:
        try:
            data = os.read(self._master, 65536)
        except OSError:  # EIO: the process has closed its side
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._master)
        self.told += data.decode()
        self._news.set()


@asynccontextmanager
async def terminal(*arguments: str, columns: int = 120, rows: int = 24) -> AsyncIterator[Terminal]:
    """`penstock ARGUMENTS`, which has to end by itself; `code` is its exit code then, and the terminal must be as it
    was before."""
    master, slave = pty.openpty()
    loop = asyncio.get_running_loop()
    shown = Terminal(master)
    shown.resize(columns, rows)
    before = termios.tcgetattr(slave)

    def take_terminal() -> None:
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)  # an interrupt's key is a signal only to those whose terminal it is

    env = {"PATH": os.environ["PATH"], "TERM": "xterm", "PYTHONUNBUFFERED": "1"}
    process = await asyncio.create_subprocess_exec(
        *MODULE,
        *arguments,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=env,
        cwd=ROOT,
        preexec_fn=take_terminal,
    )
    try:
        yield shown
        async with asyncio.timeout(WAIT):
            shown.code = await process.wait()
        assert termios.tcgetattr(slave) == before
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        loop.remove_reader(master)
        os.close(slave)
        os.close(master)
