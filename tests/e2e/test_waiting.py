"""A client that waits for an answer: kept alive while others are asked, and told the truth when nobody answers.

The limits are those of a proxy in a hurry, so that what takes seconds elsewhere takes quarters of one here.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from proxy.relay.outcome import EndReason
from tests.helpers.models import LAST_CHUNK, PROVIDERS, SAY, SSE, Rig, build, modelled, named, send_chunk
from tests.helpers.origin import Peer
from tests.helpers.rawhttp import RawClient, connected
from tests.helpers.staff import LIMITED, Staff, provider, refuse, staffed

pytestmark = pytest.mark.long  # seconds each, and there are many

HURRY = {"hold_status": "250ms", "heartbeat": "250ms", "attempts": 20, "attempts_per_provider": 20}
BRIEFLY = refuse(429, "rate_limit_exceeded", "Retry-After: 1")
COMMENT = b": keepalive\n"
KEEPALIVES = {"gemini": b"\n"}
"""While nothing has begun; Anthropic's ping stands within a message, so that it comes later."""

ALL = pytest.mark.parametrize("who", list(SAY))
LIKE = pytest.mark.parametrize(("who", "model"), [("openai", "openai"), ("claude", "claude"), ("claude", "openai")])


@asynccontextmanager
async def asking(staff: Staff, who: str) -> AsyncIterator[RawClient]:
    """A client that has asked for a stream and reads what comes."""
    target, body = build(who, "m")
    async with connected("127.0.0.1", staff.proxy.port) as client:
        await client.ask(target, body=json.dumps(body).encode())
        yield client


async def read_rest(client: RawClient) -> bytes:
    """Up to the last chunk, which has to come: an error within a stream ends it in good order."""
    body = b""
    while chunk := await client.chunk():
        body += chunk
    return body


async def read_until(client: RawClient, mark: bytes) -> bytes:
    body = b""
    while mark not in body:
        chunk = await client.chunk()
        assert chunk, f"ended before {mark!r}: {body!r}"
        body += chunk
    return body


def refuse_all(staff: Staff, answer: bytes = BRIEFLY) -> None:
    staff.says |= {"a": answer, "b": answer}


def end_all(rig: Rig | Staff, reason: EndReason) -> None:
    rig.proxy.penstock.streams.end_all(reason)


# Kept alive.


@ALL
async def test_a_client_is_kept_alive_while_every_account_is_refused_and_asked_again(who: str) -> None:
    async with staffed({"up": provider("a", "b")}, limits=HURRY) as staff, asking(staff, who) as client:
        refuse_all(staff)
        head = await client.head()
        assert (head.status, head.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        while len(staff.asked) < 4:
            assert await client.chunk() == KEEPALIVES.get(who, COMMENT)
        assert staff.asked == ["a", "b", "a", "b"]
        staff.says.clear()
        rest = await read_rest(client)
        assert rest.count(SAY[who].text.format("Hel").encode()) == 1
        assert SAY[who].end in rest
        record = await staff.proxy.wait_record()
        assert (record.end, record.error, record.account) == (EndReason.DONE, "", "a")
        assert record.heartbeats >= 4
        assert record.first_byte is not None
        assert record.ttft is not None
        assert record.first_byte < 0.75 < 1.0 < record.ttft


@ALL
async def test_a_failure_is_a_status_while_it_is_held_and_in_band_afterwards(who: str) -> None:
    async with staffed({"up": provider("a", "b")}, limits={**HURRY, "hold_status": "1s"}) as staff:
        refuse_all(staff, LIMITED)
        held = await staff.ask(who)
        assert held.status == 429
        assert held.headers["x-should-retry"] == "false"
        await staff.clear("up")
        refuse_all(staff)
        async with asking(staff, who) as client:
            assert (await client.head()).status == 200
            refuse_all(staff, refuse(429, "insufficient_quota", message="the tank is empty"))
            rest = await read_rest(client)
        assert b"the tank is empty" in rest
        assert SAY[who].end not in rest
        record = await staff.proxy.wait_record(3)  # the second was the operator's
        assert (record.status, record.error, record.end) == (200, "quota", EndReason.ERROR)


@pytest.mark.parametrize("who", ["openai", "gemini"])
async def test_a_whole_answer_is_never_begun_before_it_is_there(who: str) -> None:
    async with staffed({"up": provider("a")}, limits=HURRY) as staff:
        staff.says["a"] = BRIEFLY
        asked = asyncio.ensure_future(staff.ask(who, stream=False))
        await staff.upstream.wait(lambda: len(staff.asked) == 2)
        staff.says["a"] = LIMITED
        assert (await asked).status == 429


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
async def test_the_head_says_who_answered_after_how_many_attempts(stream: bool) -> None:
    async with staffed({"up": provider("a"), "other": provider("b")}) as staff:
        staff.says["a"] = LIMITED
        fields = (await staff.ask(stream=stream)).headers
        names = ("provider", "account", "model", "model-asked", "attempts")
        assert [fields[f"x-penstock-{name}"] for name in names] == ["other", "b", "m1", "m", "2"]
        assert fields["x-penstock-request-id"] == (await staff.proxy.wait_record()).id


async def test_a_head_that_goes_out_early_names_nobody() -> None:
    async with staffed({"up": provider("a")}, limits=HURRY) as staff, asking(staff, "openai") as client:
        staff.says["a"] = BRIEFLY
        fields = (await client.head()).headers
        assert fields["x-penstock-model-asked"] == "m"
        assert not {"x-penstock-provider", "x-penstock-account", "x-penstock-attempts"} & fields.keys()


# Ended from outside.


@pytest.mark.parametrize(
    ("reason", "message"),
    [(EndReason.DRAIN, b"shutting down"), (EndReason.KILLED, b"ended by the operator")],
    ids=["drain", "kill"],
)
@ALL
async def test_a_client_that_waits_is_told_when_its_request_is_ended(
    who: str, reason: EndReason, message: bytes
) -> None:
    async with staffed({"up": provider("a", "b")}, limits=HURRY) as staff, asking(staff, who) as client:
        refuse_all(staff)
        await client.head()
        await client.chunk()
        end_all(staff, reason)
        rest = await read_rest(client)
        assert message in rest
        assert SAY[who].end not in rest
        assert (await staff.proxy.wait_record()).end is reason


@ALL
async def test_a_client_that_is_held_gets_a_status_when_its_request_is_ended(who: str) -> None:
    async with staffed({"up": provider("a", "b")}) as staff, asking(staff, who) as client:
        refuse_all(staff)
        await staff.upstream.wait(lambda: len(staff.asked) == 2)
        end_all(staff, EndReason.DRAIN)
        assert (await client.reply()).status in (503, 529)
        assert (await staff.proxy.wait_record()).end is EndReason.DRAIN


# Silence that is not.


def ping(model: str) -> bytes:
    return named("ping") if model == "claude" else b": still here\n\n"


async def keep_pinging(peer: Peer, data: bytes) -> None:
    """Five a second, until the proxy has had enough."""
    while peer.closed_at is None:
        send_chunk(peer, data)
        await asyncio.sleep(0.2)


@LIKE
async def test_pings_of_a_provider_do_not_hide_a_stall(who: str, model: str) -> None:
    async with modelled(limits={"progress": "750ms", "idle": "60s"}) as rig:
        peer = await rig.ask(who, model)
        peer.send(SSE)
        send_chunk(peer, PROVIDERS[model].opening + PROVIDERS[model].texts[0])
        pinging = asyncio.ensure_future(keep_pinging(peer, ping(model)))
        await rig.client.head()
        rest = await read_rest(rig.client)
        await pinging
        assert b"no progress" in rest
        assert SAY[who].end not in rest
        assert (await rig.proxy.wait_record()).end is EndReason.PROGRESS


@LIKE
async def test_pings_before_the_first_substance_do_not_hide_a_stall(who: str, model: str) -> None:
    async with modelled(limits={"ttft": "750ms", "idle": "60s"}) as rig:
        peer = await rig.ask(who, model)
        peer.send(SSE)
        send_chunk(peer, PROVIDERS[model].opening)
        pinging = asyncio.ensure_future(keep_pinging(peer, ping(model)))
        reply = await rig.client.reply()
        await pinging
        assert reply.status == 504
        assert (await rig.proxy.wait_record()).end is EndReason.TTFT


@LIKE
async def test_an_answer_that_comes_slowly_is_progress(who: str, model: str) -> None:
    async with modelled(limits={"progress": "750ms"}) as rig:
        peer = await rig.ask(who, model)
        peer.send(SSE)
        spoken = PROVIDERS[model]
        send_chunk(peer, spoken.opening + spoken.texts[0])
        for _ in range(6):
            await asyncio.sleep(0.25)  # twice the limit in all
            send_chunk(peer, spoken.texts[1])
        send_chunk(peer, spoken.finish + spoken.mark)
        peer.send(LAST_CHUNK)
        await rig.client.head()
        assert SAY[who].end in await read_rest(rig.client)
        assert (await rig.proxy.wait_record()).end is EndReason.DONE


@ALL
async def test_a_stream_that_flows_is_kept_alive_in_its_dialect_s_form(who: str) -> None:
    async with modelled(limits={"heartbeat": "250ms"}) as rig:
        peer = await rig.ask(who, "openai")
        peer.send(SSE)
        send_chunk(peer, PROVIDERS["openai"].opening + PROVIDERS["openai"].texts[0])
        await rig.client.head()
        await read_until(rig.client, SAY[who].text.format("Hel").encode())
        wanted = {"claude": b'event: ping\ndata: {"type": "ping"}\n\n', "gemini": b"\n"}.get(who, COMMENT)
        assert [await rig.client.chunk() for _ in range(3)] == [wanted] * 3


async def test_the_trail_of_a_rescued_answer_tells_who_broke_off_and_who_went_on() -> None:
    models = {"openai": {"targets": ["openai/m1", "claude/m1"], "rescue": "restart"}}
    async with modelled(models=models, limits={"attempts": 2}) as rig:
        first = await rig.ask("openai", "openai")
        first.send(SSE)
        send_chunk(first, PROVIDERS["openai"].opening + PROVIDERS["openai"].texts[0])
        await rig.client.head()
        body = await read_until(rig.client, b"Hel")
        first.reset()
        second = await rig.upstream.peer(2)
        await second.until(b"}")
        second.send(SSE)
        send_chunk(second, PROVIDERS["claude"].whole)
        second.send(LAST_CHUNK)
        body += await read_rest(rig.client)
        assert [body.count(SAY["openai"].text.format(text).encode()) for text in ("Hel", "lo")] == [1, 1]
        record = await rig.proxy.wait_record()
        assert [(attempt.provider, attempt.error, attempt.outcome) for attempt in record.attempts] == [
            ("openai", "upstream_disconnect", "rescued"),
            ("claude", "", "won"),
        ]
        assert (record.rescues, record.provider, record.error, record.end) == (1, "claude", "", EndReason.DONE)
