"""The upstream room for tests: openers on a scripted origin, a receiver that collects, and a transport of no socket."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver
from yarl import URL

from proxy.errors import UpstreamFault
from proxy.relay.ports import Opener, Source, UpstreamRequest
from proxy.types import AccountName, ProviderName
from proxy.upstream.egress import parse_proxy
from proxy.upstream.fallback import PullOpener
from proxy.upstream.guard import build_permit
from proxy.upstream.handler import PushHandler
from proxy.upstream.opener import PushOpener
from proxy.upstream.pool import PoolSettings, build_session

GET = UpstreamRequest("GET", "/a", [], None)
WAIT = 10.0


@asynccontextmanager
async def opening(
    base_url: str,
    added: Mapping[str, str] | None = None,
    *,
    pull: bool = False,
    proxy: str = "",
    tell: Callable[[str, str], None] = lambda address, kind: None,
    resolver: AbstractResolver | None = None,
    **settings: Any,
) -> AsyncIterator[Opener]:
    """An opener at `base_url`, with a pool of its own. proxy: the URL of the one to go through. tell: of addresses that
    are refused. resolver: who answers for names."""
    name, account, url, way = ProviderName("up"), AccountName("main"), URL(base_url), parse_proxy(proxy)
    permit = build_permit([url] if way is None else [url, way.url], [])
    usual = {"connect": 5.0, "field": 64 * 1024, "fields": 256, "pull": pull, "permit": permit}
    pool = PoolSettings(**{**usual, **settings})
    async with build_session(pool, tell) as session:
        if resolver is not None:
            connector: Any = session.connector
            connector._resolver, connector._use_dns_cache = resolver, False
        if pull:
            yield PullOpener(name, account, url, added or {}, session, way)
        else:
            yield PushOpener(name, account, url, added or {}, session, pool, way)


class Collector:
    """A Receiver. `over` is set at the end, however it comes."""

    def __init__(self) -> None:
        self.body = bytearray()
        self.ended = 0
        self.fault: UpstreamFault | None = None
        self.over = asyncio.Event()
        self._grown = asyncio.Event()

    def feed(self, data: bytes) -> None:
        assert data
        assert not self.over.is_set()
        self.body += data
        self._grown.set()

    def end(self) -> None:
        assert not self.over.is_set()
        self.ended += 1
        self.over.set()

    def fail(self, fault: UpstreamFault) -> None:
        assert not self.over.is_set()
        self.fault = fault
        self.over.set()

    async def until(self, length: int) -> None:
        async with asyncio.timeout(WAIT):
            while len(self.body) < length:
                self._grown.clear()
                await self._grown.wait()

    async def wait(self) -> bytes:
        async with asyncio.timeout(WAIT):
            await self.over.wait()
        return bytes(self.body)


async def collect(source: Source | None) -> Collector:
    """Everything that a source gives, to its end."""
    collector = Collector()
    if source is None:
        collector.end()
    else:
        source.start(collector)
    await collector.wait()
    return collector


async def ask(opener: Opener, request: UpstreamRequest = GET) -> tuple[int, bytes]:
    async with asyncio.timeout(10):
        answer = await opener.open(request)
        return answer.status, bytes((await collect(answer.source)).body)


async def fail(opener: Opener, request: UpstreamRequest = GET) -> UpstreamFault:
    with pytest.raises(UpstreamFault) as caught:
        await ask(opener, request)
    return caught.value


class FakeUpload:
    """A request body that a test sends: `send`, `send_end` or `break_off`. `whole`: it is here already."""

    def __init__(self, length: int | None = None, whole: bytes | None = None) -> None:
        self.length = length
        self.taken = 0
        self._whole = whole
        self._pieces: asyncio.Queue[bytes | Exception] = asyncio.Queue(100)

    def take_whole(self) -> bytes | None:
        return self._whole

    async def read(self) -> AsyncIterator[bytes]:
        while piece := await self._pieces.get():
            if isinstance(piece, Exception):
                raise piece
            self.taken += len(piece)
            yield piece

    def send(self, data: bytes) -> None:
        self._pieces.put_nowait(data)

    def send_end(self) -> None:
        self._pieces.put_nowait(b"")

    def break_off(self, error: Exception) -> None:
        self._pieces.put_nowait(error)


class FakeTransport(asyncio.Transport):
    """Notes what is asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.paused = False
        self.ended = ""

    def write(self, data: Any) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return bool(self.ended)

    def abort(self) -> None:
        self.ended = self.ended or "abort"

    def close(self) -> None:
        self.ended = self.ended or "close"

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def get_write_buffer_size(self) -> int:
        return 0


def build_handler(method: str = "GET") -> tuple[PushHandler, FakeTransport]:
    """A connection on which a request has been sent."""
    handler, transport = PushHandler(asyncio.get_running_loop()), FakeTransport()
    handler.connection_made(transport)
    expect_answer(handler, method)
    return handler, transport


def expect_answer(handler: PushHandler, method: str = "GET") -> None:
    """What an opener tells a connection before each request."""
    handler.set_response_params(
        skip_payload=method == "HEAD", read_until_eof=True, auto_decompress=False, max_headers=256
    )


class FakeConnection:
    """What aiohttp's pool gives out: `fate` is what became of it."""

    def __init__(self) -> None:
        self.fate = ""

    def release(self) -> None:
        self.fate = self.fate or "released"

    def close(self) -> None:
        self.fate = self.fate or "closed"
