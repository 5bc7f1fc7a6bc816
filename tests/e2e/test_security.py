"""What must not pass: credentials, either way, cookies, redirects, ways out of a mount. Seen on both sockets."""

import asyncio
import logging
from typing import Any

import pytest

from tests.helpers.bare import bare
from tests.helpers.origin import Origin, origin
from tests.helpers.rawhttp import Reply, fetch
from tests.helpers.service import RunningProxy, mounted, running

CLIENT_KEY = "client-key-4711"
PROVIDER_KEY = "provider-key-0815"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

CREDENTIALS = ("Authorization", "x-api-key", "api-key", "x-goog-api-key", "Cookie", "Proxy-Authorization")


def guarded(upstream: Origin, dialect: str = "openai-chat", **mount: Any) -> dict[str, Any]:
    """A mount that wants a client's key, in front of a provider that wants another."""
    return {
        "clients": {"dev": {"key": CLIENT_KEY}},
        "providers": {
            "up": {
                "dialect": dialect,
                "base_url": f"{upstream.base_url}/base",
                "headers": {"X-Added": "ours"},
                "accounts": {"main": {"key": PROVIDER_KEY}},
            }
        },
        "mounts": {"/up": {"provider": "up", **mount}},
    }


async def exchange(proxy: RunningProxy, upstream: Origin, target: str, headers: str = "") -> tuple[Reply, bytes]:
    """One GET; returns its answer and the head that upstream saw."""
    number = len(upstream.peers) + 1
    asking = asyncio.create_task(fetch(proxy.port, target, headers=headers))
    peer = await upstream.peer(number)
    head = await peer.until(b"\r\n\r\n")
    peer.send(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    return await asking, head


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Authorization", f"Bearer {CLIENT_KEY}"),
        ("Authorization", f"bearer   {CLIENT_KEY}"),
        ("x-api-key", CLIENT_KEY),
        ("x-goog-api-key", CLIENT_KEY),
        ("API-KEY", CLIENT_KEY),
    ],
)
async def test_a_clients_key_opens_the_mount_and_stays_here(field: str, value: str, pull: bool) -> None:
    async with origin() as upstream, running(guarded(upstream), pull=pull) as proxy:
        rest = "".join(f"{name}: secret-of-caller\r\n" for name in CREDENTIALS if name.lower() != field.lower())
        reply, head = await exchange(proxy, upstream, "/up/x?a=b", f"{field}: {value}\r\n{rest}X-Mine: yes\r\n")
        assert reply.status == 200
        assert CLIENT_KEY.encode() not in head
        assert b"secret-of-caller" not in head
        assert head.startswith(b"GET /base/x?a=b HTTP/1.1\r\n")
        lowered = head.lower()
        assert lowered.count(b"authorization:") == 1
        assert b"authorization: bearer " + PROVIDER_KEY.encode() in lowered
        assert b"\r\nx-mine: yes\r\n" in lowered
        assert (await proxy.wait_record()).client == "dev"


async def test_a_key_in_the_query_opens_the_mount_and_stays_here(pull: bool) -> None:
    async with origin() as upstream, running(guarded(upstream), pull=pull) as proxy:
        reply, head = await exchange(proxy, upstream, f"/up/x?a=%20b&key={CLIENT_KEY}&c")
        assert reply.status == 200
        assert head.startswith(b"GET /base/x?a=%20b&c HTTP/1.1\r\n")


async def test_a_foreign_key_in_the_query_is_data_where_the_dialect_has_none_there(pull: bool) -> None:
    async with origin() as upstream, running(guarded(upstream), pull=pull) as proxy:
        headers = f"Authorization: Bearer {CLIENT_KEY}\r\n"
        _, head = await exchange(proxy, upstream, "/up/x?key=sort-order", headers)
        assert head.startswith(b"GET /base/x?key=sort-order HTTP/1.1\r\n")


async def test_a_key_in_the_query_never_reaches_a_gemini_provider(pull: bool) -> None:
    async with origin() as upstream, running(guarded(upstream, "gemini"), pull=pull) as proxy:
        headers = f"x-goog-api-key: {CLIENT_KEY}\r\n"
        _, head = await exchange(proxy, upstream, "/up/x?key=somebody-else&alt=sse", headers)
        assert head.startswith(b"GET /base/x?alt=sse HTTP/1.1\r\n")
        assert b"x-goog-api-key: " + PROVIDER_KEY.encode() in head.lower()


async def test_pass_sends_the_callers_own_credentials_up(pull: bool) -> None:
    async with origin() as upstream:
        config = guarded(upstream, auth="pass")
        config["providers"]["up"].pop("accounts")
        async with running(config, pull=pull) as proxy:
            fields = "".join(f"{name}: caller-{name}\r\n" for name in CREDENTIALS if name != "Proxy-Authorization")
            _, head = await exchange(proxy, upstream, "/up/x?key=mine", fields)
            assert head.startswith(b"GET /base/x?key=mine HTTP/1.1\r\n")
            for name in CREDENTIALS[:-1]:
                assert f"{name}: caller-{name}".lower() in head.decode().lower()


async def test_provider_headers_replace_what_the_caller_sent(pull: bool) -> None:
    async with origin() as upstream, running(guarded(upstream, auth="none"), pull=pull) as proxy:
        _, head = await exchange(proxy, upstream, "/up/x", "X-Added: theirs\r\nx-added: again\r\n")
        assert head.lower().count(b"x-added:") == 1
        assert b"x-added: ours" in head.lower()


async def test_a_providers_credential_that_is_echoed_does_not_come_back(pull: bool) -> None:
    async with origin() as upstream, running(guarded(upstream, auth="none"), pull=pull) as proxy:
        upstream.answer = OK.replace(
            b"\r\n\r\n", b"\r\nX-Echo: Bearer " + PROVIDER_KEY.encode() + b"\r\nX-Other: 1\r\n\r\n"
        )
        reply = await fetch(proxy.port, "/up/x")
        assert PROVIDER_KEY.encode() not in reply.raw
        assert reply.headers["x-other"] == "1"


async def test_a_configured_credential_that_is_echoed_does_not_come_back(pull: bool) -> None:
    async with origin() as upstream:
        config = guarded(upstream, auth="none")
        config["providers"]["up"]["headers"] = {"Authorization": "Basic a-secret-of-ours"}
        async with running(config, pull=pull) as proxy:
            upstream.answer = OK.replace(b"\r\n\r\n", b"\r\nX-Echo: a-secret-of-ours\r\n\r\n")
            assert b"a-secret-of-ours" not in (await fetch(proxy.port, "/up/x")).raw


async def test_a_key_that_is_an_ordinary_word_takes_no_field_away(pull: bool) -> None:
    async with origin() as upstream:
        config = guarded(upstream, auth="none")
        config["providers"]["up"]["accounts"]["main"]["key"] = "none"
        async with running(config, pull=pull) as proxy:
            upstream.answer = OK.replace(b"\r\n\r\n", b"\r\nCross-Origin-Opener-Policy: unsafe-none\r\n\r\n")
            reply = await fetch(proxy.port, "/up/x")
            assert reply.headers["cross-origin-opener-policy"] == "unsafe-none"


@pytest.mark.parametrize("token", ["wrong", "", "n\u00f6-asci\u00ed", "\U0001f511", CLIENT_KEY + "x", CLIENT_KEY[:-1]])
@pytest.mark.parametrize("field", ["Authorization: Bearer", "x-api-key:"])
async def test_a_wrong_key_is_401_whatever_is_in_it(field: str, token: str) -> None:
    async with origin() as upstream, running(guarded(upstream)) as proxy:
        reply = await fetch(proxy.port, "/up/x", headers=f"{field} {token}\r\n")
        assert reply.status == 401
        assert reply.headers["www-authenticate"] == "Bearer"
        record = await proxy.wait_record()
        assert (record.error, record.client) == ("unauthorized", None)
        assert upstream.peers == []


async def test_cookies_of_one_caller_are_not_given_to_the_next(pull: bool) -> None:
    async with origin() as upstream, running(mounted(upstream.base_url), pull=pull) as proxy:
        upstream.answer = OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: session=of-the-first; Path=/\r\n\r\n")
        reply = await fetch(proxy.port, "/up/x")
        assert reply.headers["set-cookie"] == "session=of-the-first; Path=/"
        upstream.answer = None
        asking = asyncio.create_task(fetch(proxy.port, "/up/x"))
        peer = await upstream.peer(1)
        head = await peer.until(b"\r\n\r\n")
        peer.send(OK)
        await asking
        assert b"cookie" not in head.lower()


async def test_proxies_and_credentials_of_the_environment_are_ignored(
    pull: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login root password from-netrc\n")
    monkeypatch.setenv("NETRC", str(netrc))
    async with origin() as upstream, origin() as trap:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, trap.base_url)
        async with running(mounted(upstream.base_url), pull=pull) as proxy:
            _, head = await exchange(proxy, upstream, "/up/x")
        assert trap.peers == []
        assert b"authorization" not in head.lower()


async def test_a_redirect_is_passed_on_and_not_followed(pull: bool) -> None:
    async with origin() as upstream, origin() as elsewhere, running(mounted(upstream.base_url), pull=pull) as proxy:
        place = f"{elsewhere.base_url}/there"
        upstream.answer = f"HTTP/1.1 307 Over There\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n".encode()
        reply = await fetch(proxy.port, "/up/x")
        assert reply.raw.startswith(b"HTTP/1.1 307 Over There\r\n")
        assert reply.headers["location"] == place
        assert elsewhere.peers == []


async def test_no_answer_names_the_server(pull: bool) -> None:
    async with origin() as upstream, running(mounted(upstream.base_url), pull=pull) as proxy:
        upstream.answer = OK
        replies = [await fetch(proxy.port, target) for target in ("/up/x", "/nowhere")]
        replies.append(await fetch(proxy.admin_port, "/healthz"))
        async with bare(proxy.port) as client:
            await client.send(b"GET / HTTP/1.1\r\nBad Header: 1\r\n\r\n")
            rejected = await client.read_to_end()
        for raw in (*(reply.raw for reply in replies), rejected):
            assert b"\r\nserver:" not in raw.lower()
            assert b"aiohttp" not in raw.lower()


async def test_a_route_of_one_listener_is_404_on_the_other() -> None:
    async with origin() as upstream, running(mounted(upstream.base_url)) as proxy:
        for path in ("/healthz", "/readyz"):
            assert (await fetch(proxy.admin_port, path)).status == 200
            assert (await fetch(proxy.port, path)).status == 404
        assert (await fetch(proxy.admin_port, "/up/x")).status == 404
        assert upstream.peers == []


@pytest.mark.parametrize(
    "rest",
    [
        "..", "../admin", "a/../../admin", "%2e%2e/admin", ".%2E/admin", "%2e%2e%2fadmin", "..%5cadmin", "..\\admin",
        "%252e%252e/admin", "a/%2e%2e/%2e%2e/b", "..;/admin", "..;x=1/admin", "a//..//../admin", "./../admin",
    ],
)  # fmt: skip
async def test_no_spelling_of_dot_segments_leaves_the_base_path(rest: str) -> None:
    async with origin() as upstream, running(mounted(upstream.base_url + "/base")) as proxy:
        reply = await fetch(proxy.port, f"/up/{rest}")
        assert (reply.status, reply.json["error"]["code"]) == (400, "bad_target")
        assert upstream.peers == []


@pytest.mark.parametrize("rest", ["a/../b", "a/%2e%2e/b", "..a", "a..", "...", "%2f%2f", "a?x=../../..", "//evil/p"])
async def test_what_stays_within_the_base_path_passes_byte_for_byte(rest: str, pull: bool) -> None:
    async with origin() as upstream, running(mounted(upstream.base_url + "/base"), pull=pull) as proxy:
        _, head = await exchange(proxy, upstream, f"/up/{rest}")
        assert head.startswith(f"GET /base/{rest} HTTP/1.1\r\n".encode())


async def test_duplicate_fields_keep_their_order_both_ways(pull: bool) -> None:
    async with (
        origin() as upstream,
        running(mounted(upstream.base_url), pull=pull) as proxy,
        bare(proxy.port) as client,
    ):
        await client.send(b"GET /up/x HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nx-b: 0\r\nx-a: 2\r\nX-a: 3\r\n\r\n")
        peer = await upstream.peer()
        head = await peer.until(b"\r\n\r\n")
        lines = [line.lower() for line in head.split(b"\r\n")]
        assert [line for line in lines if line.startswith(b"x-a:")] == [b"x-a: 1", b"x-a: 2", b"x-a: 3"]
        peer.send(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nX-B: 1\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n")
        answer = await client.read_until(b"\r\n\r\n")
        assert answer.index(b"Set-Cookie: a=1") < answer.index(b"Set-Cookie: b=2")


async def test_upstreams_rate_limit_fields_come_back(pull: bool) -> None:
    async with origin() as upstream, running(mounted(upstream.base_url), pull=pull) as proxy:
        upstream.answer = OK.replace(b"\r\n\r\n", b"\r\nx-ratelimit-remaining-requests: 7\r\n\r\n")
        assert (await fetch(proxy.port, "/up/x")).headers["x-ratelimit-remaining-requests"] == "7"


def test_aiohttps_loggers_are_not_verbose() -> None:
    for name in ("aiohttp.access", "aiohttp.client", "aiohttp.server", "aiohttp.internal", "asyncio"):
        assert logging.getLogger(name).getEffectiveLevel() >= logging.WARNING
