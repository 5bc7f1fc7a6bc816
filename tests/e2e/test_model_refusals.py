"""What a model route refuses, or answers by itself, in the words of who asks."""

import gzip
import json
from typing import Any

import pytest

from proxy.relay.outcome import EndReason
from tests.helpers.models import PROVIDERS, SAY, build, read_error, recorded
from tests.helpers.rawhttp import connected, fetch
from tests.helpers.service import mounted, running

WHO = tuple(SAY)
EACH = pytest.mark.parametrize("who", WHO)


@EACH
@pytest.mark.parametrize(
    ("body", "hint"),
    [(b"", "JSON"), (b"{", "JSON"), (b"\xff\xfe", "JSON"), (b"[]", "object"), (b'"x"', "object")],
)
async def test_what_is_no_json_object_is_refused(who: str, body: bytes, hint: str) -> None:
    async with recorded() as (proxy, upstream):
        for model in PROVIDERS:
            reply = await fetch(proxy.port, build(who, model)[0], body=body)
            assert reply.status == 400
            assert hint in read_error(who, reply)
        assert upstream.connections == 0


@EACH
@pytest.mark.parametrize("field", ["messages", "input", "contents"])
async def test_a_field_of_a_wrong_type_is_named(who: str, field: str) -> None:
    async with recorded() as (proxy, upstream):
        for model in PROVIDERS:
            target, body = build(who, model)
            if field not in body or model == who:
                continue  # the provider of its own dialect says so itself
            reply = await fetch(proxy.port, target, body={**body, field: 7})
            assert reply.status == 400
            assert field in read_error(who, reply)
        assert upstream.connections == 0


@EACH
async def test_an_unknown_model_is_not_found_and_the_nearest_is_named(who: str) -> None:
    async with recorded() as (proxy, upstream):
        target, body = build(who, "opnai")
        reply = await fetch(proxy.port, target, body=body)
        assert reply.status == 404
        assert "did you mean openai?" in read_error(who, reply)
        assert upstream.connections == 0
        record = await proxy.wait_record()
        assert (record.end, record.error) == (EndReason.REFUSED, "not_found")


@EACH
@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd", "gzip, identity"])
async def test_a_compressed_body_is_refused_by_name(who: str, encoding: str) -> None:
    async with recorded() as (proxy, upstream):
        target, body = build(who, "openai")
        data = gzip.compress(json.dumps(body).encode())
        reply = await fetch(proxy.port, target, body=data, headers=f"Content-Encoding: {encoding}\r\n")
        assert reply.status == 400
        assert "compressed" in read_error(who, reply)
        assert upstream.connections == 0


async def test_a_body_that_is_encoded_as_itself_is_none() -> None:
    async with recorded() as (proxy, _):
        target, body = build("openai", "openai")
        assert (await fetch(proxy.port, target, body=body, headers="Content-Encoding: Identity\r\n")).status == 200


@EACH
@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_above_the_limit_is_refused(who: str, chunked: bool) -> None:
    async with recorded(limits={"max_body": "1KiB"}) as (proxy, upstream), connected("127.0.0.1", proxy.port) as client:
        framing = "Transfer-Encoding: chunked" if chunked else "Content-Length: 2000"
        await client.send(f"POST {build(who, 'openai')[0]} HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n".encode())
        if chunked:
            await client.send(b"7d0\r\n" + b" " * 2000 + b"\r\n")
        reply = await client.reply()
        assert reply.status == (400 if who == "gemini" else 413)  # Google's own answers have 400
        assert "larger" in read_error(who, reply)
        assert reply.headers["connection"] == "close"
        assert upstream.connections == 0
        record = await proxy.wait_record()
        assert (record.error, record.end) == ("body_too_large", EndReason.REFUSED)


@EACH
async def test_a_body_that_stops_coming_is_not_waited_for(who: str) -> None:
    async with recorded(limits={"body_idle": "250ms"}) as (proxy, upstream):
        async with connected("127.0.0.1", proxy.port) as client:
            target = build(who, "openai")[0]
            await client.send(f'POST {target} HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n{{"a"'.encode())
            reply = await client.reply()
        assert reply.status == 408
        assert "in time" in read_error(who, reply)
        assert upstream.connections == 0


async def test_a_client_that_leaves_within_its_body_is_no_error() -> None:
    async with recorded() as (proxy, upstream):
        async with connected("127.0.0.1", proxy.port) as client:
            await client.send(b'POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n{"a"')
        assert (await proxy.wait_record()).end is EndReason.CLIENT_GONE
        assert upstream.connections == 0


@pytest.mark.parametrize(
    ("who", "method", "target", "allow"),
    [
        ("openai", "GET", "/v1/chat/completions", "POST"),
        ("openai", "DELETE", "/v1/models", "GET, HEAD"),
        ("claude", "PUT", "/v1/messages", "POST"),
        ("gemini", "GET", "/v1beta/models/openai:generateContent", "POST"),
        ("responses", "GET", "/v1/responses", "POST"),
        ("page", "GET", "/api/chat", "POST"),
        ("page", "POST", "/api/stream", "GET"),
    ],
)
async def test_a_method_that_a_path_does_not_take_is_told_which_it_does(
    who: str, method: str, target: str, allow: str
) -> None:
    async with recorded() as (proxy, upstream):
        reply = await fetch(proxy.port, target, method=method)
        assert reply.status == 405
        assert reply.headers["allow"] == f"{allow}, OPTIONS"
        assert "method" in read_error(who, reply)
        assert upstream.connections == 0


async def test_a_websocket_is_declined_so_that_the_client_posts() -> None:
    async with recorded() as (proxy, _):
        fields = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        reply = await fetch(proxy.port, "/v1/responses", headers=fields)
        assert (reply.status, reply.headers["upgrade"]) == (426, "HTTP/1.1")
        assert "POST" in read_error("responses", reply)
        target, body = build("responses", "claude", stream=False)
        assert (await fetch(proxy.port, target, body=body)).status == 200


@pytest.mark.parametrize("target", ["/v1/completions", "/v2/messages", "/v1beta/models/openai:embedContent", "/"])
async def test_what_is_no_route_is_not_found(target: str) -> None:
    async with recorded() as (proxy, _):
        assert (await fetch(proxy.port, target, body=b"{}")).status == 404


async def test_without_a_provider_of_models_there_is_no_route() -> None:
    async with running(mounted("http://127.0.0.1:9")) as proxy:
        target, body = build("openai", "up/x")
        assert (await fetch(proxy.port, target, body=body)).status == 404


# What is answered at once.


@pytest.mark.parametrize(
    "target", ["/v1/messages", "/v1/models", "/v1beta/models/x:generateContent", "/api/stream", "/"]
)
async def test_who_asks_with_head_whether_anybody_is_there_gets_a_yes(target: str) -> None:
    async with recorded(clients={"a": {"key_sha256": "0" * 64}}) as (proxy, upstream):
        reply = await fetch(proxy.port, target, method="HEAD")
        assert (reply.status, reply.headers["content-length"]) == (200, "0")
        assert upstream.connections == 0


PREFLIGHT = "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: x-api-key\r\n"


@pytest.mark.parametrize(
    ("cors", "origin", "allowed"),
    [
        (["https://app.example"], "https://app.example", "https://app.example"),
        (["https://app.example"], "https://evil.example", None),
        (["*"], "https://any.example", "*"),
        ([], "https://app.example", None),
    ],
)
async def test_pages_are_told_whether_they_may_ask(cors: list[str], origin: str, allowed: str | None) -> None:
    from_page = f"Origin: {origin}\r\n"
    config: dict[str, Any] = {"server": {"cors": cors}, "clients": {"a": {"key_sha256": "0" * 64}}}
    async with recorded(**config) as (proxy, upstream):
        reply = await fetch(proxy.port, "/v1/messages", method="OPTIONS", headers=from_page + PREFLIGHT)
        assert (reply.status, reply.body) == (204, b"")
        assert reply.headers.get("access-control-allow-origin") == allowed
        assert reply.headers["access-control-allow-methods"] == "POST"
        assert reply.headers["access-control-allow-headers"] == "x-api-key"
        assert upstream.connections == 0
        # also what is refused can be read by a page that may call
        target, body = build("claude", "claude")
        refused = await fetch(proxy.port, target, body=body, headers=from_page)
        assert refused.status == 401
        assert refused.headers.get("access-control-allow-origin") == allowed
        wrong = await fetch(proxy.port, target, headers=from_page)
        assert wrong.status == 405
        assert wrong.headers.get("access-control-allow-origin") == allowed


@pytest.mark.parametrize("stream", [False, True])
async def test_every_answer_to_a_page_is_marked(stream: bool, pull: bool) -> None:
    async with recorded(pull=pull, server={"cors": ["https://a.example"]}) as (proxy, _):
        for model in PROVIDERS:
            target, body = build("claude", model, stream=stream)
            reply = await fetch(proxy.port, target, body=body, headers="Origin: https://a.example\r\n")
            assert (reply.status, reply.headers["access-control-allow-origin"]) == (200, "https://a.example")
            assert reply.headers["vary"] == "Origin"


async def test_options_without_a_page_says_what_is_allowed() -> None:
    async with recorded() as (proxy, _):
        reply = await fetch(proxy.port, "/v1/models", method="OPTIONS")
        assert (reply.status, reply.headers["allow"]) == (204, "GET, HEAD, OPTIONS")


# Pages that come back.


async def test_an_event_source_that_comes_back_is_told_to_stop(pull: bool) -> None:
    async with recorded(pull=pull) as (proxy, upstream):
        first = await fetch(proxy.port, "/api/stream?prompt=hi&model=claude")
        assert first.status == 200
        assert [event["data"] for event in first.events][-1] == "[DONE]"
        (identity,) = {event["id"] for event in first.events if "id" in event}
        again = await fetch(proxy.port, "/api/stream?prompt=hi&model=claude", headers=f"Last-Event-ID: {identity}\r\n")
        assert (again.status, again.body) == (204, b"")
        assert len(upstream.requests) == 1


async def test_an_event_source_must_say_what_it_wants() -> None:
    async with recorded() as (proxy, _):
        reply = await fetch(proxy.port, "/api/stream?model=claude")
        assert reply.status == 400
        assert "prompt" in read_error("page", reply)


async def test_a_page_finds_no_stream_to_resume() -> None:
    async with recorded() as (proxy, upstream):
        reply = await fetch(proxy.port, "/api/chat/chat-1/stream")
        assert (reply.status, reply.body) == (204, b"")
        assert "content-length" not in reply.headers
        assert (await fetch(proxy.port, "/api/chat/chat-1/stream", body=b"{}")).status == 405
        assert upstream.connections == 0
