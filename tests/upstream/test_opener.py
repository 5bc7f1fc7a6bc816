"""The opener on real sockets, in front of an origin that does what it is told."""

import asyncio
from typing import Any

import pytest

from proxy.errors import Code
from proxy.relay.ports import UpstreamRequest
from tests.helpers.origin import Origin, Peer, origin
from tests.helpers.upstreams import GET, Collector, FakeUpload, ask, collect, fail, opening

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def serve(up: Origin, number: int, answer: bytes, mark: bytes = b"\r\n\r\n") -> Peer:
    """Answer what comes on connection `number` with these bytes, and forget what came."""
    peer = await up.peer(number)
    await peer.until(mark)
    peer.received.clear()
    peer.send(answer)
    return peer


async def test_the_request_is_written_as_it_was_given() -> None:
    fields = [(b"x-a", b"1"), (b"x-b", "é".encode()), (b"x-a", b"2"), (b"x-key", b"the caller's")]
    request = UpstreamRequest("GET", "//a/../%7e?&&?", fields, None)
    async with origin() as up, opening(up.base_url, {"X-Key": "ours"}) as opener:
        task = asyncio.create_task(ask(opener, request))
        peer = await up.peer()
        head = await peer.until(b"\r\n\r\n")
        assert head == (
            b"GET //a/../%%7e?&&? HTTP/1.1\r\nhost: 127.0.0.1:%d\r\nx-a: 1\r\nx-b: \xc3\xa9\r\nx-a: 2\r\n"
            b"x-key: ours\r\n\r\n" % up.port
        )
        peer.send(OK)
        assert await task == (200, b"ok")


@pytest.mark.parametrize(
    ("method", "upload", "line"),
    [
        ("GET", None, b""),
        ("DELETE", None, b""),
        ("POST", None, b"content-length: 0\r\n"),
        ("POST", FakeUpload(3, b"abc"), b"content-length: 3\r\n"),
        ("POST", FakeUpload(None, b"3\r\nabc\r\n0\r\n\r\n"), b"transfer-encoding: chunked\r\n"),
    ],
)
async def test_the_framing_of_a_request(method: str, upload: Any, line: bytes) -> None:
    request = UpstreamRequest(method, "/", [], upload)
    async with origin() as up, opening(up.base_url) as opener:
        task = asyncio.create_task(ask(opener, request))
        peer = await up.peer()
        head, _, _ = (await peer.until(b"\r\n\r\n")).partition(b"\r\n\r\n")
        assert head.split(b"\r\n", 2)[2:] == ([line.strip()] if line else [])
        peer.send(OK)
        await task


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (OK, (200, b"ok")),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", (200, b"ok")),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, (200, b"ok")),
        (b"HTTP/1.1 204 No Content\r\n\r\n", (204, b"")),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", (304, b"")),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", (200, b"")),
        (b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n", (302, b"")),
    ],
)
async def test_a_connection_is_used_again_after_a_whole_answer(answer: bytes, result: tuple[int, bytes]) -> None:
    async with origin() as up, opening(up.base_url) as opener:
        up.answer = answer
        for _ in range(3):
            assert await ask(opener) == result
        assert len(up.peers) == 1


async def test_a_connection_is_used_again_after_an_answer_to_head() -> None:
    async with origin() as up, opening(up.base_url) as opener:
        up.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
        for _ in range(2):
            answer = await opener.open(UpstreamRequest("HEAD", "/", [], None))
            assert (answer.source, answer.length) == (None, 9)
        assert len(up.peers) == 1


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"stray",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nstray",
        b"HTTP/1.1 204 No Content\r\n\r\nstray",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nstray",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ],
)
async def test_a_connection_that_is_unfit_is_not_used_again(answer: bytes) -> None:
    async with origin() as up, opening(up.base_url) as opener:
        up.answer = answer
        for number in range(1, 3):
            assert (await ask(opener))[1] in (b"ok", b"")
            assert len(up.peers) == number


async def test_bytes_that_come_while_a_connection_waits_end_it() -> None:
    async with origin() as up, opening(up.base_url) as opener:
        up.answer = OK
        await ask(opener)
        up.peers[0].send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong")
        await up.peers[0].wait_closed()
        assert await ask(opener) == (200, b"ok")
        assert len(up.peers) == 2


@pytest.mark.parametrize("how", ["fin", "reset"])
async def test_a_kept_connection_that_closes_under_a_get_is_replaced_once(how: str) -> None:
    async with origin() as up, opening(up.base_url) as opener:
        up.answer = OK
        await ask(opener)
        up.answer = None
        task = asyncio.create_task(ask(opener))
        await up.peers[0].until(b"\r\n\r\n")
        getattr(up.peers[0], how)()
        await serve(up, 2, OK)
        assert await task == (200, b"ok")
        assert len(up.peers) == 2


async def test_of_several_kept_connections_that_are_stale_one_is_tried() -> None:
    async with origin() as up, opening(up.base_url) as opener:
        tasks = [asyncio.create_task(ask(opener)) for _ in range(3)]
        for number in range(1, 4):
            await (await up.peer(number)).until(b"\r\n\r\n")
        for peer in up.peers:
            peer.received.clear()
            peer.send(OK)
        await asyncio.gather(*tasks)
        task = asyncio.create_task(ask(opener))
        await up.wait(lambda: any(peer.received for peer in up.peers))
        for peer in up.peers:
            if peer.received:
                peer.fin()
        await serve(up, 4, OK)
        await task
        assert sum(bool(peer.received) for peer in up.peers[:3]) == 1


@pytest.mark.parametrize(
    "request_",
    [UpstreamRequest("POST", "/", [], None), UpstreamRequest("GET", "/", [], FakeUpload(1, b"x"))],
    ids=["POST", "GET with a body"],
)
async def test_nothing_else_is_ever_sent_twice(request_: UpstreamRequest) -> None:
    async with origin() as up, opening(up.base_url) as opener:
        up.answer = OK
        await ask(opener)
        up.answer = None
        task = asyncio.create_task(fail(opener, request_))
        await up.peers[0].until(b"\r\n\r\n")
        up.peers[0].fin()
        fault = await task
        assert (fault.code, fault.stale) == (Code.CUT, True)
        assert len(up.peers) == 1


POST = UpstreamRequest("POST", "/", [], None)


@pytest.mark.parametrize("pull", [False, True], ids=["push", "pull"])
@pytest.mark.parametrize("how", ["fin", "reset"])
async def test_a_kept_connection_that_closes_under_a_post_is_said_to_be_stale(how: str, pull: bool) -> None:
    async with origin() as up, opening(up.base_url, pull=pull) as opener:
        up.answer = OK
        await ask(opener)
        up.answer = None
        task = asyncio.create_task(fail(opener, POST))
        await up.peers[0].until(b"\r\n\r\n")
        getattr(up.peers[0], how)()
        fault = await task
        assert (fault.code, fault.stale) == (Code.CUT, True)
        up.answer = OK
        assert await ask(opener, POST) == (200, b"ok")


@pytest.mark.parametrize("pull", [False, True], ids=["push", "pull"])
@pytest.mark.parametrize("heard", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 2"])
async def test_a_connection_that_has_begun_to_answer_is_not_stale(heard: bytes, pull: bool) -> None:
    async with origin() as up, opening(up.base_url, pull=pull) as opener:
        up.answer = OK
        await ask(opener)
        up.answer = None
        task = asyncio.create_task(fail(opener, POST))
        await up.peers[0].until(b"\r\n\r\n")
        up.peers[0].send(heard)
        up.peers[0].fin()
        fault = await task
        assert not fault.stale


@pytest.mark.parametrize("pull", [False, True], ids=["push", "pull"])
async def test_a_fresh_connection_is_not_stale(pull: bool) -> None:
    async with origin() as up, opening(up.base_url, pull=pull) as opener:
        task = asyncio.create_task(fail(opener, POST))
        peer = await up.peer()
        await peer.until(b"\r\n\r\n")
        peer.fin()
        fault = await task
        assert (fault.code, fault.stale) == (Code.CUT, False)


async def test_a_fresh_connection_that_closes_under_a_get_is_a_fault() -> None:
    async with origin() as up, opening(up.base_url) as opener:
        task = asyncio.create_task(fail(opener))
        peer = await up.peer()
        await peer.until(b"\r\n\r\n")
        peer.fin()
        assert (await task).code is Code.CUT
        assert len(up.peers) == 1


@pytest.mark.parametrize("pull", [False, True], ids=["push", "pull"])
async def test_a_fresh_connection_is_not_replaced_either_after_a_kept_one_failed(pull: bool) -> None:
    async with origin() as up, opening(up.base_url, pull=pull) as opener:
        up.answer = OK
        await ask(opener)
        up.answer = None
        task = asyncio.create_task(fail(opener))
        for number in (1, 2):
            peer = await up.peer(number)
            await peer.until(b"\r\n\r\n")
            peer.fin()
        fault = await task
        assert (fault.code, fault.stale) == (Code.CUT, False)
        assert len(up.peers) == 2


async def test_a_head_below_the_limits_goes_on() -> None:
    async with origin() as up, opening(up.base_url) as opener:
        up.answer = OK.replace(b"\r\n", b"\r\nX: " + b"y" * 60_000 + b"\r\n" + b"X: y\r\n" * 200, 1)
        assert await ask(opener) == (200, b"ok")


async def test_a_request_that_is_cancelled_closes_its_connection() -> None:
    async with origin() as up, opening(up.base_url) as opener:
        task = asyncio.create_task(ask(opener))
        peer = await up.peer()
        await peer.until(b"\r\n\r\n")
        task.cancel()
        await peer.wait_closed()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_body_that_is_held_is_given_when_it_is_taken() -> None:
    async with origin() as up, opening(up.base_url) as opener:
        up.answer = OK
        answer = await opener.open(GET)
        assert answer.source is not None
        collector = Collector()
        answer.source.start(collector)
        assert await collector.wait() == b"ok"


@pytest.mark.parametrize("whole", [True, False])
async def test_a_connection_that_is_lost_while_its_body_is_held(whole: bool) -> None:
    async with origin() as up, opening(up.base_url) as opener:
        task = asyncio.create_task(opener.open(GET))
        peer = await serve(up, 1, OK if whole else OK[:-1])
        answer = await task
        peer.fin()
        await up.wait(lambda: peer.lost)
        collector = await collect(answer.source)
        assert collector.body == (b"ok" if whole else b"o")
        assert (collector.fault is None) is whole


async def test_an_early_answer_ends_the_upload_and_the_connection() -> None:
    upload = FakeUpload(1_000)
    request = UpstreamRequest("POST", "/", [], upload)
    async with origin() as up, opening(up.base_url) as opener:
        task = asyncio.create_task(ask(opener, request))
        upload.send(b"abc")
        peer = await serve(up, 1, b"HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno", b"abc")
        assert await task == (413, b"no")
        await peer.wait_closed()
