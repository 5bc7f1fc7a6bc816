"""Who may call, and what of the key goes on."""

import hashlib
from typing import Any

import pytest
from aiohttp import web

from proxy.edge.middleware import client_auth, error_response, gate
from proxy.edge.scope import SCOPE
from tests.helpers.edge import build_house, serving
from tests.helpers.rawhttp import Reply, fetch

CLIENTS = {hashlib.sha256(b"sesame").digest(): "dev", hashlib.sha256("schlüssel".encode()).digest(): "ü"}


async def ask(target: str = "/up/a", headers: str = "", auth: str = "key", clients: Any = CLIENTS) -> tuple[Reply, str]:
    """The reply, and the client and the query that went on."""

    async def handle(request: web.Request) -> web.StreamResponse:
        scope = request[SCOPE]
        return web.json_response([scope.record.client, scope.query])

    house = build_house("/up", auth=auth, clients=clients)
    async with serving(house, [error_response.build(), gate.build(), client_auth.build()], handle) as port:
        reply = await fetch(port, target, headers=headers)
        return reply, reply.json


@pytest.mark.parametrize(
    "headers",
    [
        "Authorization: Bearer sesame\r\n",
        "authorization: bearer  sesame \r\n",
        "X-Api-Key: sesame\r\n",
        "x-goog-api-key: sesame\r\n",
        "api-key: sesame\r\n",
        "Authorization: Bearer wrong\r\nx-api-key: sesame\r\n",
        "Authorization: Basic xyz\r\nx-api-key: sesame\r\n",
    ],
)
async def test_a_key_may_stand_where_sdks_put_it(headers: str) -> None:
    reply, (client, query) = await ask(headers=headers)
    assert (reply.status, client, query) == (200, "dev", None)


async def test_a_key_need_not_be_ascii() -> None:
    _, (client, _) = await ask(headers="x-api-key: schlüssel\r\n")
    assert client == "ü"


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("/up/a", ""),
        ("/up/a", "Authorization: Bearer wrong\r\n"),
        ("/up/a", "Authorization: Basic sesame\r\n"),
        ("/up/a", "Authorization: sesame\r\n"),
        ("/up/a", "Authorization: Bearer\r\n"),
        ("/up/a", "Cookie: sesame\r\n"),
        ("/up/a?key=wrong&key=", ""),
        ("/up/sesame", ""),
    ],
)
async def test_without_a_known_key_nobody_comes_in(target: str, headers: str) -> None:
    reply, error = await ask(target, headers)
    assert reply.status == 401
    assert reply.headers["www-authenticate"] == "Bearer"
    assert "sesame" not in str(error)


async def test_a_key_in_the_query_is_taken_out_of_it_where_it_opened_the_door() -> None:
    _, (client, query) = await ask("/up/a?x=1&key=sesame&y=%zz")
    assert (client, query) == ("dev", "x=1&y=%zz")


async def test_a_key_in_the_query_stays_where_another_opened_the_door() -> None:
    _, (client, query) = await ask("/up/a?key=theirs", "x-api-key: sesame\r\n")
    assert (client, query) == ("dev", "key=theirs")


@pytest.mark.parametrize(("auth", "clients"), [("none", CLIENTS), ("pass", CLIENTS), ("key", {})])
async def test_an_open_mount_asks_for_nothing(auth: str, clients: Any) -> None:
    reply, (client, _) = await ask(auth=auth, clients=clients)
    assert (reply.status, client) == (200, None)


EVIL = "Origin: https://evil.example\r\n"


@pytest.mark.parametrize(
    ("auth", "clients", "headers", "status"),
    [
        ("key", {}, EVIL, 403),
        ("key", {}, "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n", 403),
        ("key", {}, "Origin: http://127.0.0.1:8088\r\n", 200),
        ("key", {}, "", 200),
        ("key", CLIENTS, EVIL + "x-api-key: sesame\r\n", 200),
        ("none", {}, EVIL, 200),  # open to all, and said so
        ("pass", {}, EVIL, 200),
    ],
)
async def test_where_nobody_has_a_key_no_foreign_page_may_ask(
    auth: str, clients: Any, headers: str, status: int
) -> None:
    reply, _ = await ask(headers=headers, auth=auth, clients=clients)
    assert reply.status == status
    if status == 403:
        assert reply.json["error"]["code"] == "foreign_origin"
