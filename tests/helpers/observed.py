"""A proxy that was scraped while it served something of everything: what dashboards and alerts are tried on.

Requests and scrapes are real; only the times between the scrapes are said, not waited for.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.helpers.bare import BareClient, bare
from tests.helpers.models import PROVIDERS, SSE, build_reply
from tests.helpers.origin import Peer, origin
from tests.helpers.promql import History
from tests.helpers.rawhttp import fetch
from tests.helpers.scraped import read_page
from tests.helpers.staff import LIMITED, Staff, name_accounts, provider, refuse, staffed

INTERVAL = 15.0
"""Seconds between two scrapes, as they are said."""

PRICE = {"input": 1000.0, "output": 2000.0}
"""Dear, so that a short answer costs something."""

_EVENT = b"data: %d\n\n"


class Ticks:
    """Tells when the ticker has gone round a few times: the loop's lag was taken by then."""

    def __init__(self, count: int) -> None:
        self._left = count
        self.over = asyncio.Event()

    def tick(self, now: float) -> None:
        self._left -= 1
        if not self._left:
            self.over.set()


class Open:
    """A stream that runs all the time, an event now and then."""

    def __init__(self, peer: Peer, client: BareClient) -> None:
        self._peer = peer
        self._client = client

    async def go_on(self, number: int) -> None:
        event = _EVENT % number
        self._peer.send(b"%x\r\n%b\r\n" % (len(event), event))
        await self._client.read_until(event)


@dataclass(frozen=True)
class Observed:
    """text, openmetrics: the last page, in both forms."""

    history: History
    text: bytes
    openmetrics: bytes


async def observe() -> Observed:
    """Three scrapes, and requests between them."""
    history = History()
    async with _opened() as (staff, stream):
        left = "x-ratelimit-remaining-requests: 59"
        reply = build_reply(PROVIDERS["openai"].whole, 200, left, kind="text/event-stream")
        staff.says |= {"a": LIMITED, "b": reply}
        for number in range(3):
            await _serve(staff)
            await stream.go_on(number)
            await _tick(staff)
            text = await _scrape(staff)
            history.add(number * INTERVAL, read_page(text))
        return Observed(history, text, await _scrape(staff, "Accept: application/openmetrics-text\r\n"))


async def _scrape(staff: Staff, headers: str = "") -> bytes:
    before = len(staff.proxy.records)
    page = (await fetch(staff.proxy.admin_port, "/metrics", headers=headers)).body
    await staff.proxy.wait_record(before + 1)
    return page


@asynccontextmanager
async def _opened() -> AsyncIterator[tuple[Staff, Open]]:
    models = {"m": {"targets": ["up/m1"]}, "c": {"targets": ["claude/m1"]}}
    mounts = {f"/{name}": {"provider": name, "auth": "none"} for name in ("up", "slow")}
    async with origin() as upstream:
        tables = {
            "up": provider("a", "b"),
            "claude": {"dialect": "anthropic", "accounts": name_accounts("c")},
            "slow": {"base_url": upstream.base_url, "accounts": name_accounts("d")},
        }
        async with (
            staffed(tables, models=models, mounts=mounts, prices={"claude/m1": PRICE}) as staff,
            bare(staff.proxy.port) as client,
        ):
            await client.send(b"GET /slow/x HTTP/1.1\r\nHost: localhost\r\n\r\n")
            peer = await upstream.peer()
            await peer.until(b"\r\n\r\n")
            peer.send(SSE)
            await client.read_until(b"\r\n\r\n")
            yield staff, Open(peer, client)


async def _serve(staff: Staff) -> None:
    served = len(staff.proxy.records)
    for who, model in (("openai", "m"), ("claude", "c"), ("claude", "m"), ("openai", "c")):
        assert (await staff.ask(who, model, stream=True)).status == 200
    well = staff.says.pop("b")
    staff.says["b"] = refuse(400, "invalid_request_error", message="no")
    assert (await staff.ask("openai", "m")).status == 400
    staff.says["b"] = well
    assert (await fetch(staff.proxy.port, "/up/x")).status == 200
    assert (await fetch(staff.proxy.port, "/nowhere")).status == 404
    await staff.proxy.wait_record(served + 7)


async def _tick(staff: Staff) -> None:
    ticks = Ticks(3)
    staff.proxy.penstock.ticker.watch(ticks)
    await ticks.over.wait()
    staff.proxy.penstock.ticker.release(ticks)
