"""The gate as a middleware: what is answered here, and what the record learns."""

import pytest
from aiohttp import web

from proxy.edge.middleware import error_response, gate
from proxy.edge.scope import SCOPE
from tests.helpers.edge import build_house, build_model_house, serving
from tests.helpers.rawhttp import connected, fetch


async def handle(request: web.Request) -> web.StreamResponse:
    scope = request[SCOPE]
    record = scope.record
    return web.json_response([record.mount, record.dialect, record.provider, scope.rest, scope.query])


CHAIN = [error_response.build(), gate.build()]
HOUSE = build_house("/up", dialect="gemini")


async def test_the_record_learns_where_a_request_leads() -> None:
    async with serving(HOUSE, CHAIN, handle) as port:
        reply = await fetch(port, "/up/v1%2f?a=b")
        assert reply.json == ["/up", "gemini", "up", "/v1%2f", "a=b"]


async def test_what_is_refused_goes_no_further() -> None:
    async with serving(HOUSE, CHAIN, handle) as port:
        assert (await fetch(port, "/other")).status == 404
        assert (await fetch(port, "/up/..")).status == 400


async def test_a_head_on_the_root_is_answered_here() -> None:
    async with serving(HOUSE, CHAIN, handle) as port:
        reply = await fetch(port, "/", method="HEAD")
        assert (reply.status, reply.headers["content-length"]) == (200, "0")
        assert (await fetch(port, "/other", method="HEAD")).status == 404


@pytest.mark.parametrize(("hops", "status"), [(0, 204), (1, 200)])
async def test_an_options_without_a_hop_left_is_answered_here(hops: int, status: int) -> None:
    async with serving(HOUSE, CHAIN, handle) as port, connected("127.0.0.1", port) as client:
        await client.ask("/up/a", method="OPTIONS", headers=f"Max-Forwards: {hops}\r\n")
        reply = await client.reply(bodiless=not hops)
        assert reply.status == status
        assert ("allow" in reply.headers) is (not hops)


MODELS = build_model_house({"ant": "anthropic"}, {}, cors=("https://a.example",))


async def test_the_record_learns_which_route_a_request_takes() -> None:
    async with serving(MODELS, CHAIN, handle) as port:
        reply = await fetch(port, "/v1/v1/messages?a=b", body=b"{}")
        assert reply.json == ["/v1/messages", "anthropic", None, "", "a=b"]


@pytest.mark.parametrize("target", ["/v1/messages", "/v1/models", "/"])
async def test_a_head_of_a_route_is_answered_here(target: str) -> None:
    async with serving(MODELS, CHAIN, handle) as port:
        reply = await fetch(port, target, method="HEAD")
        assert (reply.status, reply.headers["content-length"]) == (200, "0")


async def test_a_preflight_is_answered_here_and_another_options_too() -> None:
    asks = "Origin: https://a.example\r\nAccess-Control-Request-Method: POST\r\n"
    async with serving(MODELS, CHAIN, handle) as port:
        reply = await fetch(port, "/v1/messages", method="OPTIONS", headers=asks)
        assert reply.status == 204
        assert reply.headers["access-control-allow-origin"] == "https://a.example"
        assert reply.headers["access-control-allow-methods"] == "POST"
        assert "allow" not in reply.headers
        plain = await fetch(port, "/v1/messages", method="OPTIONS")
        assert (plain.status, plain.headers["allow"]) == (204, "POST, OPTIONS")
