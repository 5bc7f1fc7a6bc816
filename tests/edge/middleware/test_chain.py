"""The order of the middlewares: each test shows one pair that must not change places."""

import pytest

from proxy.edge.gate import Doors
from proxy.edge.memory import Memory
from proxy.edge.middleware.chain import build_chain
from proxy.edge.streams import Streams
from proxy.relay.clocks import Ticker
from proxy.relay.outcome import EndReason
from tests.helpers.edge import build_house
from tests.helpers.rawhttp import fetch
from tests.helpers.service import mounted, running

UNUSED = "http://127.0.0.1:1"
KEYED = {**mounted(UNUSED, "anthropic", auth="key"), "clients": {"dev": {"key": "sesame"}}}


async def test_the_chain_is_as_its_comments_say() -> None:
    chain = build_chain(build_house, Doors(), Streams(), Memory(), Ticker(), print)
    assert [middleware.__name__ for middleware in chain] == [
        "scope",
        "access_record",
        "disconnect",
        "error_response",
        "gate",
        "admission",
        "client_auth",
        "request_headers",
    ]


@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [("/nowhere", "", 404), ("/up/..", "", 400), ("/up/a", "", 401), ("/up/a", "x-api-key: sesame\r\n", 502)],
)
async def test_every_refusal_has_its_line(target: str, headers: str, status: int) -> None:
    async with running(KEYED) as proxy:
        assert (await fetch(proxy.port, target, headers=headers)).status == status
        record = await proxy.wait_record()
        assert record.status == status
        assert record.end in (EndReason.REFUSED, EndReason.CONNECT)


async def test_a_refusal_for_a_missing_key_speaks_the_mounts_dialect() -> None:
    async with running(KEYED) as proxy:
        reply = await fetch(proxy.port, "/up/a")
        assert reply.json["error"]["type"] == "authentication_error"
        assert reply.headers["request-id"] == reply.json["request_id"]


async def test_a_bad_head_is_told_before_a_missing_key() -> None:
    async with running(KEYED) as proxy:
        assert (await fetch(proxy.port, "/up/..")).status == 400


async def test_an_overload_is_told_before_a_missing_key() -> None:
    async with running(KEYED) as proxy:
        proxy.penstock.streams.refusing = True
        assert (await fetch(proxy.port, "/up/a")).status == 503
