"""Opens answers at one provider: the relay's Opener on the connector of an aiohttp session.

A connection is aiohttp's (pool, DNS, happy eyeballs, TLS), and so is the parsing of the head. The request is written
here, as bytes in one call: the target goes onto the wire as it is given, fields as they came, and a body that is
already here goes with them. Building aiohttp's request, response and writer objects for that costs four times as much.

A GET or HEAD without a body that meets a kept connection which the upstream has just closed is asked again, once, on a
fresh one (RFC 9112 9.3.1), and so is what its sender calls repeatable, if not a byte has come back. Nothing else is
ever sent twice here: the fault says that the connection was `stale`.
"""

from collections.abc import Mapping
from typing import Final

import aiohttp
from aiohttp.connector import Connection
from yarl import URL

from proxy.errors import Code, UpstreamFault
from proxy.relay.ports import Answer, UpstreamRequest
from proxy.types import AccountName, ProviderName
from proxy.upstream.answer import check_head, choose_framing, get_length
from proxy.upstream.egress import HttpProxy, build_place, check_status
from proxy.upstream.exchange import Exchange
from proxy.upstream.faults import FOREIGN, describe, map_fault, map_proxy_fault
from proxy.upstream.handler import PushHandler
from proxy.upstream.pool import READ_BUFFER, PoolSettings
from proxy.wire.headers import Headers

_NEVER_FRAMED: Final = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})
"""Methods whose request needs no Content-Length: 0 to say that nothing follows (RFC 9110 8.6)."""


class PushOpener:
    """One account at one provider. `added` fields (credentials among them) replace what the request brought. `proxy`:
    the account's way out, None for the direct one."""

    def __init__(
        self,
        name: ProviderName,
        account: AccountName | None,
        origin: URL,
        added: Mapping[str, str],
        session: aiohttp.ClientSession,
        settings: PoolSettings,
        proxy: HttpProxy | None = None,
    ) -> None:
        self.name = name
        self.account = account
        self._added = {name.lower().encode(): value.encode() for name, value in added.items()}
        tail = dict(self._added)
        self._host = (origin.host_port_subcomponent or "").encode()
        self._prefix = b""  # of the target: nothing but for a proxy that forwards (RFC 9112 3.2)
        if proxy is not None and origin.scheme == "http":
            self._prefix = b"http://" + self._host
            if proxy.authorization:
                tail[b"proxy-authorization"] = proxy.authorization.encode()
        self._tail = b"".join(b"%b: %b\r\n" % pair for pair in tail.items())
        self._proxy = proxy
        self._session = session
        self._settings = settings
        self._timeout = aiohttp.ClientTimeout(total=None, connect=settings.connect)
        self._place = build_place(origin, session, proxy)

    async def open(self, request: UpstreamRequest) -> Answer:
        try:
            return await self._ask(request)
        except FOREIGN as error:
            raise map_fault(error) from error

    async def _ask(self, request: UpstreamRequest) -> Answer:
        head = self._build_head(request)
        repeatable = request.repeatable or (request.method in ("GET", "HEAD") and request.upload is None)
        again = False
        while True:
            connection = await self._connect()
            handler = connection.protocol
            if not isinstance(handler, PushHandler):
                connection.close()
                raise UpstreamFault(Code.INTERNAL, "connector without hand-over")
            kept = handler.used > 0
            if kept and again:
                connection.close()  # as old as the one that failed
                continue
            try:
                return await self._exchange(request, head, connection, handler)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ConnectionError) as error:
                if not kept:
                    raise
                if not repeatable or (request.upload is not None and handler.heard):
                    raise UpstreamFault(Code.CUT, describe(error), stale=not handler.heard) from error
                again = True

    async def _connect(self) -> Connection:
        connector = self._session.connector
        if connector is None:
            raise UpstreamFault(Code.INTERNAL, "session closed")
        try:
            return await connector.connect(self._place, traces=[], timeout=self._timeout)
        except TimeoutError as error:
            raise UpstreamFault(Code.CONNECT_TIMEOUT) from error
        except FOREIGN as error:
            if self._proxy is None:
                raise
            # Without the cause: that of a refused tunnel holds the fields that were sent for it.
            raise map_proxy_fault(error, self._proxy.url, connecting=True) from None

    async def _exchange(
        self, request: UpstreamRequest, head: bytes, connection: Connection, handler: PushHandler
    ) -> Answer:
        settings = self._settings
        exchange = Exchange(connection, handler)
        try:
            handler.set_response_params(
                skip_payload=request.method == "HEAD",
                read_until_eof=True,
                auto_decompress=False,
                read_bufsize=READ_BUFFER,
                max_line_size=settings.field,
                max_field_size=settings.field,
                max_headers=settings.fields,
            )
            exchange.send(head, request.upload)
            message = await exchange.read_head()
            headers, reason = Headers(message.raw_headers), message.reason or ""
            check_status(message.code, self._proxy)
            check_head(message.code, reason, headers)
            length = get_length(headers)
            decoder = choose_framing(request.method, message.code, headers, length)
        except BaseException:
            exchange.abort()
            raise
        if decoder is None:
            exchange.finish()
            return Answer(message.code, reason, headers, length, None)
        exchange.decoder = decoder
        return Answer(message.code, reason, headers, length, exchange)

    def _build_head(self, request: UpstreamRequest) -> bytes:
        added = self._added
        target = self._prefix + request.target.encode()
        lines = [b"%b %b HTTP/1.1\r\nhost: %b\r\n" % (request.method.encode(), target, self._host)]
        lines += [b"%b: %b\r\n" % pair for pair in request.headers if pair[0] not in added]
        lines.append(self._tail)
        upload = request.upload
        if upload is None:
            lines.append(b"\r\n" if request.method in _NEVER_FRAMED else b"content-length: 0\r\n\r\n")
        elif upload.length is None:
            lines.append(b"transfer-encoding: chunked\r\n\r\n")
        else:
            lines.append(b"content-length: %d\r\n\r\n" % upload.length)
        return b"".join(lines)
