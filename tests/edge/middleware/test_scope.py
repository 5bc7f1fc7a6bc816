"""Each request gets its id, its record and the house of the moment."""

from dataclasses import replace

import pytest
from aiohttp import web

from proxy.edge.peers import Peers
from proxy.edge.scope import SCOPE, Scope
from tests.helpers.edge import build_house, serving
from tests.helpers.rawhttp import connected


async def test_every_request_has_a_scope_of_its_own() -> None:
    scopes: list[Scope] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        scopes.append(request[SCOPE])
        assert request[SCOPE].task is request.task
        return web.Response()

    house = build_house()
    async with serving(house, [], handle) as port, connected("127.0.0.1", port) as client:
        for target in ("//a/%7e?x", "/b"):
            await client.ask(target, headers="X-Odd: Value \r\n")
            await client.reply()
    first, second = scopes
    assert first.record.id != second.record.id
    assert first.house is house
    assert (first.head.method, first.head.target, first.head.version) == ("GET", "//a/%7e?x", (1, 1))
    assert first.head.headers.raw == ((b"Host", b"localhost"), (b"X-Odd", b"Value"))
    assert (first.record.method, first.record.remote, first.record.door) == ("GET", "127.0.0.1", "public")
    assert first.record.wall > 1_700_000_000


@pytest.mark.parametrize(("trusted", "remote"), [([], "127.0.0.1"), (["127.0.0.1/32"], "192.0.2.7")])
async def test_who_has_asked_is_what_a_trusted_proxy_says(trusted: list[str], remote: str) -> None:
    remotes: list[str] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        remotes.append(request[SCOPE].record.remote)
        return web.Response()

    house = replace(build_house(), peers=Peers(trusted))
    async with serving(house, [], handle) as port, connected("127.0.0.1", port) as client:
        await client.ask("/", headers="X-Forwarded-For: 192.0.2.7\r\n")
        await client.reply()
    assert remotes == [remote]
