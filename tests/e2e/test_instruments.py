"""Who looks on while requests are served: all are told, whatever one of them does, and a reload reaches each."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from proxy.config.load import build_config
from proxy.relay.outcome import Record
from proxy.tools.usage import read_report
from tests.helpers.rawhttp import fetch
from tests.helpers.service import RunningProxy, demo_upstream, mounted, running

ASKED = "/up/clock?n=1"


async def read(proxy: RunningProxy, path: str) -> Any:
    reply = await fetch(proxy.admin_port, path)
    assert reply.status == 200
    return json.loads(reply.body)


async def test_one_that_fails_is_said_once_and_keeps_nobody_from_being_told(caplog: pytest.LogCaptureFixture) -> None:
    told: list[Record] = []

    def fail(record: Record) -> None:
        told.append(record)
        raise KeyError("secret-of-a-caller")

    async with demo_upstream() as upstream, running(mounted(upstream)) as proxy:
        instruments = proxy.penstock.instruments
        instruments._observers = (fail, *instruments._observers)
        with caplog.at_level(logging.ERROR, "penstock"):
            for number in (1, 2):
                await fetch(proxy.port, ASKED)
                await proxy.wait_record(number)
    assert len(told) == 2
    (line,) = caplog.messages
    assert line == "unexpected KeyError"


async def test_a_finished_request_is_in_every_book(tmp_path: Path) -> None:
    ledger = {"ledger": {"path": str(tmp_path / "books.db")}, "record": {"ring": 2}}
    async with demo_upstream() as upstream, running({**mounted(upstream), **ledger}) as proxy:
        await fetch(proxy.port, ASKED)
        await proxy.wait_record()
        assert b'penstock_stream_end_total{reason="done"} 1.0' in (await fetch(proxy.admin_port, "/metrics")).body
        assert await read(proxy, "/failures") == {"failures": []}
        assert (await fetch(proxy.admin_port, "/")).body.startswith(b"<!doctype html>")

    assert read_report(tmp_path / "books.db", ("provider",), 0.0).rows[0][:2] == ("up", 1)


async def test_a_reload_reaches_whoever_looks(tmp_path: Path) -> None:
    async with demo_upstream() as upstream:
        config: dict[str, Any] = mounted(upstream)
        async with running(config) as proxy:
            assert (await read(proxy, "/record"))["ring"] == 0
            changed = {**config, "record": {"ring": 3}, "console": {"token": "t-of-the-operator"}}
            proxy.penstock.reload(build_config([("test", changed)], {}))
            assert (await fetch(proxy.admin_port, "/record")).status == 401
            assert proxy.penstock.instruments._recordings.recorder.settings.ring == 3
