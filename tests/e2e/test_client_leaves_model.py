"""A client of a model that leaves, in every phase: the provider's connection is closed at once, or read to its end for
what it cost, as the route has it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from proxy.relay.outcome import EndReason, Phase
from tests.helpers.bare import no_new_tasks, settle
from tests.helpers.models import LAST_CHUNK, PROVIDERS, SAY, SSE, Rig, build, chat_chunk, modelled, send_chunk
from tests.helpers.origin import Peer
from tests.helpers.prompt import assert_within, timed
from tests.helpers.rawhttp import connected
from tests.helpers.staff import provider, refuse, staffed

PROMISE = 0.1  # seconds
BRIEFLY = refuse(429, "rate_limit_exceeded", "Retry-After: 5")
SPOKEN = PROVIDERS["openai"]
USAGE = chat_chunk({}, usage={"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7})
ALL = pytest.mark.parametrize("who", list(SAY))


def leave(rig: Rig) -> float:
    left = time.monotonic()
    rig.client.writer.transport.abort()
    return left


async def read_until(rig: Rig, mark: bytes) -> None:
    body = b""
    while mark not in body:
        body += await rig.client.chunk()


async def wait_for_head(rig: Rig, peer: Peer, who: str) -> Phase:
    return Phase.WAITING


async def hold(rig: Rig, peer: Peer, who: str) -> Phase:
    peer.send(SSE)
    send_chunk(peer, SPOKEN.opening)
    (scope,) = rig.proxy.penstock.streams.list_scopes()
    await settle(lambda: scope.record.phase is Phase.HELD)
    return Phase.HELD


async def keep_alive_without_a_head(rig: Rig, peer: Peer, who: str) -> Phase:
    await rig.client.head()
    await rig.client.chunk()
    return Phase.WAITING


async def keep_alive(rig: Rig, peer: Peer, who: str) -> Phase:
    await hold(rig, peer, who)
    await rig.client.head()
    await rig.client.chunk()
    return Phase.HELD


async def stream(rig: Rig, peer: Peer, who: str) -> Phase:
    peer.send(SSE)
    send_chunk(peer, SPOKEN.opening + SPOKEN.texts[0])
    await rig.client.head()
    await read_until(rig, SAY[who].text.format("Hel").encode())
    return Phase.STREAMING


PHASES = {
    "waiting": wait_for_head,
    "held": hold,
    "kept alive without a head": keep_alive_without_a_head,
    "kept alive": keep_alive,
    "streaming": stream,
}


@asynccontextmanager
async def patient(phase: str = "", *, pull: bool = False, **model: Any) -> AsyncIterator[Rig]:
    limits = {"hold_status": "250ms"} if phase.startswith("kept") else {}
    models = {"openai": {"targets": ["openai/m1", "claude/m1"], **model}}
    async with modelled(limits={"attempts": 2, **limits}, models=models, pull=pull) as rig:
        yield rig


@pytest.mark.parametrize("phase", PHASES)
@ALL
@timed
async def test_the_provider_is_closed_at_once_when_the_client_leaves(who: str, phase: str, pull: bool) -> None:
    async with patient(phase, pull=pull) as rig:
        before = asyncio.all_tasks()
        peer = await rig.ask(who, "openai")
        expected = await PHASES[phase](rig, peer, who)
        left = leave(rig)
        assert_within(PROMISE, await peer.wait_closed() - left)
        record = await rig.proxy.wait_record()
        assert (record.end, record.phase) == (EndReason.CLIENT_GONE, expected)
        assert [attempt.outcome for attempt in record.attempts] == ["won" if phase == "streaming" else "lost"]
        assert len(rig.upstream.peers) == 1, "nobody else is asked for a client that is gone"
        await no_new_tasks(before)
        assert len(rig.proxy.penstock.ticker) == 0


@timed
async def test_a_whole_answer_is_given_up_when_the_client_leaves() -> None:
    async with patient() as rig:
        peer = await rig.ask("openai", "openai", stream=False)
        left = leave(rig)
        assert_within(PROMISE, await peer.wait_closed() - left)
        record = await rig.proxy.wait_record()
        assert (record.end, record.phase) == (EndReason.CLIENT_GONE, Phase.WAITING)


@pytest.mark.parametrize("hold_status", ["10s", "250ms"], ids=["held", "kept alive"])
@timed
async def test_a_request_that_waits_for_an_account_ends_with_its_client(hold_status: str) -> None:
    async with staffed({"up": provider("a", "b")}, limits={"hold_status": hold_status}) as staff:
        before = asyncio.all_tasks()
        staff.says |= {"a": BRIEFLY, "b": BRIEFLY}
        target, body = build("openai", "m")
        async with connected("127.0.0.1", staff.proxy.port) as client:
            await client.ask(target, body=json.dumps(body).encode())
            await staff.upstream.wait(lambda: len(staff.asked) == 2)
            if hold_status == "250ms":
                await client.head()
                await client.chunk()
            left = time.monotonic()
            client.writer.transport.abort()
            record = await staff.proxy.wait_record()
            assert_within(PROMISE, time.monotonic() - left)
        assert (record.end, record.phase) == (EndReason.CLIENT_GONE, Phase.QUEUED)
        assert staff.asked == ["a", "b"]
        await no_new_tasks(before)
        assert len(staff.proxy.penstock.ticker) == 0


@timed
async def test_a_rescue_is_given_up_when_the_client_leaves() -> None:
    async with patient(rescue="restart") as rig:
        before = asyncio.all_tasks()
        first = await rig.ask("openai", "openai")
        await stream(rig, first, "openai")
        first.reset()
        second = await rig.upstream.peer(2)
        await second.until(b"}")
        left = leave(rig)
        assert_within(PROMISE, await second.wait_closed() - left)
        record = await rig.proxy.wait_record()
        assert record.end is EndReason.CLIENT_GONE
        await no_new_tasks(before)
        assert len(rig.proxy.penstock.ticker) == 0


# Drain: what the answer costs is wanted, whoever reads it.


@ALL
async def test_a_drained_answer_is_read_to_its_end_and_its_usage_recorded(who: str, pull: bool) -> None:
    async with patient(on_disconnect="drain", drain_for="5s", pull=pull) as rig:
        peer = await rig.ask(who, "openai")
        await stream(rig, peer, who)
        leave(rig)
        (scope,) = rig.proxy.penstock.streams.list_scopes()
        await settle(lambda: scope.record.end is EndReason.CLIENT_GONE)
        send_chunk(peer, SPOKEN.texts[1])
        assert peer.closed_at is None
        send_chunk(peer, SPOKEN.finish + USAGE + SPOKEN.mark)
        peer.send(LAST_CHUNK)
        record = await rig.proxy.wait_record()
        assert (record.end, record.error) == (EndReason.CLIENT_GONE, "")
        assert record.usage is not None
        assert (record.usage.input, record.usage.output) == (5, 2)


@ALL
async def test_a_drain_behind_the_finish_reads_the_usage_that_comes_last(who: str) -> None:
    async with patient(on_disconnect="drain", drain_for="5s") as rig:
        peer = await rig.ask(who, "openai")
        await stream(rig, peer, who)
        send_chunk(peer, SPOKEN.texts[1] + SPOKEN.finish)
        (scope,) = rig.proxy.penstock.streams.list_scopes()
        seen = scope.look
        assert seen is not None
        await settle(lambda: seen().bytes == len(SPOKEN.whole) - len(SPOKEN.mark))
        leave(rig)
        await settle(lambda: scope.record.end is EndReason.DONE)
        assert peer.closed_at is None
        send_chunk(peer, USAGE + SPOKEN.mark)
        peer.send(LAST_CHUNK)
        record = await rig.proxy.wait_record()
        assert (record.end, record.phase, record.error) == (EndReason.DONE, Phase.ENDED, "")
        assert record.usage is not None
        assert (record.usage.input, record.usage.output) == (5, 2)


async def test_a_drain_is_bounded() -> None:
    async with patient(on_disconnect="drain", drain_for="500ms") as rig:
        before = asyncio.all_tasks()
        peer = await rig.ask("openai", "openai")
        await stream(rig, peer, "openai")
        left = leave(rig)
        for _ in range(4):
            await asyncio.sleep(0.05)
            send_chunk(peer, SPOKEN.texts[1])
        assert 0.4 < await peer.wait_closed(2.0) - left < 1.5
        assert (await rig.proxy.wait_record()).end is EndReason.CLIENT_GONE
        await no_new_tasks(before)
        assert len(rig.proxy.penstock.ticker) == 0


@pytest.mark.parametrize("phase", ["waiting", "held", "kept alive"])
@timed
async def test_there_is_nothing_to_drain_before_the_answer_begins(phase: str) -> None:
    async with patient(phase, on_disconnect="drain") as rig:
        peer = await rig.ask("openai", "openai")
        await PHASES[phase](rig, peer, "openai")
        left = leave(rig)
        assert_within(PROMISE, await peer.wait_closed() - left)


@ALL
async def test_a_client_that_leaves_after_the_finish_has_what_it_wanted(who: str) -> None:
    async with patient() as rig:
        peer = await rig.ask(who, "openai")
        await stream(rig, peer, who)
        send_chunk(peer, SPOKEN.texts[1] + SPOKEN.finish + USAGE + SPOKEN.mark)
        await read_until(rig, SAY[who].end)
        leave(rig)
        record = await rig.proxy.wait_record()
        assert (record.end, record.phase) == (EndReason.DONE, Phase.ENDED)
        assert record.usage is not None
        assert record.usage.output == 2
