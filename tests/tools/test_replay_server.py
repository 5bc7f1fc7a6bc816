"""A cassette served as its provider: bytes, writes, times and every end, on real sockets."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from proxy.tools.replay_server import ReplayServer, describe
from proxy.wire.cassette import End, Head, Take
from tests.helpers.cassettes import build_take
from tests.helpers.rawhttp import RawClient, connected

ASK = b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"
PLAIN = (("Content-Type", "application/json"), ("Content-Length", "5"), ("X-Odd", "\xe9"))
READS = [(0.05, b"data: 1\n\n"), (0.1, b"data: 2"), (0.1, b"\n\n"), (0.2, b"data: 3\n\n")]


@asynccontextmanager
async def serving(*takes: Take, speed: float = 0.0) -> AsyncIterator[tuple[ReplayServer, list[str]]]:
    told: list[str] = []
    server = ReplayServer(takes, speed, lambda method, path: method != "GET", ["gpt-5"], told.append)
    await server.start("127.0.0.1", 0)
    try:
        yield server, told
    finally:
        await server.stop()


@asynccontextmanager
async def asking(*takes: Take, speed: float = 0.0) -> AsyncIterator[RawClient]:
    async with serving(*takes, speed=speed) as (server, _), connected("127.0.0.1", server.port) as client:
        yield client


async def test_status_fields_and_reads_are_the_recorded_ones() -> None:
    async with asking(build_take(*READS)) as client:
        await client.send(ASK)
        raw = await client.until(b"0\r\n\r\n")
    head, _, body = raw.partition(b"\r\n\r\n")
    assert head == b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked"
    assert body == b"".join(b"%x\r\n%b\r\n" % (len(data), data) for _, data in READS) + b"0\r\n\r\n"


async def test_a_connection_serves_on_and_takes_are_given_in_turn() -> None:
    refusal = build_take((0.0, b"wait!"), number=1, head=Head(429, "Too Many", PLAIN))
    async with (
        serving(refusal, build_take(*READS, number=2)) as (server, told),
        connected("127.0.0.1", server.port) as client,
    ):
        for _ in range(2):
            await client.send(ASK)
            answer = await client.until(b"wait!")
            assert answer.startswith(b"HTTP/1.1 429 Too Many\r\n")
            assert b"\r\nX-Odd: \xe9\r\n" in answer
            await client.send(ASK)
            await client.until(b"0\r\n\r\n")
    assert [line.partition(",")[0] for line in told] == [
        f"{number}: POST /v1/chat/completions: take {take}" for number, take in ((1, 1), (2, 2), (3, 1), (4, 2))
    ]


async def read_to_any_end(client: RawClient) -> bytes:
    try:
        return await client.rest()
    except ConnectionResetError:
        return b""


async def note_lateness(client: RawClient, take: Take, speed: float) -> list[float]:
    """Seconds by which each read came later than it was recorded."""
    begun = time.monotonic()
    await client.send(ASK)
    late = []
    for at, _ in take.data:
        await client.until(b"\n\n\r\n")
        late.append(time.monotonic() - begun - at / speed)
    return late


@pytest.mark.parametrize("speed", [1.0, 2.0])
async def test_moments_are_on_one_schedule(speed: float) -> None:
    """Two hundred gaps of 3 ms: errors that added up would be many times what is allowed."""
    take = build_take(*((0.003 * number, b"data: x\n\n") for number in range(1, 201)))
    worst = []
    for _ in range(5):  # a machine that stops for a while is no fault of the schedule
        async with asking(take, speed=speed) as client:
            late = await note_lateness(client, take, speed)
        assert min(late) > -0.002
        worst.append(sorted(late[-50:])[40])
        if worst[-1] < 0.005:
            return
    raise AssertionError(worst)


async def test_at_once_is_at_once() -> None:
    take = build_take((3600.0, b"data: x\n\n"), answered=1800.0, ended=7200.0)
    async with asking(take) as client:
        await client.send(ASK)
        await client.until(b"0\r\n\r\n")


@pytest.mark.parametrize("fields", [PLAIN, ()])
async def test_a_cut_is_a_cut(fields: Sequence[tuple[str, str]]) -> None:
    take = build_take((0.0, b"ab"), head=Head(200, "", tuple(fields)), end=End("failed", "upstream_cut", "closed"))
    async with asking(take) as client:
        await client.send(ASK)
        assert (await client.rest()).endswith(b"\r\n\r\nab")


async def test_a_reset_is_a_reset() -> None:
    take = build_take((0.0, b"ab"), end=End("failed", "upstream_cut", "ClientOSError ECONNRESET"))
    async with asking(take) as client:
        await client.send(ASK)
        await client.until(b"ab\r\n")
        with pytest.raises(ConnectionResetError):
            await client.rest()


async def test_one_without_a_head_is_closed_without_one() -> None:
    take = build_take(head=None, answered=None, end=End("failed", "upstream_cut"))
    async with asking(take) as client:
        await client.send(ASK)
        assert await client.rest() == b""


async def test_what_the_proxy_ended_falls_silent_and_is_cut_later() -> None:
    take = build_take((0.0, b"ab"), ended=0.05, end=End("aborted"))
    async with asking(take, speed=20.0) as client:
        await client.send(ASK)
        await client.until(b"ab\r\n")
        begun = time.monotonic()
        assert await client.rest() == b""
        assert time.monotonic() - begun > 0.08


async def test_an_answer_without_framing_ends_with_the_connection() -> None:
    async with asking(build_take((0.0, b"ab"), head=Head(200))) as client:
        await client.send(ASK)
        assert await client.rest() == b"HTTP/1.1 200 \r\n\r\nab"


async def test_what_was_not_kept_changes_the_framing_where_it_must() -> None:
    take = build_take((0.0, b"a"), (0.0, 3), (0.1, b"e"), head=Head(200, "OK", PLAIN))
    async with asking(take) as client:
        await client.send(ASK)
        answer = await client.until(b"0\r\n\r\n")
    assert b"Content-Length" not in answer
    assert answer.endswith(b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\ne\r\n0\r\n\r\n")


async def test_a_client_of_http_1_0_gets_no_chunks() -> None:
    async with asking(build_take(*READS)) as client:
        await client.send(ASK.replace(b"1.1", b"1.0"))
        assert await client.rest() == (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + b"".join(data for _, data in READS)
        )


@pytest.mark.parametrize("status", [204, 304])
async def test_no_body_where_there_is_none(status: int) -> None:
    async with asking(build_take((0.0, b"ab"), head=Head(status))) as client:
        await client.send(ASK * 2)
        assert await client.until(b"\r\n\r\n") == b"HTTP/1.1 %d \r\n\r\n" % status
        assert await client.until(b"\r\n\r\n") == b"HTTP/1.1 %d \r\n\r\n" % status


async def test_models_are_listed_and_other_paths_are_not_there() -> None:
    async with asking(build_take(*READS)) as client:
        await client.ask("/v1/models")
        assert (await client.reply()).json["data"] == [{"id": "gpt-5", "object": "model"}]
        await client.ask("/else")
        assert (await client.reply()).status == 404


async def test_a_body_is_waited_for_and_a_malformed_request_is_no_answer() -> None:
    async with serving(build_take(*READS)) as (server, told):
        async with connected("127.0.0.1", server.port) as client:
            await client.send(ASK[:-1].replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
            await client.until(b"HTTP/1.1 100 Continue\r\n\r\n")
            assert told == []
            await client.send(b"}")
            await client.until(b"0\r\n\r\n")
        async with connected("127.0.0.1", server.port) as client:
            await client.send(b"nonsense\r\n\r\n")
            assert await read_to_any_end(client) == b""
    assert len(told) == 1


async def test_stopping_ends_what_is_under_way() -> None:
    async with (
        serving(build_take((3600.0, b"x")), speed=1.0) as (server, _),
        connected("127.0.0.1", server.port) as client,
    ):
        await client.send(ASK)
        await client.head()
        await asyncio.wait_for(server.stop(), 5)
        assert await read_to_any_end(client) == b""


@pytest.mark.parametrize(
    ("take", "text"),
    [
        (build_take(*READS), "status 200, 4 reads, 27 bytes, complete"),
        (build_take((0.0, 7), end=None), "status 200, 0 reads, 0 bytes, 7 bytes of it not kept, cut"),
        (build_take(end=End("aborted")), "status 200, 0 reads, 0 bytes, ended by the proxy"),
        (build_take(head=None, end=End("failed", "upstream_refused")), "no head, upstream_refused"),
        (build_take(head=None, end=End("failed", "", "ConnectionResetError")), "no head, reset"),
    ],
)
def test_a_take_in_a_line(take: Take, text: str) -> None:
    assert describe(take) == text
