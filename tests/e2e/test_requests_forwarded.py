"""Sound requests as bytes in: what a strict reader finds on the upstream's side, byte for byte.

The numbers name the cases of test_requests_in.py. After each request a second one goes over the same connection: had
the first been measured wrongly, the second would not be understood.
"""

from dataclasses import dataclass, field

import pytest

from tests.helpers.rawhttp import RawClient, Reply
from tests.helpers.recorder import OK, Seen
from tests.helpers.rig import CANARY, PLAIN, TARGET, Rig, request, rigged

X = (b"x-canary", CANARY)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"3\r\nabc\r\n0\r\n\r\n"


@dataclass(frozen=True)
class Case:
    """`fields` are the end-to-end ones upstream gets behind X-Canary."""

    data: bytes
    fields: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    target: bytes = TARGET.removeprefix(b"/up")
    method: str = "POST"


def get(target: bytes) -> Case:
    return Case(request(method=b"GET", target=b"/up" + target), method="GET", target=target)


TARGETS = (
    b"/v1/../admin", b"/v1/%2e%2e/admin", b"/a%2fb", b"/a%2Fb", b"/a%00b", b"/a%zz", b"/a;b=c;d", b"/a&&b", b"/a?",
    b"/%7ea", b"/~a", b"//evil/p", b"/@evil", b"/a//b/", b"/./a", b"/a?b=%20+&&=c", b"/a?b?c", b"/a?/../..", b"/%c3%bc",
    b"/a[1]{2}|\\^`\"<>", b"/a:b@c!$'()*,", b"/a%", b"/...", b"/http://evil/",
)  # fmt: skip

ACCEPTED: dict[str, Case] = {
    "6 blank behind length": Case(request(b"Content-Length: 3 \r\n", b"abc"), body=b"abc"),
    "17 extension": Case(request(CHUNKED, b"3;a=b\r\nabc\r\n0;c\r\n\r\n"), body=b"abc"),
    "20 trailer": Case(request(CHUNKED + b"Trailer: X-A\r\n", CHUNKS[:-2] + b"X-A: 1\r\n\r\n"), body=b"abc"),
    "27 Content_Length": Case(request(b"Content_Length: 5\r\n"), [(b"content_length", b"5")]),
    "27 Transfer_Encoding": Case(request(b"Transfer_Encoding: chunked\r\n"), [(b"transfer_encoding", b"chunked")]),
    "29 one CRLF before": Case(b"\r\n" + request()),
    "29 two CRLF before": Case(b"\r\n\r\n" + request()),
    "36 two blanks": Case(request().replace(b" HTTP", b"  HTTP").replace(b"POST ", b"POST  ")),
    "38 field of 9000": Case(request(b"X: " + b"x" * 9000 + b"\r\n"), [(b"x", b"x" * 9000)]),
    "38 target of 8000": get(b"/" + b"x" * 8000),
    "44 Max-Forwards": Case(
        request(b"Max-Forwards: 3\r\n", method=b"OPTIONS"), [(b"max-forwards", b"2")], method="OPTIONS"
    ),
    "44 Max-Forwards elsewhere": Case(
        request(b"Max-Forwards: 0\r\n", method=b"GET"), [(b"max-forwards", b"0")], method="GET"
    ),
    "51 nominated field": Case(request(b"Connection: keep-alive, X-A\r\nX-A: 1\r\nX-B: 2\r\n"), [(b"x-b", b"2")]),
    "52 hop-by-hop fields": Case(
        request(
            b"Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nTE: trailers\r\nTrailer: X-T\r\nUpgrade: foo\r\n"
            b"Proxy-Authorization: Basic c4n4ry\r\nProxy-Authenticate: Basic\r\n" + CHUNKED,
            CHUNKS,
        ),
        body=b"abc",
    ),
    "53 nominated framing": Case(
        request(b"Connection: Host, Content-Length\r\nContent-Length: 3\r\n", b"abc"), body=b"abc"
    ),
    "53 nominated chunks": Case(request(b"Connection: Transfer-Encoding\r\n" + CHUNKED, CHUNKS), body=b"abc"),
    "54 h2c": Case(
        request(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"),
    ),
    "56 GET with body": Case(request(b"Content-Length: 3\r\n", b"abc", method=b"GET"), body=b"abc", method="GET"),
    "59 duplicates": Case(request(b"a: 1\r\nA: 2\r\na: 3\r\n"), [(b"a", b"1"), (b"a", b"2"), (b"a", b"3")]),
    "59 order among others": Case(
        request(b"B: 1\r\na: 1\r\nb: 2\r\nA: 2\r\n"), [(b"b", b"1"), (b"a", b"1"), (b"b", b"2"), (b"a", b"2")]
    ),
    "UTF-8 in a value": Case(request("X: \u00fc\r\n".encode()), [(b"x", "\u00fc".encode())]),
    "empty value": Case(request(b"X:\r\nY: \t \r\n"), [(b"x", b""), (b"y", b"")]),
    "blanks within a value": Case(request(b"X: \t a \t b \t \r\n"), [(b"x", b"a \t b")]),
    **{f"45 {target.decode()}": get(target) for target in TARGETS},
    **{f"any method {name}": Case(request(method=name.encode()), method=name) for name in ("PUT", "PATCH", "DELETE")},
}  # fmt: skip


def assert_seen(rig: Rig, seen: Seen, case: Case) -> None:
    assert (seen.method, seen.target) == (case.method, case.target)
    assert seen.fields == [X, *case.fields]
    assert (seen.body, seen.whole) == (case.body, True)
    assert seen.framing[b"host"] == rig.upstream.authority
    if case.body and b"chunked" not in case.data:
        assert seen.framing[b"content-length"] == b"%d" % len(case.body)


async def assert_serves_on(rig: Rig, client: RawClient, reply: Reply, case: Case) -> None:
    """Over the same connection, but behind chunks: their last trailer would become a field of the next request."""
    if b"Transfer-Encoding" in case.data:
        assert reply.headers["connection"] == "close"
        assert await client.rest() == b""
        return
    assert "connection" not in reply.headers
    await client.send(PLAIN)
    reply = await client.reply()
    assert (reply.status, reply.body) == (200, b"ok")
    last = rig.upstream.requests[-1]
    assert (last.method, last.target, last.fields, last.body) == ("GET", b"/next", [], b"")


@pytest.mark.parametrize("step", [0, 1], ids=["whole", "byte by byte"])
@pytest.mark.parametrize("name", ACCEPTED)
async def test_sound_request_arrives_as_it_was_sent(
    name: str, step: int, pull: bool, caplog: pytest.LogCaptureFixture
) -> None:
    case = ACCEPTED[name]
    async with rigged(caplog, pull=pull) as rig, rig.client() as client:
        await client.send_slowly(case.data, step)
        reply = await client.reply()
        assert (reply.status, reply.body) == (200, b"ok")
        assert CANARY not in reply.raw
        assert len(rig.upstream.requests) == 1
        assert_seen(rig, rig.upstream.requests[0], case)
        await assert_serves_on(rig, client, reply, case)


@pytest.mark.parametrize(
    "trailer", ["X-A: 1", "Transfer-Encoding: chunked", "Content-Length: 9", "Host: evil", "Authorization: c4n4ry"]
)
async def test_21_a_trailer_is_never_used_as_a_field(
    trailer: str, pull: bool, caplog: pytest.LogCaptureFixture
) -> None:
    data = request(CHUNKED, CHUNKS[:-2] + trailer.encode() + b"\r\n\r\n")
    async with rigged(caplog, pull=pull) as rig:
        answer = await rig.answer_to(data + PLAIN)
        assert CANARY not in answer
        if b" 400 " in answer:
            assert rig.upstream.connections == 0
            return
        assert answer.count(b"HTTP/1.1 200 OK\r\n") == 1
        (seen,) = rig.upstream.requests
        assert (seen.fields, seen.body, seen.framing[b"host"]) == ([X], b"abc", rig.upstream.authority)


@pytest.mark.parametrize("form", [b"http://127.0.0.1:%d", b"HTTP://localhost:%d"])
async def test_39_absolute_form_of_our_own_authority_is_understood(
    form: bytes, pull: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async with rigged(caplog, pull=pull) as rig, rig.client() as client:
        await client.send(request(method=b"GET", target=form % rig.proxy.port + b"/up/a%2f?c4n4ry"))
        assert (await client.reply()).status == 200
        assert rig.upstream.requests[0].target == b"/a%2f?c4n4ry"
        assert rig.upstream.requests[0].framing[b"host"] == rig.upstream.authority


@pytest.mark.parametrize("rest", [b"", b"?", b"?c4n4ry"])
async def test_45_a_mount_without_a_rest_asks_for_the_base_path(
    rest: bytes, pull: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async with rigged(caplog, pull=pull) as rig, rig.client() as client:
        await client.send(request(method=b"GET", target=b"/up" + rest))
        assert (await client.reply()).status == 200
        assert rig.upstream.requests[0].target == b"/" + rest


async def test_32_http_1_0_without_host_is_served_and_closed(pull: bool, caplog: pytest.LogCaptureFixture) -> None:
    async with rigged(caplog, pull=pull) as rig:
        answer = await rig.answer_to(request(version=b"HTTP/1.0", host=b""))
        head, _, body = answer.partition(b"\r\n\r\n")
        assert (head.split(b"\r\n")[0], body) == (b"HTTP/1.1 200 OK", b"ok")
        assert b"Connection: close" in head
        assert rig.upstream.requests[0].framing[b"host"] == rig.upstream.authority


async def test_53_a_nominated_credential_still_goes_where_credentials_pass(
    pull: bool, caplog: pytest.LogCaptureFixture
) -> None:
    fields = b"Connection: Authorization\r\nAuthorization: Bearer c4n4ry\r\n"
    async with rigged(caplog, pull=pull, mount={"auth": "pass"}) as rig, rig.client() as client:
        await client.send(request(fields))
        assert (await client.reply()).status == 200
        assert rig.upstream.requests[0].fields == [X, (b"authorization", b"Bearer " + CANARY)]


async def test_62_via_is_appended_where_configured(pull: bool, caplog: pytest.LogCaptureFixture) -> None:
    async with rigged(caplog, pull=pull, server={"via": "penstock-a"}) as rig, rig.client() as client:
        await client.send(request(b"Via: 1.0 other, 1.1 penstock-ab\r\n"))
        assert (await client.reply()).status == 200
        sent = [(b"via", b"1.0 other, 1.1 penstock-ab"), (b"via", b"1.1 penstock-a")]
        assert rig.upstream.requests[0].fields == [X, *sent]


@pytest.mark.parametrize("value", ["1.1 penstock-a", "1.0 x, 1.1 PENSTOCK-A (c4n4ry)", "HTTP/1.1 penstock-a,1.1 y"])
async def test_62_a_request_that_passed_here_before_is_a_loop(value: str, caplog: pytest.LogCaptureFixture) -> None:
    async with rigged(caplog, server={"via": "penstock-a"}) as rig:
        await rig.assert_refused(request(b"Via: " + value.encode() + b"\r\n"), 508, 502)


async def test_a_request_leaves_in_the_bytes_that_it_is_made_of(caplog: pytest.LogCaptureFixture) -> None:
    async with rigged(caplog) as rig, rig.client() as client:
        await client.send(request(b"Content-Length: 3\r\nB: 2\r\n", b"abc"))
        assert (await client.reply()).raw.startswith(OK[:17])
        assert bytes(rig.upstream.received[0]) == (
            b"POST /c4n4ry?q=c4n4ry HTTP/1.1\r\nhost: " + rig.upstream.authority + b"\r\n"
            b"x-canary: c4n4ry\r\nb: 2\r\ncontent-length: 3\r\n\r\nabc"
        )
