"""A request on a model route from its body to its answer: what is noted of it, and what becomes of connections."""

import asyncio
import json

import pytest

from proxy.relay.outcome import EndReason, Phase
from tests.helpers.edge import build_house, build_scope
from tests.helpers.models import PROVIDERS, SAY, SSE, build, build_reply, modelled, recorded, send_chunk
from tests.helpers.rawhttp import connected, fetch


@pytest.fixture(params=[False, True], ids=["push", "pull"])
def pull(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_a_scope_without_a_route_reads_what_anybody_can() -> None:
    assert build_scope(build_house()).dialect.name == "raw"


@pytest.mark.parametrize("who", SAY)
async def test_a_request_is_noted(who: str, pull: bool) -> None:
    async with recorded(pull=pull) as (proxy, _):
        target, body = build(who, "claude")
        reply = await fetch(proxy.port, target, body=body)
        record = await proxy.wait_record()
        assert reply.headers["x-penstock-request-id"] == record.id
        assert (record.provider, record.account, record.model_asked, record.model) == ("claude", "main", "claude", "m1")
        assert (record.dialect, record.method, record.status) == (record.dialect, "POST", 200)
        assert record.mount.startswith(("/v1", "/api/chat"))
        assert [attempt.status for attempt in record.attempts] == [200]
        assert record.bytes_up > 10
        assert record.events >= 6
        assert (record.end, record.phase) == (EndReason.DONE, Phase.ENDED)
        assert record.first_byte is not None
        assert record.usage is not None
        assert (record.usage.input, record.usage.output) == (5, 2)


@pytest.mark.parametrize("model", PROVIDERS)
async def test_connections_serve_on_on_both_sides(model: str, pull: bool) -> None:
    async with recorded(pull=pull) as (proxy, upstream), connected("127.0.0.1", proxy.port) as client:
        for number, stream in enumerate((True, False, True), 1):
            target, body = build("claude", model, stream=stream)
            await client.ask(target, body=_encode(body))
            assert (await client.reply()).status == 200
            await proxy.wait_record(number)
        assert upstream.connections == 1


async def test_a_connection_serves_on_behind_an_error_and_a_bad_body(pull: bool) -> None:
    async with recorded(pull=pull) as (proxy, upstream), connected("127.0.0.1", proxy.port) as client:
        good = upstream.answer
        target, body = build("openai", "claude")
        upstream.answer = lambda seen: build_reply(b"{}", 500)
        await client.ask(target, body=_encode(body))
        assert (await client.reply()).status == 500
        await client.ask(target, body=b"nonsense")
        assert (await client.reply()).status == 400
        upstream.answer = good
        await client.ask(target, body=_encode(body))
        assert (await client.reply()).status == 200
        assert upstream.connections == 1


async def test_a_client_that_leaves_before_the_head_closes_the_provider(pull: bool) -> None:
    async with modelled(pull=pull) as rig:
        peer = await rig.ask("openai", "claude")
        rig.client.writer.transport.abort()
        await peer.wait_closed()
        record = await rig.proxy.wait_record()
        assert (record.end, record.phase) == (EndReason.CLIENT_GONE, Phase.WAITING)


@pytest.mark.parametrize("stream", [True, False])
async def test_a_client_that_leaves_before_substance_closes_the_provider(stream: bool, pull: bool) -> None:
    async with modelled(pull=pull) as rig:
        peer = await rig.ask("openai", "claude", stream=stream)
        peer.send(SSE)
        send_chunk(peer, PROVIDERS["claude"].opening)
        await asyncio.sleep(0.05)  # it has come; nothing tells
        rig.client.writer.transport.abort()
        await peer.wait_closed()
        assert (await rig.proxy.wait_record()).end is EndReason.CLIENT_GONE


async def test_accounts_take_turns() -> None:
    accounts = {"a": {"key": "sk-key-a"}, "b": {"key": "sk-key-b"}}
    async with recorded() as (proxy, upstream):
        table = {"dialect": "anthropic", "base_url": upstream.base_url, "affinity": "off", "accounts": accounts}
        async with recorded(providers={"two": table}, models={}) as (other, _):
            target, body = build("claude", "two/x")
            names = [(await fetch(other.port, target, body=body)).headers["x-penstock-account"] for _ in range(4)]
            assert names == ["a", "b", "a", "b"]
        keys = [dict(seen.fields)[b"x-api-key"] for seen in upstream.requests]
        assert keys == [b"sk-key-a", b"sk-key-b"] * 2
        assert proxy.records == []


def _encode(body: object) -> bytes:
    return json.dumps(body).encode()
