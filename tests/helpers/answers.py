"""A proxy in front of an upstream whose answers are bytes: what is sent to the client is read and compared whole.

`between` gives a Stage; `Stage.ask` sends a request and plays an answer. `strip_own` takes away what the proxy adds to
every answer, so that the rest can be compared with what upstream sent.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.helpers.bare import BareClient, bare
from tests.helpers.origin import Origin, Peer, origin
from tests.helpers.service import RunningProxy, mounted, running

GET = b"GET /up/x HTTP/1.1\r\nHost: a\r\n\r\n"
GET_1_0 = b"GET /up/x HTTP/1.0\r\n\r\n"
HEAD = b"HEAD /up/x HTTP/1.1\r\nHost: a\r\n\r\n"
_OWN = ("x-penstock-request-id", "x-penstock-provider", "x-request-id")


@dataclass(frozen=True, slots=True)
class Stage:
    proxy: RunningProxy
    upstream: Origin

    async def play(self, data: bytes, *, number: int = 1, then: str = "keep", step: int = 0) -> Peer:
        """Wait for a request head on the `number`-th connection and answer `data`. then: keep, fin or rst."""
        peer = await self.upstream.peer(number)
        await peer.until(b"\r\n\r\n")
        peer.received.clear()
        for at in range(0, len(data), step or len(data) or 1):
            if peer.closed_at is not None or peer.transport.is_closing():
                break  # the proxy has had enough
            peer.send(data[at : at + (step or len(data))])
            await asyncio.sleep(0)  # let the proxy read in between
        if then == "fin":
            peer.fin()
        elif then == "rst":
            peer.reset()
        return peer

    async def play_next(self, data: bytes) -> Peer:
        """Answer the next request head, whichever connection it comes on."""
        await self.upstream.wait(lambda: any(b"\r\n\r\n" in peer.received for peer in self.upstream.open))
        (peer,) = (peer for peer in self.upstream.open if peer.received)
        peer.received.clear()
        peer.send(data)
        return peer

    @asynccontextmanager
    async def client(self) -> AsyncIterator[BareClient]:
        async with bare(self.proxy.port) as client:
            yield client

    async def ask(self, data: bytes, *, request: bytes = GET, then: str = "keep", step: int = 0) -> BareClient:
        """One request that must end its connection; the client has read to the end."""
        async with bare(self.proxy.port) as client:
            await client.send(request)
            await self.play(data, then=then, step=step)
            await client.read_to_end()
            return client


@asynccontextmanager
async def between(*, pull: bool, **tables: Any) -> AsyncIterator[Stage]:
    async with origin() as upstream, running({**mounted(upstream.base_url), **tables}, pull=pull) as proxy:
        yield Stage(proxy, upstream)


def strip_own(raw: bytes | bytearray, *, date: bool = False) -> tuple[str, list[str]]:
    """Status line and field lines of a head, without what the proxy adds; `date` says that upstream sent a Date."""
    status, *lines = raw.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    assert all(line.isprintable() for line in (status, *lines) if line.isascii())
    dates = [line for line in lines if line.lower().startswith("date: ")]
    assert len(dates) == 1
    own = _OWN if date else (*_OWN, "date")
    return status, [line for line in lines if line.partition(":")[0].lower() not in own]
