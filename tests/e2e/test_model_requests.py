"""Requests on model routes: who may ask, and what reaches a provider. What is refused: test_model_refusals.py."""

import base64
import hashlib
import json
from typing import Any

import pytest

from proxy.relay.outcome import EndReason
from tests.helpers.models import KEY, PROVIDERS, SAY, build, read_error, recorded
from tests.helpers.rawhttp import connected, fetch

OURS = "sk-ours-0123456789"
CLIENTS = {"clients": {"alice": {"key_sha256": hashlib.sha256(OURS.encode()).hexdigest()}}}
WHO = tuple(SAY)
CHAT = "/v1/chat/completions"
# Who may ask.

KEY_FIELDS = {
    "bearer": f"Authorization: Bearer {OURS}\r\n",
    "lower": f"authorization: bearer   {OURS}\r\n",
    "anthropic": f"x-api-key: {OURS}\r\n",
    "google": f"x-goog-api-key: {OURS}\r\n",
    "azure": f"api-key: {OURS}\r\n",
    "two": f"x-api-key: wrong\r\nAuthorization: Bearer {OURS}\r\n",
}
CREDENTIALS = {"openai": (b"authorization", b"Bearer " + KEY.encode()), "claude": (b"x-api-key", KEY.encode()),
               "gemini": (b"x-goog-api-key", KEY.encode())}  # fmt: skip


@pytest.mark.parametrize("fields", KEY_FIELDS.values(), ids=KEY_FIELDS)
@pytest.mark.parametrize("model", PROVIDERS)
async def test_a_key_may_stand_in_any_field_and_only_ours_goes_upstream(fields: str, model: str, pull: bool) -> None:
    async with recorded(pull=pull, **CLIENTS) as (proxy, upstream):
        reply = await fetch(proxy.port, CHAT, body=build("openai", model)[1], headers=fields)
        assert reply.status == 200
        (seen,) = upstream.requests
        credentials = [pair for pair in seen.fields if pair[0] in (b"authorization", b"api-key")
                       or pair[0].endswith(b"api-key")]  # fmt: skip
        assert credentials == [CREDENTIALS[model]]
        assert OURS.encode() not in upstream.received[0]
        assert (await proxy.wait_record()).client == "alice"


@pytest.mark.parametrize("who", WHO)
async def test_a_key_may_stand_in_the_query_and_goes_no_further(who: str, pull: bool) -> None:
    async with recorded(pull=pull, **CLIENTS) as (proxy, upstream):
        target, body = build(who, "gemini")
        joint = "&" if "?" in target else "?"
        assert (await fetch(proxy.port, f"{target}{joint}key={OURS}&a=b", body=body)).status == 200
        (seen,) = upstream.requests
        assert OURS.encode() not in seen.target
        assert (b"a=b" in seen.target) is (who == "gemini")


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize(
    "fields", ["", "Authorization: Bearer wrong\r\n", "Authorization: Basic x\r\n", "x-api-key:\r\n"]
)
async def test_without_a_good_key_nothing_is_asked(who: str, fields: str) -> None:
    async with recorded(**CLIENTS) as (proxy, upstream):
        target, body = build(who, "openai")
        reply = await fetch(proxy.port, target, body=body, headers=fields)
        assert reply.status == 401
        assert reply.headers["www-authenticate"] == "Bearer"
        assert reply.headers["x-should-retry"] == "false"
        assert read_error(who, reply) == "A valid key is required."
        assert upstream.connections == 0
        record = await proxy.wait_record()
        assert (record.status, record.end, record.error) == (401, EndReason.REFUSED, "unauthorized")


@pytest.mark.parametrize("target", ["/v1/models", "/v1beta/models", "/v1/models/openai", "/api/stream?prompt=x"])
async def test_reading_needs_a_key_as_well(target: str) -> None:
    async with recorded(**CLIENTS) as (proxy, _):
        assert (await fetch(proxy.port, target)).status == 401
        assert (await fetch(proxy.port, target, headers=KEY_FIELDS["bearer"])).status == 200


# What goes along.


@pytest.mark.parametrize("model", PROVIDERS)
async def test_a_request_of_the_provider_s_dialect_arrives_as_it_was_sent(model: str, pull: bool) -> None:
    target, body = build(model, model, odd=[1.50, {"model": "x"}])
    data = json.dumps(body, indent=1).encode() + b" \n"
    fields = (
        "User-Agent: me/1\r\nx-session: 7\r\nCookie: a=b\r\nOrigin: http://localhost:3000\r\nReferer: https://x/y\r\n"
    )
    async with recorded(pull=pull) as (proxy, upstream):
        assert (await fetch(proxy.port, target, body=data, headers=fields)).status == 200
        (seen,) = upstream.requests
        assert seen.body == data.replace(b'"model": "%b"' % model.encode(), b'"model": "m1"')
        assert (b"user-agent", b"me/1") in seen.fields
        assert (b"x-session", b"7") in seen.fields
        assert {b"cookie", b"origin", b"referer"}.isdisjoint(name for name, _ in seen.fields)
        assert dict(seen.fields)[b"accept-encoding"] == b"identity"
        assert seen.framing[b"content-length"] == b"%d" % len(seen.body)


async def test_a_body_that_comes_in_chunks_is_read_to_its_end(pull: bool) -> None:
    data = json.dumps(build("claude", "openai")[1]).encode()
    async with recorded(pull=pull) as (proxy, upstream), connected("127.0.0.1", proxy.port) as client:
        await client.send(b"POST /v1/messages HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        for at in range(0, len(data), 7):
            piece = data[at : at + 7]
            await client.send(b"%x\r\n%b\r\n" % (len(piece), piece))
        assert upstream.connections == 0
        await client.send(b"0\r\n\r\n")
        assert (await client.reply()).status == 200
        assert (await proxy.wait_record()).bytes_up == len(data)


async def test_a_body_that_waits_to_be_wanted_is_asked_for_only_of_who_may_ask() -> None:
    data = json.dumps(build("claude", "openai")[1]).encode()
    head = f"POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: {len(data)}\r\nExpect: 100-continue\r\n".encode()
    async with recorded(**CLIENTS) as (proxy, upstream):
        async with connected("127.0.0.1", proxy.port) as client:
            await client.send(head + KEY_FIELDS["bearer"].encode() + b"\r\n")
            assert (await client.until(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
            await client.send(data)
            assert (await client.reply()).status == 200
        async with connected("127.0.0.1", proxy.port) as client:
            await client.send(head + b"\r\n")
            assert (await client.reply()).status == 401
        assert b"expect" not in dict(upstream.requests[0].fields)


async def test_sixteen_megabytes_of_image_are_translated() -> None:
    image = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(16 * 1024 * 1024)).decode()
    url = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{image}"}}
    body = {"model": "claude", "messages": [{"role": "user", "content": [url]}]}
    async with recorded() as (proxy, upstream):
        assert (await fetch(proxy.port, CHAT, body=body)).status == 200
        (seen,) = upstream.requests
        (part,) = json.loads(seen.body)["messages"][0]["content"]
        assert part["source"]["data"] == image


@pytest.mark.parametrize("who", ["openai", "claude", "gemini", "responses"])
@pytest.mark.parametrize("model", PROVIDERS)
async def test_what_few_json_readers_take_survives(who: str, model: str) -> None:
    """Lone surrogates, integers beyond 64 bits, U+2028 and controls, in what a person says and in a schema."""
    text = b'"\\ud83d half, \\u2028 \\u0001 and 123456789012345678901234567890"'
    target, body = build(who, model)
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 123456789012345678901234567890}}}
    data = json.dumps({**body, **declare(who, schema)}).encode().replace(b'"hi"', text)
    async with recorded() as (proxy, upstream):
        reply = await fetch(proxy.port, target, body=data)
        assert reply.status == 200, reply.body
        (seen,) = upstream.requests
        assert json.loads(text) in find_texts(json.loads(seen.body))
        assert b"123456789012345678901234567890" in seen.body.replace(json.loads(text).encode("utf-8", "replace"), b"")


def declare(who: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A tool with this schema."""
    tool = {"name": "f", "description": "d"}
    return {
        "openai": {"tools": [{"type": "function", "function": {**tool, "parameters": schema}}]},
        "claude": {"tools": [{**tool, "input_schema": schema}]},
        "gemini": {"tools": [{"functionDeclarations": [{**tool, "parametersJsonSchema": schema}]}]},
        "responses": {"tools": [{"type": "function", **tool, "parameters": schema, "strict": False}]},
    }[who]


def find_texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for item in items for text in find_texts(item)]
