"""Every fault, seen from the other end of the socket."""

import asyncio
import gzip
import zlib

import pytest

from proxy.demo import DemoUpstream
from tests.helpers.rawhttp import RawClient, connected, fetch

CHAT = "/v1/chat/completions"
TICKS = "/clock?every=0&n=5&"
CLOCK_STEP = 0.001  # seconds by which a timer of the event loop may be early: it rounds to milliseconds
LAST_CHUNK = b"0\r\n\r\n"


async def read_until_end(demo: DemoUpstream, target: str, *, body: bytes | None = None, headers: str = "") -> bytes:
    async with connected("127.0.0.1", demo.port) as client:
        await client.ask(target, body=body, headers=headers)
        return await client.rest()


async def test_status_below_400_carries_the_usual_answer(demo: DemoUpstream) -> None:
    reply = await fetch(demo.port, TICKS + "status=299")
    assert (reply.status, len(reply.events)) == (299, 5)


@pytest.mark.parametrize("status", [204, 304])
async def test_bodiless_statuses_have_neither_body_nor_framing(demo: DemoUpstream, status: int) -> None:
    async with connected("127.0.0.1", demo.port) as client:
        await client.ask(f"{TICKS}status={status}")
        head = await client.head()
        assert head.status == status
        assert not {"content-length", "transfer-encoding", "content-type"} & head.headers.keys()
        await client.ask(TICKS + "status=205")
        assert (await client.reply()).headers["content-length"] == "0"


async def test_delay_holds_the_head_back(demo: DemoUpstream) -> None:
    loop = asyncio.get_running_loop()
    started = loop.time()
    await fetch(demo.port, "/v1/models?delay=120ms")
    assert loop.time() - started >= 0.12 - CLOCK_STEP


async def test_pace_from_the_header_wins_over_the_query(demo: DemoUpstream) -> None:
    loop = asyncio.get_running_loop()
    started = loop.time()
    await fetch(demo.port, CHAT + "?pace=10s", body={"stream": True}, headers="X-Demo: pace=0; comments=1\r\n")
    assert loop.time() - started < 5


async def test_stall_goes_silent_after_k_events_and_then_goes_on(demo: DemoUpstream) -> None:
    async with connected("127.0.0.1", demo.port) as client:
        await client.ask(TICKS + "stall_after=2&stall=150ms")
        await client.head()
        for _ in range(3):
            await client.chunk()
        loop = asyncio.get_running_loop()
        stalled = loop.time()
        assert b"id: 3\n" in await client.chunk()
        assert loop.time() - stalled >= 0.1


async def test_stall_for_ever_ends_with_the_client(demo: DemoUpstream) -> None:
    async with connected("127.0.0.1", demo.port) as client:
        await client.ask(TICKS + "stall_after=1")
        await client.until(b"id: 1\n")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await client.until(b"id: 2\n")
    record = await demo.wait_closed(1)
    assert (record.events, record.closed_by, record.answered) == (1, "peer", False)


async def test_end_after_ends_cleanly_and_keeps_the_connection(demo: DemoUpstream) -> None:
    async with connected("127.0.0.1", demo.port) as client:
        for count in (2, 0):
            await client.ask(f"/clock?every=0&end_after={count}")
            assert len((await client.reply()).events) == count


async def test_cut_after_is_a_fin_without_the_last_chunk(demo: DemoUpstream) -> None:
    raw = await read_until_end(demo, TICKS + "cut_after=2")
    assert raw.count(b"id: ") == 2
    assert raw.endswith(b"\n\n\r\n")
    assert not raw.endswith(LAST_CHUNK)
    record = await demo.wait_closed(1)
    assert (record.closed_by, demo.faults["cut_after"]) == ("demo", 1)


async def test_cut_after_zero_is_a_fin_before_the_head(demo: DemoUpstream) -> None:
    assert await read_until_end(demo, TICKS + "cut_after=0") == b""


@pytest.mark.parametrize("count", [0, 1, 37, 100])
async def test_cut_bytes_sends_exactly_so_many_body_bytes(demo: DemoUpstream, count: int) -> None:
    head, _, body = (await read_until_end(demo, f"{TICKS}eof=1&cut_bytes={count}")).partition(b"\r\n\r\n")
    assert b"Transfer-Encoding" not in head
    assert len(body) == count
    assert (await demo.wait_closed(1)).sent_length == count


async def test_cut_bytes_in_the_middle_of_a_chunk_leaves_it_unfinished(demo: DemoUpstream) -> None:
    async with connected("127.0.0.1", demo.port) as client:
        await client.ask(TICKS + "cut_bytes=10")
        await client.head()
        with pytest.raises(asyncio.IncompleteReadError) as caught:
            await client.chunk()
    assert caught.value.partial == b": penstock"


async def test_cut_bytes_of_a_whole_answer_breaks_its_length(demo: DemoUpstream) -> None:
    async with connected("127.0.0.1", demo.port) as client:
        await client.ask("/v1/models?cut_bytes=7")
        with pytest.raises(asyncio.IncompleteReadError) as caught:
            await client.reply()
    assert len(caught.value.partial) == 7


async def test_reset_after_delivers_the_events_and_then_resets(demo: DemoUpstream) -> None:
    async with connected("127.0.0.1", demo.port) as client:
        await client.ask(TICKS + "reset_after=3")
        await client.head()
        for _ in range(4):
            await client.chunk()
        with pytest.raises(ConnectionResetError):
            await client.rest()
    assert (await demo.wait_closed(1)).closed_by == "demo"


async def test_reset_after_zero_resets_before_the_head(demo: DemoUpstream) -> None:
    with pytest.raises(ConnectionResetError):
        await read_until_end(demo, TICKS + "reset_after=0")


@pytest.mark.parametrize("target", [TICKS + "bad_chunk_after=1", "/v1/models?bad_chunk_after=1"])
async def test_bad_chunk_after_is_an_invalid_size_line(demo: DemoUpstream, target: str) -> None:
    async with connected("127.0.0.1", demo.port) as client:
        await client.ask(target)
        await client.head()
        await demo.wait_events(1, 1)
        while (line := await client.until(b"\r\n")) != b"no-size\r\n":
            await client.exactly(int(line, 16) + 2)
        assert demo.faults["bad_chunk_after"] == 1
    assert (await demo.wait_closed(1)).closed_by == "peer"


async def test_slices_add_up_to_the_same_bytes(demo: DemoUpstream) -> None:
    whole = await fetch(demo.port, CHAT + "?pace=0", body={"stream": True, "max_tokens": 5})
    async with connected("127.0.0.1", demo.port) as client:
        await client.ask(CHAT + "?pace=0&slice=1", body=b'{"stream":true,"max_tokens":5}')
        sliced = await client.reply()
    assert sliced.body.replace(b"demo000002", b"demo000001").split(b'"created"')[0] == whole.body.split(b'"created"')[0]
    assert [len(chunk) for chunk in sliced.chunks] == [len(chunk) for chunk in whole.chunks]


async def test_slices_arrive_one_byte_at_a_time(demo: DemoUpstream) -> None:
    async with connected("127.0.0.1", demo.port) as client:
        await client.ask("/v1/models?slice=1&slice_pause=2ms")
        reads = [await client.reader.read(65536) for _ in range(20)]
    assert sum(len(read) for read in reads) < 60


async def test_accept_only_reads_the_request_and_never_answers(demo: DemoUpstream) -> None:
    async with connected("127.0.0.1", demo.port) as client:
        await client.ask(CHAT + "?accept_only=1", body=b'{"a":1}')
        record = await demo.wait_body(1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await client.reader.read(1)
    assert record.body_length == 7
    assert (await demo.wait_closed(1)).status is None


async def send_half(client: RawClient, target: str) -> None:
    head = f"POST {target} HTTP/1.1\r\nHost: demo\r\nContent-Length: 2000\r\n\r\n"
    await client.send(head.encode() + b"x" * 1000)


async def test_early_answers_before_the_body_and_closes(demo: DemoUpstream) -> None:
    async with connected("127.0.0.1", demo.port) as client:
        await send_half(client, CHAT + "?early=413")
        reply = await client.reply()
        assert (reply.status, reply.headers["connection"]) == (413, "close")
        assert await client.rest() == b""
        await client.send(b"x")  # still read by the demo: the FIN above was no reset
    record = await demo.wait_closed(1)
    assert not record.body_complete


async def test_early_reset_delivers_the_answer_first(demo: DemoUpstream) -> None:
    async with connected("127.0.0.1", demo.port) as client:
        await send_half(client, CHAT + "?early=413&early_close=reset")
        assert (await client.reply()).status == 413
        with pytest.raises(ConnectionResetError):
            await client.rest()


async def test_early_keep_reads_the_rest_and_takes_another_request(demo: DemoUpstream) -> None:
    async with connected("127.0.0.1", demo.port) as client:
        await send_half(client, CHAT + "?early=413&early_close=keep")
        assert "connection" not in (await client.reply()).headers
        await client.send(b"x" * 1000)
        assert (await demo.wait_body(1)).body_length == 2000
        await client.ask("/v1/models")
        assert (await client.reply()).status == 200


async def test_whole_answers_have_a_length_and_streams_have_one_on_request(demo: DemoUpstream) -> None:
    whole = await fetch(demo.port, "/v1/models")
    assert "content-length" in whole.headers
    assert "transfer-encoding" in (await fetch(demo.port, "/v1/models?length=0")).headers
    stream = await fetch(demo.port, TICKS + "length=1")
    assert int(stream.headers["content-length"]) == len(stream.body)
    assert len(stream.events) == 5
    assert (await fetch(demo.port, "/clock?length=1")).status == 400


@pytest.mark.parametrize("target", ["/v1/models?length=short", TICKS + "length=short"])
async def test_short_length_declares_more_than_comes(demo: DemoUpstream, target: str) -> None:
    async with connected("127.0.0.1", demo.port) as client:
        await client.ask(target)
        with pytest.raises(asyncio.IncompleteReadError) as caught:
            await client.reply()
    assert caught.value.expected is not None
    assert caught.value.expected - len(caught.value.partial) == 64


@pytest.mark.parametrize("target", ["/v1/models?eof=1", TICKS + "eof=1"])
async def test_eof_ends_the_body_with_the_connection(demo: DemoUpstream, target: str) -> None:
    reply = await fetch(demo.port, target)
    assert not {"content-length", "transfer-encoding"} & reply.headers.keys()
    assert reply.headers["connection"] == "close"
    assert reply.body


async def test_old_clients_get_no_chunks(demo: DemoUpstream) -> None:
    async with connected("127.0.0.1", demo.port) as client:
        await client.send(b"GET /clock?n=2&every=0 HTTP/1.0\r\n\r\n")
        reply = await client.reply()
    assert "transfer-encoding" not in reply.headers
    assert len(reply.events) == 2


async def test_gzip_whole_and_streamed(demo: DemoUpstream) -> None:
    whole = await fetch(demo.port, "/v1/models?gzip=1")
    assert whole.headers["content-encoding"] == "gzip"
    assert b'"list"' in gzip.decompress(whole.body)
    streamed = await fetch(demo.port, TICKS + "gzip=1")
    assert gzip.decompress(streamed.body).count(b"id: ") == 5


async def test_gzip_stream_is_readable_event_by_event(demo: DemoUpstream) -> None:
    unzip = zlib.decompressobj(wbits=31)
    async with connected("127.0.0.1", demo.port) as client:
        await client.ask("/clock?gzip=1&stall_after=1")
        await client.head()
        text = unzip.decompress(await client.chunk()) + unzip.decompress(await client.chunk())
    assert b"id: 1\n" in text
    assert text.endswith(b"\n\n")


async def test_stream_waits_while_the_client_does_not_read(demo: DemoUpstream) -> None:
    reader_limit = 65536
    reader, writer = await asyncio.open_connection("127.0.0.1", demo.port, limit=reader_limit)
    writer.write(b"GET /clock?every=0&size=1MiB HTTP/1.1\r\nHost: a\r\n\r\n")
    record = await demo.wait_events(1, 1)
    with pytest.raises(TimeoutError):
        await demo.wait_events(1, 200, within=0.5)
    before = record.events
    await reader.read(reader_limit)
    writer.close()
    await demo.wait_closed(1)
    assert before < 100
