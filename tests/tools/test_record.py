"""`penstock record`: a real command against a running proxy."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.helpers.command import Finished, ran
from tests.helpers.rawhttp import fetch
from tests.helpers.service import RunningProxy, mounted, running


@pytest.fixture
async def proxy(tmp_path: Path) -> AsyncIterator[RunningProxy]:
    record = {"directory": str(tmp_path / "tapes"), "when": ["failed"], "ring": 3}
    clients = {"alice": {"key": "key-of-alice"}}
    async with running({**mounted("http://127.0.0.1:1"), "clients": clients, "record": record}) as made:
        yield made


async def ask(proxy: RunningProxy, *arguments: str) -> Finished:
    return await ran("record", "--admin", f"127.0.0.1:{proxy.admin_port}", *arguments)


async def test_what_is_recorded_is_told(proxy: RunningProxy, tmp_path: Path) -> None:
    done = await ask(proxy)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "configured: failed; the last 3 failures in memory",
        "under way: 0; kept 0, lost 0 since the start",
        f"0 cassettes, 0 B, in {tmp_path / 'tapes'}",
    ]


async def test_recording_is_asked_for_and_ended(proxy: RunningProxy) -> None:
    done = await ask(proxy, "--for", "60s", "--client", "alice", "--model", "gpt-*")
    assert "asked for: client alice, model gpt-*, 60 s more" in done.out.splitlines()
    (wish,) = json.loads((await ask(proxy, "--json")).out)["wishes"]
    assert (wish["client"], wish["model"]) == ("alice", "gpt-*")
    assert "asked for: everything" in (await ask(proxy, "--for", "2m")).out
    assert "asked for" not in (await ask(proxy, "--stop")).out


async def test_remembered_failures_are_listed_shown_and_replayed_by_their_ids(proxy: RunningProxy) -> None:
    assert (await ask(proxy, "--failures")).out == "no failure is remembered: [record] ring says how many are\n"
    for number in (1, 2):
        assert (await fetch(proxy.port, f"/up/{number}")).status == 502
    done = await ask(proxy, "--failures")
    assert (done.code, done.err) == (0, "")
    second, first = done.out.splitlines()
    ids = [record.id for record in proxy.records if record.door == "public"]
    assert [line.split()[0] for line in (first, second)] == ids
    assert second.endswith("  /up  up  connect  upstream_refused")
    admin = ("--admin", f"127.0.0.1:{proxy.admin_port}")
    shown = await ran("show", ids[1], *admin)
    assert (shown.code, shown.err) == (0, "")
    assert "end: failed upstream_refused" in shown.out
    replayed = await ran("replay", ids[1], *admin)
    assert (replayed.code, replayed.err) == (1, f"penstock: {ids[1]}: no provider answered in it\n")
    gone = await ran("show", "req_" + "0" * 24, *admin)
    assert (gone.code, gone.err) == (1, "penstock: No failed stream of this id is remembered.\n")


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("--client", "alice"), 2, "--client and --model go with --for"),
        (("--for", "5s", "--stop"), 2, "--for, --stop and --failures do not go together"),
        (("--failures", "--stop"), 2, "--for, --stop and --failures do not go together"),
        (("--for", "soon"), 2, "not a duration"),
        (("--for", "2d"), 2, "not above 0 and up to 1d"),
        (("--for", "5s", "--client", "a b"), 1, 'The body must be {"seconds": N}'),
    ],
)
async def test_wrong_usage_is_named(proxy: RunningProxy, arguments: tuple[str, ...], code: int, text: str) -> None:
    done = await ask(proxy, *arguments)
    assert (done.code, done.out) == (code, "")
    assert text in done.err


async def test_a_proxy_that_is_not_there_is_a_fault() -> None:
    done = await ran("record", "--admin", "127.0.0.1:1")
    assert (done.code, done.out) == (1, "")
    assert done.err == "penstock: cannot reach the admin listener at 127.0.0.1:1: connection refused\n"
