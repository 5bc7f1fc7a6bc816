"""The same Opener on public interfaces only, for an aiohttp whose insides have changed.

Requests go through `ClientSession.request`, and a task pulls from aiohttp's reader and calls the same `feed` that the
hand-over calls from the socket. Same promises, about one and a half times the cost per event.
"""

import asyncio
from collections.abc import Mapping

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from proxy.relay.ports import Answer, Receiver, UpstreamRequest
from proxy.types import AccountName, ProviderName
from proxy.upstream.answer import check_head, choose_framing, get_length
from proxy.upstream.faults import FOREIGN, map_fault
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
    ) -> None:
        self.name = name
        self.account = account
        self._origin = origin
        self._added = {name.lower(): value for name, value in added.items()}
        self._session = session

    async def open(self, request: UpstreamRequest) -> Answer:
        origin = self._origin
        # A path that is given whole and as encoded is the one form that yarl neither requotes nor normalises.
        url = URL.build(
            scheme=origin.scheme, host=origin.host or "", port=origin.port, path=request.target, encoded=True
        )
        try:
            response = await self._session.request(
                request.method,
                url,
                headers=self._build_headers(request),
                data=self._build_data(request),
                allow_redirects=False,
            )
        except FOREIGN as error:
            raise map_fault(error) from error
        body = PulledBody(response)
        try:
            headers, reason = Headers(response.raw_headers), response.reason or ""
            check_head(response.status, reason, headers)
            length = get_length(headers)
            has_body = choose_framing(request.method, response.status, headers, length) is not None
        except BaseException:
            body.abort()
            raise
        return Answer(response.status, reason, headers, length, body if has_body else None)

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


class PulledBody:
    """A Source on aiohttp's StreamReader."""

    __slots__ = ("_flowing", "_response", "_task")

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
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
        content = self._response.content
        while True:
            try:
                data = await content.readany()
            except FOREIGN as error:
                receiver.fail(map_fault(error))
                return
            if not data:
                receiver.end()
                return
            receiver.feed(data)
            await self._flowing.wait()
