"""The opener on public interfaces: the same promises as the hand-over's, as far as aiohttp lets it keep them."""

import asyncio

import pytest

from proxy.errors import Code, UpstreamFault
from proxy.relay.ports import UpstreamRequest
from tests.helpers.fakes import turn
from tests.helpers.origin import origin
from tests.helpers.upstreams import GET, Collector, FakeUpload, collect, opening

OK = b"HTTP/1.1 200 Fine\r\nContent-Length: 2\r\nx-Odd: 1\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


async def test_target_and_fields_go_up_as_they_came() -> None:
    fields = [(b"x-a", b"1"), (b"x-b", "é".encode()), (b"x-a", b"2"), (b"x-key", b"the caller's")]
    request = UpstreamRequest("GET", "//a/../%7e?&&?", fields, None)
    async with origin() as up, opening(up.base_url, {"X-Key": "ours"}, pull=True) as opener:
        task = asyncio.create_task(opener.open(request))
        peer = await up.peer()
        line, *lines = (await peer.until(b"\r\n\r\n")).split(b"\r\n")
        assert line == b"GET //a/../%7e?&&? HTTP/1.1"
        assert sorted(lines) == sorted(
            [b"", b"", b"Host: 127.0.0.1:%d" % up.port, b"x-a: 1", b"x-b: \xc3\xa9", b"x-a: 2", b"x-key: ours"]
        )
        peer.send(OK)
        answer = await task
        assert (answer.status, answer.reason, answer.length) == (200, "Fine", 2)
        assert answer.headers.raw == ((b"Content-Length", b"2"), (b"x-Odd", b"1"))
        assert (await collect(answer.source)).body == b"ok"


@pytest.mark.parametrize(
    ("upload", "wire"),
    [
        (FakeUpload(3, b"abc"), b"\r\n\r\nabc"),
        (FakeUpload(3), b"\r\n\r\nabc"),
        (FakeUpload(None), b"\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
    ],
    ids=["whole", "with a length", "in chunks"],
)
async def test_a_body_goes_up(upload: FakeUpload, wire: bytes) -> None:
    async with origin() as up, opening(up.base_url, pull=True) as opener:
        task = asyncio.create_task(opener.open(UpstreamRequest("POST", "/", [], upload)))
        upload.send(b"abc")
        upload.send_end()
        peer = await up.peer()
        assert (await peer.until(wire)).endswith(wire)
        peer.send(OK)
        await collect((await task).source)


async def test_a_connection_is_used_again() -> None:
    async with origin() as up, opening(up.base_url, pull=True) as opener:
        up.answer = CHUNKED + b"2\r\nok\r\n0\r\n\r\n"
        for _ in range(3):
            assert (await collect((await opener.open(GET)).source)).body == b"ok"
        assert len(up.peers) == 1


async def test_a_paused_body_is_read_no_further_until_resumed() -> None:
    class Pausing(Collector):
        def feed(self, data: bytes) -> None:
            super().feed(data)
            source.pause()

    async with origin() as up, opening(up.base_url, pull=True) as opener:
        up.answer = CHUNKED + b"1\r\na\r\n"
        source = (await opener.open(GET)).source
        assert source is not None
        collector = Pausing()
        source.start(collector)
        await collector.until(1)
        up.peers[0].send(b"1\r\nb\r\n0\r\n\r\n")
        await turn(20)
        assert collector.body == b"a"
        source.resume()
        await collector.until(2)
        source.resume()
        assert await collector.wait() == b"ab"


@pytest.mark.parametrize(("wire", "more"), [(OK[:-1], b""), (CHUNKED + b"1\r\na\r\n", b""), (CHUNKED, b"x\r\n")])
async def test_a_body_that_breaks_off_is_a_fault(wire: bytes, more: bytes) -> None:
    async with origin() as up, opening(up.base_url, pull=True) as opener:
        up.answer = wire
        answer = await opener.open(GET)
        up.peers[0].send(more)
        up.peers[0].fin()
        collector = await collect(answer.source)
        assert collector.fault is not None
        assert not collector.ended


async def test_an_abort_closes_at_once_and_once() -> None:
    async with origin() as up, opening(up.base_url, pull=True) as opener:
        up.answer = CHUNKED + b"1\r\na\r\n"
        source = (await opener.open(GET)).source
        assert source is not None
        collector = Collector()
        source.start(collector)
        await collector.until(1)
        for _ in range(2):
            source.abort()
        await up.peers[0].wait_closed()
        await turn(5)
        assert not collector.over.is_set()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nX: a\x01b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"HTP/1.1 200 OK\r\n\r\n",
    ],
)
async def test_an_answer_that_must_not_go_on_is_a_fault_and_closes(answer: bytes) -> None:
    async with origin() as up, opening(up.base_url, pull=True) as opener:
        up.answer = answer
        with pytest.raises(UpstreamFault) as caught:
            await opener.open(GET)
        assert caught.value.code is Code.PROTOCOL
        await up.peers[0].wait_closed()


@pytest.mark.parametrize("status", [b"204 No", b"304 Not"])
async def test_an_answer_without_a_body_has_no_source(status: bytes) -> None:
    async with origin() as up, opening(up.base_url, pull=True) as opener:
        up.answer = b"HTTP/1.1 " + status + b"\r\n\r\n"
        assert (await opener.open(GET)).source is None


async def test_a_refused_connection_is_told_apart() -> None:
    async with origin() as up:
        base_url = up.base_url
    async with opening(base_url, pull=True) as opener:
        with pytest.raises(UpstreamFault) as caught:
            await opener.open(GET)
        assert caught.value.code is Code.REFUSED
