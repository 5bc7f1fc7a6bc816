"""The official anthropic SDK behind a mount: it must not notice that there is a proxy."""

import pytest

from proxy.demo import DemoUpstream
from proxy.relay.outcome import EndReason
from tests.helpers.sdk import UPSTREAM_KEY, Sdk
from tests.helpers.service import RunningProxy

pytestmark = pytest.mark.sdk


@pytest.fixture
def sdk(anthropic_python: str, proxy: RunningProxy) -> Sdk:
    return Sdk(anthropic_python, "anthropic_client", f"http://127.0.0.1:{proxy.port}/anthropic")


async def test_text_is_streamed_with_stop_reason_and_usage(sdk: Sdk) -> None:
    seen = await sdk.run("text_streamed")
    assert seen["text"].startswith("Hello from the Penstock demo.")
    assert seen["text"].endswith("Your last message had 5 characters.")
    assert seen["chunks"] > 20
    assert seen["finish"] == "end_turn"
    assert seen["usage"] > 20


async def test_text_comes_whole(sdk: Sdk) -> None:
    seen = await sdk.run("text_whole")
    assert seen["text"].startswith("Hello from the Penstock demo.")
    assert seen["finish"] == "end_turn"


async def test_tool_calls_are_streamed_in_pieces(sdk: Sdk) -> None:
    seen = await sdk.run("tools_streamed")
    assert seen["finish"] == "tool_use"
    assert seen["calls"]
    assert all(call["name"] == "get_weather" and call["input"]["city"] for call in seen["calls"])
    assert seen["pieces"] > len(seen["calls"])


async def test_error_of_the_upstream_is_the_sdk_s_own_exception(sdk: Sdk) -> None:
    seen = await sdk.run("error")
    assert (seen["class"], seen["status"]) == ("OverloadedError", 529)
    assert "the demo was asked to fail" in seen["message"]
    assert seen["request_id"].startswith("req_demo")


async def test_refusal_of_the_proxy_is_the_sdk_s_own_exception(
    sdk: Sdk, upstream: DemoUpstream, proxy: RunningProxy
) -> None:
    seen = await sdk.run("refused", key="a wrong key")
    assert (seen["class"], seen["status"]) == ("AuthenticationError", 401)
    assert seen["body"]["error"]["type"] == "authentication_error"
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
    assert fields[b"x-api-key"] == UPSTREAM_KEY
    assert not any(Sdk.KEY in value for value in fields.values())
