"""The last answer arrives whatever its client still sends, and a connection that is being closed is closed."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest

from proxy.edge import lingering
from proxy.edge.lingering import Lingering
from proxy.relay.clocks import Ticker
from tests.helpers.bare import bare, settle
from tests.helpers.certificates import make_authority

ANSWER = b"the last answer"
WINDOW = 4 << 10  # bytes of a client's receive buffer: its reader's slowness reaches us at once


class Answering(asyncio.Protocol):
    """Answers the first bytes, and has the connection closed in the way that is tested."""

    def __init__(self, close: Callable[[asyncio.Transport], None], answer: bytes) -> None:
        self._close, self._answer = close, answer
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        assert not self.received, "the transport was not taken over"
        self.received = data
        self.transport.write(self._answer)
        self._close(self.transport)


class Place:
    def __init__(self) -> None:
        self.ticker = Ticker(0.01)
        self.lingering = Lingering(self.ticker)
        self.closed = 0
        self.port = 0
        self.closes_before = False
        self.instead: Callable[[asyncio.Transport], None] | None = None

    def answered(self, transport: asyncio.Transport) -> None:
        (self.instead or self.close)(transport)

    def close(self, transport: asyncio.Transport) -> None:
        if self.closes_before:
            transport.close()
        self.lingering.take(transport, self._note)

    def _note(self) -> None:
        self.closed += 1


@asynccontextmanager
async def answering(answer: bytes = ANSWER, context: ssl.SSLContext | None = None) -> AsyncIterator[Place]:
    place = Place()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Answering(place.answered, answer), "127.0.0.1", 0, ssl=context)
    place.port = server.sockets[0].getsockname()[1]
    try:
        yield place
    finally:
        server.close()


async def test_what_a_client_still_sends_resets_nothing() -> None:
    async with answering() as place, bare(place.port) as client:
        await client.send(b"x")
        await client.read_until(ANSWER)
        for _ in range(20):
            await client.send(b"y" * 10_000)
        assert await client.read_to_end() == ANSWER
        assert not client.was_reset
        assert (len(place.lingering), place.closed) == (1, 0)
        client.leave()
        await settle(lambda: not place.lingering)
        assert place.closed == 1


async def test_a_client_that_does_not_close_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lingering, "LINGER", 0.1)
    async with answering() as place, bare(place.port) as client:
        await client.send(b"x")
        assert await client.read_to_end() == ANSWER
        await settle(lambda: not place.lingering)
        assert place.closed == 1


async def test_a_slow_reader_gets_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lingering, "LINGER", 0.05)
    whole = b"z" * (16 << 20)  # more than the kernel takes
    async with answering(whole) as place, bare(place.port, receive_buffer=WINDOW) as client:
        await client.send(b"x")
        await client.read_some(1)
        await asyncio.sleep(0.2)  # several times what it would have if its time had begun
        assert len(place.lingering) == 1
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        assert len(await client.read_to_end()) == len(whole)
        assert not client.was_reset


async def test_a_connection_that_is_closed_already_is_none_to_wait_for() -> None:
    async with answering() as place, bare(place.port) as client:
        place.closes_before = True
        await client.send(b"x")
        assert await client.read_to_end() == ANSWER
        assert (len(place.lingering), place.closed) == (0, 1)


async def test_over_tls_the_client_has_its_time_and_then_the_farewell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lingering, "LINGER", 0.2)
    authority = make_authority(tmp_path)
    trust = ssl.create_default_context(cafile=authority.ca_file)
    async with answering(context=authority.context()) as place:
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port, ssl=trust)
        writer.write(b"x")
        assert await reader.readexactly(len(ANSWER)) == ANSWER
        writer.write(b"y" * 10_000)
        await writer.drain()
        assert await reader.read() == b""  # an end, not a cut: that would raise
        writer.close()
        await settle(lambda: not place.lingering)
        assert place.closed == 1


class Beats:
    """Watched after what is tested: of a tick that raises it would not hear."""

    def __init__(self) -> None:
        self.count = 0

    def tick(self, now: float) -> None:
        self.count += 1


async def test_over_tls_a_client_without_a_farewell_stops_no_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lingering, "LINGER", 0.02)
    authority, beats = make_authority(tmp_path), Beats()
    async with (
        answering(context=authority.context()) as place,
        bare(place.port, tls=ssl.create_default_context(cafile=authority.ca_file)) as client,
    ):
        await client.send(b"x")
        await client.read_until(ANSWER)
        place.ticker.watch(beats)
        await settle(lambda: beats.count >= 20)
        assert (len(place.lingering), place.closed) == (1, 0)
        client.leave()
        await settle(lambda: place.closed == 1)
        place.ticker.release(beats)


async def test_a_client_that_has_reset_the_connection_is_no_error() -> None:
    """asyncio's own loop says so when the connection is half-closed, and not before."""
    taken: list[bool] = []
    async with answering() as place, bare(place.port) as client:

        def close(transport: asyncio.Transport) -> None:
            client.leave("rst")
            place.close(transport)
            taken.append(True)

        place.instead = close
        await client.send(b"x")
        await settle(lambda: place.closed == 1)
        assert not place.lingering
    assert taken == [True]
