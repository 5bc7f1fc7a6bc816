"""An upstream that cannot be reached or does not answer: status, code and end reason, and no connection left.

What goes wrong behind the head is in test_upstream_cuts.py.
"""

import asyncio
import time
from typing import Any

import pytest

from proxy.relay.outcome import EndReason
from tests.helpers.bare import black_hole, no_new_tasks
from tests.helpers.certificates import Authority
from tests.helpers.origin import origin
from tests.helpers.prompt import assert_within, timed
from tests.helpers.rawhttp import Reply, fetch
from tests.helpers.service import RunningProxy, demo_upstream, mounted, running

SLACK = 1.0  # seconds that a clock may be late: ticks of 0.25 s, and a busy machine


async def assert_refused(proxy: RunningProxy, reply: Reply, status: int, code: str, end: EndReason) -> None:
    """The answer that a client of a raw mount gets, and the record that stands for it."""
    assert reply.status == status
    assert reply.headers["content-type"] == "application/json"
    record = await proxy.wait_record(len(proxy.records) or 1)
    assert reply.json["error"]["code"] == code
    assert record.id in reply.body.decode()
    assert (record.end, record.error, record.status) == (end, code, status)
    assert len(record.attempts) == 1


async def test_a_refused_connection_is_502(pull: bool) -> None:
    async with origin() as gone:
        base_url = gone.base_url
    async with running(mounted(base_url), pull=pull) as proxy:
        reply = await fetch(proxy.port, "/up/x")
        await assert_refused(proxy, reply, 502, "upstream_refused", EndReason.CONNECT)


async def test_a_black_hole_is_504_after_connect(pull: bool) -> None:
    async with (
        black_hole() as port,
        running({**mounted(f"http://127.0.0.1:{port}"), "limits": {"connect": "500ms"}}, pull=pull) as proxy,
    ):
        before, begun = asyncio.all_tasks(), time.monotonic()
        reply = await fetch(proxy.port, "/up/x")
        assert 0.5 <= time.monotonic() - begun < 0.5 + SLACK
        await assert_refused(proxy, reply, 504, "connect_timeout", EndReason.CONNECT)
        await no_new_tasks(before)


async def test_a_name_that_does_not_exist_is_502(pull: bool) -> None:
    async with running(mounted("http://nowhere.invalid"), pull=pull) as proxy:
        reply = await fetch(proxy.port, "/up/x")
        await assert_refused(proxy, reply, 502, "upstream_dns", EndReason.CONNECT)


@pytest.mark.parametrize("fault", ["unknown authority", "wrong name", "no TLS at all"])
async def test_a_connection_that_cannot_be_trusted_is_502(fault: str, pull: bool, authority: Authority) -> None:
    name = "DNS:other.example" if fault == "wrong name" else "IP:127.0.0.1"
    async with origin(None if fault == "no TLS at all" else authority.context(name)) as upstream:
        upstream.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        config = mounted(f"https://127.0.0.1:{upstream.port}")
        if fault != "unknown authority":
            config["providers"]["up"]["ca_file"] = authority.ca_file
        async with running(config, pull=pull) as proxy:
            exchange = asyncio.create_task(fetch(proxy.port, "/up/x"))
            if fault == "no TLS at all":
                peer = await upstream.peer()
                await peer.until(b"\x16\x03")
                peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            reply = await exchange
            await assert_refused(proxy, reply, 502, "upstream_tls", EndReason.CONNECT)
            assert all(b"GET" not in peer.received for peer in upstream.peers)


@timed
async def test_a_tls_handshake_that_stalls_is_504_after_connect(pull: bool, authority: Authority) -> None:
    async with origin() as upstream:
        config: dict[str, Any] = {**mounted(f"https://127.0.0.1:{upstream.port}"), "limits": {"connect": "500ms"}}
        async with running(config, pull=pull) as proxy:
            before = asyncio.all_tasks()
            reply = await fetch(proxy.port, "/up/x")
            ended = time.monotonic()
            await assert_refused(proxy, reply, 504, "connect_timeout", EndReason.CONNECT)
            assert_within(0.1, await (await upstream.peer()).wait_closed() - ended)
            await no_new_tasks(before)


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@timed
async def test_an_upstream_that_never_answers_is_504_after_first_byte(
    tls: bool, pull: bool, authority: Authority
) -> None:
    async with origin(authority.context() if tls else None) as upstream:
        config: dict[str, Any] = {**mounted(upstream.base_url), "limits": {"first_byte": "500ms"}}
        config["providers"]["up"]["ca_file"] = authority.ca_file
        async with running(config, pull=pull) as proxy:
            begun = time.monotonic()
            reply = await fetch(proxy.port, "/up/x")
            ended = time.monotonic()
            assert 0.5 <= ended - begun < 0.5 + SLACK
            await assert_refused(proxy, reply, 504, "first_byte_timeout", EndReason.FIRST_BYTE)
            assert_within(0.1, await (await upstream.peer()).wait_closed() - ended)
            assert len(upstream.peers) == 1, "asked twice, billed twice"


@pytest.mark.parametrize("fault", ["reset_after=0", "cut_after=0"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_connection_that_ends_before_the_head_is_502(fault: str, method: str, pull: bool) -> None:
    async with demo_upstream() as upstream, running(mounted(upstream), pull=pull) as proxy:
        body = b"{}" if method == "POST" else None
        reply = await fetch(proxy.port, "/up/v1/models", headers=f"x-demo: {fault}\r\n", body=body)
        await assert_refused(proxy, reply, 502, "upstream_cut", EndReason.UPSTREAM_CUT)
        # Without the hand-over aiohttp itself asks a second time for a GET.
        assert upstream.requests == (2 if pull and method == "GET" else 1)


async def test_a_head_that_breaks_off_is_502(pull: bool) -> None:
    async with origin() as upstream, running(mounted(upstream.base_url), pull=pull) as proxy:
        exchange = asyncio.create_task(fetch(proxy.port, "/up/x", body=b"{}"))
        peer = await upstream.peer()
        await peer.until(b"\r\n\r\n")
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Le")
        peer.fin()
        await assert_refused(proxy, await exchange, 502, "upstream_cut", EndReason.UPSTREAM_CUT)


async def test_an_answer_that_is_no_http_is_502(pull: bool) -> None:
    async with origin() as upstream, running(mounted(upstream.base_url), pull=pull) as proxy:
        exchange = asyncio.create_task(fetch(proxy.port, "/up/x"))
        peer = await upstream.peer()
        await peer.until(b"\r\n\r\n")
        peer.send(b"220 mail.example ESMTP\r\n\r\n")
        await assert_refused(proxy, await exchange, 502, "upstream_protocol", EndReason.ERROR)
        await peer.wait_closed(1.0)


async def test_a_kept_connection_that_upstream_closed_is_replaced_for_a_get(pull: bool) -> None:
    async with origin() as upstream, running(mounted(upstream.base_url), pull=pull) as proxy:
        upstream.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        assert (await fetch(proxy.port, "/up/x")).body == b"ok"
        upstream.answer = None
        exchange = asyncio.create_task(fetch(proxy.port, "/up/x"))
        first = await upstream.peer(1)
        await first.until(b"GET /x")
        first.reset()
        second = await upstream.peer(2)
        await second.until(b"\r\n\r\n")
        second.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        assert (await exchange).body == b"ok"


async def test_a_post_on_a_kept_connection_that_upstream_closed_is_not_sent_twice(pull: bool) -> None:
    async with origin() as upstream, running(mounted(upstream.base_url), pull=pull) as proxy:
        upstream.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        assert (await fetch(proxy.port, "/up/x")).body == b"ok"
        upstream.answer = None
        exchange = asyncio.create_task(fetch(proxy.port, "/up/x", body=b"{}"))
        first = await upstream.peer(1)
        await first.until(b"POST /x")
        first.reset()
        reply = await exchange
        assert (reply.status, reply.json["error"]["code"]) == (502, "upstream_cut")
        assert len(upstream.peers) == 1


async def test_latency_and_a_slow_upstream_change_nothing(pull: bool) -> None:
    async with demo_upstream() as upstream, running(mounted(upstream), pull=pull) as proxy:
        reply = await fetch(proxy.port, "/up/clock?n=3&every=0&delay=300ms")
        assert [event["id"] for event in reply.events] == ["1", "2", "3"]
        record = await proxy.wait_record()
        assert record.end is EndReason.DONE
        assert record.first_byte is not None
        assert record.first_byte >= 0.3
        assert record.events == 3


async def test_an_error_on_a_mount_of_a_known_dialect_has_that_dialects_shape(pull: bool) -> None:
    async with origin() as gone:
        base_url = gone.base_url
    async with running(mounted(base_url, dialect="anthropic"), pull=pull) as proxy:
        reply = await fetch(proxy.port, "/up/v1/messages", body=b"{}")
        record = await proxy.wait_record()
        assert reply.status == 502
        assert reply.json["type"] == "error"
        assert reply.json["request_id"] == reply.headers["request-id"] == record.id
