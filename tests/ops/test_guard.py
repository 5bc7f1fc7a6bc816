"""Who may use the admin listener: by which name, from which page, with which token."""

import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from proxy.ops.guard import LIFETIME
from proxy.ops.guesses import MOST_WRONG
from tests.helpers.command import ran
from tests.helpers.rawhttp import connected, fetch
from tests.helpers.service import RunningProxy, mounted, running
from tests.helpers.viewing import POST

TOKEN = "the-token-of-this-console"
LOOPBACK = "127.0.0.1:8788"
BEARER = f"Authorization: Bearer {TOKEN}\r\n"
GUARDED = ("/accounts", "/streams", "/console/events", "/console/streams/x", "/nothing")
CONFIG: dict[str, Any] = {**mounted("http://127.0.0.1:1"), "console": {"token": TOKEN}}


@pytest.fixture
async def open_proxy() -> AsyncIterator[RunningProxy]:
    async with running(mounted("http://127.0.0.1:1")) as made:
        yield made


@pytest.fixture
async def proxy() -> AsyncIterator[RunningProxy]:
    async with running(CONFIG) as made:
        yield made


async def ask(port: int, host: str, target: str = "/accounts", headers: str = "") -> Any:
    async with connected("127.0.0.1", port) as client:
        await client.send(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n".encode())
        return await client.reply()


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8788", "localhost.", "penstock.localhost:1", "127.0.0.1", "127.9.9.9:8788", "[::1]:80"],
)
async def test_a_name_of_this_machine_is_answered(open_proxy: RunningProxy, host: str) -> None:
    assert (await ask(open_proxy.admin_port, host)).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:8788", "localhost.evil.example", "127.0.0.1.evil.example", "notlocalhost",
        "127.0.0.1@evil.example", "192.168.1.1", "0.0.0.0", "[::2]", "2130706433", "localhost:", "::1", "",
    ],
)  # fmt: skip
async def test_a_foreign_name_is_not(open_proxy: RunningProxy, host: str) -> None:
    """DNS rebinding: a page of evil.example whose name leads to 127.0.0.1 now."""
    reply = await ask(open_proxy.admin_port, host)
    assert (reply.status, reply.json["error"]["code"]) == (403, "foreign_host")
    record = await open_proxy.wait_record()
    assert (record.error, record.mount) == ("foreign_host", "")


async def test_whoever_asks_for_health_may_call_it_anything(proxy: RunningProxy) -> None:
    for path in ("/healthz", "/readyz"):
        assert (await ask(proxy.admin_port, "balancer.example", path)).status == 200


async def test_the_page_is_not_served_under_a_foreign_name(proxy: RunningProxy) -> None:
    for path in ("/", "/console/session"):
        assert (await ask(proxy.admin_port, "evil.example", path)).status == 403


async def test_the_token_makes_the_name_irrelevant(proxy: RunningProxy) -> None:
    assert (await ask(proxy.admin_port, "gateway.example:8788", headers=BEARER)).status == 200


@pytest.mark.parametrize(
    ("site", "mode", "status"),
    [
        ("same-origin", "cors", 200), ("none", "navigate", 200), ("cross-site", "navigate", 200),
        ("cross-site", "cors", 403), ("cross-site", "no-cors", 403), ("same-site", "cors", 403),
        ("cross-site", "", 403),
    ],
)  # fmt: skip
async def test_what_a_page_of_another_site_asks_for(
    open_proxy: RunningProxy, site: str, mode: str, status: int
) -> None:
    headers = f"Sec-Fetch-Site: {site}\r\n" + (f"Sec-Fetch-Mode: {mode}\r\n" if mode else "")
    assert (await fetch(open_proxy.admin_port, "/streams", headers=headers)).status == status


async def test_a_foreign_form_ends_nothing(open_proxy: RunningProxy) -> None:
    headers = "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n" + POST
    reply = await fetch(open_proxy.admin_port, "/console/streams/x/kill", body={}, headers=headers)
    assert (reply.status, reply.json["error"]["code"]) == (403, "foreign_origin")


@pytest.mark.parametrize("path", GUARDED)
async def test_nothing_is_told_without_the_token(proxy: RunningProxy, path: str) -> None:
    reply = await fetch(proxy.admin_port, path)
    assert (reply.status, reply.json["error"]["code"]) == (401, "token_wanted")
    assert reply.headers["www-authenticate"] == "Bearer"
    assert (await fetch(proxy.admin_port, path, method="HEAD")).status == 401


@pytest.mark.parametrize("path", ["/accounts/clear", "/console/streams/x/kill", "/console/logout"])
async def test_nothing_is_changed_without_the_token(proxy: RunningProxy, path: str) -> None:
    assert (await fetch(proxy.admin_port, path, body={}, headers=POST)).status == 401


async def test_what_is_open_is_open(proxy: RunningProxy) -> None:
    for path in ("/", "/healthz", "/readyz", "/console/session"):
        assert (await fetch(proxy.admin_port, path)).status == 200


async def test_a_program_shows_the_token(proxy: RunningProxy) -> None:
    assert (await fetch(proxy.admin_port, "/accounts", headers=BEARER)).status == 200
    assert (await fetch(proxy.admin_port, "/accounts", headers=BEARER.replace("Bearer", "BEARER"))).status == 200


@pytest.mark.parametrize(
    "shown", ["Bearer wrong", "Bearer", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN} x", f"Bearer {TOKEN[:-1]}"]
)
async def test_anything_else_is_not_the_token(proxy: RunningProxy, shown: str) -> None:
    reply = await fetch(proxy.admin_port, "/accounts", headers=f"Authorization: {shown}\r\n")
    assert (reply.status, reply.json["error"]["code"]) == (401, "token_wanted")


async def sign_in(proxy: RunningProxy, token: str = TOKEN) -> Any:
    return await fetch(proxy.admin_port, "/console/login", body={"token": token}, headers=POST)


async def test_a_login_leaves_a_cookie_that_opens(proxy: RunningProxy) -> None:
    reply = await sign_in(proxy)
    assert (reply.status, reply.json) == (200, {"signed_in": True})
    cookie, *attributes = reply.headers["set-cookie"].split("; ")
    assert attributes == ["HttpOnly", "SameSite=Strict", "Path=/", f"Max-Age={LIFETIME}"]
    assert TOKEN not in cookie
    shown = f"Cookie: {cookie}\r\n"
    assert (await fetch(proxy.admin_port, "/accounts", headers=shown)).status == 200
    assert (await fetch(proxy.admin_port, "/console/session", headers=shown)).json["signed_in"] is True
    assert (await ask(proxy.admin_port, "evil.example", headers=shown)).status == 403
    left = await fetch(proxy.admin_port, "/console/logout", body={}, headers=shown + POST)
    assert left.headers["set-cookie"].startswith("penstock_console_80=; ")
    assert left.headers["set-cookie"].endswith("Max-Age=0")


async def test_a_cookie_outlives_a_restart_and_not_a_new_token(proxy: RunningProxy) -> None:
    cookie = (await sign_in(proxy)).headers["set-cookie"].split(";")[0]
    shown = f"Cookie: {cookie}\r\n"
    async with running(CONFIG) as again:
        assert (await fetch(again.admin_port, "/accounts", headers=shown)).status == 200
    async with running({**CONFIG, "console": {"token": TOKEN + "2"}}) as other:
        assert (await fetch(other.admin_port, "/accounts", headers=shown)).status == 401


async def test_a_wrong_login_leaves_nothing(proxy: RunningProxy) -> None:
    reply = await sign_in(proxy, "wrong")
    assert (reply.status, reply.json["error"]["code"]) == (401, "wrong_token")
    assert "set-cookie" not in reply.headers
    reply = await fetch(proxy.admin_port, "/console/login", body={"token": 1}, headers=POST)
    assert (reply.status, reply.json["error"]["code"]) == (400, "bad_token")
    foreign = "Origin: http://evil.example\r\n" + POST
    assert (await fetch(proxy.admin_port, "/console/login", body={"token": TOKEN}, headers=foreign)).status == 403


async def test_guessing_is_slow(proxy: RunningProxy) -> None:
    for number in range(MOST_WRONG):
        assert (await sign_in(proxy, f"wrong {number}")).status == 401
    reply = await sign_in(proxy)
    assert (reply.status, reply.json["error"]["code"]) == (429, "too_many_logins")
    assert 0 < int(reply.headers["retry-after"]) <= 61
    assert (await fetch(proxy.admin_port, "/accounts", headers=BEARER)).status == 429


async def test_a_session_says_what_is_wanted(open_proxy: RunningProxy, proxy: RunningProxy) -> None:
    shown = (await fetch(open_proxy.admin_port, "/console/session")).json
    assert (shown["token_wanted"], shown["token_missing"], shown["signed_in"]) == (False, False, True)
    shown = (await fetch(proxy.admin_port, "/console/session")).json
    assert (shown["token_wanted"], shown["token_missing"], shown["signed_in"]) == (True, False, False)
    assert "version" not in shown  # whoever looks for weak ones has to be let in first


async def test_without_a_token_nobody_gets_in_where_others_could_reach_it() -> None:
    async with running({**mounted("http://127.0.0.1:1"), "server": {"admin": "*:8788"}}) as proxy:
        reply = await fetch(proxy.admin_port, "/accounts", headers=BEARER)
        assert (reply.status, reply.json["error"]["code"]) == (403, "token_missing")
        assert (await sign_in(proxy)).json["error"]["code"] == "token_missing"
        assert (await fetch(proxy.admin_port, "/console/session")).json["token_missing"] is True
        for path in ("/healthz", "/readyz", "/"):
            assert (await fetch(proxy.admin_port, path)).status == 200


async def test_a_listener_on_all_interfaces_is_the_admin_door_and_guarded() -> None:
    async with running({**CONFIG, "server": {"admin": "*:8788"}}) as proxy:
        sock = socket.create_server(("0.0.0.0", 0))
        proxy.penstock.doors.open_admin([sock.getsockname()])
        await web.SockSite(proxy.penstock.runner, sock).start()
        port = sock.getsockname()[1]
        assert (await fetch(port, "/healthz")).body == b"ok\n"
        assert (await fetch(port, "/accounts")).status == 401
        assert (await fetch(port, "/accounts", headers=BEARER)).status == 200
        assert (await fetch(proxy.port, "/healthz")).status == 404


async def test_commands_show_the_token_of_their_environment(proxy: RunningProxy) -> None:
    command = ("accounts", "--admin", f"127.0.0.1:{proxy.admin_port}")
    done = await ran(*command, env={"PENSTOCK_CONSOLE_TOKEN": TOKEN})
    assert (done.code, done.err) == (0, "")
    done = await ran(*command)
    assert (done.code, done.out, done.err) == (
        1,
        "",
        "penstock: A valid token is required. Set PENSTOCK_CONSOLE_TOKEN to it.\n",
    )


async def test_no_answer_and_no_line_holds_the_token(proxy: RunningProxy, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    for path in ("/accounts", "/streams", "/console/session", "/"):
        reply = await fetch(proxy.admin_port, path, headers=BEARER)
        assert TOKEN.encode() not in reply.raw + reply.body
    assert TOKEN not in caplog.text
    assert TOKEN not in repr(proxy.records)
