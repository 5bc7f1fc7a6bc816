"""The answer to a client: a StreamResponse whose head is exactly the fields it is given.

aiohttp's own head writer invents Server and Content-Type, drops bytes that are not UTF-8 and reorders nothing it
knows; a proxy may do none of that. So `_start`, the one method in which aiohttp puts a head together, is ours: it
writes status, reason and fields as bytes and adds only what the hop needs (RFC 9112 6 and 9): the framing, Connection,
and a Date where there is none (RFC 9110 6.6.1).
"""

import asyncio
import functools
import re
import time
from contextlib import suppress
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

from aiohttp import ClientConnectionResetError, HttpVersion11, hdrs, web
from aiohttp.abc import AbstractStreamWriter

from proxy.dialects.base import Dialect, encode_error
from proxy.dialects.registry import RAW
from proxy.errors import Code
from proxy.types import RequestId

Fields = list[tuple[bytes, bytes]]

_CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]").search  # CR and LF are counted instead
_NEVER_LENGTH: Final = frozenset({204})  # RFC 9110 8.6: no Content-Length
_REASONS: Final = {status.value: status.phrase for status in HTTPStatus}


class Downstream(web.StreamResponse):
    """A head and, unless `bodiless`, a body of `length` bytes; None is chunked, or up to the close for HTTP/1.0.

    `has_date` says that the fields hold a Date. `waiting_head` is the head once prepared, not yet sent.
    `can_be_cut` tells how an unfinished body shows: a missing last chunk (True), or only a reset connection.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        fields: Fields,
        length: int | None,
        *,
        bodiless: bool = False,
        has_date: bool = False,
        close: bool = False,
    ) -> None:
        super().__init__(status=status, reason=reason)
        self._fields = fields
        self._length = length
        self._bodiless = bodiless
        self._has_date = has_date
        self.can_be_cut = False
        self.waiting_head = b""
        if close:
            self.force_close()

    async def _start(self, request: web.BaseRequest) -> AbstractStreamWriter:
        self._req = request
        writer = self._payload_writer = request._payload_writer
        if self._keep_alive is None:
            self._keep_alive = request.keep_alive and not getattr(request.protocol, "draining", False)
            # aiohttp's parser takes the last trailer of a chunked request for the first field of the next one, which
            # RFC 9110 6.5.1 forbids for good reason: so there is no next one.
            if hdrs.TRANSFER_ENCODING in request.headers:
                self._keep_alive = False
        http11 = request.version >= HttpVersion11
        chunked = not self._bodiless and self._length is None and http11
        if chunked:
            writer.enable_chunking()
            self.can_be_cut = True
        elif not self._bodiless and self._length is None:
            self._keep_alive = False
        head = self.encode_head(request.version, chunked=chunked)
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ClientConnectionResetError("the client is gone")
        writer.output_size += len(head)
        self._send_head(head, request.method, transport)
        self._fields = []
        return writer

    def _send_head(self, head: bytes, method: str, transport: asyncio.WriteTransport) -> None:
        """Keep the head for whoever streams: with the first bytes of the body it is one write and one packet."""
        self.waiting_head = head

    def encode_head(self, version: tuple[int, int], *, chunked: bool) -> bytes:
        """The head as bytes. Raises ValueError for a control byte in a field: it would end the head early."""
        fields = list(self._fields)
        if self._length is not None and self.status not in _NEVER_LENGTH:
            fields.append((b"Content-Length", b"%d" % self._length))
        if chunked:
            fields.append((b"Transfer-Encoding", b"chunked"))
        if not self._has_date:
            fields.append((b"Date", _format_date(int(time.time()))))
        if not self._keep_alive:
            fields.append((b"Connection", b"close"))
        elif version < (1, 1):
            fields.append((b"Connection", b"keep-alive"))
        reason = self.reason.encode("utf-8", "surrogateescape")
        # Our own version, whatever the request's was (RFC 9110 6.2); a Connection field says what an older one needs.
        lines = [b"HTTP/1.1 %d %b" % (self.status, reason)]
        lines += [name + b": " + value for name, value in fields]
        head = b"\r\n".join(lines)
        if _CONTROLS(head) or head.count(b"\n") != len(lines) - 1 or head.count(b"\r") != len(lines) - 1:
            raise ValueError("control byte in a response head")
        return head + b"\r\n\r\n"

    async def write_eof(self, data: bytes = b"") -> None:
        """End the answer; if a body is still coming in, also this direction of the connection. aiohttp goes on reading
        for some seconds, so that unread bytes do not reset what was sent (RFC 9112 9.6): the client need not wait."""
        request = self._req
        await super().write_eof(data)
        transport = request.transport if request is not None else None
        if request is None or transport is None or self._keep_alive or request.content.is_eof():
            return
        if transport.can_write_eof() and not transport.is_closing():
            with suppress(OSError):  # asyncio's own loop only learns here that the client has reset the connection
                transport.write_eof()

    def mark_cut(self) -> None:
        """The connection is closed: there is nothing left to end."""
        self._eof_sent = True


class WholeAnswer(Downstream):
    """A whole answer of the proxy's own."""

    def __init__(self, status: int, fields: Fields, body: bytes, *, close: bool = False) -> None:
        super().__init__(status, _REASONS.get(status, ""), fields, len(body), close=close)
        self._whole = body

    def _send_head(self, head: bytes, method: str, transport: asyncio.WriteTransport) -> None:
        transport.write(head if method == "HEAD" else head + self._whole)

    def encode_closing(self) -> bytes:
        """Head and body for a connection that ends with it, where no request could be read."""
        self._keep_alive = False
        return self.encode_head((1, 1), chunked=False) + self._whole


def build_refusal(
    code: Code, request_id: RequestId, dialect: Dialect = RAW, extra: Fields | None = None, *, close: bool = False
) -> WholeAnswer:
    """The refusal for `code` in the form that clients of `dialect` read; `extra` fields go with it."""
    identity = request_id.encode()
    fields = [
        (b"Content-Type", b"application/json"),
        (b"Cache-Control", b"no-store"),
        (dialect.request_id_header.encode(), identity),
        (b"x-penstock-request-id", identity),
        *(extra or ()),
    ]
    return WholeAnswer(code.status, fields, encode_error(dialect, code, request_id), close=close)


@functools.lru_cache(maxsize=2)
def _format_date(second: int) -> bytes:
    """IMF-fixdate (RFC 9110 5.6.7), made once per second."""
    return formatdate(second, usegmt=True).encode()
