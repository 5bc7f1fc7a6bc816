"""What a stream has cost is asked for where the books want to know it, and the client that did not ask sees nothing of
it: byte for byte the stream that it would have had.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from proxy.dialects.events import Usage
from tests.helpers.models import LAST_CHUNK, PROVIDERS, SSE, Rig, chat_chunk, encode, modelled, send_chunk
from tests.helpers.origin import Peer

SPOKEN = PROVIDERS["openai"]
COUNTS = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
USAGE = b"data: " + encode({"id": "c1", "choices": [], "usage": COUNTS}) + b"\n\n"
REST = SPOKEN.texts[1] + SPOKEN.finish


@asynccontextmanager
async def booked(*, pull: bool, **config: Any) -> AsyncIterator[Rig]:
    """A proxy whose books want to know."""
    async with modelled(pull=pull, **config) as rig:
        rig.proxy.penstock.house = replace(rig.proxy.penstock.house, wants_usage=True)
        yield rig


async def answer(rig: Rig, peer: Peer, *said: bytes) -> bytes:
    peer.send(SSE)
    for data in said:
        send_chunk(peer, data)
    peer.send(LAST_CHUNK)
    await rig.client.head()
    body = b""
    while chunk := await rig.client.chunk():
        body += chunk
    return body


def read_asked(peer: Peer) -> Any:
    return json.loads(bytes(peer.received).partition(b"\r\n\r\n")[2])


@pytest.mark.parametrize("split", [True, False])
async def test_a_client_that_did_not_ask_reads_what_it_would_have_read(pull: bool, split: bool) -> None:
    async with booked(pull=pull) as rig:
        peer = await rig.ask("openai", "openai")
        assert read_asked(peer)["stream_options"] == {"include_usage": True}
        said = (SPOKEN.opening, SPOKEN.texts[0], REST, USAGE, SPOKEN.mark)
        assert await answer(rig, peer, *(said if split else [b"".join(said)])) == SPOKEN.whole
        record = await rig.proxy.wait_record()
        assert (record.usage, record.events) == (Usage(5, None, None, 2), 6)


async def test_a_client_that_asked_reads_all_of_it(pull: bool) -> None:
    async with booked(pull=pull) as rig:
        options = {"include_usage": True, "include_obfuscation": False}
        peer = await rig.ask("openai", "openai", stream_options=options)
        assert read_asked(peer)["stream_options"] == options
        said = SPOKEN.opening + SPOKEN.texts[0] + REST + USAGE + SPOKEN.mark
        assert await answer(rig, peer, said) == said


async def test_what_was_found_out_beside_the_answer_s_end_stays_there(pull: bool) -> None:
    async with booked(pull=pull) as rig:
        peer = await rig.ask("openai", "openai")
        said = SPOKEN.opening + SPOKEN.texts[0] + chat_chunk({}, "stop", usage=COUNTS) + SPOKEN.mark
        assert await answer(rig, peer, said) == said
        assert (await rig.proxy.wait_record()).usage == Usage(5, None, None, 2)


async def test_nothing_is_asked_where_nobody_wants_to_know(pull: bool) -> None:
    async with modelled(pull=pull) as rig:
        peer = await rig.ask("openai", "openai")
        assert "stream_options" not in read_asked(peer)
        said = SPOKEN.opening + SPOKEN.texts[0] + REST + USAGE + SPOKEN.mark
        assert await answer(rig, peer, said) == said


@pytest.mark.parametrize("asked", [True, False])
async def test_another_provider_goes_on_as_the_first_had_begun(pull: bool, asked: bool) -> None:
    models = {"openai": {"targets": ["openai/m1", "openai/m1"], "rescue": "restart"}}
    async with booked(pull=pull, models=models, limits={"attempts": 2}) as rig:
        options: dict[str, Any] = {"stream_options": {"include_usage": True}} if asked else {}
        first = await rig.ask("openai", "openai", **options)
        first.send(SSE)
        send_chunk(first, SPOKEN.opening + SPOKEN.texts[0])
        await rig.client.head()
        body = await rig.client.chunk()
        first.fin()
        second = await rig.upstream.peer(2)
        await second.until(b"}")
        second.send(SSE)
        send_chunk(second, SPOKEN.opening + SPOKEN.texts[0] + REST + USAGE + SPOKEN.mark)
        second.send(LAST_CHUNK)
        while chunk := await rig.client.chunk():
            body += chunk
        assert body.endswith(b"data: [DONE]\n\n")
        assert (b'"prompt_tokens":5' in body) is asked
        record = await rig.proxy.wait_record()
        told = record.attempts[-1].told
        assert told is not None
        assert (told.usage, told.complete) == (Usage(5, None, None, 2), True)
        assert record.usage_source == "partial", "the first one never said what it took"
