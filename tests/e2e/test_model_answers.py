"""Whole answers on model routes, passed, translated, or broken; and the errors of providers."""

import json
from typing import Any

import pytest

from proxy.edge import answers
from proxy.relay import peek
from proxy.relay.outcome import EndReason
from tests.helpers.models import (
    KEY,
    LAST_CHUNK,
    PROVIDERS,
    SAY,
    SSE,
    WHOLE,
    build,
    build_reply,
    modelled,
    read_error,
    recorded,
    send_chunk,
)
from tests.helpers.rawhttp import Reply, fetch

WHOLE_ASKERS = ("openai", "claude", "gemini", "responses")
EACH = pytest.mark.parametrize("who", WHOLE_ASKERS)
MODELS = pytest.mark.parametrize("model", PROVIDERS)


def build_whole(who: str, model: str) -> tuple[str, dict[str, Any]]:
    target, body = build(who, model, **({} if who == "gemini" else {"stream": False}))
    return target.replace("streamGenerateContent?alt=sse", "generateContent"), body


def read_text(who: str, reply: Reply) -> Any:
    body = reply.json
    if who == "openai":
        return body["choices"][0]["message"]["content"]
    if who == "claude":
        return body["content"][0]["text"]
    if who == "gemini":
        return body["candidates"][0]["content"]["parts"][0]["text"]
    return body["output"][0]["content"][0]["text"]


async def ask(proxy: Any, who: str, model: str) -> Reply:
    target, body = build_whole(who, model)
    return await fetch(proxy.port, target, body=body)


# Whole answers.


@EACH
@MODELS
async def test_a_whole_answer_in_every_dialect(who: str, model: str, pull: bool) -> None:
    async with recorded(pull=pull) as (proxy, _):
        reply = await ask(proxy, who, model)
        assert (reply.status, read_text(who, reply)) == (200, "Hello")
        assert reply.headers["content-type"] == "application/json"
        assert reply.headers["x-penstock-provider"] == model
        assert reply.headers["x-penstock-account"] == "main"
        if who == model:
            assert reply.body == WHOLE[model]
        record = await proxy.wait_record()
        assert (record.end, record.model, record.model_asked) == (EndReason.DONE, "m1", model)
        assert record.usage is not None
        assert (record.usage.input, record.usage.output) == (5, 2)
        assert record.bytes_down == len(WHOLE[model])  # what the provider sent, whatever became of it


@EACH
@MODELS
async def test_a_provider_that_streams_unasked_is_understood(who: str, model: str) -> None:
    async with recorded() as (proxy, upstream):
        upstream.answer = lambda seen: build_reply(PROVIDERS[model].whole, kind="text/event-stream; charset=utf-8")
        reply = await ask(proxy, who, model)
        assert (reply.status, read_text(who, reply)) == (200, "Hello")
        assert reply.headers["content-type"] == "application/json"


@pytest.mark.parametrize("who", SAY)
@MODELS
async def test_a_provider_that_does_not_stream_when_asked_to_is_streamed(who: str, model: str) -> None:
    async with recorded() as (proxy, upstream):
        upstream.answer = lambda seen: build_reply(WHOLE[model])
        target, body = build(who, model)
        reply = await fetch(proxy.port, target, body=body)
        assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert "Hello" in reply.body.decode()
        assert SAY[who].end in reply.body


@MODELS
async def test_an_array_is_streamed_element_by_element(model: str) -> None:
    async with modelled() as rig:
        target = f"/v1beta/models/{model}:streamGenerateContent"
        await rig.client.ask(target, body=json.dumps(SAY["gemini"].body).encode())
        peer = await rig.upstream.peer()
        await peer.until(b"}")
        peer.send(SSE)
        send_chunk(peer, PROVIDERS[model].opening + PROVIDERS[model].texts[0])
        head = await rig.client.head()
        assert head.headers["content-type"] == "application/json; charset=UTF-8"
        first = await rig.client.chunk()
        assert first.startswith(b"[{")
        assert b'"Hel"' in first
        send_chunk(peer, PROVIDERS[model].texts[1] + PROVIDERS[model].finish + PROVIDERS[model].mark)
        peer.send(LAST_CHUNK)
        rest = b""
        while chunk := await rig.client.chunk():
            rest += chunk
        elements = json.loads(first + rest)
        texts = [element["candidates"][0]["content"]["parts"][0]["text"] for element in elements[:2]]
        assert texts == ["Hel", "lo"]
        assert elements[-1]["candidates"][0]["finishReason"] == "STOP"


CUTS = {
    "length": (b"Content-Length: 5000\r\n\r\n", b""),
    "chunks": (b"Transfer-Encoding: chunked\r\n\r\n", b"%x\r\n"),
    "close": (b"Connection: close\r\n\r\n", b""),
}


@EACH
@MODELS
@pytest.mark.parametrize("framing", CUTS)
@pytest.mark.parametrize("share", [0, 0.5, 0.97])
async def test_a_whole_answer_that_was_cut_is_never_a_short_one(
    who: str, model: str, framing: str, share: float
) -> None:
    fields, size = CUTS[framing]
    async with modelled() as rig:
        target, body = build_whole(who, model)
        await rig.client.ask(target, body=json.dumps(body).encode())
        peer = await rig.upstream.peer()
        await peer.until(b"}")
        part = WHOLE[model][: int(len(WHOLE[model]) * share)]
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + fields)
        peer.send((size % 5000 if size else b"") + part)
        peer.fin()
        reply = await rig.client.reply()
        assert reply.status == {"openai": 502, "responses": 502, "claude": 500, "gemini": 503}[who]
        assert read_error(who, reply)
        assert reply.headers["x-should-retry"] == "true"
        record = await rig.proxy.wait_record()
        assert record.end in (EndReason.UPSTREAM_CUT, EndReason.ERROR)


async def test_an_answer_that_is_too_large_to_hold_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peek.collect, "__defaults__", (1000,))
    async with recorded() as (proxy, upstream):
        upstream.answer = lambda seen: build_reply(b'{"a":"' + b"x" * 2000 + b'"}')
        reply = await ask(proxy, "openai", "openai")
        assert (reply.status, (await proxy.wait_record()).error) == (502, "upstream_too_large")


@MODELS
async def test_what_nobody_here_understands_passes_to_who_asked_in_that_dialect_and_to_no_other(model: str) -> None:
    async with recorded() as (proxy, upstream):
        upstream.answer = lambda seen: build_reply(b'{"something" : "new"}')
        for who in WHOLE_ASKERS:
            reply = await ask(proxy, who, model)
            if who == model:
                assert (reply.status, reply.body) == (200, b'{"something" : "new"}')
            else:
                assert reply.status in (500, 502, 503)
                assert read_error(who, reply)


@EACH
@pytest.mark.parametrize("status", [200, 429])
async def test_an_answer_that_is_compressed_unasked_is_no_answer(who: str, status: int) -> None:
    async with recorded() as (proxy, upstream):
        upstream.answer = lambda seen: build_reply(b"\x1f\x8b\x08", status, "Content-Encoding: gzip")
        for model in PROVIDERS:
            reply = await ask(proxy, who, model)
            assert reply.status == status if status == 429 else reply.status >= 500
            assert read_error(who, reply)


# Errors.

SAYS = {
    "openai": b'{"error" : {"message":"%b","type":"x","param":null,"code":null}}',
    "claude": b'{"type":"error" , "error":{"type":"x_error","message":"%b"}}',
    "gemini": b'{"error":{"code" : 0,"message":"%b","status":"X"}}',
}


def build_error(model: str, status: int, text: str = "the tank is empty", *fields: str) -> bytes:
    return build_reply(SAYS[model] % text.encode(), status, *fields)


@pytest.mark.parametrize("who", SAY)
@MODELS
@pytest.mark.parametrize("status", [400, 403, 404, 409, 413, 422, 429, 500, 502, 503, 504, 529, 418, 302])
async def test_an_error_is_mapped_or_passes_as_it_came(who: str, model: str, status: int) -> None:
    async with recorded() as (proxy, upstream):
        upstream.answer = lambda seen: build_error(model, status, "the tank is empty", "x-ratelimit-limit: 1")
        target, body = build(who, model)
        reply = await fetch(proxy.port, target, body=body)
        assert b"the tank is empty" in reply.body
        record = await proxy.wait_record()
        assert record.status == reply.status
        assert record.error
        if who == model:
            assert (reply.status, reply.body) == (status, SAYS[model] % b"the tank is empty")
            assert reply.headers["x-ratelimit-limit"] == "1"
            return
        assert reply.status >= 400
        assert read_error(who, reply) == "the tank is empty"
        assert "x-ratelimit-limit" not in reply.headers


@pytest.mark.parametrize("who", SAY)
@MODELS
async def test_a_delay_comes_through_to_the_sdk(who: str, model: str, pull: bool) -> None:
    async with recorded(pull=pull) as (proxy, upstream):
        upstream.answer = lambda seen: build_error(model, 429, "slow down", "Retry-After: 7")
        target, body = build(who, model)
        reply = await fetch(proxy.port, target, body=body)
        assert (reply.status, reply.headers["retry-after"]) == (429, "7")
        if who != model:
            assert reply.headers["retry-after-ms"] == "7000"
            assert reply.headers["x-should-retry"] == "true"
        assert (await proxy.wait_record()).end is EndReason.ERROR


@pytest.mark.parametrize("who", SAY)
@MODELS
async def test_a_refusal_of_our_key_is_never_shown_as_one_of_the_caller_s(who: str, model: str) -> None:
    for target, body in (build(who, model), build_whole(who, model) if who in WHOLE_ASKERS else build(who, model)):
        async with recorded() as (proxy, upstream):
            upstream.answer = lambda seen: build_error(model, 401, f"Incorrect API key: {KEY}", f"x-echo: {KEY}")
            reply = await fetch(proxy.port, target, body=body)
            assert reply.status == (500 if who in ("claude", "gemini") else 502)
            assert read_error(who, reply)
            assert KEY.encode() not in reply.raw + reply.body
            record = await proxy.wait_record()
            assert (record.error, record.end) == ("upstream_auth", EndReason.ERROR)


@MODELS
async def test_an_error_in_html_is_put_in_words(model: str) -> None:
    async with recorded() as (proxy, upstream):
        upstream.answer = lambda seen: build_reply(b"<html><h1>502 Bad Gateway", 502, kind="text/html")
        for who in WHOLE_ASKERS:
            if who != model:
                reply = await ask(proxy, who, model)
                assert reply.status >= 500
                assert "<" not in read_error(who, reply)


@EACH
@MODELS
async def test_an_error_under_200_is_an_error(who: str, model: str) -> None:
    async with recorded() as (proxy, upstream):
        error = SAYS[model].replace(b'"code" : 0', b'"code":429').replace(b'"code":null', b'"code":429')
        error = error.replace(b"x_error", b"rate_limit_error")
        upstream.answer = lambda seen: build_reply(error % b"the tank is empty")
        reply = await ask(proxy, who, model)
        assert reply.status == 429
        assert read_error(who, reply) == "the tank is empty"


@pytest.mark.parametrize("who", SAY)
async def test_a_provider_that_cannot_be_reached_is_said_so(who: str, pull: bool) -> None:
    table = {"dialect": "openai-chat", "base_url": "http://127.0.0.1:1"}
    config: dict[str, Any] = {"providers": {"dead": table}, "models": {"openai": {"targets": ["dead/m"]}}}
    async with recorded(pull=pull, **config) as (proxy, _):
        target, body = build(who, "openai")
        reply = await fetch(proxy.port, target, body=body)
        assert reply.status == {"claude": 500, "gemini": 503}.get(who, 502)
        assert "refused the connection" in read_error(who, reply)
        record = await proxy.wait_record()
        assert (record.end, record.error) == (EndReason.CONNECT, "upstream_refused")


@pytest.mark.parametrize("who", SAY)
async def test_a_provider_that_says_nothing_is_not_waited_for(who: str) -> None:
    async with modelled(limits={"first_byte": "250ms"}) as rig:
        peer = await rig.ask(who, "openai")
        reply = await rig.client.reply()
        assert reply.status == 504
        assert "in time" in read_error(who, reply)
        await peer.wait_closed()
        assert (await rig.proxy.wait_record()).end is EndReason.FIRST_BYTE


async def test_a_long_error_is_not_collected_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "LARGEST_ERROR", 1000)
    async with recorded() as (proxy, upstream):
        upstream.answer = lambda seen: build_reply(b"x" * 1001, 500)
        assert (await ask(proxy, "openai", "openai")).status == 502
        upstream.answer = lambda seen: build_reply(b"x" * 1000, 500)
        assert (await ask(proxy, "openai", "openai")).body == b"x" * 1000
