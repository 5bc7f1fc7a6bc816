"""One stream under an operator's eyes: its tail, and the hand that ends it."""

import asyncio
import json

import pytest

from proxy.ops.console import console as module
from proxy.relay.outcome import EndReason
from tests.helpers.bare import settle
from tests.helpers.prompt import assert_within, timed
from tests.helpers.rawhttp import connected, fetch
from tests.helpers.service import demo_upstream, mounted, running
from tests.helpers.viewing import CHAT, POST, SLOWLY, chatting, find_console, find_id, proxied, viewing


async def test_the_text_of_a_stream_is_shown_where_it_may_be() -> None:
    async with proxied(console={"content": True}) as proxy, chatting(proxy) as client:
        target = f"/console/streams/{find_id(proxy)}"
        async with viewing(proxy.admin_port, target) as viewer:
            opened = await viewer.read()
            assert opened is not None
            assert (opened.event, opened.data["form"], opened.data["content"]) == ("open", "text", True)
            assert opened.data["bytes_down"] > 0
            frame = await viewer.until(lambda frame: frame.event == "text")
            assert {piece["kind"] for piece in frame.data["pieces"]} == {"text"}
        async with viewing(proxy.admin_port, target + "?form=events") as viewer:
            frame = await viewer.until(lambda frame: frame.event == "events")
            said = frame.data["events"][0]["data"]
            assert json.loads(said)["object"] == "chat.completion.chunk"
        passed = b"".join([await client.chunk() for _ in range(30)])
        assert said.encode() in passed


@pytest.mark.parametrize("form", ["text", "events"])
@pytest.mark.parametrize("route", ["model", "mount"])
async def test_without_leave_nobody_sees_a_word(form: str, route: str) -> None:
    async with proxied() as proxy:
        async with connected("127.0.0.1", proxy.port) as client:
            body = {"model": "demo", "stream": True, "messages": [{"role": "user", "content": "hi"}]}
            path = CHAT if route == "model" else f"/raw{CHAT}"
            body["model"] = "up/demo" if route == "model" else "demo"
            await client.ask(path, body=json.dumps(body).encode(), headers=POST + SLOWLY)
            await client.head()
            async with viewing(proxy.admin_port, f"/console/streams/{find_id(proxy)}?form={form}") as viewer:
                await viewer.until(lambda frame: frame.event == "sizes")
                await viewer.until(lambda frame: frame.event == "sizes")
                told = [frame for frame in viewer.frames if frame.event == "sizes"]
        for frame in told:
            for piece in frame.data["pieces"]:
                assert piece.keys() == {"at", "kind", "chars", "bytes"}
                assert piece["kind"] == ("text" if route == "model" else "other")


async def test_an_end_is_told_to_who_looks_on() -> None:
    async with proxied() as proxy, chatting(proxy, "x-demo: pace=10ms\r\n") as client:
        async with viewing(proxy.admin_port, f"/console/streams/{find_id(proxy)}") as viewer:
            frames = await viewer.rest()
            assert frames[-1].event == "end"
            assert frames[-1].data == {"end_reason": "done", "error": "", "status": 200}
        while await client.chunk():
            pass


async def test_one_that_ends_while_somebody_comes_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async with proxied() as proxy:
        async with chatting(proxy):
            scope = proxy.penstock.streams.find(find_id(proxy))
        await proxy.wait_record()
        monkeypatch.setattr(find_console(proxy), "_find", lambda request: scope)
        async with viewing(proxy.admin_port, "/console/streams/x") as viewer:
            assert [frame.event for frame in await viewer.rest()] == ["open", "end"]


async def test_a_stream_that_is_killed_says_so_to_its_client_and_to_who_looks_on() -> None:
    async with proxied() as proxy, chatting(proxy) as client:
        name = find_id(proxy)
        async with viewing(proxy.admin_port, f"/console/streams/{name}") as viewer:
            reply = await fetch(proxy.admin_port, f"/console/streams/{name}/kill", body={}, headers=POST)
            assert (reply.status, reply.json) == (200, {"killed": True})
            said = b""
            while chunk := await client.chunk():
                said += chunk
            assert b"the request was ended by the operator" in said
            assert (await viewer.rest())[-1].data["end_reason"] == "killed"
        record = next(record for record in proxy.records if record.door == "public")
        assert record.end is EndReason.KILLED
        reply = await fetch(proxy.admin_port, f"/console/streams/{name}/kill", body={}, headers=POST)
        assert (reply.status, reply.json["error"]["code"]) == (404, "unknown_stream")


async def test_a_page_of_another_origin_ends_nothing() -> None:
    async with proxied() as proxy, chatting(proxy):
        target = f"/console/streams/{find_id(proxy)}/kill"
        foreign = POST + "Origin: http://evil.example\r\n"
        assert (await fetch(proxy.admin_port, target, body={}, headers=foreign)).status == 403
        assert (await fetch(proxy.admin_port, target, body={}, headers="Content-Type: text/plain\r\n")).status == 415
        assert len(proxy.penstock.streams) == 1


async def test_what_is_not_in_flight_has_no_tail() -> None:
    async with proxied() as proxy:
        reply = await fetch(proxy.admin_port, "/console/streams/req_x")
        assert (reply.status, reply.json["error"]["code"]) == (404, "unknown_stream")
        reply = await fetch(proxy.admin_port, "/console/streams/req_x?form=html")
        assert (reply.status, reply.json["error"]["code"]) == (400, "bad_form")
        reply = await fetch(proxy.admin_port, "/console/events", method="HEAD")
        assert (reply.status, reply.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")


async def test_a_silent_stream_is_heard_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEAT", 0.01)
    async with proxied() as proxy, chatting(proxy, "x-demo: stall_after=2; stall=60s\r\n"):
        target = f"/console/streams/{find_id(proxy)}"
        async with viewing(proxy.admin_port, target) as viewer, asyncio.timeout(5):
            await viewer.read()
            while await viewer.client.chunk() != b": beat\n":
                pass


async def test_what_was_lost_is_told() -> None:
    async with proxied(console={"content": True}) as proxy, chatting(proxy) as client:
        scope = proxy.penstock.streams.find(find_id(proxy))
        assert scope is not None
        async with viewing(proxy.admin_port, f"/console/streams/{scope.record.id}") as viewer:
            await viewer.read()
            (watcher,) = scope.watchers._watchers
            watcher.sent(b"x" * 1_000_000)
            frame = await viewer.until(lambda frame: frame.event == "lost")
            assert frame.data["bytes"] >= 1_000_000
            assert (await viewer.until(lambda frame: frame.event == "text")).data["pieces"]
            assert find_console(proxy).lost == 1
        await client.chunk()


@timed
async def test_whoever_is_ended_is_ended_upstream_too_and_at_once() -> None:
    async with (
        demo_upstream() as upstream,
        running(mounted(upstream, "raw")) as proxy,
        connected("127.0.0.1", proxy.port) as client,
    ):
        await client.ask("/up/clock?every=50ms")
        await client.head()
        await client.chunk()
        target, asked = f"/console/streams/{find_id(proxy)}/kill", asyncio.get_running_loop().time()
        assert (await fetch(proxy.admin_port, target, body={}, headers=POST)).status == 200
        record = await upstream.wait_closed(1)
        assert record.closed_by == "peer"
        assert record.closed_at is not None
        assert_within(0.1, record.closed_at - asked)
        assert not (await client.rest()).endswith(b"0\r\n\r\n")  # a mount's client sees it break off, nothing made up


async def test_one_that_waits_for_an_answer_is_told_with_a_status() -> None:
    async with proxied() as proxy, connected("127.0.0.1", proxy.port) as client:
        body = {"model": "up/demo", "messages": [{"role": "user", "content": "hi"}]}
        await client.ask(CHAT, body=json.dumps(body).encode(), headers=POST + "x-demo: delay=60s\r\n")
        await settle(lambda: len(proxy.penstock.streams) == 1)
        target = f"/console/streams/{find_id(proxy)}"
        async with viewing(proxy.admin_port, target) as viewer:
            assert (await fetch(proxy.admin_port, f"{target}/kill", body={}, headers=POST)).status == 200
            reply = await client.reply()
            assert reply.status >= 400
            assert reply.json["error"]["message"] == "the request was ended by the operator"
            assert [frame.event for frame in await viewer.rest()] == ["open", "end"]
