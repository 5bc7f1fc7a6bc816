"""What a client may use, held to it by the whole proxy: two hundred requests of one key at once, against each limit.

A limit admits exactly what it should. Only what refills by the second is given the seconds that the test has taken.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any

import pytest

from proxy.config.load import build_config
from proxy.relay.outcome import EndReason
from tests.helpers.models import KEY, PROVIDERS, WHOLE, build, build_reply, chat_chunk, read_error, recorded
from tests.helpers.rawhttp import Reply, connected, fetch
from tests.helpers.recorder import Recorder, Seen
from tests.helpers.service import RunningProxy

AT_ONCE = 200
ANN = "x-api-key: key-of-ann\r\n"
BOB = "x-api-key: key-of-bob\r\n"
DAY = 86400
SIZE = 400
TOKENS = SIZE // 4
ANSWER = 7
"""Tokens of what the provider answers, prompt and all."""

USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": ANSWER}
_SAID = PROVIDERS["openai"]
STREAM = _SAID.opening + b"".join(_SAID.texts) + chat_chunk({}, "stop", usage=USAGE) + _SAID.mark


def clients(**limits: Any) -> dict[str, Any]:
    return {"ann": {"key": "key-of-ann", **limits}, "bob": {"key": "key-of-bob"}}


def hold(seen: Seen) -> bytes:
    """No answer for now."""
    return b""


def answer(seen: Seen) -> bytes:
    """Streamed or whole, and with its usage."""
    if b'"stream": true' in seen.body:
        return build_reply(STREAM, kind="text/event-stream")
    return build_reply(WHOLE["openai"])


def release(upstream: Recorder) -> None:
    """Answer whoever waits, and whoever asks from now on."""
    upstream.answer = answer
    for conversation in list(upstream.open):
        conversation.transport.write(answer(upstream.requests[0]))


async def ask(proxy: RunningProxy, who: str = "openai", *, headers: str = ANN, **more: Any) -> Reply:
    target, body = build(who, "openai", **more)
    data = json.dumps(body)
    return await fetch(proxy.port, target, body=data.ljust(SIZE).encode(), headers=headers)


async def storm(proxy: RunningProxy, upstream: Recorder) -> tuple[Sequence[Reply], Sequence[Reply], float]:
    """Those that were answered and those that were refused while the former were held, and the seconds until then."""
    upstream.answer, began = hold, time.monotonic()
    tasks = {asyncio.create_task(ask(proxy)) for _ in range(AT_ONCE)}
    for task in tasks:
        task.add_done_callback(lambda _: upstream.changed())
    await upstream.wait(lambda: len(upstream.requests) + sum(task.done() for task in tasks) == AT_ONCE)
    took = time.monotonic() - began
    refused = [task.result() for task in tasks if task.done()]
    release(upstream)
    answered = await asyncio.gather(*(task for task in tasks if not task.done()))
    return answered, refused, took


@pytest.fixture(params=[False, True], ids=["push", "pull"])
def pull(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def check(answered: Sequence[Reply], refused: Sequence[Reply], code: str, proxy: RunningProxy) -> None:
    assert {reply.status for reply in answered} <= {200}
    assert {reply.status for reply in refused} == {429}
    assert len(answered) + len(refused) == AT_ONCE
    records = [record for record in proxy.records if record.status == 429]
    assert {(record.error, record.end, record.client) for record in records} == {(code, EndReason.LIMIT, "ann")}
    assert not any(record.attempts for record in records)


async def test_streams_at_once(pull: bool) -> None:
    async with recorded(pull=pull, clients=clients(max_streams=20)) as (proxy, upstream):
        answered, refused, _ = await storm(proxy, upstream)
        check(answered, refused, "client_max_streams", proxy)
        assert len(answered) == 20
        assert {reply.headers["retry-after"] for reply in refused} == {"1"}
        await proxy.wait_record(AT_ONCE)
        assert (await ask(proxy)).status == 200


async def test_requests_a_minute() -> None:
    async with recorded(clients=clients(rpm=60)) as (proxy, upstream):
        answered, refused, took = await storm(proxy, upstream)
        check(answered, refused, "client_rpm", proxy)
        assert 60 <= len(answered) <= 60 + took
        assert {reply.headers["retry-after"] for reply in refused} == {"1"}
        assert {int(reply.headers["retry-after-ms"]) for reply in refused} <= set(range(1, 1001))
        assert (await ask(proxy, headers=BOB)).status == 200


async def test_tokens_a_minute() -> None:
    async with recorded(clients=clients(tpm=6000)) as (proxy, upstream):
        answered, refused, took = await storm(proxy, upstream)
        check(answered, refused, "client_tpm", proxy)
        assert 60 <= len(answered) <= 60 + took
        await proxy.wait_record(AT_ONCE)
        # An answer had seven tokens, so most of what was guessed has come back.
        more = await asyncio.gather(*(ask(proxy) for _ in range(50)))
        assert {reply.status for reply in more} == {200}


async def test_tokens_a_day() -> None:
    async with recorded(clients=clients(tokens_per_day=25 * TOKENS)) as (proxy, upstream):
        answered, refused, _ = await storm(proxy, upstream)
        check(answered, refused, "client_tokens_per_day", proxy)
        assert len(answered) == 25
        assert {int(reply.headers["retry-after"]) for reply in refused} <= set(range(DAY + 1))
        assert {reply.headers["x-should-retry"] for reply in refused} == {"false"}
        await proxy.wait_record(AT_ONCE)
        assert (await ask(proxy)).status == 200


async def test_cost_a_day() -> None:
    prices = {"openai/m1": {"input": 10_000, "output": 10_000}}  # a cent a token
    async with recorded(clients=clients(cost_per_day=25.0), prices=prices) as (proxy, upstream):
        answered, refused, _ = await storm(proxy, upstream)
        check(answered, refused, "client_cost_per_day", proxy)
        assert len(answered) == 25
        await proxy.wait_record(AT_ONCE)
        assert (await ask(proxy)).status == 200


async def test_what_was_really_used_counts() -> None:
    async with recorded(clients=clients(tokens_per_day=3 * ANSWER + 1)) as (proxy, upstream):
        upstream.answer = answer
        replies = [await ask(proxy, stream=stream) for stream in (True, False, True, False, True)]
        assert [reply.status for reply in replies] == [200, 200, 200, 200, 429]


async def test_what_failed_upstream_has_used_nothing() -> None:
    async with recorded(clients=clients(tokens_per_day=2 * ANSWER)) as (proxy, upstream):
        upstream.answer = lambda seen: build_reply(b'{"error":{"message":"no","type":"invalid_request_error"}}', 400)
        for _ in range(5):
            assert (await ask(proxy)).status == 400
        upstream.answer = answer
        assert [(await ask(proxy)).status for _ in range(3)] == [200, 200, 429]


async def test_a_client_that_leaves_gives_back_its_place() -> None:
    async with recorded(clients=clients(max_streams=1)) as (proxy, upstream):
        upstream.answer = hold
        async with connected("127.0.0.1", proxy.port) as client:
            target, body = build("openai", "openai")
            await client.ask(target, body=json.dumps(body).encode(), headers=ANN)
            await upstream.wait(lambda: len(upstream.requests) == 1)
            assert (await ask(proxy)).status == 429
        await proxy.wait_record(2)
        upstream.answer = answer
        assert (await ask(proxy)).status == 200


async def test_one_place_serves_one_request_after_another(pull: bool) -> None:
    config = clients(max_streams=1)
    async with recorded(pull=pull, clients=config) as (proxy, _), connected("127.0.0.1", proxy.port) as client:
        for number in range(50):
            target, body = build("openai", "openai", stream=bool(number % 2))
            await client.ask(target, body=json.dumps(body).encode(), headers=ANN)
            assert (await client.reply()).status == 200


@pytest.mark.parametrize("who", ["openai", "claude", "gemini", "responses", "page"])
@pytest.mark.parametrize(
    ("limits", "code", "words"),
    [
        ({"rpm": 1}, "rate_limit", "requests"),
        ({"tokens_per_day": 1}, "quota", "tokens of the day"),
    ],
)
async def test_each_dialect_is_told_in_its_own_form(who: str, limits: dict[str, int], code: str, words: str) -> None:
    async with recorded(clients=clients(**limits)) as (proxy, _):
        assert (await ask(proxy, who)).status == 200
        reply = await ask(proxy, who)
        assert (reply.status, reply.headers["retry-after"] != "") == (429, True)
        assert words in read_error(who, reply)
        if who == "gemini":
            details = {detail["@type"].rpartition(".")[2]: detail for detail in reply.json["error"]["details"]}
            assert float(details["RetryInfo"]["retryDelay"].removesuffix("s")) > 1
        elif who == "claude":
            assert reply.json["error"]["type"] == "rate_limit_error"
        elif who != "page":
            assert reply.json["error"]["code"] == {"rate_limit": "rate_limit_exceeded"}.get(code, "insufficient_quota")


async def test_models_of_others_are_neither_found_nor_listed() -> None:
    async with recorded(clients=clients(models=["claude", "gem*"])) as (proxy, upstream):
        target, body = build("openai", "openai")
        for asked in ("openai", "openai/m1", "claude/m1"):
            reply = await fetch(proxy.port, target, body={**body, "model": asked}, headers=ANN)
            assert (reply.status, reply.json["error"]["code"]) == (404, "model_not_found")
        assert not upstream.requests
        reply = await fetch(proxy.port, target, body={**body, "model": "gemini"}, headers=ANN)
        assert reply.status == 200
        for headers in ("", "anthropic-version: 2023-06-01\r\n"):
            listed = (await fetch(proxy.port, "/v1/models", headers=ANN + headers)).json
            assert [entry["id"] for entry in listed["data"]] == ["claude", "gemini"]
            assert (listed["first_id"], listed["last_id"]) == ("claude", "gemini")
        listed = (await fetch(proxy.port, "/v1beta/models", headers="x-goog-api-key: key-of-ann\r\n")).json
        assert [entry["name"] for entry in listed["models"]] == ["models/claude", "models/gemini"]
        assert (await fetch(proxy.port, "/v1/models/openai", headers=ANN)).status == 404
        assert (await fetch(proxy.port, "/v1/models/openai", headers=BOB)).status == 200
        assert (await fetch(proxy.port, "/v1/models/claude", headers=ANN)).status == 200


async def test_mounts_hold_a_client_to_its_limits_too() -> None:
    mounts = {"/claude": {"provider": "claude"}, "/open": {"provider": "claude", "auth": "none"}}
    async with recorded(clients=clients(rpm=2), mounts=mounts) as (proxy, _):
        target, body = build("claude", "m1")
        for status in (200, 200, 429):
            reply = await fetch(proxy.port, "/claude" + target, body=body, headers=ANN)
            assert reply.status == status
        assert 20 <= int(reply.headers["retry-after"]) <= 30
        assert reply.json["error"]["type"] == "rate_limit_error"
        assert (proxy.records[-1].error, proxy.records[-1].end) == ("client_rpm", EndReason.LIMIT)
        assert (await fetch(proxy.port, "/open" + target, body=body, headers=ANN)).status == 200


async def test_a_mount_is_refused_to_who_may_not_ask_for_every_model() -> None:
    async with recorded(clients=clients(models=["*"]), mounts={"/claude": {"provider": "claude"}}) as (proxy, upstream):
        target, body = build("claude", "m1")
        reply = await fetch(proxy.port, "/claude" + target, body=body, headers=ANN)
        assert (reply.status, reply.json["error"]["type"]) == (403, "permission_error")
        assert not upstream.requests
        assert (await fetch(proxy.port, "/claude" + target, body=body, headers=BOB)).status == 200


async def test_a_reload_keeps_what_was_counted_and_brings_new_limits() -> None:
    async with recorded(clients=clients(rpm=2)) as (proxy, upstream):
        assert [(await ask(proxy)).status for _ in range(3)] == [200, 200, 429]

        def reload(**limits: Any) -> None:
            account = {"accounts": {"main": {"key": KEY}}}
            table = {
                "providers": {"openai": {"dialect": "openai-chat", "base_url": upstream.base_url, **account}},
                "models": {"openai": {"targets": ["openai/m1"]}},
                "clients": clients(**limits),
            }
            proxy.penstock.reload(build_config([("test", table)], {}))

        reload(rpm=2)
        assert (await ask(proxy)).status == 429
        reload(rpm=3)
        assert [(await ask(proxy)).status for _ in range(2)] == [200, 429]
        reload(models=["nothing"])
        assert (await ask(proxy)).status == 404
        reload()
        assert (await ask(proxy)).status == 200
