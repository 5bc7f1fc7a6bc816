"""The console over real connections: what viewers see, and that nobody waits for them."""

import base64
import hashlib
import json
import re
import signal
from pathlib import Path

import pytest

from proxy.config.load import build_config
from proxy.ops.console import console as module
from tests.helpers.bare import bare, settle
from tests.helpers.command import started
from tests.helpers.rawhttp import connected, fetch
from tests.helpers.viewing import CHAT, POST, Frame, chatting, find_console, find_id, proxied, unix_viewing, viewing

FIXED = {
    "started", "method", "remote", "client", "route", "dialect", "model_asked", "model", "provider", "account",
    "bytes_up", "ttft_ms", "rescues", "hedges", "trail",
}  # fmt: skip


def has_row(frame: Frame) -> bool:
    return bool(frame.data.get("streams"))


async def test_the_page_may_run_itself_and_nothing_else() -> None:
    async with proxied() as proxy:
        reply = await fetch(proxy.admin_port, "/")
        assert (reply.status, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
        policy = reply.headers["content-security-policy"]
        for element, content in re.findall(rb"<(script|style)>(.*?)</\1>", reply.body, re.DOTALL):
            digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
            assert f"'sha256-{digest}'" in re.findall(rf"{element.decode()}-src ([^;]*)", policy)[0]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert (await fetch(proxy.admin_port, "/", method="HEAD")).status == 200


async def test_a_viewer_is_told_everything_and_then_what_changes() -> None:
    async with proxied() as proxy, viewing(proxy.admin_port) as viewer:
        first = await viewer.read()
        assert first is not None
        assert (first.event, first.data["streams"]) == ("snapshot", [])
        assert first.id.startswith(first.data["boot"] + ".")
        assert {provider["provider"] for provider in first.data["providers"]} == {"up", "raw"}
        async with chatting(proxy):
            frame = await viewer.until(has_row)
            (row,) = frame.data["streams"]
            assert (frame.event, row["id"], row["model_asked"]) == ("changes", find_id(proxy), "up/demo")
            assert (row["phase"], row["client"], row["trail"][0]["outcome"]) == ("streaming", None, "won")
            later = await viewer.until(lambda frame: has_row(frame) and frame.data["streams"][0]["per_second"] > 0)
            assert later.data["streams"][0]["substance"] > row["substance"]
            assert later.data["streams"][0].keys() == row.keys() - FIXED
        gone = await viewer.until(lambda frame: frame.data.get("gone"))
        assert gone.data["gone"][0]["end_reason"] == "client_gone"
        assert all("secret" not in json.dumps(frame.data) for frame in viewer.frames)


async def test_one_that_comes_back_goes_on_from_where_it_was() -> None:
    async with proxied() as proxy:
        async with chatting(proxy):
            async with viewing(proxy.admin_port) as viewer:
                last = await viewer.until(has_row)
            async with viewing(proxy.admin_port, headers=f"Last-Event-ID: {last.id}\r\n") as viewer:
                again = await viewer.read()
                assert again is not None
                assert again.event == "changes"
        async with viewing(proxy.admin_port, headers=f"Last-Event-ID: {last.id}\r\n") as viewer:
            assert (await viewer.until(lambda frame: frame.data.get("gone"))).event == "changes"


async def test_after_a_restart_everything_is_told_anew() -> None:
    async with proxied() as proxy, viewing(proxy.admin_port) as viewer:
        last = await viewer.read()
    assert last is not None
    async with proxied() as proxy, viewing(proxy.admin_port, headers=f"Last-Event-ID: {last.id}\r\n") as viewer:
        first = await viewer.read()
        assert first is not None
        assert first.event == "snapshot"
        assert first.data["boot"] != last.data["boot"]


async def test_failures_are_told_with_their_attempts() -> None:
    async with proxied() as proxy, viewing(proxy.admin_port) as viewer:
        body = {"model": "up/demo", "messages": [{"role": "user", "content": "hi"}]}
        await fetch(proxy.port, CHAT, body=body, headers=POST + "x-demo: status=500\r\n")
        frame = await viewer.until(lambda frame: frame.data.get("failures"))
        (failure,) = frame.data["failures"]
        assert failure["end_reason"] == "error"
        assert failure["trail"][0]["status"] == 500


async def test_nothing_is_left_of_viewers_that_have_gone() -> None:
    async with proxied() as proxy, chatting(proxy):
        scope = proxy.penstock.streams.find(find_id(proxy))
        assert scope is not None
        async with viewing(proxy.admin_port) as one, viewing(proxy.admin_port, f"/console/streams/{scope.record.id}"):
            await one.read()
            assert (find_console(proxy).viewers, len(scope.watchers)) == (2, 1)
        await settle(lambda: find_console(proxy).viewers == 0)
        assert (len(scope.watchers), find_console(proxy).feed.viewers) == (0, 0)


async def test_a_viewer_that_does_not_read_slows_nobody_down() -> None:
    async with proxied(console={"content": True}) as proxy, connected("127.0.0.1", proxy.port) as client:
        await client.ask("/raw/clock?every=0&size=2000")
        await client.head()
        async with bare(proxy.admin_port) as sleeper, bare(proxy.admin_port) as other:
            target = f"/console/streams/{find_id(proxy)}?form=events"
            await sleeper.send(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            await other.send(b"GET /console/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await settle(lambda: len(find_console(proxy)._tails) == 1 and find_console(proxy).viewers == 2)
            (gathering,) = find_console(proxy)._tails
            while gathering.lost < 10_000_000:  # bytes since something was last taken: the buffers are full
                assert await client.chunk()
            assert find_console(proxy).viewers == 2


async def test_there_is_room_for_so_many_viewers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_VIEWERS", 2)
    async with proxied() as proxy, viewing(proxy.admin_port) as one, viewing(proxy.admin_port):
        reply = await fetch(proxy.admin_port, "/console/events")
        assert (reply.status, reply.json["error"]["code"]) == (503, "too_many_viewers")
        assert reply.headers["retry-after"] == "5"
        assert (await one.read()) is not None


async def test_viewers_end_in_good_order_when_the_console_closes() -> None:
    async with proxied() as proxy, chatting(proxy):
        async with (
            viewing(proxy.admin_port) as one,
            viewing(proxy.admin_port, f"/console/streams/{find_id(proxy)}") as two,
        ):
            await one.read()
            await two.read()
            find_console(proxy).close()
            assert (await one.rest())[0].event == "snapshot"
            assert (await two.rest())[-1].event != "end"
        async with viewing(proxy.admin_port) as one:
            assert await one.read() is not None


async def test_who_looks_has_to_ask_again_when_the_rules_change() -> None:
    async with proxied() as proxy, viewing(proxy.admin_port) as viewer:
        await viewer.read()
        providers = {"raw": {"dialect": "raw", "base_url": "http://127.0.0.1:1"}}
        find_console(proxy).configure(build_config([("test", {"providers": providers})], {}))
        frame = await viewer.until(lambda frame: "routes" in frame.data and frame.event == "changes")
        assert frame.data["routes"] == []
        locked = build_config([("test", {"providers": providers, "console": {"token": "a-new-token-of-mine"}})], {})
        find_console(proxy).configure(locked)
        await viewer.rest()
        assert (await fetch(proxy.admin_port, "/console/events")).status == 401


async def test_a_process_that_is_told_to_stop_does_not_wait_for_viewers(tmp_path: Path) -> None:
    listener = tmp_path / "admin.sock"
    config = tmp_path / "penstock.toml"
    config.write_text(
        f'[server]\nlisten = ["127.0.0.1:0"]\nadmin = "unix:{listener}"\n[state]\npath = ":memory:"\n'
        '[providers.up]\ndialect = "raw"\nbase_url = "http://127.0.0.1:1"\n'
    )
    async with started("serve", "--config", str(config)) as process:
        found = re.search(r"127\.0\.0\.1:(\d+)", await process.err_line("listening"))
        assert found is not None
        # A client without a request is what the drain waits for, a second long.
        async with bare(int(found[1])), unix_viewing(listener) as viewer:
            first = await viewer.read()
            assert first is not None
            assert first.event == "snapshot"
            process.interrupt(signal.SIGTERM)
            assert any(frame.data.get("draining") for frame in await viewer.rest())
        assert (await process.finish()).code == 0
