"""Request bodies as bytes in: broken framing, expectations, and bodies that take their time.

The numbers name the cases: 14 to 21 chunks, 48 to 50 expectations, 61 a slow body.
"""

import pytest

from tests.helpers.rig import CANARY, Rig, request, rigged

CHUNKED = b"Transfer-Encoding: chunked\r\n"
LENGTH = b"Content-Length: 6\r\n"
EXPECT = b"Expect: 100-continue\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

BROKEN = {
    "14 hexadecimal prefix": b"0x6\r\nc4n4ry\r\n0\r\n\r\n",
    "14 plus": b"+6\r\nc4n4ry\r\n0\r\n\r\n",
    "14 empty": b"\r\nc4n4ry\r\n0\r\n\r\n",
    "14 blank before": b" 6\r\nc4n4ry\r\n0\r\n\r\n",
    "14 blank behind": b"6 \r\nc4n4ry\r\n0\r\n\r\n",
    "14 overflow": b"1" + b"0" * 15 + b"6\r\nc4n4ry\r\n0\r\n\r\n",
    "14 minus": b"-6\r\nc4n4ry\r\n0\r\n\r\n",
    "15 LF behind size": b"6\nc4n4ry\r\n0\r\n\r\n",
    "15 LF behind data": b"6\r\nc4n4ry\n0\r\n\r\n",
    "15 LF behind last": b"6\r\nc4n4ry\r\n0\n\n",
    "16 longer than its size": b"5\r\nc4n4ry\r\n0\r\n\r\n",
    "16 shorter than its size": b"7\r\nc4n4ry\r\n0\r\n\r\n",
    "18 LF in extension": b"6;c4n4ry\nb\r\nc4n4ry\r\n0\r\n\r\n",
    "18 CR in extension": b"6;c4n4ry\rb\r\nc4n4ry\r\n0\r\n\r\n",
    "18 NUL in extension": b"6;c4n4ry\x00b\r\nc4n4ry\r\n0\r\n\r\n",
    "trailer without colon": b"6\r\nc4n4ry\r\n0\r\nc4n4ry\r\n\r\n",
    "trailer that folds": b"6\r\nc4n4ry\r\n0\r\nX: a\r\n c4n4ry\r\n\r\n",
}


@pytest.mark.parametrize("case", BROKEN)
async def test_broken_chunks_along_with_the_head_reach_no_upstream(case: str, caplog: pytest.LogCaptureFixture) -> None:
    async with rigged(caplog) as rig:
        await rig.assert_refused(request(CHUNKED, BROKEN[case]), 400)
        assert (await rig.proxy.wait_record()).status == 400


async def assert_upload_broken_off(rig: Rig) -> None:
    """Upstream has seen the beginning of one request and its connection has ended without a last chunk."""
    await rig.upstream.wait(lambda: not rig.upstream.open)
    assert [seen.whole for seen in rig.upstream.requests] == [False]
    assert b"\r\n0\r\n" not in rig.upstream.received[0]


@pytest.mark.parametrize("case", BROKEN)
async def test_broken_chunks_behind_the_head_end_the_upload_unfinished(
    case: str, pull: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async with rigged(caplog, pull=pull) as rig, rig.client() as client:
        await client.send(request(CHUNKED, b"3\r\nabc\r\n"))
        await rig.upstream.wait(lambda: any(seen.body == b"abc" for seen in rig.upstream.requests))
        await client.send(BROKEN[case])
        reply = await client.reply()
        assert (reply.status, reply.headers["connection"]) == (400, "close")
        assert CANARY not in reply.raw + reply.body
        assert await client.rest() == b""
        await assert_upload_broken_off(rig)
        assert (await rig.proxy.wait_record()).status == 400


@pytest.mark.parametrize("times", [1, 8])
async def test_19_a_body_that_is_mostly_extensions_is_refused(
    times: int, pull: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async with rigged(caplog, pull=pull) as rig, rig.client() as client:
        await client.send(request(CHUNKED, b"1\r\na\r\n"))
        await rig.upstream.wait(lambda: any(seen.body for seen in rig.upstream.requests))
        for _ in range(times):
            await client.send(b"1;" + b"x" * 20_000 + b"\r\na\r\n")
        if times == 1:
            await client.send(b"0\r\n\r\n")
            assert (await client.reply()).status == 200
            assert [seen.body for seen in rig.upstream.requests] == [b"aa"]
            return
        reply = await client.reply()
        assert (reply.status, reply.headers["connection"]) == (400, "close")
        await assert_upload_broken_off(rig)


async def test_19_extensions_along_with_the_head_are_refused(caplog: pytest.LogCaptureFixture) -> None:
    async with rigged(caplog) as rig:
        answer = await rig.answer_to(request(CHUNKED, (b"1;" + b"x" * 20_000 + b"\r\na\r\n") * 20))
        rig.assert_is_refusal(answer, 400)
        assert not any(seen.whole for seen in rig.upstream.requests)


@pytest.mark.parametrize("fields", [LENGTH, CHUNKED], ids=["length", "chunks"])
async def test_61_a_slow_body_goes_up_byte_by_byte(fields: bytes, pull: bool, caplog: pytest.LogCaptureFixture) -> None:
    async with rigged(caplog, pull=pull) as rig, rig.client() as client:
        await client.send(request(fields))
        for at, byte in enumerate(CANARY, 1):
            await client.send(b"1\r\n%c\r\n" % byte if fields == CHUNKED else b"%c" % byte)
            await rig.upstream.wait(
                lambda at=at: [seen.body for seen in rig.upstream.requests] == [CANARY[:at]]  # type: ignore[misc]
            )
        (seen,) = rig.upstream.requests
        assert seen.whole == (fields == LENGTH)
        if fields == CHUNKED:
            await client.send(b"0\r\n\r\n")
        assert (await client.reply()).status == 200
        assert (seen.whole, seen.body) == (True, CANARY)


@pytest.mark.parametrize("fields", [LENGTH, CHUNKED], ids=["length", "chunks"])
async def test_61_a_body_that_stops_is_timed_out(fields: bytes, pull: bool, caplog: pytest.LogCaptureFixture) -> None:
    async with rigged(caplog, pull=pull, limits={"body_idle": "300ms"}) as rig:
        answer = await rig.answer_to(request(fields, b"3\r\nabc\r\n" if fields == CHUNKED else b"abc"))
        rig.assert_is_refusal(answer, 408)
        await assert_upload_broken_off(rig)


async def expecting(rig: Rig, fields: bytes, body: bytes) -> bytes:
    """The head with `Expect`, the body once a 100 has come, and all that came after it."""
    async with rig.client() as client:
        await client.send(request(EXPECT + b"Connection: close\r\n" + fields))
        assert await client.exactly(len(CONTINUE)) == CONTINUE
        await client.send(body)
        return await client.rest()


@pytest.mark.parametrize(("fields", "body"), [(LENGTH, CANARY), (CHUNKED, b"6\r\nc4n4ry\r\n0\r\n\r\n")])
async def test_48_a_body_that_is_held_back_is_asked_for_once(
    fields: bytes, body: bytes, pull: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async with rigged(caplog, pull=pull) as rig:
        answer = await expecting(rig, fields, body)
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        (seen,) = rig.upstream.requests
        assert (seen.fields, seen.body) == ([(b"x-canary", CANARY)], CANARY)


@pytest.mark.parametrize(
    ("tables", "fields", "status"),
    [
        ({"mount": {"auth": "key"}, "clients": {"dev": {"key": "k"}}}, LENGTH, 401),
        ({"limits": {"max_body": "5B"}}, LENGTH, 413),
        ({}, b"Expect: c4n4ry\r\n" + LENGTH, 417),
        ({}, b"Transfer-Encoding: gzip, chunked\r\n", 501),
    ],
    ids=["unauthorized", "too large", "another expectation", "coding"],
)
async def test_48_a_refused_request_gets_no_100(
    tables: dict[str, dict[str, object]], fields: bytes, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with rigged(caplog, **tables) as rig:  # type: ignore[arg-type]
        await rig.assert_refused(request(EXPECT + fields), status)


async def test_48_no_100_while_upstream_cannot_be_reached(pull: bool, caplog: pytest.LogCaptureFixture) -> None:
    unreachable = {"up": {"dialect": "raw", "base_url": "http://127.0.0.1:1"}}
    async with rigged(caplog, pull=pull, providers=unreachable) as rig:
        rig.assert_is_refusal(await rig.answer_to(request(EXPECT + LENGTH)), 502)


async def test_48_a_body_that_came_without_waiting_is_taken(pull: bool, caplog: pytest.LogCaptureFixture) -> None:
    async with rigged(caplog, pull=pull) as rig, rig.client() as client:
        await client.send(request(EXPECT + LENGTH, CANARY))
        assert (await client.reply()).status == 200  # RFC 9110 10.1.1: a 100 may be left out once the body is there
        assert rig.upstream.requests[0].body == CANARY


async def test_50_an_expectation_of_http_1_0_is_ignored(pull: bool, caplog: pytest.LogCaptureFixture) -> None:
    async with rigged(caplog, pull=pull) as rig:
        answer = await rig.answer_to(request(EXPECT + LENGTH, CANARY, version=b"HTTP/1.0"))
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert [(seen.fields, seen.body) for seen in rig.upstream.requests] == [([(b"x-canary", CANARY)], CANARY)]


@pytest.mark.parametrize("size", [1, 65_536, 300_000])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunks"])
async def test_bodies_of_any_size_arrive_whole(
    size: int, chunked: bool, pull: bool, caplog: pytest.LogCaptureFixture
) -> None:
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    data = request(CHUNKED, b"%x\r\n%b\r\n0\r\n\r\n" % (size, body))
    if not chunked:
        data = request(b"Content-Length: %d\r\nContent-Encoding: gzip\r\n" % size, body)
    async with rigged(caplog, pull=pull) as rig, rig.client() as client:
        await client.send(data)
        assert (await client.reply()).status == 200
        assert [(seen.body, seen.whole) for seen in rig.upstream.requests] == [(body, True)]


@pytest.mark.parametrize("fields", [LENGTH, CHUNKED], ids=["length", "chunks"])
async def test_a_client_that_leaves_within_its_body_leaves_it_unfinished(
    fields: bytes, pull: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async with rigged(caplog, pull=pull) as rig:
        async with rig.client() as client:
            await client.send(request(fields, b"3\r\nabc\r\n" if fields == CHUNKED else b"abc"))
            await rig.upstream.wait(lambda: any(seen.body == b"abc" for seen in rig.upstream.requests))
        await assert_upload_broken_off(rig)
