"""The clock: numbered ticks, line ends, comments, padding, resumption and pace."""

import asyncio
import json

import pytest

from proxy.demo import DemoUpstream
from tests.helpers.rawhttp import connected, fetch


async def test_ticks_are_numbered_and_end_after_n(demo: DemoUpstream) -> None:
    reply = await fetch(demo.port, "/clock?n=3&every=0")
    assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert reply.headers["transfer-encoding"] == "chunked"
    assert [(event["id"], event["event"]) for event in reply.events] == [("1", "tick"), ("2", "tick"), ("3", "tick")]
    assert [tick["n"] for tick in reply.data] == [1, 2, 3]
    assert all(tick["time"].endswith("Z") for tick in reply.data)


async def test_stream_opens_with_a_comment_and_one_retry(demo: DemoUpstream) -> None:
    reply = await fetch(demo.port, "/clock?n=3&every=0")
    assert reply.chunks[0] == b": penstock demo clock\nretry: 1000\n\n"
    assert reply.body.count(b"retry:") == 1


async def test_comments_come_before_each_tick_or_now_and_then(demo: DemoUpstream) -> None:
    each = await fetch(demo.port, "/clock?n=4&every=0&comments=1")
    assert each.body.count(b": tick follows\nid: ") == 4
    some = await fetch(demo.port, "/clock?n=25&every=0")
    assert some.body.count(b": tick follows\n") == 2


@pytest.mark.parametrize(("name", "eol"), [("crlf", b"\r\n"), ("cr", b"\r"), ("lf", b"\n")])
async def test_line_ends_are_those_asked_for(demo: DemoUpstream, name: str, eol: bytes) -> None:
    reply = await fetch(demo.port, f"/clock?n=2&every=0&eol={name}")
    assert reply.body.endswith(eol * 2)
    assert b"\n" not in reply.body.replace(eol, b"")
    assert b"\r" not in reply.body.replace(eol, b"")
    assert [event["id"] for event in reply.events] == ["1", "2"]


async def test_data_is_padded_to_size(demo: DemoUpstream) -> None:
    reply = await fetch(demo.port, "/clock?n=2&every=0&size=500")
    assert [len(event["data"]) for event in reply.events] == [500, 500]


async def test_giant_makes_the_first_line_long_and_no_other(demo: DemoUpstream) -> None:
    reply = await fetch(demo.port, "/clock?n=2&every=0&giant=3MiB")
    first, second = (len(event["data"]) for event in reply.events)
    assert first == 3 * 1024 * 1024
    assert second < 100


async def test_last_event_id_continues_after_it(demo: DemoUpstream) -> None:
    reply = await fetch(demo.port, "/clock?n=2&every=0", headers="Last-Event-ID: 41\r\n")
    assert [event["id"] for event in reply.events] == ["42", "43"]


@pytest.mark.parametrize("value", ["x", "", "-1", "1.5", "9" * 40])
async def test_last_event_id_that_is_no_number_starts_anew(demo: DemoUpstream, value: str) -> None:
    reply = await fetch(demo.port, "/clock?n=1&every=0", headers=f"Last-Event-ID: {value}\r\n")
    assert reply.events[0]["id"] == "1"


async def test_ticks_keep_their_distance_and_carry_their_own_time(demo: DemoUpstream) -> None:
    loop = asyncio.get_running_loop()
    async with connected("127.0.0.1", demo.port) as client:
        await client.ask("/clock?n=5&every=60ms")
        await client.head()
        await client.chunk()
        times = []
        while chunk := await client.chunk():
            times.append((loop.time(), json.loads(chunk.split(b"data: ")[1])["time"]))
    gap = (times[-1][0] - times[0][0]) / 4
    assert 0.05 < gap < 0.15
    assert len({time for _, time in times}) == 5


async def test_head_request_gets_a_head_only(demo: DemoUpstream) -> None:
    async with connected("127.0.0.1", demo.port) as client:
        await client.ask("/clock", method="HEAD")
        head = await client.head()
        await client.ask("/clock?n=1")
        assert (await client.reply()).events[0]["id"] == "1"
    assert head.headers["content-type"].startswith("text/event-stream")
