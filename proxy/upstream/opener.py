"""Opens answers at one provider: the relay's Opener on an aiohttp session.

The target goes onto the wire as it is given: it is put into the URL whole, as an encoded path, which is the one form
that yarl neither requotes nor normalises. Reading and writing faults are aiohttp's until `map_fault`.
"""

from collections.abc import Mapping

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from proxy.relay.ports import Answer, UpstreamRequest
from proxy.types import AccountName, ProviderName
from proxy.upstream.answer import build_answer
from proxy.upstream.faults import FOREIGN, map_fault


class AiohttpOpener:
    """One account at one provider. `headers` (credentials among them) replace what the request brought."""

    def __init__(
        self,
        name: ProviderName,
        account: AccountName | None,
        origin: URL,
        headers: Mapping[str, str],
        session: aiohttp.ClientSession,
    ) -> None:
        self.name = name
        self.account = account
        self._scheme = origin.scheme
        self._host = origin.host or ""
        self._port = origin.port
        self._headers = {name.lower(): value for name, value in headers.items()}
        self._session = session

    async def open(self, request: UpstreamRequest) -> Answer:
        url = URL.build(scheme=self._scheme, host=self._host, port=self._port, path=request.target, encoded=True)
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
        try:
            return build_answer(request.method, response)
        except BaseException:
            response.close()
            raise

    def _build_headers(self, request: UpstreamRequest) -> CIMultiDict[str]:
        ours = self._headers
        headers: CIMultiDict[str] = CIMultiDict()
        for name, value in request.headers:
            key = name.decode("ascii")
            if key not in ours:
                headers.add(key, value.decode("utf-8"))
        headers.extend(ours)
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
