"""Streams on model routes, each client dialect in front of each kind of provider: order, ends, errors, leaving."""

import asyncio
import time

import pytest

from proxy.relay import pump
from proxy.relay.outcome import EndReason
from tests.helpers.models import LAST_CHUNK, PROVIDERS, SAY, SSE, Rig, modelled, send_chunk
from tests.helpers.origin import Peer
from tests.helpers.prompt import assert_within, timed
from tests.helpers.rawhttp import Reply

pytestmark = pytest.mark.parametrize("model", list(PROVIDERS))
ALL = pytest.mark.parametrize("who", list(SAY))


async def read_until(rig: Rig, mark: bytes) -> bytes:
    """Chunks of the answer, joined, up to and with the one that holds `mark`."""
    body = b""
    while mark not in body:
        chunk = await rig.client.chunk()
        assert chunk, f"ended before {mark!r}: {body!r}"
        body += chunk
    return body


async def read_rest(rig: Rig) -> bytes:
    body = b""
    while chunk := await rig.client.chunk():
        body += chunk
    return body


async def begin(rig: Rig, who: str, model: str) -> tuple[Peer, Reply, bytes]:
    """A stream of which the first text has come: the provider's side, the head, and what came."""
    peer = await rig.ask(who, model)
    peer.send(SSE)
    spoken = PROVIDERS[model]
    send_chunk(peer, spoken.opening + spoken.texts[0])
    head = await rig.client.head()
    return peer, head, await read_until(rig, SAY[who].text.format("Hel").encode())


def finish(peer: Peer, model: str) -> None:
    spoken = PROVIDERS[model]
    send_chunk(peer, spoken.texts[1] + spoken.finish + spoken.mark)
    peer.send(LAST_CHUNK)


@ALL
async def test_each_event_is_there_before_the_next_has_left(who: str, model: str, pull: bool) -> None:
    async with modelled(pull=pull) as rig:
        peer, head, _ = await begin(rig, who, model)
        assert head.status == 200
        assert head.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert head.headers["x-accel-buffering"] == "no"
        send_chunk(peer, PROVIDERS[model].texts[1])
        await read_until(rig, SAY[who].text.format("lo").encode())
        send_chunk(peer, PROVIDERS[model].finish + PROVIDERS[model].mark)
        peer.send(LAST_CHUNK)
        assert SAY[who].end in await read_rest(rig)
        record = await rig.proxy.wait_record()
        assert (record.end, record.status, record.model, record.error) == (EndReason.DONE, 200, "m1", "")


@ALL
async def test_a_stream_that_is_cut_says_so_in_band_and_never_looks_complete(who: str, model: str, pull: bool) -> None:
    async with modelled(pull=pull) as rig:
        peer, _, _ = await begin(rig, who, model)
        peer.fin()
        rest = await read_rest(rig)
        assert b"error" in rest.lower()
        assert SAY[who].end not in rest
        record = await rig.proxy.wait_record()
        assert record.end is EndReason.UPSTREAM_CUT


@ALL
async def test_a_clean_end_without_a_finish_is_a_cut(who: str, model: str) -> None:
    async with modelled() as rig:
        peer, _, _ = await begin(rig, who, model)
        peer.send(LAST_CHUNK)
        rest = await read_rest(rig)
        assert b"error" in rest.lower()
        assert SAY[who].end not in rest
        assert (await rig.proxy.wait_record()).end is EndReason.UPSTREAM_CUT


@ALL
async def test_a_missing_end_mark_is_added_after_a_finish(who: str, model: str) -> None:
    async with modelled() as rig:
        peer, _, _ = await begin(rig, who, model)
        send_chunk(peer, PROVIDERS[model].texts[1] + PROVIDERS[model].finish)
        peer.send(LAST_CHUNK)
        assert (await read_rest(rig)).count(SAY[who].end) == 1
        assert (await rig.proxy.wait_record()).end is EndReason.DONE


@ALL
async def test_a_reset_after_the_finish_is_no_loss(who: str, model: str) -> None:
    async with modelled() as rig:
        peer, _, _ = await begin(rig, who, model)
        send_chunk(peer, PROVIDERS[model].texts[1] + PROVIDERS[model].finish)
        body = await read_until(rig, SAY[who].text.format("lo").encode())
        peer.reset()
        assert SAY[who].end in body + await read_rest(rig)
        assert (await rig.proxy.wait_record()).end is EndReason.LATE_CUT


@ALL
async def test_an_error_before_any_substance_becomes_a_status(who: str, model: str) -> None:
    async with modelled() as rig:
        peer = await rig.ask(who, model)
        peer.send(SSE)
        send_chunk(peer, PROVIDERS[model].opening + PROVIDERS[model].error)
        reply = await rig.client.reply()
        assert reply.status in (500, 502, 503, 529)
        assert b"the tank is empty" in reply.body
        assert reply.headers["content-type"] == "application/json"


@ALL
@pytest.mark.long
async def test_an_error_within_is_told_in_band_and_its_provider_not_waited_for(
    who: str, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pump, "AFTER_FAILURE", 0.1)
    async with modelled() as rig:
        peer, _, _ = await begin(rig, who, model)
        send_chunk(peer, PROVIDERS[model].error)
        rest = await read_rest(rig)
        assert rest.count(b"the tank is empty") >= 1
        assert SAY[who].end not in rest
        record = await rig.proxy.wait_record()
        assert record.end is EndReason.ERROR
        await peer.wait_closed()


@ALL
async def test_an_event_that_is_no_json_is_left_out_and_counted(who: str, model: str) -> None:
    async with modelled() as rig:
        peer, _, _ = await begin(rig, who, model)
        send_chunk(
            peer, b"event: content_block_delta\ndata: {broken\n\n" if model == "claude" else b"data: {broken\n\n"
        )
        finish(peer, model)
        rest = await read_rest(rig)
        assert b"{broken" not in rest
        assert SAY[who].end in rest
        record = await rig.proxy.wait_record()
        assert (record.malformed, record.end) == (1, EndReason.DONE)


@ALL
@timed
async def test_a_client_that_leaves_closes_the_provider_at_once(who: str, model: str, pull: bool) -> None:
    async with modelled(pull=pull) as rig:
        peer, _, _ = await begin(rig, who, model)
        left = time.monotonic()
        rig.client.writer.transport.abort()
        assert_within(0.1, await peer.wait_closed() - left)
        assert (await rig.proxy.wait_record()).end is EndReason.CLIENT_GONE


@ALL
@pytest.mark.long
async def test_silence_is_ended_in_band(who: str, model: str) -> None:
    async with modelled(limits={"idle": "500ms"}) as rig:
        peer, _, _ = await begin(rig, who, model)
        rest = await read_rest(rig)
        assert b"error" in rest.lower()
        assert SAY[who].end not in rest
        assert (await rig.proxy.wait_record()).end is EndReason.IDLE
        await peer.wait_closed()


@ALL
@pytest.mark.long
async def test_a_silent_stream_is_kept_alive_in_the_dialect_s_own_form(who: str, model: str) -> None:
    wanted = {"claude": b'event: ping\ndata: {"type": "ping"}\n\n', "gemini": b"\n"}.get(who, b": keepalive\n")
    async with modelled(limits={"heartbeat": "250ms"}) as rig:
        peer, _, _ = await begin(rig, who, model)
        assert await rig.client.chunk() == wanted
        assert await rig.client.chunk() == wanted
        finish(peer, model)
        assert SAY[who].end in await read_rest(rig)
        assert (await rig.proxy.wait_record()).heartbeats >= 2


@ALL
@pytest.mark.long
async def test_a_provider_that_stays_open_after_the_finish_is_not_waited_for_long(
    who: str, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pump, "AFTER_FINISH", 0.25)
    async with modelled() as rig:
        peer, _, _ = await begin(rig, who, model)
        send_chunk(peer, PROVIDERS[model].texts[1] + PROVIDERS[model].finish)
        assert SAY[who].end in await read_rest(rig)
        assert (await rig.proxy.wait_record()).end is EndReason.DONE
        await peer.wait_closed()


@ALL
async def test_a_drain_that_runs_out_ends_the_stream_in_band(who: str, model: str) -> None:
    async with modelled() as rig:
        await begin(rig, who, model)
        for scope in list(rig.proxy.penstock.streams._scopes):
            scope.end(EndReason.DRAIN)
        rest = await read_rest(rig)
        assert b"shutting down" in rest
        assert SAY[who].end not in rest
        assert (await rig.proxy.wait_record()).end is EndReason.DRAIN


@ALL
async def test_one_byte_reads_give_the_same_answer(who: str, model: str) -> None:
    async with modelled() as rig:
        peer = await rig.ask(who, model)
        peer.send(SSE)
        for at in range(len(PROVIDERS[model].whole)):
            send_chunk(peer, PROVIDERS[model].whole[at : at + 1])
            await asyncio.sleep(0)
        peer.send(LAST_CHUNK)
        reply = await rig.client.reply()
        assert SAY[who].text.format("Hel").encode() in reply.body
        assert SAY[who].text.format("lo").encode() in reply.body
        assert SAY[who].end in reply.body
