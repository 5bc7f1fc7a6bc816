"""The facts about aiohttp's client that the hand-over leans on. Where one is gone, `upstream/fallback.py` still serves.

As in test_aiohttp.py each docstring says what breaks.
"""

import asyncio
import inspect
from typing import Any

import aiohttp
import pytest
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import BaseConnector, Connection
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.streams import EMPTY_PAYLOAD

from tests.helpers.upstreams import FakeTransport


def build_client() -> tuple[ResponseHandler, FakeTransport]:
    handler, transport = ResponseHandler(asyncio.get_running_loop()), FakeTransport()
    handler.connection_made(transport)
    handler.set_response_params(read_until_eof=True, auto_decompress=False, max_line_size=100, max_field_size=200)
    return handler, transport


async def test_a_connector_makes_its_protocols_with_a_factory() -> None:
    """`handler.install` replaces it: without it no connection would have the hand-over."""
    connector = aiohttp.TCPConnector()
    assert isinstance(connector._factory(), ResponseHandler)
    assert connector._loop is asyncio.get_running_loop()
    await connector.close()


async def test_a_head_given_whole_is_announced_through_feed_data_before_the_call_returns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The hand-over learns from it that the head is over: later, and body bytes would go to aiohttp's parser."""
    seen = []
    monkeypatch.setattr(ResponseHandler, "feed_data", lambda self, data, size=0: seen.append(data))
    handler, _ = build_client()
    handler.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n")
    ((message, payload),) = seen
    assert (message.code, message.reason, message.raw_headers) == (200, "OK", ((b"Content-Length", b"3"),))
    assert handler._payload is payload is not EMPTY_PAYLOAD
    assert not payload.is_eof()
    assert handler._parser is not None


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 204 No\r\n\r\n", b"HTTP/1.1 304 Not\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]
)
async def test_the_reader_of_an_answer_without_a_body_is_at_its_end_at_once(head: bytes) -> None:
    """The hand-over would wait for a body that never comes."""
    handler, _ = build_client()
    handler.data_received(head)
    assert (await handler.read())[1].is_eof()


async def test_a_reader_without_its_parser_is_a_reason_to_close_unless_it_is_taken_away() -> None:
    """The hand-over clears `_payload` and `_parser`; otherwise no connection would be used twice."""
    handler, _ = build_client()
    handler.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n")
    await handler.read()
    assert handler.should_close
    handler._parser = None
    handler._payload = None
    assert not handler.should_close
    handler.force_close()
    assert handler.should_close


async def test_the_parser_is_made_anew_for_each_request() -> None:
    """A kept connection would parse its second head with the remains of the first."""
    handler, _ = build_client()
    before = handler._parser
    handler.set_response_params()
    assert handler._parser is not None
    assert handler._parser is not before


def test_the_parser_is_told_of_by_keyword() -> None:
    """`Exchange` could not set the limits of an answer's head."""
    names = inspect.signature(ResponseHandler.set_response_params).parameters
    assert {
        "skip_payload", "read_until_eof", "auto_decompress", "read_bufsize", "max_line_size", "max_field_size",
        "max_headers",
    } <= set(names)  # fmt: skip


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"HTP/1.1 200 OK\r\n\r\n", HttpProcessingError),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 300 + b"\r\n\r\n", HttpProcessingError),
    ],
)
async def test_a_head_that_cannot_be_parsed_raises_from_read_and_closes(data: bytes, error: type) -> None:
    """`faults.map_fault` would not know it, and a 502 would be a 500."""
    handler, transport = build_client()
    handler.data_received(data)
    with pytest.raises(error):
        await handler.read()
    assert transport.ended


@pytest.mark.parametrize(
    ("cause", "error"),
    [(None, aiohttp.ServerDisconnectedError), (ConnectionResetError(104, "x"), aiohttp.ClientOSError)],
)
async def test_a_connection_lost_before_its_head_raises_from_read(cause: Any, error: type) -> None:
    """A GET on a kept connection is asked again for these two classes and no other."""
    handler, _ = build_client()
    handler.connection_lost(cause)
    with pytest.raises(error):
        await handler.read()


def test_a_pool_gives_out_connections_with_a_protocol_that_go_back_or_are_closed() -> None:
    """The opener takes its connections from there."""
    assert list(inspect.signature(BaseConnector.connect).parameters)[1:] == ["req", "traces", "timeout"]
    for name in ("protocol", "release", "close"):
        assert hasattr(Connection, name)


async def test_a_request_that_is_never_sent_tells_the_pool_where_it_leads() -> None:
    """The opener makes one per provider instead of one per request."""
    async with aiohttp.ClientSession() as session:
        request = aiohttp.ClientRequest("GET", aiohttp.client.URL("http://127.0.0.1:1"), session=session)
        assert (request.connection_key.host, request.connection_key.port) == ("127.0.0.1", 1)
