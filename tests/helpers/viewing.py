"""Somebody who looks at the console: frames of its event streams, read from a real connection, one by one."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proxy.ops.console.console import Console
from tests.helpers.rawhttp import WAIT, RawClient, connected, parse_sse
from tests.helpers.service import RunningProxy, demo_upstream, running

POST = "Content-Type: application/json\r\n"


@dataclass(frozen=True)
class Frame:
    event: str
    id: str
    data: Any


class Viewer:
    """frames: all that have been read."""

    def __init__(self, client: RawClient) -> None:
        self.frames: list[Frame] = []
        self.status = 0
        self.client = client

    async def start(self, target: str, headers: str) -> None:
        await self.client.ask(target, headers=headers)
        head = await self.client.head()
        self.status = head.status
        assert head.headers["content-type"] == "text/event-stream; charset=utf-8"

    async def read(self) -> Frame | None:
        """The next frame, None at the end."""
        while chunk := await self.client.chunk():
            for event in parse_sse(chunk):
                frame = Frame(event["event"], event.get("id", ""), json.loads(event["data"]))
                self.frames.append(frame)
                return frame
        return None

    async def until(self, wanted: Callable[[Frame], Any]) -> Frame:
        """The next frame of which this is true."""
        async with asyncio.timeout(WAIT):
            while frame := await self.read():
                if wanted(frame):
                    return frame
        raise AssertionError(f"the stream has ended: {[frame.event for frame in self.frames]}")

    async def rest(self) -> list[Frame]:
        """Frames up to the end, which must come in good order."""
        async with asyncio.timeout(WAIT):
            while await self.read():
                pass
        return self.frames


@asynccontextmanager
async def viewing(port: int, target: str = "/console/events", headers: str = "") -> AsyncIterator[Viewer]:
    async with connected("127.0.0.1", port) as client:
        viewer = Viewer(client)
        await viewer.start(target, headers)
        yield viewer


@asynccontextmanager
async def unix_viewing(path: Path) -> AsyncIterator[Viewer]:
    """Over a listener in the file system."""
    client = RawClient(*await asyncio.open_unix_connection(path))
    try:
        viewer = Viewer(client)
        await viewer.start("/console/events", "")
        yield viewer
    finally:
        await client.close()


CHAT = "/v1/chat/completions"
SLOWLY = "x-demo: pace=100ms\r\n"
"""Some seconds for an answer: more than any test here looks on."""


@asynccontextmanager
async def proxied(**config: Any) -> AsyncIterator[RunningProxy]:
    async with demo_upstream() as upstream:
        provider = {"dialect": "openai-chat", "base_url": f"{upstream.base_url}/v1"}
        raw = {"dialect": "raw", "base_url": upstream.base_url}
        mounts = {"/raw": {"provider": "raw", "auth": "none"}}
        async with running({"providers": {"up": provider, "raw": raw}, "mounts": mounts, **config}) as proxy:
            yield proxy


@asynccontextmanager
async def chatting(proxy: RunningProxy, headers: str = SLOWLY) -> AsyncIterator[RawClient]:
    """A client in the middle of an answer."""
    async with connected("127.0.0.1", proxy.port) as client:
        body = {"model": "up/demo", "stream": True, "messages": [{"role": "user", "content": "secret question"}]}
        await client.ask(CHAT, body=json.dumps(body).encode(), headers=POST + headers)
        assert (await client.head()).status == 200
        await client.chunk()
        yield client


def find_console(proxy: RunningProxy) -> Console:
    return proxy.penstock.instruments._console


def find_id(proxy: RunningProxy) -> str:
    (scope,) = proxy.penstock.streams.list_scopes()
    return scope.record.id
