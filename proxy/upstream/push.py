"""The hand-over: an answer's bytes go from the socket to the relay without passing aiohttp's reader.

aiohttp parses the head. From the first byte of the body on, PushHandler gives what the socket delivers to our own body
decoder (`wire/framing.py`) and that to the relay's receiver, all within one `data_received`. At the end of the body
aiohttp's stream is told that it is complete, and the connection returns to the pool. Beside nginx = 1.0, one event per
wake-up, this costs about half of what aiohttp's reader and a task per event do (docs/performance.md).

This file and no other leans on the insides of aiohttp's client: `TCPConnector._factory`, and of ResponseHandler
`_payload`, `_buffer`, `_parser`, `_should_close` and what `data_received` leaves in them. A contract test holds them
fast, `is_supported` looks for them at start, and `upstream/pull.py` serves where they are missing.
"""

import functools
from collections.abc import Callable
from typing import Any, Final

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.streams import EMPTY_PAYLOAD

from proxy.errors import Code, UpstreamFault
from proxy.relay.ports import Receiver
from proxy.upstream.faults import describe
from proxy.wire.framing import BodyDecoder, FramingError

_HELD_MAX: Final = 64 * 1024
"""Bytes of a body kept while nobody has asked for it yet; then the socket waits. One read of a busy stream."""


class PushHandler(ResponseHandler):
    """aiohttp's client protocol, with a door in the body's path."""

    def __init__(self, loop: Any) -> None:
        super().__init__(loop=loop)
        self._receive: Callable[[bytes], None] | None = None
        self._on_lost: Callable[[BaseException | None], None] | None = None
        self._held: list[bytes] | None = None  # a body has begun and nobody has taken it
        self._lost: tuple[BaseException | None] | None = None  # the connection ended while the body was held
        self._line_end = b""  # the last bytes of the head so far, to find its blank line across two reads

    def data_received(self, data: bytes) -> None:
        if self._receive is not None:
            self._receive(data)
        elif self._held is not None:
            self._hold(data)
        elif self._parser is not None:
            self._feed_head(data)
        else:
            self.abort()  # nobody asked: on a pooled connection it would be read as the next request's answer

    def connection_lost(self, exc: BaseException | None) -> None:
        on_lost, held = self._on_lost, self._held
        self._receive = self._on_lost = None
        super().connection_lost(exc)
        if on_lost is not None:
            on_lost(exc)
        elif held is not None:
            self._lost = (exc,)

    def close(self) -> None:
        """Never wait for a peer's TLS farewell: a connection we close is of no use to anybody."""
        self.abort()

    def set_response_params(self, **params: Any) -> None:
        self._held = self._lost = self._receive = self._on_lost = None
        self._line_end = b""
        super().set_response_params(**params)

    def take(
        self, receive: Callable[[bytes], None], on_lost: Callable[[BaseException | None], None]
    ) -> tuple[list[bytes], tuple[BaseException | None] | None]:
        """Become the receiver of the body: what was held so far, and how the connection ended if it has."""
        held, self._held = self._held or [], None
        if self._lost is None:
            self._receive, self._on_lost = receive, on_lost
        return held, self._lost

    def let_go(self, reusable: bool) -> None:
        """The body is over: the next bytes are a head again, if the connection is fit for another answer."""
        self._receive = self._on_lost = None
        if not reusable:
            self.force_close()

    def _hold(self, data: bytes) -> None:
        held = self._held or []
        held.append(data)
        self._held = held
        if sum(map(len, held)) > _HELD_MAX and self.transport is not None:
            self.transport.pause_reading()

    def _feed_head(self, data: bytes) -> None:
        """Give aiohttp's parser the bytes up to each blank line; behind the final head the body is ours."""
        while data:
            end = self._find_blank_line(data)
            super().data_received(data[:end])
            data = data[end:]
            if self._has_final_head():
                self._parser = None  # its work is done; the next request brings a new one
                if self._payload is not EMPTY_PAYLOAD:
                    self._held = []
                    if data:
                        self._hold(data)
                elif data:
                    self._should_close = True  # bytes behind an answer that has no body: not ours, not the next one's
                return

    def _has_final_head(self) -> bool:
        if not self._buffer or self._parser is None:
            return False
        message = self._buffer[-1][0][0]
        return message.code >= 200 or message.code == 101

    def _find_blank_line(self, data: bytes) -> int:
        """The place behind the first blank line in `data`, CRLF or LF, or its length (RFC 9112 2.2)."""
        seen = self._line_end
        text = seen + data
        ends = [at + len(mark) for mark in (b"\n\r\n", b"\n\n") if (at := text.find(mark)) >= 0]
        if not ends:
            self._line_end = text[-2:]
            return len(data)
        self._line_end = b""
        return min(ends) - len(seen)


class PushedBody:
    """Drives a Receiver from a PushHandler. `start`, `pause`, `resume` and `abort` are a Source's."""

    __slots__ = ("_decoder", "_feed", "_handler", "_over", "_receiver", "_response")

    def __init__(self, response: aiohttp.ClientResponse, handler: PushHandler, decoder: BodyDecoder) -> None:
        self._response = response
        self._handler = handler
        self._decoder = decoder
        self._over = False
        self._receiver: Receiver
        self._feed: Callable[[bytes], None]

    def start(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._feed = receiver.feed
        held, lost = self._handler.take(self._on_data, self._on_lost)
        if sum(map(len, held)) > _HELD_MAX:
            self.resume()
        for data in held:
            if not self._over:
                self._on_data(data)
        if lost is not None and not self._over:
            self._on_lost(lost[0])

    def pause(self) -> None:
        transport = self._handler.transport
        if transport is not None and not self._over:
            transport.pause_reading()

    def resume(self) -> None:
        transport = self._handler.transport
        if transport is not None and not self._over and not transport.is_closing():
            transport.resume_reading()

    def abort(self) -> None:
        if not self._over:
            self._over = True
            self._handler.let_go(reusable=False)
            self._handler.abort()
        self._response.close()

    def _on_data(self, data: bytes) -> None:
        decoder = self._decoder
        try:
            payload = decoder.feed(data)
        except FramingError as error:
            self._break(error.payload, UpstreamFault(Code.PROTOCOL, error.what))
            return
        if payload:
            self._feed(payload)
        if decoder.done:
            self._complete()

    def _on_lost(self, exc: BaseException | None) -> None:
        if self._over:
            return
        try:
            self._decoder.end()
        except FramingError as error:
            detail = describe(exc) if exc is not None else error.what
            self._break(b"", UpstreamFault(Code.CUT, detail))
        else:
            if exc is None:
                self._complete()
            else:  # a reset where the end of the connection is the end of the body: nobody knows what is missing
                self._break(b"", UpstreamFault(Code.CUT, describe(exc)))

    def _complete(self) -> None:
        self._over = True
        self._handler.let_go(reusable=not self._decoder.excess)
        self._response.content.feed_eof()
        self._receiver.end()

    def _break(self, payload: bytes, fault: UpstreamFault) -> None:
        if payload:
            self._receiver.feed(payload)
        self._receiver.fail(fault)
        self.abort()


def install(connector: aiohttp.TCPConnector) -> None:
    """Make `connector` build PushHandlers."""
    connector._factory = functools.partial(PushHandler, connector._loop)  # type: ignore[assignment]


def is_supported() -> bool:
    """Whether this aiohttp has the insides that the hand-over needs."""
    names = ("_payload", "_should_close", "_parser")
    code = ResponseHandler.__init__.__code__.co_names + ResponseHandler.data_received.__code__.co_names
    return all(name in code for name in names) and hasattr(ResponseHandler, "set_response_params")


class PushResponse(aiohttp.ClientResponse):
    """Remembers its handler: aiohttp lets go of it as soon as the connection is lost, and the body may be in it."""

    handler: PushHandler | None = None

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        if isinstance(connection.protocol, PushHandler):
            self.handler = connection.protocol
        return await super().start(connection)

    @property
    def body_held(self) -> bool:
        return self.handler is not None and self.handler._held is not None
