"""What was raised before the head becomes an answer; after it only the end of the connection."""

import logging
from collections.abc import Callable

import pytest
from aiohttp import web

from proxy.dialects.chat import Declined, Invalid
from proxy.dialects.events import Failure, FailureKind
from proxy.edge.middleware import error_response
from proxy.edge.model_routes import find_route
from proxy.edge.scope import SCOPE
from proxy.errors import Code, Refused, UpstreamFault
from proxy.relay.outcome import EndReason, Record
from tests.helpers.edge import build_house, serving
from tests.helpers.rawhttp import Reply, connected, fetch


async def ask(make: Callable[[], Exception], *, body: bytes | None = None, route: str = "") -> tuple[Reply, Record]:
    """`route`: a path on which models are asked."""
    records: list[Record] = []

    async def fail(request: web.Request) -> web.StreamResponse:
        scope = request[SCOPE]
        records.append(scope.record)
        if route:
            scope.route = find_route("POST", route, None, scope.head.headers)
            scope.own_fields = [(b"Access-Control-Allow-Origin", b"*")]
        raise make()

    async with serving(build_house(), [error_response.build()], fail) as port:
        return await fetch(port, "/", body=body), records[0]


@pytest.mark.parametrize(
    ("error", "status", "end", "closes"),
    [
        (Refused(Code.UNAUTHORIZED, {"WWW-Authenticate": "Bearer"}), 401, EndReason.REFUSED, False),
        (Refused(Code.BODY_TOO_LARGE, close=True), 413, EndReason.REFUSED, True),
        (Refused(Code.BUSY), 503, EndReason.LIMIT, False),
        (Refused(Code.DRAINING, close=True), 503, EndReason.DRAIN, True),
        (UpstreamFault(Code.REFUSED, "x"), 502, EndReason.CONNECT, False),
        (UpstreamFault(Code.DNS, "x"), 502, EndReason.CONNECT, False),
        (UpstreamFault(Code.GUARDED, "x"), 502, EndReason.CONNECT, False),
        (UpstreamFault(Code.PROXY, "x"), 502, EndReason.CONNECT, False),
        (UpstreamFault(Code.TLS, "x"), 502, EndReason.CONNECT, False),
        (UpstreamFault(Code.CUT, "x"), 502, EndReason.UPSTREAM_CUT, False),
        (UpstreamFault(Code.PROTOCOL, "x"), 502, EndReason.ERROR, False),
        (UpstreamFault(Code.TOKEN, "x"), 502, EndReason.ERROR, False),
        (UpstreamFault(Code.ANSWER_TOO_LARGE, "x"), 502, EndReason.ERROR, False),
        (UpstreamFault(Code.CONNECT_TIMEOUT, "x"), 504, EndReason.CONNECT, False),
        (UpstreamFault(Code.FIRST_BYTE_TIMEOUT, "x"), 504, EndReason.FIRST_BYTE, False),
        (web.HTTPNotFound(), 404, EndReason.REFUSED, False),
    ],
    ids=str,
)
async def test_what_is_raised_on_purpose(error: Exception, status: int, end: EndReason, closes: bool) -> None:
    reply, record = await ask(lambda: error)
    assert (reply.status, record.status, record.end) == (status, status, end)
    assert reply.json == {
        "error": {"code": record.error, "message": reply.json["error"]["message"]},
        "request_id": record.id,
    }
    assert (reply.headers.get("connection") == "close") is closes
    assert record.detail == ("x" if isinstance(error, UpstreamFault) else "")
    if isinstance(error, Refused):
        for name, value in error.headers.items():
            assert reply.headers[name.lower()] == value


async def test_what_was_never_meant_is_logged_without_its_text_in_the_answer(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "penstock.edge"):
        reply, record = await ask(lambda: ValueError("sk-secret"))
    assert (reply.status, record.end, reply.headers["connection"]) == (500, EndReason.ERROR, "close")
    assert b"secret" not in reply.raw + reply.body
    (line,) = caplog.records
    assert line.getMessage() == "unexpected ValueError"
    assert getattr(line, "request_id", None) == record.id


async def test_the_connection_ends_behind_an_answer_to_a_body_that_is_still_coming() -> None:
    async def fail(request: web.Request) -> web.StreamResponse:
        raise Refused(Code.UNAUTHORIZED)

    async with serving(build_house(), [error_response.build()], fail) as port, connected("127.0.0.1", port) as client:
        await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
        reply = await client.reply()
        assert (reply.status, reply.headers["connection"]) == (401, "close")


async def test_the_connection_is_kept_behind_an_answer_to_a_body_that_came() -> None:
    reply, _ = await ask(lambda: Refused(Code.UNAUTHORIZED), body=b"abc")
    assert "connection" not in reply.headers


LATE = [Refused(Code.BODY), UpstreamFault(Code.CUT), Declined(Failure(FailureKind.SERVER, "x")), ConnectionResetError()]


@pytest.mark.parametrize("error", LATE, ids=repr)
async def test_behind_a_head_nothing_more_is_said(error: Exception) -> None:
    async def fail(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = 10
        await response.prepare(request)
        await response.write(b"abc")
        raise error

    async with serving(build_house(), [error_response.build()], fail) as port, connected("127.0.0.1", port) as client:
        await client.ask("/")
        await client.head()
        assert await client.rest() == b"abc"


MESSAGES = "/v1/messages"


@pytest.mark.parametrize(
    ("error", "status", "kind", "end"),
    [
        (Refused(Code.UNAUTHORIZED), 401, "authentication_error", EndReason.REFUSED),
        (Refused(Code.BODY_TOO_LARGE), 413, "request_too_large", EndReason.REFUSED),
        (Refused(Code.BUSY), 529, "overloaded_error", EndReason.LIMIT),
        (Refused(Code.METHOD, {"Allow": "POST"}), 405, "invalid_request_error", EndReason.REFUSED),
        (Refused(Code.REQUEST_TIMEOUT), 408, "timeout_error", EndReason.REFUSED),
        (Refused(Code.UPGRADE, {"Upgrade": "HTTP/1.1"}), 426, "invalid_request_error", EndReason.REFUSED),
        (UpstreamFault(Code.REFUSED), 500, "api_error", EndReason.CONNECT),
        (UpstreamFault(Code.FIRST_BYTE_TIMEOUT), 504, "timeout_error", EndReason.FIRST_BYTE),
        (Invalid("messages[0]", "must be an object"), 400, "invalid_request_error", EndReason.REFUSED),
        (Declined(Failure(FailureKind.NOT_FOUND, "no such model")), 404, "not_found_error", EndReason.REFUSED),
        (Declined(Failure(FailureKind.RATE_LIMIT, "slow down")), 429, "rate_limit_error", EndReason.ERROR),
        (ValueError("sk-secret"), 500, "api_error", EndReason.ERROR),
    ],
    ids=repr,
)
async def test_on_a_model_route_all_of_it_is_the_dialect_s(
    error: Exception, status: int, kind: str, end: EndReason
) -> None:
    reply, record = await ask(lambda: error, route=MESSAGES)
    assert (reply.status, record.status, record.end) == (status, status, end)
    assert (reply.json["type"], reply.json["error"]["type"]) == ("error", kind)
    assert reply.headers["request-id"] == reply.json["request_id"] == record.id
    assert reply.headers["access-control-allow-origin"] == "*"
    assert b"sk-secret" not in reply.body
    if isinstance(error, Refused):
        assert error.headers.items() <= {name.title(): value for name, value in reply.headers.items()}.items()
