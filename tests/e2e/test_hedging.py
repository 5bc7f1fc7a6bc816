"""A second attempt beside one that is slow: who answers first wins, and the other is let go of at once."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from proxy.relay.outcome import EndReason, Record
from tests.helpers.bare import no_new_tasks
from tests.helpers.models import LAST_CHUNK, PROVIDERS, SAY, SSE, WHOLE, build, build_reply, send_chunk
from tests.helpers.origin import Origin, Peer, origin
from tests.helpers.prompt import assert_within, timed
from tests.helpers.rawhttp import RawClient, Reply, connected, fetch
from tests.helpers.service import RunningProxy, running
from tests.helpers.staff import provider

PROMISE = 0.1  # seconds
AFTER = 0.2
SPOKEN = PROVIDERS["openai"]


@asynccontextmanager
async def hedged(*accounts: str, **model: Any) -> AsyncIterator[tuple[RunningProxy, Origin]]:
    """Two providers at one Origin; the second is asked when the first, which has `accounts`, is slow."""
    async with origin() as upstream:
        table = {"dialect": "openai-chat", "base_url": upstream.base_url}
        entry = {"targets": ["up/m1", "other/m1"], "hedge_after": "200ms", "hedge_budget": 1.0, **model}
        config = {
            "providers": {"up": provider(*(accounts or "a"), **table), "other": provider("c", **table)},
            "models": {"m": entry},
        }
        async with running(config) as proxy:
            yield proxy, upstream


@asynccontextmanager
async def asking(proxy: RunningProxy, **more: Any) -> AsyncIterator[RawClient]:
    target, body = build("openai", "m", **more)
    async with connected("127.0.0.1", proxy.port) as client:
        await client.ask(target, body=json.dumps(body).encode())
        yield client


async def asked(upstream: Origin, number: int) -> Peer:
    """The `number`-th connection, with its request."""
    peer = await upstream.peer(number)
    await peer.until(b"}")
    return peer


def begin(peer: Peer) -> None:
    peer.send(SSE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    send_chunk(peer, SPOKEN.opening + SPOKEN.texts[0])


def finish(peer: Peer) -> None:
    send_chunk(peer, SPOKEN.texts[1] + SPOKEN.finish + SPOKEN.mark)
    peer.send(LAST_CHUNK)


def read_trail(record: Record) -> list[tuple[str, str | None, str]]:
    return [(attempt.provider, attempt.account, attempt.outcome) for attempt in record.attempts]


@pytest.mark.parametrize("first", ["silent", "without substance"])
@timed
async def test_the_second_answers_when_the_first_is_slow_and_the_first_is_closed(first: str) -> None:
    async with hedged() as (proxy, upstream), asking(proxy) as client:
        begun = time.monotonic()
        slow = await asked(upstream, 1)
        if first == "without substance":
            slow.send(SSE)
            send_chunk(slow, SPOKEN.opening)
        fast = await asked(upstream, 2)
        assert AFTER - 0.02 < time.monotonic() - begun < AFTER + 1.0
        assert slow.closed_at is None
        begin(fast)
        won = time.monotonic()
        assert_within(PROMISE, await slow.wait_closed() - won)
        finish(fast)
        reply = await client.reply()
        assert SAY["openai"].end in reply.body
        assert reply.body.count(SAY["openai"].text.format("Hel").encode()) == 1
        assert (reply.headers["x-penstock-account"], reply.headers["x-penstock-attempts"]) == ("c", "2")
        record = await proxy.wait_record()
        assert read_trail(record) == [("up", "a", "lost"), ("other", "c", "won")]
        assert (record.hedges, record.provider, record.account, record.end) == (1, "other", "c", EndReason.DONE)


@timed
async def test_the_first_may_still_win_and_the_second_is_closed() -> None:
    async with hedged() as (proxy, upstream), asking(proxy) as client:
        first, second = await asked(upstream, 1), await asked(upstream, 2)
        begin(first)
        won = time.monotonic()
        assert_within(PROMISE, await second.wait_closed() - won)
        finish(first)
        assert (await client.reply()).headers["x-penstock-account"] == "a"
        record = await proxy.wait_record()
        assert read_trail(record) == [("up", "a", "won"), ("other", "c", "lost")]
        assert (record.provider, record.account) == ("up", "a")


async def test_an_answer_in_time_is_not_hedged() -> None:
    async with hedged(hedge_after="10s") as (proxy, upstream), asking(proxy) as client:
        peer = await asked(upstream, 1)
        begin(peer)
        finish(peer)
        assert (await client.reply()).headers["x-penstock-attempts"] == "1"
        assert (await proxy.wait_record()).hedges == 0
        assert len(upstream.peers) == 1


async def test_another_account_is_the_second_where_there_is_no_other_target() -> None:
    async with hedged("a", "b", targets=["up/m1"]) as (proxy, upstream), asking(proxy) as client:
        await asked(upstream, 1)
        second = await asked(upstream, 2)
        assert b"key-of-account-b" in second.received
        begin(second)
        finish(second)
        assert (await client.reply()).headers["x-penstock-account"] == "b"


async def test_a_whole_answer_is_hedged_as_well() -> None:
    async with hedged() as (proxy, upstream), asking(proxy, stream=False) as client:
        first, second = await asked(upstream, 1), await asked(upstream, 2)
        second.send(build_reply(WHOLE["openai"]))
        assert (await client.reply()).json["choices"][0]["message"]["content"] == "Hello"
        await first.wait_closed()
        assert read_trail(await proxy.wait_record()) == [("up", "a", "lost"), ("other", "c", "won")]


async def test_a_failure_of_one_leaves_the_other_to_answer() -> None:
    async with hedged() as (proxy, upstream), asking(proxy) as client:
        first, second = await asked(upstream, 1), await asked(upstream, 2)
        second.send(b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n")
        begin(first)
        finish(first)
        reply = await client.reply()
        assert (reply.status, reply.headers["x-penstock-account"]) == (200, "a")
        assert SAY["openai"].end in reply.body


@timed
async def test_a_client_that_leaves_ends_both() -> None:
    async with hedged() as (proxy, upstream):
        before = asyncio.all_tasks()
        async with asking(proxy) as client:
            first, second = await asked(upstream, 1), await asked(upstream, 2)
            left = time.monotonic()
            client.writer.transport.abort()
            for peer in (first, second):
                assert_within(PROMISE, await peer.wait_closed() - left)
        record = await proxy.wait_record()
        assert record.end is EndReason.CLIENT_GONE
        assert [attempt.outcome for attempt in record.attempts] == ["lost", "lost"]
        await no_new_tasks(before)
        assert len(proxy.penstock.ticker) == 0
        shown = (await fetch(proxy.admin_port, "/accounts")).json["providers"]
        assert [row["in_flight"] for table in shown for row in table["accounts"]] == [0, 0]


@pytest.mark.long
async def test_no_more_than_the_budget_is_asked_twice() -> None:
    """A quarter of eight requests."""
    async with hedged(hedge_budget=0.25) as (proxy, upstream):
        answered = 0
        for _ in range(8):
            async with asking(proxy) as client:
                await upstream.peer(answered + 1)
                await asyncio.sleep(AFTER * 2)  # whoever is asked twice has been by then
                for peer in upstream.peers[answered:]:
                    if not peer.lost:
                        begin(peer)
                        finish(peer)
                answered = len(upstream.peers)
                reply: Reply = await client.reply()
                assert SAY["openai"].end in reply.body
        hedges = [record.hedges for record in proxy.records]
        assert sum(hedges) == 2
        assert [sum(hedges[: n + 1]) <= 0.25 * (n + 1) for n in range(8)] == [True] * 8
