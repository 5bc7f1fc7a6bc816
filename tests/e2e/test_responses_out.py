"""Whole answers of an upstream as bytes: what the client sees of them, byte for byte.

The numbers name the cases R1 to R25; what breaks off stands in test_responses_broken.py, what belongs to the life of
the connection upstream in test_responses_connection.py.
"""

from dataclasses import dataclass

import pytest

from tests.helpers.answers import GET, GET_1_0, HEAD, between, strip_own
from tests.helpers.origin import origin
from tests.helpers.rawhttp import connected

OK = "HTTP/1.1 200 OK"
CL2 = "Content-Length: 2"
CHUNKED = "Transfer-Encoding: chunked"
ABC = b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"


@dataclass(frozen=True)
class Case:
    """`data` is upstream's answer, then it keeps the connection or ends it by FIN; the rest is the client's view."""

    data: bytes
    status: str = OK
    fields: tuple[str, ...] = (CL2,)
    body: bytes = b"ok"
    then: str = "keep"
    request: bytes = GET
    date: bool = False


def head(*lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


def whole(*fields: str, status: str = OK, **more: object) -> Case:
    """An answer with the body `ok` whose fields come back as they are."""
    return Case(head(status, *fields, CL2) + b"ok", status, (*fields, CL2), **more)  # type: ignore[arg-type]


MANY = tuple(f"X-{number}: {number}" for number in range(200))

CASES: dict[str, Case] = {
    "R6 end of the connection": Case(head(OK) + b"abc", fields=(CHUNKED,), body=b"abc", then="fin"),
    "R6 nothing before it": Case(head(OK), fields=(CHUNKED,), body=b"", then="fin"),
    "R6 upstream speaks HTTP/1.0": Case(head("HTTP/1.0 200 OK") + b"abc", fields=(CHUNKED,), body=b"abc", then="fin"),
    "R6 an HTTP/1.0 client": Case(
        head(OK) + b"abc", fields=("Connection: close",), body=b"abc", then="fin", request=GET_1_0
    ),
    "R8 204": Case(head("HTTP/1.1 204 No Content"), "HTTP/1.1 204 No Content", (), b""),
    "R8 204 with length": Case(
        head("HTTP/1.1 204 No Content", "Content-Length: 0"), "HTTP/1.1 204 No Content", (), b""
    ),
    "R8 204 with a false length": Case(head("HTTP/1.1 204 No Content", CL2), "HTTP/1.1 204 No Content", (), b""),
    "R8 204 with chunks": Case(head("HTTP/1.1 204 No Content", CHUNKED), "HTTP/1.1 204 No Content", (), b""),
    "R8 304": Case(head("HTTP/1.1 304 Not Modified", "ETag: a"), "HTTP/1.1 304 Not Modified", ("ETag: a",), b""),
    "R8 304 with length": Case(head("HTTP/1.1 304 Not Modified", CL2), "HTTP/1.1 304 Not Modified", (CL2,), b""),
    "R8 304 with chunks": Case(head("HTTP/1.1 304 Not Modified", CHUNKED), "HTTP/1.1 304 Not Modified", (), b""),
    "R8 HEAD": Case(head(OK), fields=(), body=b"", request=HEAD),
    "R8 HEAD with length": Case(head(OK, CL2), body=b"", request=HEAD),
    "R8 HEAD with chunks": Case(head(OK, CHUNKED), fields=(), body=b"", request=HEAD),
    "R9 100": Case(head("HTTP/1.1 100 Continue") + head(OK, CL2) + b"ok"),
    "R9 102 and 103": Case(head("HTTP/1.1 102 P") + head("HTTP/1.1 103 E", "Link: </a>") + head(OK, CL2) + b"ok"),
    "R9 fifty": Case(head("HTTP/1.1 103 Early Hints", "Link: </a>") * 50 + head(OK, CL2) + b"ok"),
    "R11 999": whole(status="HTTP/1.1 999 Request Denied"),
    "R11 no reason": Case(b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 200 "),
    "R11 another reason": whole(status="HTTP/1.1 200 Alles in Ordnung"),
    "R13 folded line": Case(head(OK, "X: a\r\n b", CL2) + b"ok", fields=("X: a b", CL2)),
    "R14 LF only": Case(head(OK, "X: a", CL2).replace(b"\r\n", b"\n") + b"ok", fields=("X: a", CL2)),
    "R15 200 fields": whole(*MANY),
    "R15 9 KB": whole("X: " + "a" * 9000),
    "R15 60 KB": whole("X: " + "a" * 60_000),
    "R16 cookies": whole("Set-Cookie: a=1; Path=/", "X: y", "set-cookie: b=2", "Set-Cookie: a=1"),
    "R17 gzip": Case(
        head(OK, "Content-Encoding: gzip", "Content-Length: 4") + b"\x1f\x8b\x00\xff",
        fields=("Content-Encoding: gzip", "Content-Length: 4"),
        body=b"\x1f\x8b\x00\xff",
    ),
    "R18 nominated": Case(
        head(OK, "Connection: X-Up, keep-alive", "X-Up: 1", "Keep-Alive: timeout=5", "X-B: 2", CL2) + b"ok",
        fields=("X-B: 2", CL2),
    ),
    "R18 hop-by-hop": Case(
        head(OK, "Proxy-Connection: close", "Upgrade: h2c", "Proxy-Authenticate: Basic", "TE: a", CL2) + b"ok"
    ),
    "R19 nothing but a length": whole(),
    "R19 Date": whole("Date: Thu, 01 Jan 1970 00:00:00 GMT", date=True),
    "R19 Server": whole("Server: x", "Content-Type: a/b", "Via: 1.1 y"),
    **{
        f"R20 {status}": whole("Location: http://127.0.0.1:1/elsewhere", status=f"HTTP/1.1 {status} Moved")
        for status in (301, 302, 303, 307, 308)
    },
    "R23 trailers": Case(
        head(OK, "Trailer: X-T", CHUNKED) + ABC[:-2] + b"X-T: 1\r\n\r\n", fields=(CHUNKED,), body=b"abc"
    ),
    "R24 an HTTP/1.0 client": Case(
        head(OK, CHUNKED) + ABC, fields=("Connection: close",), body=b"abc", request=GET_1_0
    ),
    "chunks": Case(head(OK, CHUNKED) + ABC, fields=(CHUNKED,), body=b"abc"),
    "chunks in capitals": Case(head(OK, "TRANSFER-ENCODING: Chunked") + ABC, fields=(CHUNKED,), body=b"abc"),
    "chunk extensions": Case(
        head(OK, CHUNKED) + b"1;a=b\r\na\r\n2 ;c\r\nbc\r\n0;d\r\n\r\n", fields=(CHUNKED,), body=b"abc"
    ),
    "no body": Case(head(OK, "Content-Length: 0"), fields=("Content-Length: 0",), body=b""),
    "no body in chunks": Case(head(OK, CHUNKED) + b"0\r\n\r\n", fields=(CHUNKED,), body=b""),
    "UTF-8 in value and reason": Case(
        head("HTTP/1.1 200 \u00fc", "X: \u00fc", CL2) + b"ok", "HTTP/1.1 200 \u00c3\u00bc", ("X: \u00c3\u00bc", CL2)
    ),
    "bytes above ASCII in value and reason": Case(
        b"HTTP/1.1 200 \xff\r\nX: \xff\xfe\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 200 \xff", ("X: \xff\xfe", CL2)
    ),
    "order, case and duplicates": whole("b: 1", "A: 2", "B: 3", "a: 4", "X-Empty: "),
    "an error with its body": whole("Retry-After: 3", "Content-Type: x", status="HTTP/1.1 529 Overloaded"),
    "4xx": whole("WWW-Authenticate: Basic", status="HTTP/1.1 401 Unauthorized"),
}  # fmt: skip


@pytest.mark.parametrize("step", [0, 1], ids=["whole", "byte by byte"])
@pytest.mark.parametrize("name", CASES)
async def test_answer_comes_back_as_it_was_sent(name: str, step: int, pull: bool) -> None:
    case = CASES[name]
    step = step if len(case.data) < 5000 else step * 997
    async with between(pull=pull) as stage, connected("127.0.0.1", stage.proxy.port) as client:
        await client.send(case.request)
        await stage.play(case.data, then=case.then, step=step)
        reply = await client.reply(bodiless=case.request == HEAD or case.status[9:12] in ("204", "304"))
        assert strip_own(reply.raw, date=case.date) == (case.status, list(case.fields))
        assert reply.body == case.body
        if case.request == GET_1_0:
            assert await client.rest() == b""
            return
        # The client's connection serves on, and the next answer is read from where the next answer is.
        await client.send(GET)
        await stage.play_next(head(OK, "Content-Length: 4") + b"next")
        assert (await client.reply()).body == b"next"


REFUSED: dict[str, bytes] = {
    "R4 length and chunks": head(OK, "Content-Length: 5", CHUNKED) + ABC,
    "R4 chunks and length": head(OK, CHUNKED, "Content-Length: 5") + ABC,
    "R4 two lengths": head(OK, CL2, "Content-Length: 3") + b"ok",
    "R4 a length twice": head(OK, CL2, CL2) + b"ok",
    "R4 a list of lengths": head(OK, "Content-Length: 2, 2") + b"ok",
    "R4 a length that is none": head(OK, "Content-Length: +2") + b"ok",
    "R7 gzip below chunks": head(OK, "Transfer-Encoding: gzip, chunked") + ABC,
    "R7 gzip in a field of its own": head(OK, "Transfer-Encoding: gzip", CHUNKED) + ABC,
    "R7 unknown": head(OK, "Transfer-Encoding: x") + ABC,
    "R7 chunked twice": head(OK, CHUNKED, CHUNKED) + ABC,
    "R7 chunked not last": head(OK, "Transfer-Encoding: chunked, gzip") + ABC,
    "R10 101": head("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"),
    "R11 099": head("HTTP/1.1 099 x", CL2) + b"ok",
    "R11 2000": head("HTTP/1.1 2000 x", CL2) + b"ok",
    "R11 20": head("HTTP/1.1 20 x", CL2) + b"ok",
    "R12 control in value": head(OK, "X: a\x01b", CL2) + b"ok",
    "R12 control in reason": head("HTTP/1.1 200 a\x01b", CL2) + b"ok",
    "R12 NUL in value": head(OK, "X: a\x00b", CL2) + b"ok",
    "R12 DEL in value": head(OK, "X: a\x7fb", CL2) + b"ok",
    "R12 CR in value": head(OK, "X: a\rb", CL2) + b"ok",
    "R15 257 fields": head(OK, *(f"X-{number}: a" for number in range(256)), CL2) + b"ok",
    "R15 a field above 64 KB": head(OK, "X: " + "a" * 66_000, CL2) + b"ok",
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "a name with a blank": head(OK, "X Y: a", CL2) + b"ok",
    "no name": head(OK, ": a", CL2) + b"ok",
}


@pytest.mark.parametrize("step", [0, 1], ids=["whole", "byte by byte"])
@pytest.mark.parametrize("name", REFUSED)
async def test_answer_that_is_not_sound_becomes_a_502(name: str, step: int, pull: bool) -> None:
    data = REFUSED[name]
    step = step if len(data) < 5000 else step * 997
    async with between(pull=pull) as stage, connected("127.0.0.1", stage.proxy.port) as client:
        await client.send(GET)
        peer = await stage.play(data, step=step)
        reply = await client.reply()
        assert (reply.status, reply.json["error"]["code"]) == (502, "upstream_protocol")
        if not pull or name.startswith("R4"):  # without the hand-over an answer may be over before it is refused
            await peer.wait_closed(1.0)
        await client.send(GET)  # the client's own connection is sound
        await stage.play_next(head(OK, CL2) + b"ok")
        assert (await client.reply()).body == b"ok"


async def test_r14_chunks_may_end_their_lines_with_lf_alone() -> None:
    """By our own framing: without the hand-over the body is aiohttp's, which refuses it."""
    data = (head(OK, CHUNKED) + ABC).replace(b"\r\n", b"\n")
    async with between(pull=False) as stage, connected("127.0.0.1", stage.proxy.port) as client:
        await client.send(GET)
        await stage.play(data)
        assert (await client.reply()).body == b"abc"


async def test_r20_a_redirect_is_not_followed(pull: bool) -> None:
    async with origin() as elsewhere, between(pull=pull) as stage, connected("127.0.0.1", stage.proxy.port) as client:
        location = f"Location: {elsewhere.base_url}/x"
        await client.send(GET)
        await stage.play(head("HTTP/1.1 307 Temporary Redirect", location, CL2) + b"ok")
        reply = await client.reply()
        assert strip_own(reply.raw) == ("HTTP/1.1 307 Temporary Redirect", [location, CL2])
        assert not elsewhere.peers
