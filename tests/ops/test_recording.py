"""The recorder's admin routes, on a real listener."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from proxy.demo import DemoUpstream
from proxy.wire.cassette import parse_cassette
from tests.helpers.rawhttp import Reply, fetch
from tests.helpers.service import RunningProxy, demo_upstream, mounted, running

JSON = "Content-Type: application/json\r\n"


@pytest.fixture
async def upstream() -> AsyncIterator[DemoUpstream]:
    async with demo_upstream() as made:
        yield made


@pytest.fixture
async def proxy(upstream: DemoUpstream, tmp_path: Path) -> AsyncIterator[RunningProxy]:
    record = {"ring": 2, "directory": str(tmp_path / "tapes")}
    clients = {"alice": {"key": "key-of-alice"}}
    async with running(
        {**mounted(upstream), "clients": clients, "record": record, "console": {"content": True}}
    ) as made:
        yield made


async def fail(proxy: RunningProxy) -> str:
    """A stream that is cut after its second event; returns its id."""
    before = len(proxy.records)
    with pytest.raises(asyncio.IncompleteReadError):
        await fetch(proxy.port, "/up/clock?every=1ms&cut_after=2")
    return (await proxy.wait_record(before + 1)).id


async def ask(proxy: RunningProxy, body: Any) -> Reply:
    return await fetch(proxy.admin_port, "/record", body=json.dumps(body).encode(), headers=JSON)


async def test_the_last_failures_are_listed_and_each_is_a_cassette(proxy: RunningProxy) -> None:
    ids = [await fail(proxy) for _ in range(3)]
    await fetch(proxy.port, "/up/clock?every=1ms&n=2")
    listed = (await fetch(proxy.admin_port, "/failures")).json["failures"]
    assert [failure["id"] for failure in listed] == [ids[2], ids[1]]
    assert listed[0]["line"]["end_reason"] == "upstream_cut"
    assert listed[0]["line"]["request_id"] == ids[2]
    reply = await fetch(proxy.admin_port, listed[0]["cassette"])
    assert reply.headers["content-type"] == "application/octet-stream"
    assert reply.headers["content-disposition"] == f'attachment; filename="{ids[2]}.cassette"'
    cassette = parse_cassette(reply.body)
    (take,) = cassette.takes
    assert take.answer.count(b"event: tick") == 2
    assert take.end is not None
    assert (take.end.how, take.end.code) == ("failed", "upstream_cut")
    assert cassette.outcome == listed[0]["line"]


async def test_without_content_a_failure_shows_no_word(upstream: DemoUpstream) -> None:
    async with running({**mounted(upstream), "record": {"ring": 2}}) as proxy:
        reply = await fetch(proxy.admin_port, f"/failures/{await fail(proxy)}")
    (take,) = parse_cassette(reply.body).takes
    assert (take.answer, take.lost > 100, len(take.data) > 1) == (b"", True, True)
    assert b"tick" not in reply.body


@pytest.mark.parametrize("path", ["/failures/req_unknown", "/failures/%2e%2e", "/failures/"])
async def test_what_is_not_remembered_is_not_found(proxy: RunningProxy, path: str) -> None:
    assert (await fetch(proxy.admin_port, path)).status == 404


async def test_what_is_recorded_is_told(proxy: RunningProxy, tmp_path: Path) -> None:
    assert (await fetch(proxy.admin_port, "/record")).json == {
        "rules": [], "wishes": [], "directory": str(tmp_path / "tapes"), "ring": 2, "recording": 0, "kept": 0,
        "lost": 0, "files": 0, "bytes": 0,
    }  # fmt: skip


async def test_recording_can_be_asked_for_and_ended(proxy: RunningProxy, tmp_path: Path) -> None:
    told = (await ask(proxy, {"seconds": 60})).json
    (wish,) = told["wishes"]
    assert (wish["client"], wish["model"]) == (None, None)
    assert 59 < wish["seconds_left"] <= 60
    reply = await fetch(proxy.port, "/up/clock?every=1ms&n=3")
    told = (await ask(proxy, {"seconds": 0})).json
    assert told["wishes"] == []
    await fetch(proxy.port, "/up/clock?every=1ms&n=3")
    await proxy.penstock.instruments.close()
    (file,) = (tmp_path / "tapes").glob("*.cassette")
    assert parse_cassette(file.read_bytes()).takes[0].answer == reply.body
    assert (await fetch(proxy.admin_port, "/record")).json["kept"] == 1


@pytest.mark.parametrize(
    "body",
    [
        {}, {"seconds": "60"}, {"seconds": True}, {"seconds": -1}, {"seconds": 86401}, {"seconds": 10**400},
        {"seconds": 1, "client": 5}, {"seconds": 1, "client": "a b"}, {"seconds": 1, "model": ""},
        {"seconds": 1, "more": 1},
    ],
)  # fmt: skip
async def test_a_wish_that_is_none_is_refused(proxy: RunningProxy, body: Any) -> None:
    reply = await ask(proxy, body)
    assert (reply.status, reply.json["error"]["code"]) == (400, "bad_wish")


async def test_who_is_no_client_cannot_be_recorded(proxy: RunningProxy) -> None:
    reply = await ask(proxy, {"seconds": 60, "client": "alcie"})
    assert (reply.status, reply.json["error"]["code"]) == (404, "unknown_client")


async def test_there_is_a_bound_to_what_can_be_asked(proxy: RunningProxy) -> None:
    while proxy.penstock.instruments.open_tape is not None:
        reply = await ask(proxy, {"seconds": 60, "client": "alice"})
        if reply.status != 200:
            break
    assert (reply.status, reply.json["error"]["code"]) == (409, "too_many")


async def test_a_foreign_page_cannot_ask(proxy: RunningProxy) -> None:
    reply = await fetch(proxy.admin_port, "/record", body=b'{"seconds": 5}', headers="Content-Type: text/plain\r\n")
    assert reply.status == 415


async def test_without_a_directory_nothing_can_be_asked(upstream: DemoUpstream) -> None:
    async with running(mounted(upstream)) as proxy:
        reply = await ask(proxy, {"seconds": 60})
        assert (reply.status, reply.json["error"]["code"]) == (409, "no_directory")
        assert (await fetch(proxy.admin_port, "/record")).json["directory"] == ""
