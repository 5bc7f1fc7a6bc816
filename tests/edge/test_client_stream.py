"""A client's side of a stream, on a socket: what goes out together, how it ends, and that a cut one shows."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from proxy.edge.client_stream import ClientStream, open_stream
from proxy.edge.downstream import Downstream
from proxy.edge.middleware import access_record
from proxy.edge.scope import SCOPE
from proxy.relay.clocks import Ticker
from proxy.relay.outcome import EndReason
from tests.helpers.bare import bare
from tests.helpers.edge import build_house, serving
from tests.helpers.rawhttp import connected

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
OLD = b"GET / HTTP/1.0\r\n\r\n"
Act = Callable[[ClientStream], Awaitable[None]]


def build(act: Act, length: int | None = None) -> Any:
    async def handle(request: web.Request) -> web.StreamResponse:
        response = Downstream(200, "OK", [], length)
        await act(await open_stream(request, response))
        return response

    return handle


async def talk(act: Act, request: bytes = GET, length: int | None = None) -> tuple[bytes, bool]:
    """What the client got behind the head, and whether its connection was reset."""
    async with serving(build_house(), [], build(act, length)) as port, bare(port) as client:
        await client.send(request)
        raw = await client.read_to_end()
        return raw.partition(b"\r\n\r\n")[2], client.was_reset


@pytest.mark.parametrize(("length", "wire"), [(None, b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"), (3, b"abc")])
async def test_a_finished_body_is_framed_and_its_connection_serves_on(length: int | None, wire: bytes) -> None:
    async def act(stream: ClientStream) -> None:
        assert stream.write(b"a")
        assert stream.write(b"bc")
        await stream.finish()

    async with serving(build_house(), [], build(act, length)) as port, connected("127.0.0.1", port) as client:
        for _ in range(2):
            await client.send(GET)
            await client.head()
            assert await client.exactly(len(wire)) == wire


async def test_an_old_client_gets_a_body_up_to_the_close() -> None:
    async def act(stream: ClientStream) -> None:
        stream.write(b"abc")
        await stream.finish()

    assert await talk(act, OLD) == (b"abc", False)


async def test_the_head_goes_out_with_the_first_bytes_of_the_body() -> None:
    written: list[bytes] = []

    async def act(stream: ClientStream) -> None:
        write = stream._transport.write

        class Noting:
            def __getattr__(self, name: str) -> Any:
                return getattr(transport, name)

            def write(self, data: bytes) -> None:
                written.append(data)
                write(data)

        transport = stream._transport
        stream._transport = Noting()  # type: ignore[assignment]
        stream.write(b"a")
        stream.flush()
        stream._transport = transport
        await stream.finish()

    await talk(act, GET.replace(b"Host", b"Connection: close\r\nHost"))
    assert len(written) == 1
    assert written[0].endswith(b"\r\n\r\n1\r\na\r\n")


async def test_a_flushed_head_arrives_without_a_body() -> None:
    go_on = asyncio.Event()

    async def act(stream: ClientStream) -> None:
        stream.flush()
        await go_on.wait()
        await stream.finish()

    async with serving(build_house(), [], build(act)) as port, connected("127.0.0.1", port) as client:
        await client.send(GET)
        assert (await client.head()).status == 200
        go_on.set()
        assert await client.chunk() == b""


@pytest.mark.parametrize(
    ("request_", "length", "body", "reset"),
    [(GET, None, b"1\r\na\r\n", False), (GET, 9, b"a", True), (OLD, None, b"a", True)],
    ids=["chunks", "a length", "up to the close"],
)
async def test_a_cut_body_is_delivered_and_shows_that_it_is_cut(
    request_: bytes, length: int | None, body: bytes, reset: bool
) -> None:
    async def act(stream: ClientStream) -> None:
        stream.write(b"a")
        await stream.abort()

    assert await talk(act, request_, length) == (body, reset)


async def test_a_body_cut_before_its_first_byte_has_its_head() -> None:
    async with serving(build_house(), [], build(ClientStream.abort)) as port, bare(port) as client:
        await client.send(GET)
        raw = await client.read_to_end()
        assert raw.startswith(b"HTTP/1.1 200 OK\r\n")
        assert raw.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("length", [None, 9])
async def test_a_killed_stream_is_reset(length: int | None) -> None:
    async def act(stream: ClientStream) -> None:
        stream.write(b"a")
        stream.kill()
        stream.kill()  # harmless
        await stream.abort()

    assert (await talk(act, GET, length))[1]


async def test_a_slow_client_is_told_of_and_waited_for() -> None:
    filled = asyncio.Event()
    counts: list[int] = []

    async def act(stream: ClientStream) -> None:
        while stream.write(b"x" * 65_536):
            pass
        counts.append(stream.count_unsent())
        filled.set()
        await stream.drain()
        await stream.finish()

    async with serving(build_house(), [], build(act)) as port, bare(port, receive_buffer=4096) as client:
        await client.send(GET)
        await asyncio.wait_for(filled.wait(), 5)
        assert counts[0] > 0
        assert (await client.read_until(b"\r\n0\r\n\r\n")).endswith(b"\r\n0\r\n\r\n")


async def test_writing_to_a_client_that_is_gone_raises_nothing_but_a_connection_error() -> None:
    entered, outcome = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def act(stream: ClientStream) -> None:
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:  # cancelled: the client has left
            try:
                stream.write(b"x" * 100_000)
                await stream.drain()
                outcome.set_result(ConnectionError)  # asyncio's transports say nothing
            except BaseException as error:
                outcome.set_result(type(error))

    async with serving(build_house(), [], build(act)) as port:
        async with bare(port) as client:
            await client.send(GET)
            await asyncio.wait_for(entered.wait(), 5)
        assert issubclass(await asyncio.wait_for(outcome, 5), ConnectionError)


async def test_watchers_of_the_request_are_told_what_is_written() -> None:
    told: list[bytes] = []

    class Watcher:
        def sent(self, data: bytes) -> None:
            told.append(data)

        def ended(self, reason: EndReason) -> None:
            told.append(reason.value.encode())

    async def handle(request: web.Request) -> web.StreamResponse:
        response, watcher = Downstream(200, "OK", [], None), Watcher()
        watchers = request[SCOPE].watchers
        watchers.add(watcher)
        stream = await open_stream(request, response)
        stream.write(b"a")
        stream.keep_alive(b": ping")
        watchers.remove(watcher)
        stream.write(b"b")
        watchers.add(watcher)
        await stream.finish()
        return response

    chain = [access_record.build(Ticker(), lambda record: None)]
    async with serving(build_house(), chain, handle) as port, bare(port) as client:
        await client.send(OLD)
        assert (await client.read_to_end()).endswith(b"a: pingb")
    assert told == [b"a", b": ping", b"done"]
