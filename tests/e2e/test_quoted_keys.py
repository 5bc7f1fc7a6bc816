"""A provider that quotes our key in its error, one that no pattern would know for a key: nobody is shown it."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.helpers.forward import forward_proxy
from tests.helpers.models import PROVIDERS, build, build_reply
from tests.helpers.rawhttp import connected, fetch
from tests.helpers.recorder import recorder
from tests.helpers.service import RunningProxy, running
from tests.helpers.viewing import viewing

KEY = "the-operators-0123456789"
SAID = f"slow down, {KEY}, you are at your limit"
BODY = {"error": {"message": SAID, "type": "rate_limit_error", "param": None, "code": None}}
EVENT = f"data: {json.dumps(BODY)}\n\n".encode()
BEFORE = PROVIDERS["openai"].opening + PROVIDERS["openai"].texts[0]

ANSWERS = {
    "instead of an answer": (build_reply(json.dumps(BODY).encode(), 429), False),
    "as a whole answer": (build_reply(json.dumps(BODY).encode()), False),
    "as the first event": (build_reply(EVENT, kind="text/event-stream"), True),
    "within an answer": (build_reply(BEFORE + EVENT, kind="text/event-stream"), True),
}


@asynccontextmanager
async def answering(reply: bytes, *, pull: bool = False) -> AsyncIterator[RunningProxy]:
    async with recorder() as upstream:
        upstream.answer = lambda seen: reply
        accounts = {"main": {"key": KEY}}
        providers = {"openai": {"dialect": "openai-chat", "base_url": upstream.base_url, "accounts": accounts}}
        models = {"openai": {"targets": ["openai/m1"]}}
        async with running({"providers": providers, "models": models, "limits": {"attempts": 1}}, pull=pull) as proxy:
            yield proxy


@pytest.mark.parametrize("pull", [False, True], ids=["push", "pull"])
@pytest.mark.parametrize("how", ANSWERS)
async def test_a_key_that_a_provider_quotes_is_shown_to_nobody_who_looks(how: str, pull: bool) -> None:
    reply, streamed = ANSWERS[how]
    async with answering(reply, pull=pull) as proxy:
        target, body = build("openai", "openai", stream=streamed)
        await fetch(proxy.port, target, body=body)
        await proxy.wait_record()
        accounts = (await fetch(proxy.admin_port, "/accounts")).body.decode()
        assert SAID.replace(KEY, "<key>") in accounts
        assert KEY not in accounts
        async with viewing(proxy.admin_port) as viewer:
            frame = await viewer.until(lambda frame: frame.event == "snapshot")
        assert KEY not in json.dumps(frame.data)


async def test_nor_to_a_client_of_another_dialect() -> None:
    async with answering(ANSWERS["instead of an answer"][0]) as proxy:
        target, body = build("claude", "openai")
        said = (await fetch(proxy.port, target, body=body)).body.decode()
        assert SAID.replace(KEY, "<key>") in said
        assert KEY not in said


STARS = "*" * len(KEY)
HEADER_KEY = "subscribed-0123456789"
PROXY_USER = "dXNlcjpzZWNyZXQtcGFzc3dvcmQ="  # user:secret-password


@asynccontextmanager
async def mounting(reply: bytes, *, pull: bool, **provider: Any) -> AsyncIterator[RunningProxy]:
    async with recorder() as upstream:
        upstream.answer = lambda seen: reply
        row = {"dialect": "raw", "base_url": upstream.base_url, "accounts": {"main": {"key": KEY}}, **provider}
        async with running({"providers": {"up": row}, "mounts": {"/up": {"provider": "up"}}}, pull=pull) as proxy:
            yield proxy


@pytest.mark.parametrize("pull", [False, True], ids=["push", "pull"])
@pytest.mark.parametrize("status", [400, 401, 429, 500])
async def test_nor_to_a_caller_of_the_same_dialect(status: int, pull: bool) -> None:
    async with answering(build_reply(json.dumps(BODY).encode(), status), pull=pull) as proxy:
        target, body = build("openai", "openai", stream=False)
        reply = await fetch(proxy.port, target, body=body)
    assert KEY.encode() not in reply.raw + reply.body
    if status in (400, 429):  # the others are the proxy's own words
        assert reply.body.decode() == json.dumps(BODY).replace(KEY, STARS)


@pytest.mark.parametrize("pull", [False, True], ids=["push", "pull"])
@pytest.mark.parametrize("status", [400, 404, 503])
async def test_nor_to_a_caller_on_a_mount(status: int, pull: bool) -> None:
    said = f"no {KEY} {KEY[:-1]} {HEADER_KEY} {KEY}"
    added = {"X-Subscription-Token": HEADER_KEY, "X-Version": "2026-01-01-preview"}
    async with mounting(build_reply(f"{said} 2026-01-01-preview".encode(), status), pull=pull, headers=added) as proxy:
        reply = await fetch(proxy.port, "/up/x")
    masked = f"no {STARS} {KEY[:-1]} {'*' * len(HEADER_KEY)} {STARS} 2026-01-01-preview"
    assert (reply.status, reply.body.decode()) == (status, masked)
    assert reply.headers["content-length"] == str(len(masked))


async def test_an_error_that_comes_byte_by_byte_and_breaks_off() -> None:
    head = b"HTTP/1.1 502 Bad Gateway\r\nTransfer-Encoding: chunked\r\n\r\n"
    pieces = b"".join(b"1\r\n%c\r\n" % byte for byte in f"<{KEY}> {KEY[:9]}".encode())
    async with (
        mounting(head + pieces + b"nonsense\r\n", pull=False) as proxy,
        connected("127.0.0.1", proxy.port) as client,
    ):
        await client.ask("/up/x")
        _, _, body = (await client.rest()).partition(b"\r\n\r\n")
    assert not body.endswith(b"0\r\n\r\n")
    told = re.sub(rb"(?:^|\r\n)[0-9a-f]+\r\n|\r\n$", b"", body)
    assert told.decode() == f"<{STARS}> {KEY[:9]}"


@pytest.mark.parametrize("pull", [False, True], ids=["push", "pull"])
async def test_an_answer_that_is_none_of_an_error_s_is_never_changed(pull: bool) -> None:
    async with mounting(build_reply(SAID.encode()), pull=pull) as proxy:
        assert (await fetch(proxy.port, "/up/x")).body == SAID.encode()


@pytest.mark.parametrize("pull", [False, True], ids=["push", "pull"])
async def test_a_proxy_on_the_way_may_quote_what_it_was_shown(pull: bool) -> None:
    async with forward_proxy() as way:
        way.answer = build_reply(b"not for Basic " + PROXY_USER.encode(), 403)
        proxied = {"key": KEY, "proxy": way.url.replace("://", "://user:secret-password@")}
        row = {"dialect": "raw", "base_url": "http://127.0.0.1:1", "accounts": {"main": proxied}}
        async with running({"providers": {"up": row}, "mounts": {"/up": {"provider": "up"}}}, pull=pull) as proxy:
            reply = await fetch(proxy.port, "/up/x")
    assert (reply.status, reply.body) == (403, b"not for Basic " + b"*" * len(PROXY_USER))
