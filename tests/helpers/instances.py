"""Several processes of the proxy that share what they remember, as on one machine with several cores."""

import os
import re
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from tests.helpers.command import Running, started
from tests.helpers.rawhttp import Reply, fetch

LOOP = os.environ.get("PENSTOCK_TEST_LOOP", "uvloop")
QUESTION = {"model": "up/m", "messages": [{"role": "user", "content": "hello"}]}
PROMISED = 1.0
"""Seconds within which one hears of the other."""

WARNING = re.compile(r" (warning|error) ")

BUSY = 2.0
"""Seconds more, that a busy machine is granted."""


class Instance:
    """port, admin: where it listens."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self.port = self.admin = 0

    async def find_ports(self) -> None:
        ports = [await self.running.err_line(text) for text in ("console on", "listening on")]
        self.admin, self.port = (int(found[1]) for line in ports if (found := re.search(r"127\.0\.0\.1:(\d+)", line)))

    async def ask(self, key: str = "k") -> Reply:
        return await fetch(self.port, "/v1/chat/completions", body=QUESTION, headers=f"Authorization: Bearer {key}\r\n")

    async def show_account(self, name: str = "main") -> Any:
        """As the admin listener tells of it."""
        (provider,) = (await fetch(self.admin, "/accounts")).json["providers"]
        return next(account for account in provider["accounts"] if account["account"] == name)

    async def clear(self, name: str) -> int:
        reply = await fetch(
            self.admin, "/accounts/clear", body={"name": name}, headers="Content-Type: application/json\r\n"
        )
        return int(reply.json["lifted"])


async def wait_until(is_so: Callable[[], Awaitable[bool]], within: float = PROMISED + BUSY) -> None:
    """Ask until it is so; what two processes know of each other has no event here."""
    began = time.monotonic()
    while not await is_so():
        assert time.monotonic() - began < within, "it did not become so"


@asynccontextmanager
async def instances(file: Path, count: int = 2) -> AsyncIterator[list[Instance]]:
    """All started at once from one configuration. At their end none of those that live has warned of anything."""
    async with AsyncExitStack() as stack:
        arguments = ("serve", "--config", str(file), "--loop", LOOP, "--log-format", "text")
        all_of = [Instance(await stack.enter_async_context(started(*arguments))) for _ in range(count)]
        for one in all_of:
            await one.find_ports()
        yield all_of
        for one in all_of:
            if one.running.process.returncode is None:
                one.running.interrupt(signal.SIGTERM)
        for one in all_of:
            done = await one.running.finish()
            assert done.code in (0, -signal.SIGKILL)
            assert not [line for line in done.err.splitlines() if WARNING.search(line) and "request_id" not in line]
