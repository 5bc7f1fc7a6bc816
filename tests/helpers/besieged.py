"""A proxy as a process of its own in front of the demo, and what can be seen of it from outside.

There are two demos: at `/up` the one for polite clients, at `/loud` the one for all others. What hostile clients make
an upstream do is not what is measured here.
"""

import asyncio
import os
import re
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.helpers.bare import settle
from tests.helpers.command import MODULE, ROOT, WAIT, started
from tests.helpers.rawhttp import fetch
from tests.helpers.scraped import Scrape, read_page

LOOP: Final = os.environ.get("PENSTOCK_TEST_LOOP", "uvloop")

_CONFIG: Final = """
[server]
listen = ["127.0.0.1:0"]
admin = "127.0.0.1:0"
{server}
[state]
path = ":memory:"
[limits]
{limits}
[providers.up]
dialect = "raw"
base_url = "{up}"
[mounts."/up"]
provider = "up"
auth = "none"
[providers.loud]
dialect = "openai-chat"
base_url = "{loud}"
[mounts."/loud"]
provider = "loud"
auth = "none"
[models."*"]
targets = ["loud/*"]
"""

_DEMO: Final = """
import asyncio
from proxy.demo import DemoUpstream
async def main():
    demo = DemoUpstream()
    await demo.start()
    print(demo.base_url, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""
"""The demo as a process of its own: what it does must not count as the proxy's doing, or slow down who measures."""


@contextmanager
def put_first(here: "Besieged") -> Iterator[None]:
    """Let the proxy have a core whenever it wants one, and who measures it before it, where that is permitted
    (sched(7), SCHED_RR; not whom they start). Attackers come from other machines; here they would take the cores from
    whom they attack."""
    with suppress(PermissionError):
        for pid, priority in ((here.process.pid, 1), (here.demo.pid, 2), (0, 2)):
            os.sched_setscheduler(pid, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
    try:
        yield
    finally:
        with suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


@dataclass
class Besieged:
    """demo: the one at `/up`. log: the file that its lines go to."""

    process: Process
    demo: Process
    log: Path
    port: int = 0
    admin: int = 0

    def read_peak(self) -> int:
        """The most memory that it has had, in bytes (VmHWM, proc_pid_status(5))."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(r"VmHWM:\s*(\d+) kB", status)[0]) * 1024

    def count_descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    async def scrape(self) -> Scrape:
        return read_page((await fetch(self.admin, "/metrics", headers="Connection: close\r\n")).body)

    async def wait_calm(self, descriptors: int, within: float = 45.0) -> None:
        """Return once nobody is there any more and no more than so many descriptors are in use."""
        async with asyncio.timeout(within):
            while True:
                page = await self.scrape()
                there = page.one("penstock_connections") + page.one("penstock_streams_active")
                if not there and self.count_descriptors() <= descriptors:
                    return
                await asyncio.sleep(0.1)

    def find_port(self, what: str) -> int:
        """Of what it listens on, 0 before it does."""
        found = re.findall(rf"{what} on https?://[\d.]+:(\d+)", self.log.read_text())
        return int(found[0]) if found else 0


@asynccontextmanager
async def besieged(folder: Path, limits: str = "", *, server: str = "", loud: str = "") -> AsyncIterator[Besieged]:
    """limits, server: lines of the configuration. loud: another upstream's URL than that of the demo."""
    python = (sys.executable,)
    async with started("-c", _DEMO, command=python) as one, started("-c", _DEMO, command=python) as other:
        file, log = folder / "penstock.toml", folder / "log"
        up, loud = await one.out_line(), loud or await other.out_line()
        file.write_text(_CONFIG.format(limits=limits, server=server, up=up, loud=loud))
        command = (*MODULE, "serve", "--config", str(file), "--loop", LOOP, "--log-format", "logfmt")
        with log.open("wb") as lines:  # a pipe that nobody reads would hold it up
            env = {"PATH": os.environ["PATH"]}
            process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stderr=lines, env=env, cwd=ROOT)
        here = Besieged(process, one.process, log)
        try:
            await settle(lambda: here.find_port("listening") > 0 or process.returncode is not None, WAIT)
            assert process.returncode is None, log.read_text()
            here.port, here.admin = here.find_port("listening"), here.find_port("console")
            yield here
            assert process.returncode is None, "it did not survive"
            text = log.read_text()
            assert "Traceback" not in text
            assert "unexpected" not in text
        except BaseException:
            print(log.read_text()[-4000:], file=sys.stderr)
            raise
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
