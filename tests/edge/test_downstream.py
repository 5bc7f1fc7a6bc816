"""The head of an answer: exactly the fields it is given, and what the hop needs."""

import asyncio
import json
from email.utils import parsedate_to_datetime

import pytest
from aiohttp import web

from proxy.dialects.registry import DIALECTS
from proxy.edge.downstream import Downstream, Fields, WholeAnswer, build_refusal
from proxy.errors import Code
from proxy.types import RequestId
from tests.helpers.bare import BareClient, bare
from tests.helpers.edge import build_house, serving
from tests.helpers.rawhttp import connected

DATE = (b"Date", b"Thu, 01 Jan 1970 00:00:00 GMT")


def encode(
    fields: Fields, length: int | None = 0, status: int = 200, reason: str = "OK", *, chunked: bool = False
) -> bytes:
    response = Downstream(status, reason, [*fields, DATE], length, has_date=True)
    response._keep_alive = True
    return response.encode_head((1, 1), chunked=chunked)


def test_fields_stand_as_they_were_given() -> None:
    fields = [(b"X-Odd", b"a  b\t\xff"), (b"set-cookie", b"a"), (b"Set-Cookie", b"b"), (b"Server", b"theirs")]
    assert encode(fields, 3) == (
        b"HTTP/1.1 200 OK\r\nX-Odd: a  b\t\xff\r\nset-cookie: a\r\nSet-Cookie: b\r\nServer: theirs\r\n"
        b"Date: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 3\r\n\r\n"
    )


def test_a_reason_goes_out_as_it_came() -> None:
    assert encode([], reason="").startswith(b"HTTP/1.1 200 \r\n")
    assert encode([], reason=b"Caf\xe9".decode("utf-8", "surrogateescape")).startswith(b"HTTP/1.1 200 Caf\xe9\r\n")


@pytest.mark.parametrize(
    ("length", "status", "chunked", "framing"),
    [
        (3, 200, False, b"Content-Length: 3"),
        (0, 200, False, b"Content-Length: 0"),
        (None, 200, True, b"Transfer-Encoding: chunked"),
        (None, 200, False, b""),
        (3, 304, False, b"Content-Length: 3"),
        (3, 204, False, b""),
    ],
)
def test_the_framing_fits(length: int | None, status: int, chunked: bool, framing: bytes) -> None:
    lines = encode([], length, status, chunked=chunked).split(b"\r\n")[2:-2]
    assert lines == ([framing] if framing else [])


@pytest.mark.parametrize("bad", [b"\x00", b"\r", b"\n", b"\r\nX: y", b"\x01", b"\x7f"])
def test_a_control_byte_would_end_the_head_early_and_is_refused(bad: bytes) -> None:
    with pytest.raises(ValueError, match="control byte"):
        encode([(b"X", b"a" + bad + b"b")])
    with pytest.raises(ValueError, match=r"control byte|Reason cannot"):
        encode([], reason=f"a{bad.decode()}b")


def test_a_date_is_added_where_there_is_none() -> None:
    response = Downstream(200, "OK", [], 0)
    response._keep_alive = True
    line = response.encode_head((1, 1), chunked=False).split(b"\r\n")[2]
    assert parsedate_to_datetime(line.decode().removeprefix("Date: ")).year >= 2024


def test_a_refusal_is_in_the_dialects_form_with_both_ids() -> None:
    refusal = build_refusal(
        Code.UNAUTHORIZED, RequestId("req_1"), DIALECTS["anthropic"], [(b"WWW-Authenticate", b"Bearer")]
    )
    raw = refusal.encode_closing()
    head, _, body = raw.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 401 Unauthorized\r\n")
    for line in (b"request-id: req_1", b"x-penstock-request-id: req_1", b"WWW-Authenticate: Bearer",
                 b"Cache-Control: no-store", b"Connection: close", b"Content-Length: %d" % len(body)):  # fmt: skip
        assert line in head.split(b"\r\n")
    assert json.loads(body)["error"]["type"] == "authentication_error"


@pytest.mark.parametrize(
    ("request_", "answer", "lines", "body"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"ab", {b"Content-Length: 2"}, b"ab"),
        (b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", b"ab", {b"Content-Length: 2"}, b""),
        (b"GET / HTTP/1.0\r\n\r\n", b"ab", {b"Content-Length: 2", b"Connection: close"}, b"ab"),
        (
            b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
            b"ab",
            {b"Content-Length: 2", b"Connection: keep-alive"},
            b"ab",
        ),
        (
            b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            b"ab",
            {b"Content-Length: 2", b"Connection: close"},
            b"ab",
        ),
    ],
)
async def test_a_whole_answer_on_the_wire(request_: bytes, answer: bytes, lines: set[bytes], body: bytes) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        return WholeAnswer(200, [], answer)

    async with serving(build_house(), [], handle) as port, connected("127.0.0.1", port) as client:
        await client.send(request_)
        head = await client.until(b"\r\n\r\n")
        assert b"Server:" not in head
        wanted = {line for line in head.split(b"\r\n")[1:-2] if not line.startswith(b"Date:")}
        assert wanted == lines
        assert await client.exactly(len(body)) == body
        if b"Connection: close" in lines:
            assert await client.rest() == b""
        else:
            await client.send(b"GET /again HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert (await client.rest()).startswith(b"HTTP/1.1 200 OK\r\n")


async def test_a_client_that_resets_the_connection_on_its_answer_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    """Its body is still coming in, so this direction is ended: that fails on asyncio's own loop."""
    answered = asyncio.Event()
    clients: list[BareClient] = []

    class Leaving(WholeAnswer):
        def _send_head(self, head: bytes, method: str, transport: asyncio.WriteTransport) -> None:
            super()._send_head(head, method, transport)
            clients[0].leave("rst")
            answered.set()

    async def handle(request: web.Request) -> web.StreamResponse:
        return Leaving(413, [DATE], b"", close=True)

    async with serving(build_house(), [], handle) as port, bare(port) as client:
        clients.append(client)
        await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab")
        await asyncio.wait_for(answered.wait(), 5)
    assert [record.name for record in caplog.records] == []
