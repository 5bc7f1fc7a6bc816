"""The admin door."""

from collections.abc import AsyncIterator

import pytest

from tests.helpers.rawhttp import fetch
from tests.helpers.service import RunningProxy, mounted, running

UNUSED = "http://127.0.0.1:1"


@pytest.fixture
async def proxy() -> AsyncIterator[RunningProxy]:
    async with running(mounted(UNUSED)) as made:
        yield made


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(("path", "body"), [("/healthz", b"ok\n"), ("/readyz", b"ready, 0 streams\n")])
async def test_health_is_told(proxy: RunningProxy, method: str, path: str, body: bytes) -> None:
    reply = await fetch(proxy.admin_port, path, method=method)
    assert reply.status == 200
    assert reply.body == (b"" if method == "HEAD" else body)
    assert reply.headers["cache-control"] == "no-store"
    assert (await proxy.wait_record()).door == "admin"


async def test_one_that_drains_is_alive_and_not_ready(proxy: RunningProxy) -> None:
    proxy.penstock.streams.draining = True
    assert (await fetch(proxy.admin_port, "/healthz")).status == 200
    reply = await fetch(proxy.admin_port, "/readyz")
    assert (reply.status, reply.body) == (503, b"draining, 0 streams\n")


async def test_one_without_mounts_is_not_ready() -> None:
    async with running({}) as proxy:
        reply = await fetch(proxy.admin_port, "/readyz")
        assert (reply.status, reply.body) == (503, b"nothing is mounted\n")


@pytest.mark.parametrize(
    ("path", "method", "status"), [("/up/x", "GET", 404), ("/", "GET", 404), ("/healthz", "POST", 405)]
)
async def test_nothing_else_is_there(proxy: RunningProxy, path: str, method: str, status: int) -> None:
    reply = await fetch(proxy.admin_port, path, method=method)
    assert reply.status == status
    if status == 405:
        assert reply.headers["allow"] == "GET, HEAD"


async def test_health_is_not_told_at_the_public_door(proxy: RunningProxy) -> None:
    assert (await fetch(proxy.port, "/healthz")).status == 404
