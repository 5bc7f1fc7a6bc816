"""The facts about aiohttp that the proxy leans on beyond its documentation. An upgrade that changes one fails here.

Each docstring says what breaks. The client's side is in test_aiohttp_client.py.
"""

import inspect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.http_exceptions import BadHttpMessage, LineTooLong
from aiohttp.http_parser import HttpRequestParser, HttpRequestParserPy, HttpResponseParser, HttpResponseParserPy
from aiohttp.web_protocol import RequestHandler, RequestPayloadError, _ErrInfo

from proxy.edge.insides import Connection as OurConnection
from tests.helpers.rawhttp import connected, fetch
from tests.helpers.service import mounted, running

UNUSED = "http://127.0.0.1:1"


def test_the_c_parser_is_there() -> None:
    """Without it a head costs many times as much, and other heads are accepted than those that were tested."""
    assert HttpRequestParser is not HttpRequestParserPy
    assert HttpResponseParser is not HttpResponseParserPy


# The server's side: edge/insides.py, edge/downstream.py, edge/client_stream.py.


async def test_our_settings_arrive_in_every_connection() -> None:
    """aiohttp drops all of them, limits included, when it does not know one."""
    limits = {"request_target": "9KiB", "request_head_field": "20KiB", "request_head_fields": 77}
    async with running({**mounted(UNUSED), "limits": limits}) as proxy, connected("127.0.0.1", proxy.port) as client:
        await client.ask("/")
        await client.reply()
        server = proxy.penstock.runner.server
        assert server is not None
        (connection,) = server.connections
        assert type(connection) is OurConnection
        assert (connection.max_line_size, connection.max_field_size, connection.max_headers) == (9216, 20480, 77)
        assert connection.keepalive_timeout == 75
        assert (connection.access_logger, connection.debug) == (None, False)
        assert server.handler_cancellation
        assert server._kwargs["auto_decompress"] is False
        assert connection._read_bufsize == 64 * 1024


@pytest.mark.parametrize(
    "name",
    [
        "_messages",
        "_current_request",
        "_waiter",
        "_request_count",
        "_close",
        "_force_close",
        "_manager",
        "_next_keepalive_close_time",
        "max_line_size",
    ],
)
async def test_a_connection_has_what_ours_looks_at(name: str) -> None:
    """`Connection` tells by it whether a head or a body is under way: the head clock and 400 for a broken body."""
    handler = web.Server(_never)()
    assert hasattr(handler, name)


def test_a_connection_has_the_methods_that_ours_replaces() -> None:
    """The error echo, the log of a refused head and the head clock would be aiohttp's own again."""
    for name in ("data_received", "connection_made", "connection_lost", "handle_error", "log_exception", "force_close"):
        assert inspect.isfunction(getattr(RequestHandler, name))
    assert list(inspect.signature(RequestHandler.handle_error).parameters) == [
        "self", "request", "status", "exc", "message",
    ]  # fmt: skip
    assert inspect.iscoroutinefunction(web.AppRunner._make_server)


async def test_a_head_that_cannot_be_parsed_is_queued_as_an_error() -> None:
    """A broken body behind a running request would never be noticed: its upload would hang."""
    handler = web.Server(_never)()
    handler.data_received(b"GARBAGE\r\n\r\n")
    message = handler._messages[-1][0]
    assert isinstance(message, _ErrInfo)
    assert message.status == 400
    assert issubclass(RequestPayloadError, Exception)


@pytest.mark.parametrize(
    ("data", "limit"),
    [
        (b"GET /" + b"a" * 200 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 100),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 300 + b"\r\n\r\n", 200),
    ],
)
async def test_what_is_too_long_names_its_limit(data: bytes, limit: int) -> None:
    """A 414 is told from a 431 by nothing else."""
    handler = web.Server(_never, max_line_size=100, max_field_size=200)()
    handler.data_received(data)
    message = handler._messages[-1][0]
    assert isinstance(message, _ErrInfo)
    assert isinstance(message.exc, LineTooLong)
    assert str(message.exc.args[1]) == str(limit)


async def test_too_many_fields_are_told_by_the_message() -> None:
    """They would be a 400 instead of a 431."""
    handler = web.Server(_never, max_headers=3)()
    handler.data_received(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5 + b"\r\n")
    message = handler._messages[-1][0]
    assert isinstance(message, _ErrInfo)
    assert isinstance(message.exc, BadHttpMessage)
    assert "Too many headers" in message.exc.message


async def test_prepare_calls_start_and_keeps_what_it_needs() -> None:
    """`Downstream` writes the head there: aiohttp would write its own, with Server and Content-Type."""
    seen: list[Any] = []

    class Watched(web.StreamResponse):
        async def _start(self, request: web.BaseRequest) -> Any:
            seen.append((self._keep_alive, self._eof_sent, request._payload_writer is request.writer))
            self._req, self._payload_writer = request, request._payload_writer
            self._eof_sent = True
            assert request.transport is not None
            request.transport.write(b"HTTP/1.1 204 Ours\r\n\r\n")
            return self._payload_writer

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        response = Watched()
        await response.prepare(request)
        assert request.writer.output_size == 0
        return response

    async with _served(handle) as port:
        reply = await fetch(port, "/", method="HEAD")
    assert reply.raw == b"HTTP/1.1 204 Ours\r\n\r\n"
    assert seen == [(None, False, True)]


async def test_a_request_has_its_head_as_it_stood_on_the_wire() -> None:
    """Targets and fields could not be forwarded byte for byte."""
    seen: list[Any] = []

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        seen.append((request.raw_path, request._message.raw_headers))
        return web.Response()

    async with _served(handle) as port:
        await fetch(port, "//a/../%7e?", headers="X-Odd:  b \r\nx-odd: c\r\n")
    assert seen == [("//a/../%7e?", ((b"Host", b"localhost"), (b"X-Odd", b"b"), (b"x-odd", b"c")))]


async def test_a_protocol_tells_whether_its_client_reads_too_slowly() -> None:
    """`ClientStream.write` asks it after each chunk: memory would grow without bound."""
    handler = web.Server(_never)()
    assert not handler.writing_paused
    handler.pause_writing()
    assert handler.writing_paused
    handler.resume_writing()
    assert not handler.writing_paused


def test_a_writer_can_be_told_to_chunk_and_counts_what_it_wrote() -> None:
    """The end of a body is aiohttp's: without it no connection would serve a second request."""
    for name in ("enable_chunking", "drain", "write_eof"):
        assert hasattr(aiohttp.http.StreamWriter, name)
    assert aiohttp.http.StreamWriter.output_size == 0


async def _never(request: web.BaseRequest) -> web.StreamResponse:
    raise AssertionError


@asynccontextmanager
async def _served(handle: Any) -> AsyncIterator[int]:
    runner = web.ServerRunner(web.Server(handle), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
