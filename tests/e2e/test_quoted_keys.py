"""A provider that quotes our key in its error, one that no pattern would know for a key: nobody is shown it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.helpers.models import PROVIDERS, build, build_reply
from tests.helpers.rawhttp import fetch
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
