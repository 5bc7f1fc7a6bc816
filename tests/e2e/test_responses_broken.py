"""Answers that break off within their body: what had come is delivered, and nothing makes it look complete.

The numbers name the cases R1 to R3, R24 and R25 of test_responses_out.py.
"""

import pytest

from proxy.relay.outcome import EndReason
from tests.helpers.answers import GET, GET_1_0, between, strip_own
from tests.helpers.bare import bare

OK = "HTTP/1.1 200 OK"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
EOF = b"HTTP/1.1 200 OK\r\n\r\n"

BAD_CHUNKS = {
    "size": b"zz\r\n",
    "minus": b"-1\r\na\r\n",
    "empty size": b"\r\na\r\n",
    "too large": b"1" + b"0" * 16 + b"\r\n",
    "longer than its size": b"1\r\nab\r\n",
    "control in extension": b"1;\x01\r\na\r\n",
}


@pytest.mark.parametrize("then", ["fin", "rst"])
@pytest.mark.parametrize("sent", [b"ab", b""])
async def test_r1_r25_a_body_below_its_length_ends_with_a_reset(sent: bytes, then: str, pull: bool) -> None:
    async with between(pull=pull) as stage:
        client = await stage.ask(LENGTH + sent, then=then)
        assert strip_own(client.received) == (OK, ["Content-Length: 9"])
        assert client.received.endswith(b"\r\n\r\n" + sent)
        assert client.was_reset
        assert (await stage.proxy.wait_record()).end is EndReason.UPSTREAM_CUT


async def test_r1_a_large_part_is_delivered_before_the_reset(pull: bool) -> None:
    part = bytes(range(256)) * 4096
    async with between(pull=pull) as stage, stage.client() as client:
        await client.send(GET)
        peer = await stage.play(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n" + part, then="fin")
        assert peer.written > len(part)
        received = await client.read_to_end()
        assert received.partition(b"\r\n\r\n")[2] == part
        assert client.was_reset


@pytest.mark.parametrize("then", ["fin", "rst"])
@pytest.mark.parametrize(
    "data", [b"2\r\nab\r\n", b"9\r\nab", b"2\r\nab", b"2\r\nab\r\n0\r\n", b"2\r\nab\r\n0\r\nX: a\r\n"]
)
async def test_r2_chunks_without_the_last_one_get_no_last_one(data: bytes, then: str, pull: bool) -> None:
    async with between(pull=pull) as stage:
        client = await stage.ask(CHUNKED + data, then=then)
        assert strip_own(client.received) == (OK, ["Transfer-Encoding: chunked"])
        assert client.received.endswith(b"\r\n\r\n2\r\nab\r\n")
        assert (await stage.proxy.wait_record()).end is EndReason.UPSTREAM_CUT


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("name", BAD_CHUNKS)
async def test_r3_a_bad_chunk_ends_the_answer_visibly_and_upstream(name: str, together: bool, pull: bool) -> None:
    async with between(pull=pull) as stage, bare(stage.proxy.port) as client:
        await client.send(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        before = CHUNKED + b"2\r\nab\r\n"
        peer = await stage.play(before + (BAD_CHUNKS[name] if together else b""))
        if not together:
            await client.read_until(b"\r\n2\r\nab\r\n")
            peer.send(BAD_CHUNKS[name])
        received = await client.read_to_end()
        body = received.partition(b"\r\n\r\n")[2]
        if pull and together:  # aiohttp's parser loses the head as well
            assert received.startswith(b"HTTP/1.1 502 ")
            return
        assert body.replace(b"1\r\na\r\n", b"") in (b"2\r\nab\r\n", b"3\r\naba\r\n")  # the byte before the fault, too
        await peer.wait_closed(1.0)
        assert (await stage.proxy.wait_record()).end is EndReason.UPSTREAM_CUT


async def test_r6_a_reset_is_no_end_of_a_body_that_the_close_ends(pull: bool) -> None:
    async with between(pull=pull) as stage, stage.client() as client:
        await client.send(GET)
        peer = await stage.play(EOF + b"ab")
        await client.read_until(b"2\r\nab\r\n")
        peer.reset()
        assert (await client.read_to_end()).endswith(b"\r\n\r\n2\r\nab\r\n")
        assert (await stage.proxy.wait_record()).end is EndReason.UPSTREAM_CUT


@pytest.mark.parametrize("start", [CHUNKED + b"2\r\nab\r\n", LENGTH + b"ab"], ids=["chunks", "length"])
async def test_r24_a_cut_shows_to_an_http_1_0_client_as_a_reset(start: bytes, pull: bool) -> None:
    async with between(pull=pull) as stage:
        client = await stage.ask(start, request=GET_1_0, then="fin")
        status, fields = strip_own(client.received)
        assert (status, "Connection: close" in fields) == (OK, True)
        assert not any(field.startswith("Transfer-Encoding") for field in fields)
        assert client.received.endswith(b"\r\n\r\nab")
        assert client.was_reset


@pytest.mark.parametrize(
    "part", [b"", b"HTTP/1.1 200 OK\r\nConte", b"HTTP/1.1 103 Early Hints\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: a\r\n"]
)
@pytest.mark.parametrize("then", ["fin", "rst"])
async def test_a_connection_that_ends_before_the_head_is_a_502(part: bytes, then: str, pull: bool) -> None:
    request = GET.replace(b"GET", b"POST").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    async with between(pull=pull) as stage:
        client = await stage.ask(part, request=request, then=then)
        assert client.received.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
        assert b'"code":"upstream_cut"' in client.received
        assert len(stage.upstream.peers) == 1
