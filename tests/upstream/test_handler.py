"""The hand-over, without sockets: wherever an answer is cut, the head is aiohttp's and every byte behind it is ours."""

import asyncio

import aiohttp
import pytest
from aiohttp.http import RawResponseMessage

from proxy.upstream.handler import HELD_MAX, PushHandler, install, is_supported
from tests.helpers.feeds import every_cut, one_by_one
from tests.helpers.upstreams import build_handler, expect_answer

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nX-A: b\r\n\r\n"
LONG = b"x" * (HELD_MAX + 1)


async def read_head(handler: PushHandler) -> RawResponseMessage:
    async with asyncio.timeout(5):
        while True:
            message, _ = await handler.read()
            if message.code >= 200:
                return message


def take(handler: PushHandler) -> list[bytes]:
    """What is held and what comes from now on."""
    received: list[bytes] = []
    held, _ = handler.take_body(received.append, lambda exc: None)
    received[:0] = held
    return received


@pytest.mark.parametrize(
    "before",
    [
        b"",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n",
    ],
)
@pytest.mark.parametrize("line_end", [b"\r\n", b"\n"])
async def test_head_and_body_come_apart_wherever_they_are_cut(before: bytes, line_end: bytes) -> None:
    head = (before + HEAD).replace(b"\r\n", line_end)
    body = b"\n\nHTTP/1\r\n"
    for pieces in every_cut(head + body):
        handler, transport = build_handler()
        for piece in pieces:
            handler.data_received(piece)
        message = await read_head(handler)
        assert (message.code, message.reason) == (200, "OK")
        assert dict(message.raw_headers)[b"X-A"] == b"b"
        assert handler.has_body
        assert b"".join(take(handler)) == body, pieces
        assert not transport.ended


@pytest.mark.parametrize("framing", [b"Content-Length: 10", b"Transfer-Encoding: chunked", b"X-No: framing"])
async def test_the_body_is_given_as_it_came_framing_and_all(framing: bytes) -> None:
    handler, _ = build_handler()
    handler.data_received(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\nheld")
    received = take(handler)
    handler.data_received(b"5\r\n")
    handler.data_received(b"abc")
    assert received == [b"held", b"5\r\n", b"abc"]


@pytest.mark.parametrize(
    ("method", "head"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n"),
        ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ],
)
async def test_an_answer_without_a_body_has_none_and_what_follows_spoils_the_connection(
    method: str, head: bytes
) -> None:
    for pieces in every_cut(head):
        handler, _ = build_handler(method)
        for piece in pieces:
            handler.data_received(piece)
        await read_head(handler)
        assert not handler.has_body
        handler.let_go(reusable=True)
        assert not handler.should_close
    handler, _ = build_handler(method)
    handler.data_received(head + b"stray")
    await read_head(handler)
    handler.let_go(reusable=True)
    assert handler.should_close


async def test_bytes_that_nobody_asked_for_end_a_kept_connection() -> None:
    handler, transport = build_handler()
    handler.data_received(HEAD + b"0123456789")
    await read_head(handler)
    take(handler)
    handler.let_go(reusable=True)
    assert not handler.should_close
    handler.data_received(b"HTTP/1.1 200 OK\r\n\r\n")
    assert transport.ended == "abort"
    assert not handler.is_connected()


async def test_a_kept_connection_serves_the_next_request() -> None:
    handler, _ = build_handler()
    for number, cut in enumerate((b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r", b"HTTP/1.1 200 OK\r\nContent-Len")):
        assert handler.used == number
        handler.data_received(cut)
        handler.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na".removeprefix(cut))
        await read_head(handler)
        assert take(handler) == [b"a"]
        handler.let_go(reusable=True)
        expect_answer(handler)


async def test_a_body_that_nobody_takes_pauses_the_socket_and_goes_on_when_taken() -> None:
    handler, transport = build_handler()
    handler.data_received(HEAD + LONG[:-1])
    assert not transport.paused
    handler.data_received(b"x")
    assert transport.paused
    assert b"".join(take(handler)) == LONG
    assert not transport.paused


async def test_a_connection_lost_while_its_body_is_held_is_told_when_it_is_taken() -> None:
    handler, _ = build_handler()
    handler.data_received(HEAD + b"held")
    error = ConnectionResetError("gone")
    handler.connection_lost(error)
    held, lost = handler.take_body(lambda data: None, lambda exc: None)
    assert (held, lost) == ([b"held"], (error,))


async def test_a_connection_lost_while_its_body_flows_is_told_at_once() -> None:
    handler, _ = build_handler()
    handler.data_received(HEAD)
    lost: list[BaseException | None] = []
    handler.take_body(lambda data: None, lost.append)
    handler.connection_lost(None)
    assert lost == [None]


async def test_a_connection_lost_before_its_head_is_aiohttps_error() -> None:
    handler, _ = build_handler()
    handler.data_received(HEAD[:20])
    handler.connection_lost(None)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await handler.read()


@pytest.mark.parametrize(
    "head", [b"HTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n"]
)
async def test_a_malformed_head_is_aiohttps_error_wherever_it_is_cut(head: bytes) -> None:
    for pieces in ([head], [head, b"more"], one_by_one(head)):
        handler, transport = build_handler()
        for piece in pieces:
            handler.data_received(piece)
        with pytest.raises(aiohttp.http_exceptions.HttpProcessingError):
            await handler.read()
        assert transport.ended


async def test_closing_does_not_wait_for_a_farewell() -> None:
    handler, transport = build_handler()
    handler.close()
    assert transport.ended == "abort"


async def test_a_connector_builds_what_was_installed() -> None:
    connector = aiohttp.TCPConnector()
    install(connector)
    assert isinstance(connector._factory(), PushHandler)
    await connector.close()


def test_this_aiohttp_has_what_the_hand_over_needs() -> None:
    assert is_supported()


def test_without_what_it_needs_the_hand_over_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def data_received(self: object, data: bytes) -> None:
        """As of some other aiohttp."""

    monkeypatch.setattr("aiohttp.client_proto.ResponseHandler.data_received", data_received)
    assert not is_supported()


async def test_a_body_that_nobody_took_is_forgotten_and_spoils_the_connection() -> None:
    handler, _ = build_handler()
    handler.data_received(HEAD + b"0123456789")
    await read_head(handler)
    handler.let_go(reusable=True)
    assert handler.should_close
    expect_answer(handler)
    handler.data_received(HEAD + b"next")
    await read_head(handler)
    assert take(handler) == [b"next"]
