"""A request body on its way up: its limits, and who hears of what."""

import asyncio
from typing import Any, cast

import pytest
from aiohttp import web
from aiohttp.streams import StreamReader

from proxy.config.model import Limits
from proxy.edge.upload import FRAMING_FREE, RATE_GRACE, RATE_WINDOW, ClientUpload, build_upload
from proxy.errors import Code, Refused
from tests.helpers.fakes import FakeTicker, turn
from tests.helpers.origin import origin
from tests.helpers.rawhttp import connected
from tests.helpers.service import mounted, running
from tests.helpers.upstreams import FakeTransport

CHUNKED = b"POST /up/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class FakeRequest:
    """A request whose body a test feeds into `content`."""

    def __init__(self) -> None:
        class Protocol:
            _reading_paused = False
            connected = True

            def pause_reading(self) -> None: ...

            def resume_reading(self, resume_parser: bool = True) -> None: ...

        self.content = StreamReader(cast(Any, Protocol()), 2**16, loop=asyncio.get_running_loop())
        self.transport = FakeTransport()
        self.protocol = object()
        self.body_exists = True


def build(request: FakeRequest, ticker: FakeTicker, *, wants_continue: bool = False, **limits: Any) -> ClientUpload:
    upload = build_upload(cast(web.BaseRequest, request), None, Limits(**limits), ticker, wants_continue=wants_continue)
    assert upload is not None
    return upload


async def read(upload: ClientUpload) -> bytes:
    return b"".join([data async for data in upload.read()])


async def test_a_body_that_is_here_is_taken_whole() -> None:
    request = FakeRequest()
    request.content.feed_data(b"abc")
    upload = build(request, FakeTicker())
    assert upload.take_whole() is None
    assert not upload.complete
    request.content.feed_eof()
    assert upload.take_whole() == b"abc"
    assert (upload.taken, upload.complete) == (3, True)


async def test_a_body_whose_client_waits_for_a_100_gets_it_when_it_is_read() -> None:
    request = FakeRequest()
    upload = build(request, FakeTicker(), wants_continue=True)
    assert upload.take_whole() is None
    assert request.transport.written == b""
    reading = upload.read()
    request.content.feed_data(b"a")
    assert await anext(reading) == b"a"
    assert request.transport.written == b"HTTP/1.1 100 Continue\r\n\r\n"
    await reading.aclose()


async def test_no_100_is_sent_for_a_body_that_is_here() -> None:
    request = FakeRequest()
    request.content.feed_data(b"a")
    request.content.feed_eof()
    upload = build(request, FakeTicker(), wants_continue=True)
    assert await read(upload) == b"a"
    assert request.transport.written == b""


async def test_a_body_too_large_is_refused_before_it_is_asked_for() -> None:
    request, ticker = FakeRequest(), FakeTicker()
    with pytest.raises(Refused) as caught:
        build_upload(cast(Any, request), 11, Limits(max_body=10), ticker, wants_continue=False)
    assert (caught.value.code, caught.value.close) == (Code.BODY_TOO_LARGE, True)
    request.content.feed_data(b"x" * 11)
    with pytest.raises(Refused) as caught:
        build_upload(cast(Any, request), None, Limits(max_body=10), ticker, wants_continue=False)
    assert caught.value.code is Code.BODY_TOO_LARGE


async def test_a_body_that_grows_too_large_is_refused() -> None:
    request, ticker = FakeRequest(), FakeTicker()
    upload = build(request, ticker, max_body=10)
    reading = upload.read()
    request.content.feed_data(b"x" * 10)
    assert await anext(reading) == b"x" * 10
    request.content.feed_data(b"x")
    with pytest.raises(Refused) as caught:
        await anext(reading)
    assert caught.value is upload.fault
    assert caught.value.code is Code.BODY_TOO_LARGE
    assert len(ticker) == 0


async def test_no_body_is_no_upload() -> None:
    request = FakeRequest()
    request.body_exists = False
    assert build_upload(cast(Any, request), 0, Limits(), FakeTicker(), wants_continue=False) is None


async def test_a_silent_client_is_given_up_to_the_tick() -> None:
    request, ticker = FakeRequest(), FakeTicker()
    upload = build(request, ticker, body_idle=10, body_rate=0)
    task = _start(upload)
    await turn(5)
    ticker.advance(9.75)
    assert upload.fault is None
    ticker.advance(0.25)
    with pytest.raises(Refused) as caught:
        await task
    assert caught.value.code is Code.REQUEST_TIMEOUT
    assert len(ticker) == 0


async def test_time_that_upstream_takes_is_not_the_clients() -> None:
    request, ticker = FakeRequest(), FakeTicker()
    upload = build(request, ticker, body_idle=10)
    reading = upload.read()
    request.content.feed_data(b"a")
    await anext(reading)
    ticker.advance(1000)
    assert upload.fault is None
    await reading.aclose()


async def test_a_client_that_drips_is_given_up_after_grace_and_window() -> None:
    request, ticker = FakeRequest(), FakeTicker()
    upload = build(request, ticker, body_idle=10, body_rate=64)
    task = _start(upload)
    seconds = 0.0
    while upload.fault is None:
        await turn(5)
        ticker.advance(5)
        seconds += 5
        request.content.feed_data(b"x")
        assert seconds < 100
    assert seconds == RATE_GRACE + RATE_WINDOW
    with pytest.raises(Refused):
        await task


async def test_a_client_that_is_just_fast_enough_goes_on() -> None:
    request, ticker = FakeRequest(), FakeTicker()
    upload = build(request, ticker, body_idle=10, body_rate=64)
    task = _start(upload)
    for _ in range(40):
        await turn(5)
        ticker.advance(5)
        request.content.feed_data(b"x" * 320)
    assert upload.fault is None
    request.content.feed_eof()
    assert len(await task) == 40 * 320


def _start(upload: ClientUpload) -> Any:
    return asyncio.create_task(read(upload))


# On sockets.


@pytest.mark.parametrize("rest", [b"", b"5\r\nabcde\r\n0\r\n\r\n"], ids=["in pieces", "at once"])
async def test_chunks_above_the_limit_are_a_413(rest: bytes) -> None:
    async with origin() as up, running({**mounted(up.base_url), "limits": {"max_body": "8B"}}) as proxy:
        async with connected("127.0.0.1", proxy.port) as client:
            await client.send(CHUNKED + b"5\r\nabcde\r\n" + rest)
            if not rest:
                peer = await up.peer()
                await peer.until(b"abcde")
                await client.send(b"5\r\nabcde\r\n")
            reply = await client.reply()
            assert (reply.status, reply.json["error"]["code"]) == (413, "body_too_large")
        assert len(up.peers) == (0 if rest else 1)


async def test_a_body_of_framing_is_refused() -> None:
    async with origin() as up, running(mounted(up.base_url)) as proxy, connected("127.0.0.1", proxy.port) as client:
        await client.send(CHUNKED + b"1\r\na\r\n")
        peer = await up.peer()
        await peer.until(b"\r\n\r\n1\r\na\r\n")
        for _ in range(FRAMING_FREE // 3000 + 1):
            await client.send(b"1;" + b"x" * 3000 + b"\r\na\r\n")
        reply = await client.reply()
        assert (reply.status, reply.json["error"]["code"]) == (400, "bad_body")
        await peer.wait_closed()


async def test_one_byte_per_chunk_is_no_attack() -> None:
    async with origin() as up, running(mounted(up.base_url)) as proxy, connected("127.0.0.1", proxy.port) as client:
        await client.send(CHUNKED)
        peer = await up.peer()
        await client.send(b"1\r\na\r\n" * 30_000 + b"0\r\n\r\n")
        await peer.until(b"0\r\n\r\n")
        peer.send(OK)
        assert (await client.reply()).body == b"ok"
        assert (await proxy.wait_record()).bytes_up == 30_000
