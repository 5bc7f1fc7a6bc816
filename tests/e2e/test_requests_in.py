"""Requests as bytes in: what the proxy refuses goes nowhere, what it accepts arrives upstream as it was sent.

The numbers name the cases: 1 to 13 framing, 22 to 37 the grammar of a head, 38 its size, 39 to 47 targets and methods.
Bodies stand in test_request_bodies.py, what is forwarded of a sound request in test_requests_forwarded.py, and what
belongs to a connection with several requests in test_request_connections.py.
"""

import pytest

from tests.helpers.rig import CANARY, TARGET, request, rigged

CHUNKS = b"3\r\nabc\r\n0\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
BAD = (400,)

REFUSED: dict[str, tuple[bytes, tuple[int, ...]]] = {
    "1 length and chunks": (request(b"Content-Length: 5\r\n" + CHUNKED, CHUNKS), BAD),
    "1 chunks and length": (request(CHUNKED + b"Content-Length: 5\r\n", CHUNKS), BAD),
    "2 equal lengths": (request(b"Content-Length: 3\r\nContent-Length: 3\r\n", b"abc"), BAD),
    "3 different lengths": (request(b"Content-Length: 3\r\nContent-Length: 5\r\n", b"abcde"), BAD),
    "4 length list": (request(b"Content-Length: 3, 3\r\n", b"abc"), BAD),
    "5 plus": (request(b"Content-Length: +3\r\n", b"abc"), BAD),
    "5 minus": (request(b"Content-Length: -3\r\n", b"abc"), BAD),
    "5 underscore": (request(b"Content-Length: 1_0\r\n", b"abcdefghij"), BAD),
    "5 hexadecimal": (request(b"Content-Length: 0x3\r\n", b"abc"), BAD),
    "5 empty": (request(b"Content-Length:\r\n", b"abc"), BAD),
    "5 too many digits": (request(b"Content-Length: " + b"9" * 23 + b"\r\n", b"abc"), BAD),
    "7 chunked twice": (request(CHUNKED + CHUNKED, CHUNKS), BAD),
    "7 chunked list": (request(b"Transfer-Encoding: chunked, chunked\r\n", CHUNKS), BAD),
    "8 identity": (request(b"Transfer-Encoding: identity\r\n"), (400, 501)),
    "8 unknown coding": (request(b"Transfer-Encoding: xchunked\r\n", CHUNKS), (400, 501)),
    "9 gzip below chunks": (request(b"Transfer-Encoding: gzip, chunked\r\n", CHUNKS), (501,)),
    "9 gzip in a field of its own": (request(b"Transfer-Encoding: gzip\r\n" + CHUNKED, CHUNKS), (400, 501)),
    "10 chunked not last": (request(b"Transfer-Encoding: chunked, gzip\r\n", CHUNKS), BAD),
    "11 empty member": (request(b"Transfer-Encoding: ,chunked\r\n", CHUNKS), BAD),
    "12 vertical tab": (request(b"Transfer-Encoding: \x0bchunked\r\n", CHUNKS), BAD),
    "12 blank before colon": (request(b"Transfer-Encoding : chunked\r\n", CHUNKS), BAD),
    "13 chunks in HTTP/1.0": (request(CHUNKED, CHUNKS, version=b"HTTP/1.0"), BAD),
    "22 folded line": (request(b"X-Fold: a\r\n c4n4ry\r\n"), BAD),
    "23 blank before first field": (request(host=b" Host: a\r\n"), BAD),
    "24 blank after name": (request(b"X : c4n4ry\r\n"), BAD),
    "24 no name": (request(b": c4n4ry\r\n"), BAD),
    "24 no colon": (request(b"Xc4n4ry\r\n"), BAD),
    "24 control in name": (request(b"X\x01c4n4ry: a\r\n"), BAD),
    "24 byte above ASCII in name": (request(b"X\xefc4n4ry: a\r\n"), BAD),
    "25 NUL": (request(b"X: c4n4ry\x00b\r\n"), BAD),
    "25 CR": (request(b"X: c4n4ry\rb\r\n"), BAD),
    "25 LF": (request(b"X: c4n4ry\nb\r\n"), BAD),
    "25 control": (request(b"X: c4n4ry\x01b\r\n"), BAD),
    "25 DEL": (request(b"X: c4n4ry\x7fb\r\n"), BAD),
    "26 not UTF-8": (request(b"X: c4n4ry\xffb\r\n"), BAD),
    "28 LF alone": (request(b"X: a\r\n").replace(b"\r\n", b"\n"), BAD),
    "28 CRLF LF": (request(b"X: a\r\n")[:-2] + b"\n", BAD),
    "28 CR CR": (request(b"X: a\r\n")[:-2] + b"\r\rX", BAD),
    "30 no Host": (request(host=b""), BAD),
    "30 two Hosts": (request(host=b"Host: a\r\nHost: a\r\n"), BAD),
    "31 blank in Host": (request(host=b"Host: a b\r\n"), BAD),
    "31 userinfo in Host": (request(host=b"Host: a/b@c\r\n"), BAD),
    "34 HTTP/2.0": (request(version=b"HTTP/2.0"), (505,)),
    "35 HTTP/1.2": (request(version=b"HTTP/1.2"), (400, 505)),
    "35 HTTP/1.32": (request(version=b"HTTP/1.32"), (400, 505)),
    "35 lower case": (request(version=b"http/1.1"), (400, 505)),
    "36 tab": (request().replace(b"POST /", b"POST\t/").replace(b" HTTP", b"\tHTTP"), BAD),
    "36 blank in target": (request(target=b"/up/c4n4ry b"), BAD),
    "37 unknown method": (request(method=b"FOO"), (400, 501)),
    "37 method in lower case": (request(method=b"get"), (400, 501)),
    "38 target": (request(target=TARGET + b"x" * 9000), (414,)),
    "38 target without end": (b"GET " + TARGET + b"x" * 9000, (414,)),
    "38 field": (request(b"X: c4n4ry" + b"x" * 17_000 + b"\r\n"), (431,)),
    "38 fields": (request(b"X: c4n4ry\r\n" * 200), (431,)),
    "39 http": (request(method=b"GET", target=b"http://evil/up/c4n4ry"), BAD),
    "39 https": (request(method=b"GET", target=b"https://evil/up/c4n4ry"), BAD),
    "39 ftp": (request(method=b"GET", target=b"ftp://evil/up/c4n4ry"), BAD),
    "39 userinfo": (request(method=b"GET", target=b"http://u:p@evil/up/c4n4ry"), BAD),
    "41 no slash": (request(method=b"GET", target=b"@evil/c4n4ry"), BAD),
    "42 CONNECT": (request(method=b"CONNECT", target=b"evil:443"), (405,)),
    "43 OPTIONS *": (request(method=b"OPTIONS", target=b"*"), BAD),
    "43 GET *": (request(method=b"GET", target=b"*"), BAD),
    "44 TRACE": (request(method=b"TRACE"), (405,)),
    "46 fragment": (request(target=TARGET + b"#frag"), BAD),
    "47 UTF-8 in target": (request(target=TARGET + "\u00fc".encode()), BAD),
    "47 byte above ASCII in target": (request(target=TARGET + b"\xff"), BAD),
    "47 NUL in target": (request(target=TARGET + b"\x00"), BAD),
    "49 unknown expectation": (request(b"Expect: c4n4ry\r\nContent-Length: 3\r\n", b"abc"), (417,)),
}


@pytest.mark.parametrize("step", [0, 1, 7], ids=["whole", "byte by byte", "in sevens"])
@pytest.mark.parametrize("case", REFUSED)
async def test_refused_head_reaches_no_upstream_and_is_not_quoted(
    case: str, step: int, caplog: pytest.LogCaptureFixture
) -> None:
    data, statuses = REFUSED[case]
    assert CANARY in data
    async with rigged(caplog) as rig:
        await rig.assert_refused(data, *statuses, step=step)
        record = await rig.proxy.wait_record()
        assert record.status in statuses
        assert record.error


@pytest.mark.parametrize("case", REFUSED)
async def test_nothing_behind_a_refused_head_is_served(case: str, caplog: pytest.LogCaptureFixture) -> None:
    data, statuses = REFUSED[case]
    async with rigged(caplog) as rig:
        # 400 as well: bytes behind what must be the last request are a fault of their own.
        await rig.assert_refused(data + request(method=b"GET") * 2, *statuses, 400)
        assert len(rig.proxy.records) == 1


async def test_33_a_request_without_version_is_cut_within_the_head_timeout(caplog: pytest.LogCaptureFixture) -> None:
    async with rigged(caplog, limits={"head_timeout": "300ms"}) as rig:
        await rig.assert_refused(b"GET /up/c4n4ry\r\n", 400, 408)


@pytest.mark.parametrize("start", [b"G", b"GET /up/c4n4ry HTTP/1.1\r\nHo", b"\r\n"])
async def test_33_a_head_that_does_not_end_is_cut_within_the_head_timeout(
    start: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with rigged(caplog, limits={"head_timeout": "300ms"}) as rig:
        await rig.assert_refused(start, 408)


@pytest.mark.parametrize("target", [b"//evil/p", b"/@evil", b"/upx/c4n4ry", b"/c4n4ry"])
async def test_40_41_a_path_below_no_mount_is_not_found(target: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async with rigged(caplog) as rig, rig.client() as client:
        await client.send(request(method=b"GET", target=target))
        reply = await client.reply()
        assert reply.status == 404
        assert CANARY not in reply.raw + reply.body
        assert rig.upstream.connections == 0


@pytest.mark.parametrize(
    "rest", [b"..", b"%2e%2e", b"%2E.", b"a/../..", b"a/%2e%2e/%2e./x", b"%252e%252e", b"..%2fx", b"..;/x", b"..\\x"]
)
async def test_45_a_path_that_can_be_read_as_leaving_the_mount_is_refused(
    rest: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with rigged(caplog) as rig, rig.client() as client:
        await client.send(request(method=b"GET", target=b"/up/" + rest + b"?c4n4ry"))
        reply = await client.reply()
        assert reply.status == 400
        assert CANARY not in reply.raw + reply.body
        assert rig.upstream.connections == 0


async def test_44_options_with_no_hop_left_is_answered_here(caplog: pytest.LogCaptureFixture) -> None:
    async with rigged(caplog) as rig, rig.client() as client:
        await client.send(request(b"Max-Forwards: 0\r\n", method=b"OPTIONS"))
        reply = await client.reply(bodiless=True)
        assert (reply.status, "allow" in reply.headers) == (204, True)
        assert CANARY not in reply.raw
        assert rig.upstream.connections == 0


@pytest.mark.parametrize("method", [b"TRACE", b"CONNECT"])
async def test_42_44_a_method_that_is_not_served_names_those_that_are(
    method: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with rigged(caplog) as rig:
        answer = await rig.assert_refused(request(method=method), 405, 400)
        if b" 405 " in answer:
            assert b"Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n" in answer
