"""Several requests on one connection: what belongs to the first is never taken for a second, and order is kept.

The numbers name the cases: 55 to 58 and 60.
"""

import socket

import pytest

from tests.helpers.answers import between
from tests.helpers.recorder import Seen
from tests.helpers.rig import CANARY, PLAIN, request, rigged

UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAA\r\nSec-WebSocket-Version: 13\r\n"
WEBSOCKET = [(b"x-canary", CANARY)]  # what belongs to the upgrade goes with it


@pytest.mark.parametrize("step", [0, 1], ids=["whole", "byte by byte"])
async def test_55_the_body_of_a_declined_upgrade_is_no_second_request(
    step: int, pull: bool, caplog: pytest.LogCaptureFixture
) -> None:
    hidden = b"GET /up/hidden HTTP/1.1\r\nHost: a\r\n\r\n"
    data = request(UPGRADE + b"Content-Length: %d\r\n" % len(hidden), hidden) + PLAIN
    async with rigged(caplog, pull=pull) as rig, rig.client() as client:
        await client.send_slowly(data, step)
        assert (await client.reply()).status == 200
        first = rig.upstream.requests[0]
        assert (first.fields, first.body) == (WEBSOCKET, hidden)
        await rig.proxy.wait_record()
        assert [seen.target for seen in rig.upstream.requests[1:]] in ([], [b"/next"])


@pytest.mark.parametrize("body", [b"", b"abc"])
@pytest.mark.parametrize("step", [0, 1], ids=["whole", "byte by byte"])
async def test_56_two_requests_at_once_get_two_answers_in_order(
    step: int, body: bytes, pull: bool, caplog: pytest.LogCaptureFixture
) -> None:
    length = b"Content-Length: %d\r\n" % len(body) if body else b""
    async with rigged(caplog, pull=pull) as rig, rig.client() as client:
        rig.upstream.answer = echo_target
        await client.send_slowly(request(length, body, method=b"GET", target=b"/up/1") + PLAIN, step)
        assert [(await client.reply()).body for _ in range(2)] == [b"/1", b"/next"]
        assert [(seen.target, seen.body) for seen in rig.upstream.requests] == [(b"/1", body), (b"/next", b"")]


def echo_target(seen: Seen) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(seen.target), seen.target)


async def test_57_pipelined_requests_wait_for_a_running_stream(pull: bool, caplog: pytest.LogCaptureFixture) -> None:
    count = 40
    async with rigged(caplog, pull=pull) as rig, rig.client() as client:
        rig.upstream.answer = lambda seen: (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n/0\r\n"
            if seen.target == b"/0"
            else echo_target(seen)
        )
        for number in range(count):
            await client.send(request(method=b"GET", target=b"/up/%d" % number))
        assert (await client.head()).status == 200
        assert await client.chunk() == b"/0"
        assert len(rig.upstream.requests) == 1
        rig.upstream.send(b"1\r\n!\r\n0\r\n\r\n")
        assert [await client.chunk() for _ in range(2)] == [b"!", b""]
        for number in range(1, count):
            assert (await client.reply()).body == b"/%d" % number
        assert [seen.target for seen in rig.upstream.requests] == [b"/%d" % number for number in range(count)]


@pytest.mark.parametrize("data", [b"c4n4ry=1", b"c4n4ry\r\n\r\n", b"\x00c4n4ry"])
@pytest.mark.parametrize("together", [True, False])
async def test_58_bytes_behind_a_request_without_length_are_a_bad_request(
    data: bytes, together: bool, pull: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async with rigged(caplog, pull=pull) as rig, rig.client() as client:
        await client.send(request(b"", data if together else b""))
        reply = await client.reply()
        if reply.status == 200:
            assert [seen.body for seen in rig.upstream.requests] == [b""]
            await client.send(b"" if together else data)
            reply = await client.reply()
        assert (reply.status, reply.headers["connection"]) == (400, "close")
        assert CANARY not in reply.raw + reply.body
        assert await client.rest() == b""
        assert len(rig.upstream.requests) <= 1
        assert not any(data in received for received in rig.upstream.received)


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"],
    ids=["before the head", "in the stream"],
)
async def test_60_a_client_that_closes_its_side_counts_as_gone(answer: bytes, pull: bool) -> None:
    async with between(pull=pull) as stage, stage.client() as client:
        await client.send(PLAIN)
        peer = await stage.play(answer)
        if answer:
            await client.read_until(b"abc")
        before = bytes(client.received)
        client.sock.shutdown(socket.SHUT_WR)
        assert await client.read_to_end() == before
        await peer.wait_closed(1.0)


async def test_a_refused_upload_is_no_second_request(pull: bool, caplog: pytest.LogCaptureFixture) -> None:
    """A body that nobody reads must not be read as a request: the connection ends with the refusal."""
    hidden = request(method=b"GET")
    data = request(b"Content-Length: %d\r\n" % (len(hidden) * 100), target=b"/c4n4ry")
    async with rigged(caplog, pull=pull) as rig, rig.client() as client:
        await client.send(data)
        reply = await client.reply()
        assert (reply.status, reply.headers["connection"]) == (404, "close")
        await client.send(hidden)
        assert await client.rest() == b""
        assert rig.upstream.connections == 0
