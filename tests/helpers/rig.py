"""A proxy between a raw client and a recording upstream, watched for what it says about its input.

Every test puts CANARY wherever its request has room for it. `rigged` fails at its end when anything that was logged
holds it, and `Rig.assert_refused` when the answer does.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from proxy.ops.log import build_line, encode_json
from tests.helpers.bare import bare
from tests.helpers.rawhttp import RawClient, connected
from tests.helpers.recorder import Recorder, recorder
from tests.helpers.service import RunningProxy, mounted, running

CANARY = b"c4n4ry"
TARGET = b"/up/c4n4ry?q=c4n4ry"
PLAIN = b"GET /up/next HTTP/1.1\r\nHost: a\r\n\r\n"


def request(
    fields: bytes = b"",
    body: bytes = b"",
    *,
    method: bytes = b"POST",
    target: bytes = TARGET,
    version: bytes = b"HTTP/1.1",
    host: bytes = b"Host: a\r\n",
) -> bytes:
    """A request as bytes; `fields` is whole lines."""
    return method + b" " + target + b" " + version + b"\r\n" + host + b"X-Canary: c4n4ry\r\n" + fields + b"\r\n" + body


@dataclass(frozen=True, slots=True)
class Rig:
    proxy: RunningProxy
    upstream: Recorder

    async def answer_to(self, data: bytes, step: int = 0) -> bytes:
        """Everything that comes back on a connection that the proxy ends; `step` bytes are sent at a time."""
        async with bare(self.proxy.port) as client:
            try:
                for at in range(0, len(data), step or len(data)):
                    await client.send(data[at : at + (step or len(data))])
                    if step:
                        await asyncio.sleep(0)  # the proxy reads what there is
            except ConnectionError:
                assert step, "refused before it was sent"
            return await client.read_to_end()

    async def assert_refused(self, data: bytes, *statuses: int, step: int = 0) -> bytes:
        """One answer with one of `statuses` and `Connection: close`, the connection ended, nothing upstream."""
        answer = await self.answer_to(data, step)
        self.assert_is_refusal(answer, *statuses)
        assert self.upstream.connections == 0
        return answer

    def assert_is_refusal(self, answer: bytes, *statuses: int) -> None:
        head, _, body = answer.partition(b"\r\n\r\n")
        status, *fields = head.split(b"\r\n")
        assert int(status.split(b" ")[1]) in statuses
        assert status.startswith(b"HTTP/1.1 ")
        assert b"Connection: close" in fields
        assert b"Content-Length: %d" % len(body) in fields
        assert CANARY not in answer
        assert not any(field.lower().startswith(b"server:") for field in fields)

    @asynccontextmanager
    async def client(self) -> AsyncIterator[RawClient]:
        async with connected("127.0.0.1", self.proxy.port) as client:
            yield client


@asynccontextmanager
async def rigged(
    caplog: pytest.LogCaptureFixture, *, pull: bool = False, mount: dict[str, Any] | None = None, **tables: Any
) -> AsyncIterator[Rig]:
    """A Rig with a mount `/up`; `tables` are further tables of the configuration. Nothing it logs holds CANARY."""
    caplog.set_level(logging.DEBUG)
    async with recorder() as upstream:
        async with running({**mounted(upstream.base_url, **(mount or {})), **tables}, pull=pull) as proxy:
            yield Rig(proxy, upstream)
        assert not upstream.malformed
    logged = caplog.text + "".join(encode_json(build_line(record, "info")) for record in proxy.records)
    assert CANARY.decode() not in logged
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
