"""What it costs to be looked at: the proxy alone, and the same proxy with one thing more each time.

Every variant is a process of its own, asked in turn for the same stream, on a model route of one dialect. Who looks
(a console, a tail, a scraper) runs in this process, whose time is not counted.
"""

import asyncio
import contextlib
import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from scripts.benchmark.client import Load, run_load
from scripts.benchmark.peers import Peer, start_penstock

_ASKED = "/v1/messages"
_ID = re.compile(rb"(?i)x-penstock-request-id: *(\S+)")

_COMMON = """
[ledger]
path = "{ledger}"
[console]
content = true
[record]
directory = "{folder}/cassettes-{name}"
{record}
"""


@dataclass(frozen=True)
class Variant:
    """ledger: kept. record: lines of [record]. look: `console`, `tail` or `scrape`, "" for nobody."""

    name: str
    ledger: bool = False
    record: str = ""
    look: str = ""


VARIANTS = (
    Variant("alone"),
    Variant("ledger", ledger=True),
    Variant("ring", record="ring = 20"),
    Variant("when failed", record='when = ["failed"]'),
    Variant("when all", record='when = ["all"]'),
    Variant("scraped", look="scrape"),
    Variant("console", look="console"),
    Variant("tail", look="tail"),
)


@dataclass(frozen=True)
class Watched:
    peer: Peer
    variant: Variant
    admin: int


def start_watched(stack: ExitStack, folder: Path, source: int) -> list[Watched]:
    return [_start(stack, folder, source, variant) for variant in VARIANTS]


def _start(stack: ExitStack, folder: Path, source: int, variant: Variant) -> Watched:
    name = variant.name.replace(" ", "-")
    ledger = folder / f"{name}.db" if variant.ledger else ":memory:"
    more = _COMMON.format(folder=folder, name=name, ledger=ledger, record=variant.record)
    peer, admin = start_penstock(stack, folder / f"{name}.toml", source, more)
    return Watched(
        Peer(variant.name, peer.pid, peer.port, header=peer.header, path=_ASKED, vendor="claude/"), variant, admin
    )


async def run_watched(watched: Watched, requests: int, limit: float, model: str) -> Load:
    """The load, with whoever looks at it. model: what the source is asked for."""
    viewers: set[asyncio.Task[None]] = set()

    def look(path: str) -> None:
        viewers.add(asyncio.get_running_loop().create_task(_read(watched.admin, path)))

    def tail(head: bytes) -> None:
        if found := _ID.search(head):
            look(f"/console/streams/{found[1].decode()}?form=text")

    on_head: Callable[[bytes], None] | None = tail if watched.variant.look == "tail" else None
    if watched.variant.look == "console":
        look("/console/events")
    if watched.variant.look == "scrape":
        viewers.add(asyncio.get_running_loop().create_task(_scrape(watched.admin)))
    peer = watched.peer
    try:
        return await run_load(peer.port, peer.path, peer.header, 1, requests, limit, peer.vendor + model, on_head)
    finally:
        for viewer in viewers:
            viewer.cancel()
        await asyncio.gather(*viewers, return_exceptions=True)


async def _read(port: int, path: str) -> None:
    """Read what comes, to its end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        while await reader.read(65536):
            pass
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def _scrape(port: int) -> None:
    """Once a second, ten times as often as most do."""
    while True:
        await _read(port, "/metrics")
        await asyncio.sleep(1)
