"""Official SDKs whose user is over a limit: their own exception, and another try when they are told to come back."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.helpers.models import WHOLE, build_reply
from tests.helpers.rawhttp import connected, fetch
from tests.helpers.recorder import Recorder, recorder
from tests.helpers.sdk import UPSTREAM_KEY, Sdk
from tests.helpers.service import RunningProxy, running
from tests.sdk.conftest import find_interpreter

pytestmark = pytest.mark.sdk

SDKS = {"openai": ("openai_client", "/v1"), "anthropic": ("anthropic_client", "")}
CHAT = "/v1/chat/completions"
BODY = json.dumps({"model": "demo", "messages": [{"role": "user", "content": "hello"}]}).encode()
HEADERS = f"Authorization: Bearer {Sdk.KEY}\r\n"


@asynccontextmanager
async def limited(name: str, **limits: Any) -> AsyncIterator[tuple[Sdk, RunningProxy, Recorder]]:
    program, path = SDKS[name]
    python = find_interpreter(name)
    async with recorder() as upstream:
        upstream.answer = lambda seen: build_reply(WHOLE["openai"])
        account = {"accounts": {"main": {"key": UPSTREAM_KEY}}}
        config = {
            "clients": {"dev": {"key": Sdk.KEY, **limits}},
            "providers": {"p": {"dialect": "openai-chat", "base_url": upstream.base_url, **account}},
            "models": {"demo": {"targets": ["p/demo"]}},
        }
        async with running(config) as proxy:
            yield Sdk(python, program, f"http://127.0.0.1:{proxy.port}{path}"), proxy, upstream


@pytest.mark.parametrize("name", SDKS)
async def test_a_limit_is_the_sdk_s_own_exception(name: str) -> None:
    async with limited(name, tokens_per_day=1) as (sdk, proxy, _):
        assert (await fetch(proxy.port, CHAT, body=BODY, headers=HEADERS)).status == 200
        seen = await sdk.run("refused")
        record = await proxy.wait_record(2)
        assert (seen["class"], seen["status"], seen["request_id"]) == ("RateLimitError", 429, record.id)
        assert "tokens of the day" in seen["message"]
        assert record.error == "client_tokens_per_day"


@pytest.mark.parametrize("name", SDKS)
async def test_a_patient_user_does_not_see_a_limit_that_is_soon_over(name: str) -> None:
    async with limited(name, max_streams=1) as (sdk, proxy, upstream):
        well, upstream.answer = upstream.answer, lambda seen: b""
        async with connected("127.0.0.1", proxy.port) as client:
            await client.ask(CHAT, body=BODY, headers=HEADERS)
            await upstream.wait(lambda: len(upstream.requests) == 1)
            upstream.answer = well
            running_sdk = asyncio.create_task(sdk.run("patient"))
            refused = await proxy.wait_record(within=60)
        seen = await running_sdk
        assert (seen["text"], refused.error) == ("Hello", "client_max_streams")
        assert sorted(record.status for record in proxy.records)[1:] == [200, 429]
