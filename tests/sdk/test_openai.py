"""The official openai SDK behind a mount: it must not notice that there is a proxy."""

import json
import re

import pytest

from proxy.demo import DemoUpstream
from proxy.relay.outcome import EndReason
from tests.helpers.command import ran, started
from tests.helpers.sdk import UPSTREAM_KEY, Sdk
from tests.helpers.service import RunningProxy

pytestmark = pytest.mark.sdk


@pytest.fixture
def sdk(openai_python: str, proxy: RunningProxy) -> Sdk:
    return Sdk(openai_python, "openai_client", f"http://127.0.0.1:{proxy.port}/openai")


async def test_text_is_streamed_with_finish_and_usage(sdk: Sdk) -> None:
    seen = await sdk.run("text_streamed")
    assert seen["text"].startswith("Hello from the Penstock demo.")
    assert seen["text"].endswith("Your last message had 5 characters.")
    assert seen["chunks"] > 20
    assert seen["finish"] == ["stop"]
    assert len(seen["usage"]) == 1


async def test_text_comes_whole(sdk: Sdk) -> None:
    seen = await sdk.run("text_whole")
    assert seen["text"].startswith("Hello from the Penstock demo.")
    assert seen["finish"] == "stop"


async def test_tool_calls_are_streamed_in_pieces(sdk: Sdk) -> None:
    seen = await sdk.run("tools_streamed")
    assert seen["finish"] == "tool_calls"
    assert all(call["name"] == "get_weather" and call["pieces"] > 1 for call in seen["calls"])
    assert all(json.loads(call["arguments"])["city"] for call in seen["calls"])


async def test_error_of_the_upstream_is_the_sdk_s_own_exception(sdk: Sdk, upstream: DemoUpstream) -> None:
    seen = await sdk.run("error")
    assert (seen["class"], seen["status"]) == ("RateLimitError", 429)
    assert "the demo was asked to fail" in seen["message"]
    assert seen["request_id"].startswith("req_demo")


async def test_refusal_of_the_proxy_is_the_sdk_s_own_exception(
    sdk: Sdk, upstream: DemoUpstream, proxy: RunningProxy
) -> None:
    seen = await sdk.run("refused", key="a wrong key")
    assert (seen["class"], seen["status"], seen["code"]) == ("AuthenticationError", 401, "invalid_api_key")
    assert seen["request_id"] == (await proxy.wait_record()).id
    assert upstream.requests == 0


async def test_abort_in_the_middle_closes_the_upstream(sdk: Sdk, upstream: DemoUpstream, proxy: RunningProxy) -> None:
    async with sdk.start("abort") as client:
        assert await client.out_line() == '"aborted"'
        assert (await upstream.wait_closed(1)).closed_by == "peer"
        record = await proxy.wait_record()
        assert (await client.finish()).code == 0
    assert record.end is EndReason.CLIENT_GONE


async def test_the_caller_s_key_stays_here_and_the_account_s_goes_up(sdk: Sdk, upstream: DemoUpstream) -> None:
    await sdk.run("text_whole")
    fields = {name.lower(): value.decode() for name, value in upstream.records[0].headers}
    assert fields[b"authorization"] == f"Bearer {UPSTREAM_KEY}"
    assert not any(Sdk.KEY in value for value in fields.values())


async def test_the_line_that_the_demo_prints_streams_when_pasted(openai_python: str) -> None:
    async with started("demo", "--port", "0") as demo:
        await demo.err_line("Ctrl-C ends it.")
        found = re.search(r"OPENAI_BASE_URL=.+?'\n(?=\n)", "".join(demo.err), re.DOTALL)
        assert found
        folder = openai_python.rpartition("/")[0]
        finished = await ran(command=("sh", "-c", f'PATH="{folder}:$PATH"; {found[0]}'))
    assert finished.out.startswith("Hello from the Penstock demo."), finished.err
    assert finished.code == 0
