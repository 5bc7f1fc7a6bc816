"""The demo's own books: what it has produced, by request, and what became of it."""

import asyncio
import json
from contextlib import suppress
from typing import Any

import pytest

from proxy.demo import DemoUpstream
from proxy.demo.produced import KEPT, Bill, End, Product, encode_products
from proxy.demo.record import Log
from tests.demo.test_record import HEAD
from tests.helpers.demo_dialects import SPEAKERS, Speaker, Wish
from tests.helpers.rawhttp import connected, fetch

CHAT = "/v1/chat/completions"


def say(**more: Any) -> dict[str, Any]:
    return {"model": "m-1", "messages": [{"role": "user", "content": "hello"}], **more}


async def ask(demo: DemoUpstream, wishes: str, **more: Any) -> Product:
    with suppress(EOFError, ConnectionError, asyncio.IncompleteReadError):
        await fetch(demo.port, f"{CHAT}?pace=0&{wishes}", body=say(**more))
    await demo.log.until(lambda: len(demo.products) == 1)
    return demo.products[0]


@pytest.mark.parametrize("stream", [True, False])
async def test_a_bill_is_what_the_answer_says(demo: DemoUpstream, stream: bool) -> None:
    options = {"stream_options": {"include_usage": True}} if stream else {}
    product = await ask(demo, "", stream=stream, max_completion_tokens=20, **options)
    assert product.bill is not None
    assert product.bill == Bill("m-1", stream, True, product.bill.input, 0, 20, 0)
    assert (product.number, product.route, product.status, product.end) == (1, "openai-chat", 200, End.COMPLETE)
    assert product.events == (24 if stream else 1)


async def test_a_stream_that_was_not_asked_tells_nothing_of_its_bill(demo: DemoUpstream) -> None:
    product = await ask(demo, "", stream=True)
    assert product.bill is not None
    assert (product.bill.told, product.bill.output) == (False, product.events - 3)


@pytest.mark.parametrize(
    ("wishes", "end", "events"),
    [
        ("end_after=5", End.SHORT, 5),
        ("error_after=5", End.FAILED, 6),
        ("cut_after=5", End.CUT, 5),
        ("cut_after=0", End.CUT, 0),
        ("reset_after=5", End.CUT, 5),
        ("cut_bytes=0", End.CUT, 0),
        ("cut_after=999", End.COMPLETE, None),
    ],
)
async def test_what_became_of_a_stream(demo: DemoUpstream, wishes: str, end: End, events: int | None) -> None:
    product = await ask(demo, wishes, stream=True)
    assert product.end is end
    assert events is None or product.events == events


@pytest.mark.parametrize(
    ("wishes", "end", "status"),
    [("status=503", End.REFUSED, 503), ("early=500", End.REFUSED, 500), ("length=short", End.CUT, 200)],
)
async def test_what_became_of_a_whole_answer(demo: DemoUpstream, wishes: str, end: End, status: int) -> None:
    product = await ask(demo, wishes)
    assert (product.end, product.status) == (end, status)
    assert (product.bill is None) is (status != 200)


@pytest.mark.parametrize("wishes", ["stall_after=3", "stall=60s", "accept_only=1", "delay=60s"])
async def test_who_leaves_is_said_to_have_left(demo: DemoUpstream, wishes: str) -> None:
    async with connected("127.0.0.1", demo.port) as client:
        await client.ask(f"{CHAT}?pace=0&{wishes}", body=json.dumps(say(stream=True)).encode())
        await demo.wait_body(1)
        assert not demo.products
    await demo.log.until(lambda: len(demo.products) == 1)
    [product] = demo.products
    assert product.end is End.LEFT


@pytest.mark.parametrize("speaker", SPEAKERS, ids=lambda speaker: speaker.name)
async def test_every_dialect_has_a_bill(demo: DemoUpstream, speaker: Speaker) -> None:
    streamed, whole = await speaker.ask(demo.port, Wish())
    for product, said in zip(demo.products, (streamed, whole), strict=True):
        bill = product.bill
        assert bill is not None
        assert (bill.told, product.end) == (True, End.COMPLETE)
        assert (bill.input, bill.cached, bill.output) == (said.input, said.cached, said.output)


async def test_the_list_can_be_read_and_leaves_itself_out(demo: DemoUpstream) -> None:
    await fetch(demo.port, CHAT, body=say())
    missing = await fetch(demo.port, "/nothing")
    reply = await fetch(demo.port, "/produced")
    assert (await fetch(demo.port, "/produced")).json == reply.json
    assert reply.headers["content-type"] == "application/json"
    first, second = reply.json
    assert (first["bill"]["model"], first["end"]) == ("m-1", "complete")
    size = len(missing.body)
    assert second == {
        "number": 2, "route": "none", "status": 404, "events": 1, "bytes": size, "end": "refused", "bill": None
    }  # fmt: skip
    assert encode_products([]) == b"[]\n"


async def test_only_the_last_are_kept() -> None:
    log = Log(record=False)
    for _ in range(KEPT + 1):
        log.finish(log.arrive(1, "a", HEAD), "none")
    assert (len(log.products), log.products[0].number) == (KEPT, 2)
