"""What an answer does to the connection upstream: bytes too many, early answers, and connections that went stale.

The numbers name the cases R5, R8, R9, R21 and R22 of test_responses_out.py.
"""

import asyncio

import pytest

from tests.helpers.answers import GET, HEAD, Stage, between
from tests.helpers.rawhttp import RawClient, connected

NEXT = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
STRAY = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad"
EARLY = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig"
UPLOAD = b"POST /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"
POST = b"POST /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab"


async def assert_next_is_not_stray(stage: Stage, client: RawClient) -> None:
    await client.send(GET)
    await stage.play_next(NEXT)
    assert (await client.reply()).body == b"next"


@pytest.mark.parametrize("extra", [b"x", b"\r\n", STRAY])
@pytest.mark.parametrize("answer", [OK, CHUNKS], ids=["length", "chunks"])
async def test_r5_bytes_behind_a_body_are_dropped_with_their_connection(answer: bytes, extra: bytes) -> None:
    """By our own framing: without the hand-over aiohttp loses the answer too, and it is a 502."""
    async with between(pull=False) as stage, connected("127.0.0.1", stage.proxy.port) as client:
        await client.send(GET)
        peer = await stage.play(answer + extra)
        reply = await client.reply()
        assert (reply.status, reply.body) == (200, b"ok")
        await peer.wait_closed(1.0)
        await assert_next_is_not_stray(stage, client)


@pytest.mark.parametrize("answer", [OK, CHUNKS], ids=["length", "chunks"])
async def test_r5_without_the_hand_over_bytes_behind_a_body_never_reach_the_next_request(answer: bytes) -> None:
    async with between(pull=True) as stage, connected("127.0.0.1", stage.proxy.port) as client:
        await client.send(GET)
        await stage.play(answer + STRAY)
        assert (await client.reply()).status in (200, 502)
        await assert_next_is_not_stray(stage, client)


async def test_r5_bytes_on_an_idle_connection_end_it() -> None:
    """Without the hand-over they are only seen when the connection is taken from the pool."""
    async with between(pull=False) as stage, connected("127.0.0.1", stage.proxy.port) as client:
        await client.send(GET)
        peer = await stage.play(OK)
        assert (await client.reply()).body == b"ok"
        peer.send(STRAY)
        await peer.wait_closed(1.0)
        await assert_next_is_not_stray(stage, client)


@pytest.mark.parametrize(
    ("request_", "head"),
    [
        (HEAD, b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"),
        (GET, b"HTTP/1.1 204 No Content\r\n\r\n"),
        (GET, b"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n"),
    ],
    ids=["HEAD", "204", "304"],
)
@pytest.mark.parametrize("together", [True, False])
async def test_r8_body_bytes_where_there_is_no_body_are_dropped(
    request_: bytes, head: bytes, together: bool, pull: bool
) -> None:
    async with between(pull=pull) as stage, connected("127.0.0.1", stage.proxy.port) as client:
        await client.send(request_)
        peer = await stage.play(head + (STRAY if together else b""))
        reply = await client.reply(bodiless=True)
        if pull and reply.status == 502:  # aiohttp's parser has read on
            await client.exactly(0 if request_ == HEAD else int(reply.headers["content-length"]))
        else:
            assert reply.raw.startswith(head[:12])
            assert "transfer-encoding" not in reply.headers
        if not together and not pull:
            peer.send(STRAY)
            await peer.wait_closed(1.0)
        await assert_next_is_not_stray(stage, client)


async def test_r9_informational_answers_do_not_extend_the_wait_for_the_head(pull: bool) -> None:
    limits = {"first_byte": "500ms"}
    async with between(pull=pull, limits=limits) as stage, connected("127.0.0.1", stage.proxy.port) as client:
        await client.send(GET)
        peer = await stage.play(b"")
        reading = asyncio.create_task(client.reply())
        while not reading.done() and peer.closed_at is None:
            peer.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
            await asyncio.wait([reading], timeout=0.05)
        reply = await reading
        assert (reply.status, reply.json["error"]["code"]) == (504, "first_byte_timeout")
        await peer.wait_closed(1.0)


@pytest.mark.parametrize("then", ["keep", "fin", "rst"])
async def test_r21_an_early_answer_reaches_the_uploader_and_ends_the_upload(then: str, pull: bool) -> None:
    async with between(pull=pull) as stage, connected("127.0.0.1", stage.proxy.port) as client:
        await client.send(UPLOAD + b"x" * 1000)
        peer = await stage.upstream.peer()
        await peer.until(b"x" * 1000)
        peer.send(EARLY)
        if then == "fin":
            peer.fin()
        elif then == "rst":
            peer.reset()
        reply = await client.reply()
        assert (reply.status, reply.body) == (413, b"big")
        assert reply.headers["connection"] == "close"
        await peer.wait_closed(1.0)
        assert await client.rest() == b""
        async with connected("127.0.0.1", stage.proxy.port) as another:
            await assert_next_is_not_stray(stage, another)
        assert len(stage.upstream.peers) == 2


@pytest.mark.parametrize("how", ["fin", "rst"])
async def test_r22_a_kept_connection_that_dies_under_a_post_is_not_tried_again(how: str, pull: bool) -> None:
    async with between(pull=pull) as stage, connected("127.0.0.1", stage.proxy.port) as client:
        await client.send(GET)
        await stage.play(OK)
        assert (await client.reply()).body == b"ok"
        await client.send(POST)
        peer = await stage.upstream.peer()
        await peer.until(b"\r\n\r\nab")
        peer.fin() if how == "fin" else peer.reset()
        reply = await client.reply()
        assert (reply.status, reply.json["error"]["code"]) == (502, "upstream_cut")
        assert len(stage.upstream.peers) == 1


async def test_r22_a_kept_connection_that_dies_under_a_get_is_tried_again_once(pull: bool) -> None:
    async with between(pull=pull) as stage, connected("127.0.0.1", stage.proxy.port) as client:
        await client.send(GET)
        await stage.play(OK)
        assert (await client.reply()).body == b"ok"
        await client.send(GET)
        await stage.play(b"", then="fin")
        await stage.play(b"", number=2, then="fin")
        reply = await client.reply()
        assert (reply.status, reply.json["error"]["code"]) == (502, "upstream_cut")
        assert len(stage.upstream.peers) == 2


async def test_r22_a_connection_closed_while_idle_is_not_used_again(pull: bool) -> None:
    async with between(pull=pull) as stage, connected("127.0.0.1", stage.proxy.port) as client:
        await client.send(GET)
        peer = await stage.play(OK)
        assert (await client.reply()).body == b"ok"
        peer.fin()
        await peer.wait_closed(1.0)
        await client.send(POST)
        await stage.play(NEXT, number=2)
        assert (await client.reply()).body == b"next"


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", OK.replace(b"Content", b"Connection: close\r\nContent")],
    ids=["HTTP/1.0", "Connection: close"],
)
async def test_a_connection_that_upstream_will_not_keep_is_not_kept(answer: bytes, pull: bool) -> None:
    async with between(pull=pull) as stage, connected("127.0.0.1", stage.proxy.port) as client:
        await client.send(GET)
        peer = await stage.play(answer)
        reply = await client.reply()
        assert (reply.body, "connection" in reply.headers) == (b"ok", False)
        await peer.wait_closed(1.0)
        await assert_next_is_not_stray(stage, client)


@pytest.mark.parametrize("answer", [OK, CHUNKS], ids=["length", "chunks"])
async def test_a_connection_is_used_again_after_a_sound_answer(answer: bytes, pull: bool) -> None:
    async with between(pull=pull) as stage, connected("127.0.0.1", stage.proxy.port) as client:
        for _ in range(3):
            await client.send(GET)
            await stage.play(answer)
            assert (await client.reply()).body == b"ok"
        assert len(stage.upstream.peers) == 1
