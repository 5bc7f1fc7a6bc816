"""What may change something on the admin door, and what a page in a browser may not."""

import json
from collections.abc import AsyncIterator

import pytest

from proxy.ops import admin_body
from tests.helpers.bare import bare
from tests.helpers.rawhttp import connected, fetch
from tests.helpers.service import RunningProxy, mounted, running

CLEAR = "/accounts/clear"
JSON = "Content-Type: application/json\r\n"
GOOD = {"name": "up"}


@pytest.fixture
async def proxy() -> AsyncIterator[RunningProxy]:
    async with running(mounted("http://127.0.0.1:1")) as made:
        yield made


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1:1", "file://", "", "http://demo.evil"],
)
async def test_a_page_of_another_origin_changes_nothing(proxy: RunningProxy, origin: str) -> None:
    reply = await fetch(proxy.admin_port, CLEAR, body=GOOD, headers=f"{JSON}Origin: {origin}\r\n")
    assert (reply.status, reply.json["error"]["code"]) == (403, "foreign_origin")
    assert "access-control-allow-origin" not in reply.headers


async def test_one_origin_of_two_is_enough_to_refuse(proxy: RunningProxy) -> None:
    origins = "Origin: http://localhost\r\nOrigin: http://evil.example\r\n"
    assert (await fetch(proxy.admin_port, CLEAR, body=GOOD, headers=JSON + origins)).status == 403


@pytest.mark.parametrize("origin", ["http://localhost", "https://localhost", "http://LOCALHOST"])
async def test_our_own_pages_may(proxy: RunningProxy, origin: str) -> None:
    """`Host: localhost` is what the client of these tests says."""
    assert (await fetch(proxy.admin_port, CLEAR, body=GOOD, headers=f"{JSON}Origin: {origin}\r\n")).status == 200


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "json"])
async def test_what_a_form_can_send_is_refused(proxy: RunningProxy, kind: str) -> None:
    reply = await fetch(proxy.admin_port, CLEAR, body=GOOD, headers=f"Content-Type: {kind}\r\n" if kind else "")
    assert (reply.status, reply.json["error"]["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8"])
async def test_json_is_taken(proxy: RunningProxy, kind: str) -> None:
    assert (await fetch(proxy.admin_port, CLEAR, body=GOOD, headers=f"Content-Type: {kind}\r\n")).status == 200


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"up"', b"\xff", b"[" * 4000, b'{"name": "up"} x'])
async def test_what_is_no_object_is_refused(proxy: RunningProxy, body: bytes) -> None:
    reply = await fetch(proxy.admin_port, CLEAR, body=body, headers=JSON)
    assert (reply.status, reply.json["error"]["code"]) == (400, "bad_body")


async def test_a_body_in_pieces_is_read_whole(proxy: RunningProxy) -> None:
    async with connected("127.0.0.1", proxy.admin_port) as client:
        body = json.dumps(GOOD).encode()
        await client.send(
            f"POST {CLEAR} HTTP/1.1\r\nHost: localhost\r\n{JSON}Content-Length: {len(body)}\r\n\r\n".encode()
        )
        await client.send_slowly(body, 1)
        assert (await client.reply()).json == {"lifted": 0}


async def test_a_large_body_is_refused(proxy: RunningProxy) -> None:
    assert (await fetch(proxy.admin_port, CLEAR, body=b" " * 5000, headers=JSON)).status == 413


async def test_a_body_that_does_not_come_is_not_waited_for_for_ever(
    proxy: RunningProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin_body, "PATIENCE", 0.01)
    async with bare(proxy.admin_port) as client:
        await client.send(f"POST {CLEAR} HTTP/1.1\r\nHost: localhost\r\n{JSON}Content-Length: 9\r\n\r\n".encode())
        assert b" 408 " in await client.read_until(b"\r\n\r\n")


async def test_a_malformed_body_is_refused(proxy: RunningProxy) -> None:
    async with bare(proxy.admin_port) as client:
        head = f"POST {CLEAR} HTTP/1.1\r\nHost: localhost\r\n{JSON}Transfer-Encoding: chunked\r\n\r\n".encode()
        await client.send(head + b"zz\r\n")
        assert b" 400 " in await client.read_until(b"\r\n\r\n")
