"""A client that asks for a short stream, again and again, and takes the time to its first byte.

Half of the requests come on a connection that is kept, the others on one of their own each. What is asked is answered
by the demo behind the proxy, so that every part of the way is in the time.
"""

import asyncio
import ssl
import time
from dataclasses import dataclass, field
from typing import Final

GAP: Final = 0.004
"""Seconds between two requests: some three hundred in two seconds, so that a p99 has something to stand on."""

_ASK: Final = b"GET /up/clock?n=3&every=0 HTTP/1.1\r\nHost: a\r\n%b\r\n"
_END: Final = b"\r\n0\r\n\r\n"


@dataclass
class Times:
    """Seconds to the first byte, and what went wrong."""

    kept: list[float] = field(default_factory=list)
    fresh: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def show(self) -> str:
        return f"{1000 * find_p99(self.kept):.1f} and {1000 * find_p99(self.fresh):.1f} ms"

    def p99(self) -> float:
        """Of the two, each by itself, the worse."""
        return max(find_p99(self.kept), find_p99(self.fresh))

    def longest(self) -> float:
        """A p99 does not tell of a standstill, in which nobody asks."""
        return max(*self.kept, *self.fresh)


def find_p99(times: list[float]) -> float:
    return sorted(times)[int(0.99 * (len(times) - 1))]


async def visit(port: int, seconds: float, tls: ssl.SSLContext | None = None) -> Times:
    times = Times()
    await asyncio.gather(_ask_on(port, seconds, tls, times), _ask_anew(port, seconds, tls, times))
    return times


async def _ask_on(port: int, seconds: float, tls: ssl.SSLContext | None, times: Times) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
        while time.monotonic() < until:
            began = time.monotonic()
            if not await _ask(reader, writer, b"", began, times.kept, times.faults):
                break
            await asyncio.sleep(GAP)
        writer.close()


async def _ask_anew(port: int, seconds: float, tls: ssl.SSLContext | None, times: Times) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
        await _ask(reader, writer, b"Connection: close\r\n", began, times.fresh, times.faults)
        writer.close()
        await asyncio.sleep(GAP)


async def _ask(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    field: bytes,
    began: float,
    times: list[float],
    faults: list[str],
) -> bool:
    """False when the connection is of no more use."""
    said = b""
    try:
        writer.write(_ASK % field)
        said = await reader.read(65536)
        times.append(time.monotonic() - began)
        while not said.endswith(_END):
            data = await reader.read(65536)
            if not data:
                break
            said += data
    except ConnectionError as error:
        faults.append(type(error).__name__)
        return False
    if not said.startswith(b"HTTP/1.1 200 ") or not said.endswith(_END):
        faults.append(said[:40].decode("latin-1"))
        return False
    return True
