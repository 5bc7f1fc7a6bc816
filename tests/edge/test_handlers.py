"""A request on a mount, by both ways of opening an upstream: what goes on, what is added, what is noted."""

from typing import Any

import pytest

from proxy.relay.outcome import EndReason, Phase
from tests.helpers.origin import origin
from tests.helpers.rawhttp import Reply, connected, fetch
from tests.helpers.service import RunningProxy, mounted, running

SSE = b"HTTP/1.1 200 OK\r\nContent-Type: Text/Event-Stream;charset=utf-8\r\nTransfer-Encoding: chunked\r\n"


@pytest.fixture(params=[False, True], ids=["push", "pull"])
def pull(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


async def test_an_event_stream_is_passed_on_and_counted(pull: bool) -> None:
    async with origin() as up, running(mounted(up.base_url), pull=pull) as proxy:
        async with connected("127.0.0.1", proxy.port) as client:
            await client.ask("/up/v1/x?a=b")
            peer = await up.peer()
            assert (await peer.until(b"\r\n\r\n")).startswith(b"GET /v1/x?a=b HTTP/1.1\r\n")
            peer.send(SSE + b"\r\n")
            head = await client.head()
            assert head.headers["cache-control"] == "no-cache"
            assert head.headers["x-accel-buffering"] == "no"
            assert head.headers["x-penstock-provider"] == "up"
            for event in (b"data: a\n\n", b"data: b\n\n"):
                peer.send(b"%x\r\n%b\r\n" % (len(event), event))
                assert await client.chunk() == event
            peer.send(b"0\r\n\r\n")
            assert await client.chunk() == b""
        record = await proxy.wait_record()
        assert (record.events, record.bytes_down, record.status, record.end) == (2, 18, 200, EndReason.DONE)
        assert record.phase is Phase.ENDED
        assert head.headers["x-penstock-request-id"] == record.id
        assert [attempt.status for attempt in record.attempts] == [200]


async def test_what_upstream_says_about_buffering_stands(pull: bool) -> None:
    async with origin() as up, running(mounted(up.base_url), pull=pull) as proxy:
        up.answer = SSE + b"Cache-Control: private\r\nX-Accel-Buffering: yes\r\n\r\n0\r\n\r\n"
        reply = await fetch(proxy.port, "/up/")
        assert (reply.headers["cache-control"], reply.headers["x-accel-buffering"]) == ("private", "yes")


@pytest.mark.parametrize("fields", [b"Content-Type: text/plain\r\n", b"Content-Type: text/event-streams\r\n", b""])
async def test_nothing_is_added_to_what_is_no_event_stream(fields: bytes, pull: bool) -> None:
    async with origin() as up, running(mounted(up.base_url), pull=pull) as proxy:
        up.answer = b"HTTP/1.1 200 OK\r\n" + fields + b"Content-Length: 9\r\n\r\ndata: a\n\n"
        reply = await fetch(proxy.port, "/up/")
        assert reply.body == b"data: a\n\n"
        assert not {"cache-control", "x-accel-buffering"} & set(reply.headers)
        assert (await proxy.wait_record()).events == 0


@pytest.mark.parametrize(
    ("fields", "policies"),
    [
        (b"Content-Type: text/html\r\n", [b"sandbox"]),
        (b"Content-Type: image/svg+xml\r\nContent-Security-Policy: img-src *\r\n", [b"img-src *", b"sandbox"]),
        (b"", [b"sandbox"]),
        (b"Content-Type: application/json\r\nContent-Type: text/html\r\n", [b"sandbox"]),
        (b"Content-Type: text/event-stream\r\nContent-Type: text/html\r\n", [b"sandbox"]),
        (b"Content-Type: application/json\r\n", []),
    ],
)  # fmt: skip
async def test_a_page_that_comes_through_a_mount_is_a_stranger_here(
    fields: bytes, policies: list[bytes], pull: bool
) -> None:
    async with origin() as up, running(mounted(up.base_url), pull=pull) as proxy:
        up.answer = b"HTTP/1.1 200 OK\r\n" + fields + b"Content-Length: 3\r\n\r\n<p>"
        reply = await fetch(proxy.port, "/up/", headers="User-Agent: Mozilla/5.0\r\n")
        plain = await fetch(proxy.port, "/up/")
    assert _list_policies(reply) == policies
    assert _list_policies(plain) == [policy for policy in policies if policy != b"sandbox"]


def _list_policies(reply: Reply) -> list[bytes]:
    lines = reply.raw.lower().split(b"\r\n")
    return [line.partition(b": ")[2] for line in lines if line.startswith(b"content-security-policy: ")]


async def test_a_field_that_shows_a_key_of_ours_does_not_go_back(pull: bool) -> None:
    config = mounted("", "openai-chat", auth="none")
    config["providers"]["up"]["accounts"] = {"main": {"key": "sk-secret"}}
    async with origin() as up:
        config["providers"]["up"]["base_url"] = up.base_url
        async with running(config, pull=pull) as proxy:
            shown = b"X-Echo: Bearer sk-secret\r\nX-sk-secret: 1\r\nX-Fine: 1\r\nContent-Length: 0\r\n\r\n"
            up.answer = b"HTTP/1.1 401 No sk-secret\r\n" + shown
            reply = await fetch(proxy.port, "/up/")
            assert b"sk-secret" not in reply.raw
            assert reply.status == 401
            assert (reply.headers["x-fine"], reply.headers["x-penstock-account"]) == ("1", "main")


@pytest.mark.parametrize(
    ("base", "asked", "target"), [("", "/up", "/"), ("/v1/", "/up", "/v1"), ("/v1", "/up/a%2f?", "/v1/a%2f?")]
)
async def test_the_target_is_the_base_and_the_rest(base: str, asked: str, target: str) -> None:
    async with (
        origin() as up,
        running(mounted(up.base_url + base)) as proxy,
        connected("127.0.0.1", proxy.port) as client,
    ):
        await client.ask(asked)
        peer = await up.peer()
        assert (await peer.until(b"\r\n\r\n")).split(b" ")[1] == target.encode()


async def test_a_body_that_breaks_off_is_cut_and_noted(pull: bool) -> None:
    async with origin() as up, running(mounted(up.base_url), pull=pull) as proxy:
        async with connected("127.0.0.1", proxy.port) as client:
            await client.ask("/up/")
            peer = await up.peer()
            await peer.until(b"\r\n\r\n")
            peer.send(SSE + b"\r\n5\r\ndata:\r\n")
            await client.head()
            assert await client.chunk() == b"data:"
            peer.fin()
            assert await client.rest() == b""
        record = await proxy.wait_record()
        assert (record.end, record.error, record.status) == (EndReason.UPSTREAM_CUT, "upstream_cut", 200)


async def test_a_heartbeat_is_for_plain_event_streams_only(pull: bool) -> None:
    config = mounted("", heartbeat="250ms")
    async with origin() as up:
        config["providers"]["up"]["base_url"] = up.base_url
        async with running(config, pull=pull) as proxy, connected("127.0.0.1", proxy.port) as client:
            await client.ask("/up/")
            peer = await up.peer()
            await peer.until(b"\r\n\r\n")
            peer.send(SSE + b"\r\n")
            await client.head()
            assert await client.chunk() == b": keepalive\n"
            peer.send(b"0\r\n\r\n")
        record = await proxy.wait_record()
        assert record.heartbeats >= 1


# Accounts. Whom a mount asks next is in tests/e2e/test_account_mounts.py.


def with_account(base_url: str, **account: Any) -> dict[str, Any]:
    config = mounted(base_url, "anthropic")
    config["providers"]["up"]["accounts"] = {"main": {"key": "sk-secret", **account}}
    return config


async def read_account(proxy: RunningProxy) -> dict[str, Any]:
    (provider,) = (await fetch(proxy.admin_port, "/accounts")).json["providers"]
    (account,) = provider["accounts"]
    return dict(account)


@pytest.mark.parametrize("how", ["end", "cut", "client", "client before the head"])
async def test_an_account_is_free_again_however_its_request_ends(how: str) -> None:
    async with origin() as up, running(with_account(up.base_url)) as proxy:
        async with connected("127.0.0.1", proxy.port) as client:
            await client.ask("/up/")
            peer = await up.peer()
            await peer.until(b"\r\n\r\n")
            assert (await read_account(proxy))["in_flight"] == 1
            if how != "client before the head":
                peer.send(SSE + b"\r\n5\r\ndata:\r\n")
                await client.head()
            if how == "end":
                peer.send(b"0\r\n\r\n")
            elif how == "cut":
                peer.fin()
            else:
                client.writer.transport.abort()
            await proxy.wait_record()
        account = await read_account(proxy)
        assert (account["in_flight"], account["state"]) == (0, "open")


async def test_an_account_that_is_full_is_waited_for_by_nobody() -> None:
    async with (
        origin() as up,
        running(with_account(up.base_url, max_streams=1)) as proxy,
        connected("127.0.0.1", proxy.port) as client,
    ):
        await client.ask("/up/")
        await (await up.peer()).until(b"\r\n\r\n")
        reply = await fetch(proxy.port, "/up/")
        assert (reply.status, reply.headers["retry-after"]) == (429, "1")
        assert len(up.peers) == 1


async def test_a_body_that_the_client_breaks_off_is_not_held_against_the_account() -> None:
    async with origin() as up, running(with_account(up.base_url)) as proxy:
        async with connected("127.0.0.1", proxy.port) as client:
            await client.send(b"POST /up/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
            await (await up.peer()).until(b"1\r\na\r\n")
            await client.send(b"nonsense\r\n")
            assert (await client.head()).status == 400
        account = await read_account(proxy)
        assert (account["in_flight"], account["state"]) == (0, "open")
