"""The request reader: strict, and indifferent to how the bytes are cut."""

import pytest

from proxy.demo.http1 import ChunkedBody, LengthBody, MalformedRequest, open_body, parse_head

GOOD = b"POST /a%20b?x=1&y HTTP/1.1\r\nHost: a\r\nX-A:  b c \r\nx-a:d\r\nEmpty:"


def test_head_keeps_order_case_and_raw_target() -> None:
    head = parse_head(GOOD)
    assert (head.method, head.target, head.path) == ("POST", b"/a%20b?x=1&y", "/a b")
    assert head.query == [("x", "1"), ("y", "")]
    assert head.headers == ((b"Host", b"a"), (b"X-A", b"b c"), (b"x-a", b"d"), (b"Empty", b""))
    assert head.values(b"x-a") == [b"b c", b"d"]
    assert head.keep_alive


@pytest.mark.parametrize(("line", "kept"), [(b"Connection: x, Close", False), (b"Connection: keep-alive", True)])
def test_connection_option_decides_keep_alive(line: bytes, kept: bool) -> None:
    assert parse_head(b"GET / HTTP/1.1\r\nHost: a\r\n" + line).keep_alive is kept


@pytest.mark.parametrize(
    "block",
    [
        b"GET /",
        b"GET  / HTTP/1.1\r\nHost: a",
        b"GET / HTTP/2.0\r\nHost: a",
        b"GET http://a/ HTTP/1.1\r\nHost: a",
        b"GET / HTTP/1.1",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: a",
        b"GET / HTTP/1.1\r\nHost: a\r\n b",
        b"GET / HTTP/1.1\r\nHost: a\r\nX : b",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: b\x00",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: b\nY: c",
        b"GET / HTTP/1.1\r\nHost: a\r\n: b",
    ],
)
def test_malformed_heads_are_refused(block: bytes) -> None:
    with pytest.raises(MalformedRequest):
        parse_head(block)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        (b"Content-Length: 1\r\nContent-Length: 1", 400),
        (b"Content-Length: 1\r\nTransfer-Encoding: chunked", 400),
        (b"Content-Length: +1", 400),
        (b"Content-Length: ", 400),
        (b"Transfer-Encoding: gzip, chunked", 501),
    ],
)
def test_doubtful_body_lengths_are_refused(fields: bytes, status: int) -> None:
    head = parse_head(b"POST / HTTP/1.1\r\nHost: a\r\n" + fields)
    with pytest.raises(MalformedRequest) as caught:
        open_body(head)
    assert caught.value.status == status


CHUNKED = b"3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nT: r\r\n\r\n"


def test_chunked_body_is_the_same_at_every_cut() -> None:
    for cut in range(len(CHUNKED) + 1):
        body, buffer = ChunkedBody(), bytearray(CHUNKED[:cut])
        out = body.take(buffer)
        buffer += CHUNKED[cut:] + b"NEXT"
        out += body.take(buffer)
        assert (out, body.done, bytes(buffer)) == (b"abc0123456789", True, b"NEXT")


def test_chunked_body_byte_by_byte_is_done_at_its_last_byte() -> None:
    body, buffer, out = ChunkedBody(), bytearray(), b""
    for byte in CHUNKED:
        assert not body.done
        buffer.append(byte)
        out += body.take(buffer)
    assert (out, body.done) == (b"abc0123456789", True)


@pytest.mark.parametrize(
    "data", [b"x\r\n", b"\r\n", b" 3\r\n", b"0x3\r\n", b"3\r\nabcd\r\n", b"1" * 5000, b"3\nabc\r\n"]
)
def test_bad_chunks_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedRequest):
        ChunkedBody().take(bytearray(data))


def test_length_body_leaves_what_follows() -> None:
    body, buffer = LengthBody(3), bytearray(b"abcNEXT")
    assert (body.take(buffer), body.done, bytes(buffer)) == (b"abc", True, b"NEXT")
