"""The hand-over: an answer's bytes go from the socket to us without passing aiohttp's reader.

aiohttp parses the head. Behind it PushHandler keeps what the socket delivers until somebody takes the body, and then
calls that receiver from within `data_received`, so that a chunk is on its way to the client before the event loop
turns. What an event costs this way beside aiohttp's reader and a task: docs/performance.md.

This file and no other leans on the insides of aiohttp's client: `TCPConnector._factory`, and of ResponseHandler
`_payload`, `_parser`, `_should_close` and what `data_received` leaves in them. A contract test holds them fast,
`is_supported` looks for them at start, and `upstream/fallback.py` serves where they are missing.
"""

import functools
import re
from collections.abc import Callable
from typing import Any, Final

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import RawResponseMessage

HELD_MAX: Final = 64 * 1024
"""Bytes of a body kept while nobody has taken it; then the socket waits. One read of a busy stream."""

_BLANK_LINE = re.compile(rb"\n\r?\n").search

Receive = Callable[[bytes], None]
Lost = Callable[[BaseException | None], None]


class PushHandler(ResponseHandler):
    """aiohttp's client protocol, with a door in the body's path. `has_body` is known once a head was read."""

    def __init__(self, loop: Any) -> None:
        super().__init__(loop=loop)
        self._receive: Receive | None = None
        self._on_lost: Lost | None = None
        self._held: list[bytes] = []
        self._held_size = 0
        self._lost: tuple[BaseException | None] | None = None  # the connection ended while the body was held
        self._head_end = b""  # the last bytes of the head so far, to find its blank line across two reads
        self._has_head = False
        self._is_whole = False
        self.has_body = False
        self.heard = False  # anything at all of the answer
        self.used = 0  # answers this connection has given before

    # From the transport.

    def data_received(self, data: bytes) -> None:
        if self._receive is not None:
            self._receive(data)
        elif self.has_body:
            self._hold(data)
        elif self._parser is not None:
            self._feed_head(data)
        else:
            self.abort()  # nobody asked: on a pooled connection it would be read as the next request's answer

    def connection_lost(self, exc: BaseException | None) -> None:
        on_lost = self._on_lost
        self._receive = self._on_lost = None
        super().connection_lost(exc)
        if on_lost is not None:
            on_lost(exc)
        else:
            self._lost = (exc,)

    # From aiohttp.

    def set_response_params(self, **params: Any) -> None:
        self._head_end = b""
        self._has_head = self.has_body = self.heard = False
        super().set_response_params(**params)

    def feed_data(self, data: tuple[RawResponseMessage, Any], size: int = 0) -> None:
        message, payload = data
        self._has_head = is_final(message.code)
        self._is_whole = payload.is_eof()  # already: there is no body
        super().feed_data(data, size)

    def close(self) -> None:
        """Never wait for a peer's TLS farewell: a connection that we close is of no use to anybody."""
        self.abort()

    # From the exchange.

    def take_body(self, receive: Receive, on_lost: Lost) -> tuple[list[bytes], tuple[BaseException | None] | None]:
        """Become the receiver of the body: what was held until now, and how the connection ended if it has."""
        held, self._held = self._held, []
        if self._held_size > HELD_MAX and self.transport is not None:
            self.transport.resume_reading()
        self._held_size = 0
        if self._lost is None:
            self._receive, self._on_lost = receive, on_lost
        return held, self._lost

    def let_go(self, *, reusable: bool) -> None:
        """The answer is over: what comes next belongs to another, if the connection is fit for one."""
        self._receive = self._on_lost = None
        self.has_body = False
        self.used += 1
        if self._held:  # nobody took them, and the next answer must not begin with them
            self._held, self._held_size = [], 0
            reusable = False
        if not reusable:
            self.force_close()

    def _hold(self, data: bytes) -> None:
        self._held.append(data)
        self._held_size += len(data)
        if self._held_size > HELD_MAX and self.transport is not None:
            self.transport.pause_reading()

    def _feed_head(self, data: bytes) -> None:
        """Give aiohttp's parser the bytes up to each blank line; behind the final head the bytes are ours."""
        self.heard = True
        while data:
            end = self._find_blank_line(data)
            super().data_received(data[:end])
            data = data[end:]
            if self._has_head:
                self._parser = None  # its work is done; the next request brings a new one
                self.has_body = not self._is_whole
                self._payload = None  # the reader that nobody will read: aiohttp takes it for a reason to close
                if data and self.has_body:
                    self._hold(data)
                elif data:
                    self.force_close()  # bytes behind an answer without a body: not its own, not the next one's
                return

    def _find_blank_line(self, data: bytes) -> int:
        """The place behind the first blank line in `data`, CRLF or LF, or its length (RFC 9112 2.2)."""
        seen = len(self._head_end)
        text = self._head_end + data if seen else data
        found = _BLANK_LINE(text)
        if found is None:
            self._head_end = text[-2:]
            return len(data)
        self._head_end = b""
        return found.end() - seen


def is_final(status: int) -> bool:
    """Whether no other head follows (RFC 9110 15.2). 101 ends HTTP; what is no status gets no better."""
    return status == 101 or not 100 <= status <= 199


def install(connector: aiohttp.TCPConnector) -> None:
    """Make `connector` build PushHandlers."""
    connector._factory = functools.partial(PushHandler, connector._loop)  # type: ignore[assignment]


def is_supported() -> bool:
    """Whether this aiohttp has the insides that the hand-over needs."""
    names = {"_payload", "_should_close", "_parser", "feed_data"}
    code = (ResponseHandler.__init__.__code__, ResponseHandler.data_received.__code__)
    found = {name for block in code for name in block.co_names}
    return names <= found and callable(getattr(ResponseHandler, "set_response_params", None))
