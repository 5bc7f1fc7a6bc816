"""Examples by socket against a Siege, many at a time: what the proxy answers is HTTP, JSON and events, in time."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from random import Random
from typing import Final

from tests.fuzz.answers import check_readable
from tests.fuzz.siege import BOUND, KEY, Siege
from tests.fuzz.sockets import Play, Poke, draw_play, draw_poke
from tests.helpers.rawhttp import Reply, connected

AT_ONCE: Final = 32

RunOne = Callable[[Siege, int], Awaitable[None]]


class Found(AssertionError):
    """An example that shows a bug."""


async def poke(siege: Siege, seeds: range) -> None:
    """Whatever comes at either door: answers, and a polite request that is served afterwards."""
    await _run(siege, seeds, _poke_one)
    assert siege.friend.malformed == [], siege.friend.malformed


async def play(siege: Siege, seeds: range) -> None:
    """Sound requests, and an upstream that says whatever it likes."""
    await _run(siege, seeds, _play_one)
    siege.scripts.clear()
    await siege.forgive()


async def _run(siege: Siege, seeds: range, run_one: RunOne) -> None:
    for first in range(seeds.start, seeds.stop, AT_ONCE):
        batch = range(first, min(first + AT_ONCE, seeds.stop))
        async with asyncio.timeout(3 * BOUND):
            await asyncio.gather(*(run_one(siege, seed) for seed in batch))
        try:
            await siege.be_polite()
            siege.check_log()
        except AssertionError as error:
            raise Found(f"one of the seeds {batch}: {error}") from error


async def _poke_one(siege: Siege, seed: int) -> None:
    sample: Poke = draw_poke(Random(seed))
    try:
        await siege.poke(sample.pieces, siege.admin if sample.admin else siege.port)
    except AssertionError as error:
        raise Found(f"seed {seed}: {error}: {sample!r}"[:4000]) from error


async def _play_one(siege: Siege, seed: int) -> None:
    sample: Play = draw_play(Random(seed))
    siege.scripts[sample.number] = sample.script
    try:
        async with asyncio.timeout(BOUND):
            _check_reply(sample, await _ask(siege, sample))
    except (AssertionError, ValueError, TimeoutError) as error:
        raise Found(f"seed {seed}: {error!r}: {sample!r}"[:4000]) from error


async def _ask(siege: Siege, sample: Play) -> Reply | None:
    """None where the proxy has cut its answer."""
    async with connected("127.0.0.1", siege.port) as client:
        fields = f"x-api-key: {KEY}\r\nContent-Type: application/json\r\n"
        await client.ask(sample.target, body=sample.body, headers=fields)
        try:
            return await client.reply()
        except (asyncio.IncompleteReadError, ConnectionError):
            return None


def _check_reply(sample: Play, reply: Reply | None) -> None:
    if reply is None or sample.client == "raw":
        return
    assert b"failed to handle" not in reply.body
    if reply.status != 200:
        if not sample.same:
            json.loads(reply.body)
    elif not sample.same and sample.stream:
        check_readable(sample.client, _without_comments(reply.body))
    elif not sample.same:
        json.loads(reply.body)


def _without_comments(body: bytes) -> bytes:
    """A keep-alive that came last is no event, and needs no blank line."""
    lines = body.split(b"\n")
    while len(lines) > 1 and (not lines[-1] or lines[-1].startswith(b":")) and lines[-2:-1] != [b""]:
        lines.pop()
    return b"\n".join(lines)
