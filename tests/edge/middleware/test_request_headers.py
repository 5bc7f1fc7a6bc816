"""What of a request's fields goes upstream."""

from typing import Any

import pytest
from aiohttp import web

from proxy.edge.middleware import error_response, gate, request_headers
from proxy.edge.scope import SCOPE
from tests.helpers.edge import build_house, build_model_house, serving
from tests.helpers.rawhttp import fetch

MODELS = build_model_house({"ant": "anthropic"}, {})
CREDENTIALS = "".join(
    f"{name}: secret\r\n" for name in ("Authorization", "X-Api-Key", "api-key", "x-goog-api-key", "Cookie")
)


async def ask(target: str = "/up/a", headers: str = "", method: str = "GET", **house: Any) -> tuple[list[Any], str]:
    """The fields that go upstream, and the query."""

    async def handle(request: web.Request) -> web.StreamResponse:
        scope = request[SCOPE]
        return web.json_response([[[name.decode(), value.decode()] for name, value in scope.headers], scope.query])

    chain = [error_response.build(), gate.build(), request_headers.build()]
    built = MODELS if target.startswith("/v1") else build_house("/up", **house)
    async with serving(built, chain, handle) as port:
        reply = await fetch(port, target, headers=headers, method=method)
        fields, query = reply.json
        return fields, query


async def test_end_to_end_fields_go_on_in_order() -> None:
    fields, _ = await ask(
        headers="A: 1\r\nConnection: b, close\r\nB: 2\r\na: 3\r\nVia: 1.1 x\r\nX-Forwarded-For: y\r\n"
    )
    assert fields == [["a", "1"], ["a", "3"], ["via", "1.1 x"], ["x-forwarded-for", "y"]]


async def test_on_a_model_route_no_provider_hears_who_has_asked_from_where() -> None:
    told = "X-Forwarded-For: 192.0.2.1\r\nForwarded: for=192.0.2.1\r\nX-Real-IP: 192.0.2.1\r\n"
    more = "X-Forwarded-Proto: https\r\nX-Forwarded-Host: a\r\nX-Forwarded-Port: 1\r\nX-Forwarded-Server: a\r\n"
    fields, _ = await ask("/v1/models", headers=f"{told}{more}X: 1\r\n")
    assert fields == [["x", "1"]]


@pytest.mark.parametrize("auth", ["key", "none"])
async def test_the_callers_credentials_stay_here(auth: str) -> None:
    fields, _ = await ask(headers=CREDENTIALS + "X: 1\r\n", auth=auth)
    assert fields == [["x", "1"]]


async def test_they_go_on_where_the_mount_says_so() -> None:
    fields, _ = await ask(headers=CREDENTIALS + "Proxy-Authorization: secret\r\n", auth="pass")
    assert [name for name, _ in fields] == ["authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie"]


@pytest.mark.parametrize(
    ("dialect", "auth", "query"),
    [
        ("gemini", "none", "alt=sse"),
        ("gemini", "pass", "key=secret&alt=sse"),
        ("openai-chat", "none", "key=secret&alt=sse"),
    ],
)
async def test_a_key_in_the_query_stays_here_where_it_is_a_credential(dialect: str, auth: str, query: str) -> None:
    assert (await ask("/up/a?key=secret&alt=sse", dialect=dialect, auth=auth))[1] == query


@pytest.mark.parametrize(
    ("method", "value", "forwarded"), [("OPTIONS", "5", "4"), ("OPTIONS", "x", "x"), ("GET", "5", "5")]
)
async def test_a_hop_is_counted_where_the_sender_counts(method: str, value: str, forwarded: str) -> None:
    fields, _ = await ask(headers=f"Max-Forwards: {value}\r\nX: 7\r\n", method=method)
    assert fields == [["max-forwards", forwarded], ["x", "7"]]


async def test_a_hop_is_named_where_the_operator_wants_it() -> None:
    fields, _ = await ask(headers="Via: 1.0 before\r\n", via="gate")
    assert fields == [["via", "1.0 before"], ["via", "1.1 gate"]]


async def test_what_a_caller_of_a_model_route_tells_the_proxy_stays_here() -> None:
    ours = "Accept-Encoding: gzip\r\nOrigin: https://a\r\nReferer: https://a/b\r\nContent-Encoding: identity\r\n"
    theirs = "anthropic-beta: a\r\nUser-Agent: me\r\nAnthropic-Beta: b\r\n"
    fields, _ = await ask("/v1/messages", CREDENTIALS + ours + theirs, "POST")
    assert fields == [["anthropic-beta", "a"], ["user-agent", "me"], ["anthropic-beta", "b"]]


@pytest.mark.parametrize(
    ("query", "kept"), [("?key=secret&beta=true", "beta=true"), ("?key=secret", None), ("?beta", "beta"), ("", None)]
)
async def test_a_key_in_the_query_of_a_model_route_stays_here(query: str, kept: str | None) -> None:
    assert (await ask("/v1/messages" + query, method="POST"))[1] == kept
