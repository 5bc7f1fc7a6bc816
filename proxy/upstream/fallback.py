"""The same Opener on public interfaces only, for an aiohttp whose insides have changed.

Requests go through `ClientSession.request`, and a task pulls from aiohttp's reader and calls the same `feed` that the
hand-over calls from the socket. Same promises, about one and a half times the cost per event.
"""

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace

import aiohttp
from aiohttp import hdrs
from multidict import CIMultiDict
from yarl import URL

from proxy.relay.ports import Answer, Receiver, UpstreamRequest
from proxy.types import AccountName, ProviderName
from proxy.upstream.answer import check_head, choose_framing, get_length
from proxy.upstream.egress import HttpProxy, check_status
from proxy.upstream.faults import FOREIGN, map_fault, map_proxy_fault
from proxy.wire.framing import EofBody
from proxy.wire.headers import Headers


class PullOpener:
    """One account at one provider, as PushOpener."""

    def __init__(
        self,
        name: ProviderName,
        account: AccountName | None,
        origin: URL,
        added: Mapping[str, str],
        session: aiohttp.ClientSession,
        proxy: HttpProxy | None = None,
    ) -> None:
        self.name = name
        self.account = account
        self._origin = origin
        self._added = {name.lower(): value for name, value in added.items()}
        self._session = session
        self._proxy = proxy
        if proxy is not None and proxy.authorization and origin.scheme == "http":
            self._added[hdrs.PROXY_AUTHORIZATION.lower()] = proxy.authorization

    async def open(self, request: UpstreamRequest) -> Answer:
        origin = self._origin
        # A path that is given whole and as encoded is the one form that yarl neither requotes nor normalises.
        url = URL.build(
            scheme=origin.scheme, host=origin.host or "", port=origin.port, path=request.target, encoded=True
        )
        response = await self._ask(request, url)
        body = PulledBody(response)
        try:
            headers, reason = Headers(response.raw_headers), response.reason or ""
            check_status(response.status, self._proxy)
            check_head(response.status, reason, headers)
            length = get_length(headers)
            framing = choose_framing(request.method, response.status, headers, length)
        except BaseException:
            body.abort()
            raise
        body.ends_with_connection = isinstance(framing, EofBody)
        return Answer(response.status, reason, headers, length, None if framing is None else body)

    async def _ask(self, request: UpstreamRequest, url: URL) -> aiohttp.ClientResponse:
        proxy, use = self._proxy, Use()
        try:
            return await self._session.request(
                request.method,
                url,
                headers=self._build_headers(request),
                data=self._build_data(request),
                allow_redirects=False,
                proxy=None if proxy is None else proxy.url,
                proxy_headers=None if proxy is None else proxy.build_fields(),
                trace_request_ctx=use,
            )
        except FOREIGN as error:
            connecting = not use.connected
            fault = map_fault(error) if proxy is None else map_proxy_fault(error, proxy.url, connecting=connecting)
            fault.stale = use.kept and _is_silent(error)
            # Without the cause behind a proxy: that of a refused tunnel holds the fields that were sent for it.
            raise fault from (error if proxy is None else None)

    def _build_headers(self, request: UpstreamRequest) -> CIMultiDict[str]:
        added = self._added
        headers: CIMultiDict[str] = CIMultiDict()
        for name, value in request.headers:
            key = name.decode("ascii")
            if key not in added:
                headers.add(key, value.decode("utf-8"))
        headers.extend(added)
        upload = request.upload
        if upload is not None and upload.length is not None:
            headers["content-length"] = str(upload.length)
        return headers

    @staticmethod
    def _build_data(request: UpstreamRequest) -> object:
        if request.upload is None:
            return None
        whole = request.upload.take_whole()
        return request.upload.read() if whole is None else whole


class Use:
    """Of one request: whether it has a connection, and whether that has served another before."""

    __slots__ = ("connected", "kept")

    def __init__(self) -> None:
        self.connected = self.kept = False


def build_trace() -> aiohttp.TraceConfig:
    """What a session needs so that its connections are noted in a `Use`."""
    trace = aiohttp.TraceConfig()
    trace.on_connection_reuseconn.append(_note_kept)
    trace.on_connection_create_start.append(_note_none)
    trace.on_connection_create_end.append(_note_new)
    return trace


async def _note_kept(session: aiohttp.ClientSession, context: SimpleNamespace, params: object) -> None:
    context.trace_request_ctx.connected = context.trace_request_ctx.kept = True


async def _note_none(session: aiohttp.ClientSession, context: SimpleNamespace, params: object) -> None:
    context.trace_request_ctx.connected = context.trace_request_ctx.kept = False


async def _note_new(session: aiohttp.ClientSession, context: SimpleNamespace, params: object) -> None:
    context.trace_request_ctx.connected = True


def _is_silent(error: BaseException) -> bool:
    """The connection ended before an answer; aiohttp puts what had come of a head in place of the message."""
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return isinstance(error.message, str)
    return isinstance(error, (aiohttp.ClientOSError, ConnectionError)) and not isinstance(
        error, aiohttp.ClientConnectorError
    )


class PulledBody:
    """A Source on aiohttp's StreamReader. `ends_with_connection`: nothing but the close frames the body."""

    __slots__ = ("_flowing", "_protocol", "_response", "_task", "ends_with_connection")

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self._protocol = None if response.connection is None else response.connection.protocol
        self.ends_with_connection = False
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._task: asyncio.Task[None] | None = None

    def start(self, receiver: Receiver) -> None:
        self._task = asyncio.get_running_loop().create_task(self._pull(receiver))

    def pause(self) -> None:
        self._flowing.clear()

    def resume(self) -> None:
        self._flowing.set()

    def abort(self) -> None:
        connection = self._response.connection
        if connection is not None and connection.transport is not None:
            connection.transport.abort()  # response.close() would wait for a TLS farewell
        self._response.close()
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()

    async def _pull(self, receiver: Receiver) -> None:
        closed = None if self._protocol is None else self._protocol.closed
        if closed is not None:
            closed.add_done_callback(self._note_close)
        try:
            await self._pass_on(receiver)
        finally:
            if closed is not None:
                closed.remove_done_callback(self._note_close)

    async def _pass_on(self, receiver: Receiver) -> None:
        content = self._response.content
        while True:
            try:
                data = await content.readany()
                if not data:
                    self._check_end()
            except FOREIGN as error:
                # The exception of a closed response is one object for all of aiohttp: what its traceback holds stays.
                receiver.fail(map_fault(error.with_traceback(None)))
                return
            if not data:
                receiver.end()
                return
            receiver.feed(data)
            await self._flowing.wait()

    def _check_end(self) -> None:
        """Raise what ended the connection when that was no end of the body: aiohttp takes a reset for one."""
        if self._protocol is not None and self.ends_with_connection:
            fault = self._protocol.exception()
            if isinstance(fault, aiohttp.ClientOSError):
                raise fault

    def _note_close(self, closed: asyncio.Future[None]) -> None:
        """Wake the reader: aiohttp forgets to after a framing error, and it would wait for ever."""
        if not closed.cancelled():
            closed.exception()
        content = self._response.content
        if not content.is_eof() and content.exception() is None:
            content.set_exception(aiohttp.ClientPayloadError())
