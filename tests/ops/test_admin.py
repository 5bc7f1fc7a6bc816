"""The admin door."""

from collections.abc import AsyncIterator

import pytest

from proxy.accounts.cooldown import Level
from proxy.relay.outcome import EndReason
from tests.helpers.bare import bare
from tests.helpers.cooldowns import build_cooldown, build_spot
from tests.helpers.origin import origin
from tests.helpers.rawhttp import fetch
from tests.helpers.service import RunningProxy, mounted, running

UNUSED = "http://127.0.0.1:1"
CLEAR = "/accounts/clear"
JSON = "Content-Type: application/json\r\n"


@pytest.fixture
async def proxy() -> AsyncIterator[RunningProxy]:
    async with running(mounted(UNUSED)) as made:
        yield made


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(("path", "body"), [("/healthz", b"ok\n"), ("/readyz", b"ready, 0 streams\n")])
async def test_health_is_told(proxy: RunningProxy, method: str, path: str, body: bytes) -> None:
    reply = await fetch(proxy.admin_port, path, method=method)
    assert reply.status == 200
    assert reply.body == (b"" if method == "HEAD" else body)
    assert reply.headers["cache-control"] == "no-store"
    assert (await proxy.wait_record()).door == "admin"


async def test_one_that_drains_is_alive_and_not_ready(proxy: RunningProxy) -> None:
    proxy.penstock.streams.draining = True
    assert (await fetch(proxy.admin_port, "/healthz")).status == 200
    reply = await fetch(proxy.admin_port, "/readyz")
    assert (reply.status, reply.body) == (503, b"draining, 0 streams\n")


async def test_one_without_mounts_is_not_ready() -> None:
    async with running({}) as proxy:
        reply = await fetch(proxy.admin_port, "/readyz")
        assert (reply.status, reply.body) == (503, b"nothing is mounted\n")


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [
        ("/up/x", "GET", None),
        ("/console", "GET", None),
        ("/console/streams/", "GET", None),
        ("/console/streams/a/b", "GET", None),
        ("/console/streams//kill", "POST", None),
        ("/accounts/", "GET", None),
        ("/healthz", "POST", "GET, HEAD"),
        ("/accounts", "DELETE", "GET, HEAD"),
        ("/accounts/clear", "GET", "POST"),
        ("/accounts/clear", "OPTIONS", "POST"),
        ("/", "POST", "GET, HEAD"),
        ("/console/streams/a/kill", "GET", "POST"),
    ],
)
async def test_nothing_else_is_there(proxy: RunningProxy, path: str, method: str, allowed: str | None) -> None:
    reply = await fetch(proxy.admin_port, path, method=method)
    assert reply.status == (404 if allowed is None else 405)
    assert reply.headers.get("allow") == allowed


@pytest.mark.parametrize("path", ["/healthz", "/accounts", "/streams"])
async def test_nothing_of_it_is_told_at_the_public_door(proxy: RunningProxy, path: str) -> None:
    assert (await fetch(proxy.port, path)).status == 404


async def test_nothing_is_changed_from_the_public_door(proxy: RunningProxy) -> None:
    assert (await fetch(proxy.port, "/accounts/clear", body={"name": "up"}, headers=JSON)).status == 404


async def test_the_accounts_are_shown(proxy: RunningProxy) -> None:
    proxy.penstock.board.cool(build_cooldown(build_spot("")))
    reply = await fetch(proxy.admin_port, "/accounts")
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert reply.headers["cache-control"] == "no-store"
    (provider,) = reply.json["providers"]
    (account,) = provider["accounts"]
    assert (provider["provider"], account["account"], account["state"]) == ("up", None, "cooling")


async def test_requests_in_flight_are_shown() -> None:
    async with origin() as upstream, running(mounted(upstream.base_url)) as proxy, bare(proxy.port) as client:
        assert (await fetch(proxy.admin_port, "/streams")).json == {"streams": []}
        await client.send(b"GET /up/x HTTP/1.1\r\nHost: a\r\n\r\n")
        await (await upstream.peer()).until(b"\r\n\r\n")
        (shown,) = (await fetch(proxy.admin_port, "/streams")).json["streams"]
        assert (shown["phase"], shown["provider"], shown["route"]) == ("waiting", "up", "/up")
        assert [entry["provider"] for entry in shown["trail"]] == ["up"]


@pytest.fixture
async def two() -> AsyncIterator[RunningProxy]:
    """Two accounts, both left alone, and the provider too."""
    accounts = {"a": {"key": "key-of-account-a"}, "b": {"key": "key-of-account-b"}}
    config = mounted(UNUSED)
    config["providers"]["up"] |= {"dialect": "openai-chat", "accounts": accounts}
    config["providers"]["upper"] = {"dialect": "raw", "base_url": UNUSED}
    async with running(config) as made:
        now = made.penstock.ticker.wall()
        spots = (
            build_spot("a"),
            build_spot("a", Level.MODEL, model="m"),
            build_spot("b"),
            build_spot("", Level.PROVIDER),
        )
        for spot in spots:
            mark = made.penstock.board.account(spot.provider, spot.name).mark if spot.name else ""
            made.penstock.board.cool(build_cooldown(spot, since=now, until=now + 60, mark=mark))
        yield made


@pytest.mark.parametrize(("name", "lifted", "left"), [("up/a", 2, 2), ("up/b", 1, 3), ("up", 4, 0), ("upper", 0, 4)])
async def test_cooldowns_are_lifted_by_hand(
    two: RunningProxy, name: str, lifted: int, left: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "penstock")
    reply = await fetch(two.admin_port, CLEAR, body={"name": name}, headers=JSON)
    assert (reply.status, reply.json) == (200, {"lifted": lifted})
    assert len(two.penstock.board.list(two.penstock.ticker.wall())) == left
    assert f"cool-downs lifted by hand: {lifted} of {name}" in caplog.text


@pytest.mark.parametrize("name", ["", "upp", "up/", "up/c", "up/a/b", "/a", "a", "UP"])
async def test_an_unknown_name_lifts_nothing(two: RunningProxy, name: str) -> None:
    reply = await fetch(two.admin_port, CLEAR, body={"name": name}, headers=JSON)
    assert (reply.status, reply.json["error"]["code"]) == (404, "unknown_name")
    assert len(two.penstock.board.list(two.penstock.ticker.wall())) == 4
    record = await two.wait_record()
    assert (record.error, record.end, record.mount) == ("unknown_name", EndReason.REFUSED, CLEAR)


@pytest.mark.parametrize("body", [{}, {"name": None}, {"name": ["up"]}])
async def test_a_name_is_needed(two: RunningProxy, body: object) -> None:
    reply = await fetch(two.admin_port, CLEAR, body=body, headers=JSON)
    assert (reply.status, reply.json["error"]["code"]) == (400, "bad_name")


async def test_no_answer_holds_a_key(two: RunningProxy) -> None:
    for path in ("/accounts", "/streams"):
        assert b"key-of-account" not in (await fetch(two.admin_port, path)).raw
        assert b"key-of-account" not in (await fetch(two.admin_port, path)).body


@pytest.mark.parametrize("path", ["/healthz", "/accounts", "/streams", "/metrics", "/failures", "/record"])
async def test_no_page_of_another_site_may_load_what_is_told(proxy: RunningProxy, path: str) -> None:
    """Fetch Metadata is not sent by every browser; these are asked of the answer."""
    reply = await fetch(proxy.admin_port, path)
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["cross-origin-resource-policy"] == "same-origin"
