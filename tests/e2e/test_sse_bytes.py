"""Event streams through the proxy: the bytes that go in come out, and each as soon as it is there.

At once is shown by waiting: upstream sends nothing more until the client has read what was sent. An event whose blank
line is a lone CR, with no LF to come, is readable like any other.
"""

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from tests.helpers.answers import GET, GET_1_0, Stage, between
from tests.helpers.origin import Peer
from tests.helpers.rawhttp import RawClient, connected
from tests.helpers.vectors import load_cases

SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = SSE + b"Transfer-Encoding: chunked\r\n\r\n"
TO_THE_END = SSE + b"Connection: close\r\n\r\n"
SMALL = 200  # bytes of a vector that is fed one byte at a time
CUTS = 12  # places at which a vector is cut in two


def framed(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


async def open_stream(stage: Stage, client: RawClient, head: bytes) -> Peer:
    await client.send(GET)
    peer = await stage.play_next(head)
    reply = await client.head()
    assert (reply.status, reply.headers["transfer-encoding"]) == (200, "chunked")
    assert reply.headers["x-accel-buffering"] == "no"
    return peer


async def read_at_once(client: RawClient, data: bytes) -> None:
    """What upstream has just sent, to the last byte, before it sends anything more."""
    received = b""
    while len(received) < len(data):
        received += await client.chunk()
    assert received == data


async def send_in_pieces(stage: Stage, client: RawClient, pieces: list[bytes], head: bytes) -> None:
    peer = await open_stream(stage, client, head)
    for piece in filter(None, pieces):
        peer.send(framed(piece) if head == CHUNKED else piece)
        await read_at_once(client, piece)
    if head == CHUNKED:
        peer.send(b"0\r\n\r\n")
    else:
        peer.fin()
    assert await client.chunk() == b""


def choose_cuts(data: bytes) -> Iterator[int]:
    """Behind the first line ends, and at even distances."""
    ends = [at for at in range(1, len(data)) if data[at - 1 : at] in (b"\r", b"\n")]
    yield from sorted({*ends[: CUTS // 2], *range(1, len(data), len(data) // (CUTS // 2) + 1)})


@pytest.mark.parametrize("head", [CHUNKED, TO_THE_END], ids=["chunks", "to the end"])
@pytest.mark.parametrize("vector", load_cases("vectors"))
async def test_bytes_out_are_bytes_in_and_each_is_there_at_once(
    vector: dict[str, Any], head: bytes, pull: bool
) -> None:
    data = base64.b64decode(vector["input_b64"])
    step = 1 if len(data) <= SMALL else len(data) // 50
    feeds = [[data], [data[at : at + step] for at in range(0, len(data), step)]]
    feeds += [[data[:cut], data[cut:]] for cut in choose_cuts(data)]
    async with between(pull=pull) as stage, connected("127.0.0.1", stage.proxy.port) as client:
        for number, pieces in enumerate(feeds, 1):
            await send_in_pieces(stage, client, pieces, head)
            record = await stage.proxy.wait_record(number)
            assert (record.events, record.bytes_down) == (len(vector["events"]), len(data))


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\r", b"\n\r", b"\r\n\r", b"\r\n\n"])
@pytest.mark.parametrize("head", [CHUNKED, TO_THE_END], ids=["chunks", "to the end"])
async def test_an_event_is_there_when_its_blank_line_is(end: bytes, head: bytes, pull: bool) -> None:
    events = [b"id: %d\rdata: %d" % (number, number) + end for number in range(5)]
    async with between(pull=pull) as stage, connected("127.0.0.1", stage.proxy.port) as client:
        await send_in_pieces(stage, client, events, head)
        assert (await stage.proxy.wait_record()).events == 5


async def test_chunk_framing_cut_anywhere_changes_nothing(pull: bool) -> None:
    events = [b"data: 1\n\n", b"data: 22\r\r", b": c\n", b"data: 3\n\n"]
    wire = b"".join(framed(event) for event in events) + b"0\r\n\r\n"
    async with between(pull=pull) as stage, connected("127.0.0.1", stage.proxy.port) as client:
        for cut in range(len(wire)):
            peer = await open_stream(stage, client, CHUNKED)
            peer.send(wire[:cut])
            whole = payload_of(wire[:cut])
            await read_at_once(client, whole)
            peer.send(wire[cut:])
            await read_at_once(client, b"".join(events)[len(whole) :])
            assert await client.chunk() == b""


def payload_of(wire: bytes) -> bytes:
    """What of the beginning of a chunked body is payload."""
    payload = b""
    while b"\r\n" in wire:
        line, _, rest = wire.partition(b"\r\n")
        size = int(line, 16)
        payload += rest[:size]
        wire = rest[size + 2 :]
    return payload


async def test_a_head_is_there_before_the_first_event(pull: bool) -> None:
    async with between(pull=pull) as stage, connected("127.0.0.1", stage.proxy.port) as client:
        peer = await open_stream(stage, client, CHUNKED)  # reads the head while nothing of a body has been sent
        peer.send(framed(b"data: 1\n\n") + b"0\r\n\r\n")
        assert [await client.chunk() for _ in range(2)] == [b"data: 1\n\n", b""]


async def test_an_http_1_0_client_gets_the_bytes_at_once_and_the_end_by_the_close(pull: bool) -> None:
    pieces = [b"data: 1\r", b"\r", b"data: 2\n\n", b": half"]
    async with between(pull=pull) as stage, connected("127.0.0.1", stage.proxy.port) as client:
        await client.send(GET_1_0)
        peer = await stage.play_next(CHUNKED)
        assert "transfer-encoding" not in (await client.head()).headers
        for piece in pieces:
            peer.send(framed(piece))
            assert await client.exactly(len(piece)) == piece
        peer.send(b"0\r\n\r\n")
        assert await client.rest() == b""


async def test_an_encoded_stream_passes_untouched_and_at_once(pull: bool) -> None:
    head = CHUNKED.replace(b"Transfer", b"Content-Encoding: gzip\r\nTransfer")
    pieces = [bytes(range(at, at + 50)) for at in range(0, 200, 50)]
    async with between(pull=pull) as stage, connected("127.0.0.1", stage.proxy.port) as client:
        peer = await open_stream(stage, client, head)
        for piece in pieces:
            peer.send(framed(piece))
            await read_at_once(client, piece)
        peer.send(b"0\r\n\r\n")
        assert await client.chunk() == b""
