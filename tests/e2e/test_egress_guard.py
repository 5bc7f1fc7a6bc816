"""A provider whose name leads inside, from the caller's side: a constant answer, a line for the operator, and no
account is held to it. The name is `inside.example`, for which 127.0.0.1 is answered.
"""

import logging
from collections.abc import Sequence
from typing import Any

import pytest
from aiohttp.connector import TCPConnector

from proxy.config.load import build_config
from proxy.relay.outcome import EndReason
from tests.helpers.models import build
from tests.helpers.names import Names
from tests.helpers.origin import origin
from tests.helpers.rawhttp import fetch
from tests.helpers.service import running

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HINT = "not connected to 127.0.0.1: this is a loopback address, and no name may lead there; if it is meant, "


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolve(connector: TCPConnector, host: str, port: int, traces: object = None) -> object:
        assert host == "inside.example"
        return await Names(["127.0.0.1"]).resolve(host, port)

    monkeypatch.setattr(TCPConnector, "_resolve_host", resolve)


def configure(port: int, networks: Sequence[str] = ()) -> dict[str, Any]:
    accounts = {name: {"key": f"key-of-{name}-1234"} for name in ("a", "b")}
    row = {"dialect": "openai-chat", "base_url": f"http://inside.example:{port}/v1", "accounts": accounts}
    return {
        "providers": {"up": {**row, "private_networks": list(networks)}},
        "mounts": {"/up": {"provider": "up", "auth": "none"}},
        "models": {"m": {"targets": ["up/m"]}},
        "limits": {"attempts": 2, "deadline": "1s"},
    }


async def test_a_mount_answers_502_and_says_no_address(pull: bool, caplog: pytest.LogCaptureFixture) -> None:
    async with origin() as up, running(configure(up.port), pull=pull) as proxy:
        replies = [await fetch(proxy.port, "/up/x") for _ in range(2)]
        record = await proxy.wait_record()
        assert up.peers == []
    assert replies[0].json["error"]["code"] == "upstream_address"
    for reply in replies:
        assert reply.status in (502, 503)  # the second finds the way out left alone for a second
        assert b"127.0.0.1" not in reply.raw + reply.body
        assert b"inside" not in reply.raw + reply.body
    assert (record.end, record.error) == (EndReason.CONNECT, "upstream_address")
    (told,) = [entry for entry in caplog.records if entry.name == "penstock"]
    assert told.levelno == logging.WARNING
    assert told.getMessage() == f'provider up: {HINT}[providers.up] takes private_networks = ["127.0.0.1"]'


async def test_a_model_route_holds_it_against_the_way_out_and_no_account(pull: bool) -> None:
    async with origin() as up, running(configure(up.port), pull=pull) as proxy:
        target, body = build("openai", "m", stream=False)
        reply = await fetch(proxy.port, target, body=body)
        (shown,) = (await fetch(proxy.admin_port, "/accounts")).json["providers"]
        assert up.peers == []
    assert reply.status == 502
    assert b"127.0.0.1" not in reply.raw + reply.body
    assert [account.get("cooldowns", []) for account in shown["accounts"]] == [[], []]
    assert {cooldown["level"] for cooldown in shown["cooldowns"]} == {"egress"}


async def test_what_the_line_says_is_all_that_is_needed(pull: bool) -> None:
    async with origin() as up, running(configure(up.port, ["127.0.0.1"]), pull=pull) as proxy:
        up.answer = OK
        assert (await fetch(proxy.port, "/up/x")).body == b"ok"


async def test_a_reload_that_takes_the_permission_away_takes_the_kept_connection_too(pull: bool) -> None:
    async with origin() as up, running(configure(up.port, ["127.0.0.0/8"]), pull=pull) as proxy:
        up.answer = OK
        assert (await fetch(proxy.port, "/up/x")).body == b"ok"
        proxy.penstock.reload(build_config([("test", configure(up.port))], {}))
        assert (await fetch(proxy.port, "/up/x")).json["error"]["code"] == "upstream_address"
        assert len(up.peers) == 1
