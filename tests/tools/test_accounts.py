"""`penstock accounts`: a real command against a running proxy, and where it finds it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.helpers.command import Finished, ran
from tests.helpers.cooldowns import build_cooldown, build_spot
from tests.helpers.service import RunningProxy, mounted, running


@pytest.fixture
async def proxy() -> AsyncIterator[RunningProxy]:
    """Two accounts, one of them left alone for a minute."""
    config = mounted("http://127.0.0.1:1", "openai-chat")
    config["providers"]["up"]["accounts"] = {"a": {"key": "key-of-account-a"}, "b": {"key": "key-of-account-b"}}
    async with running(config) as made:
        now, board = made.penstock.ticker.wall(), made.penstock.board
        spot = build_spot("a")
        mark = board.account(spot.provider, spot.name).mark
        board.cool(build_cooldown(spot, since=now, until=now + 60, mark=mark))
        yield made


async def ask(proxy: RunningProxy, *arguments: str) -> Finished:
    return await ran("accounts", "--admin", f"127.0.0.1:{proxy.admin_port}", *arguments)


async def test_accounts_are_shown(proxy: RunningProxy) -> None:
    done = await ask(proxy)
    assert (done.code, done.err) == (0, "")
    head, a, b = done.out.splitlines()
    assert head.split() == ["NAME", "STATE", "IN-FLIGHT", "UNTIL", "EGRESS", "WHY"]
    assert a.split()[:3] == ["up/a", "cooling", "0"]
    assert a.endswith("rate_limit: 429 slow down")
    assert b.split() == ["up/b", "open", "0", "direct"]


async def test_accounts_are_given_as_json(proxy: RunningProxy) -> None:
    answer = json.loads((await ask(proxy, "--json")).out)
    assert [account["state"] for account in answer["providers"][0]["accounts"]] == ["cooling", "open"]


async def test_cooldowns_are_lifted_while_the_proxy_runs(proxy: RunningProxy) -> None:
    assert (await ask(proxy, "--clear", "up/a")).out == "1 cool-down lifted\n"
    assert proxy.penstock.board.list(proxy.penstock.ticker.wall()) == []
    assert (await ask(proxy, "--clear", "up")).out == "nothing was held against it\n"
    assert json.loads((await ask(proxy, "--clear", "up/a", "--json")).out) == {"lifted": 0}


@pytest.mark.parametrize("name", ["nobody", "up/c", ""])
async def test_an_unknown_name_is_a_fault(proxy: RunningProxy, name: str) -> None:
    done = await ask(proxy, "--clear", name)
    assert (done.code, done.out) == (1, "")
    assert done.err == "penstock: There is no provider, and no account of a provider, of this name.\n"


async def test_the_address_is_found_in_the_environment_or_the_configuration(
    proxy: RunningProxy, tmp_path: Path
) -> None:
    address = f"127.0.0.1:{proxy.admin_port}"
    assert (await ran("accounts", env={"PENSTOCK_ADMIN": address})).code == 0
    file = tmp_path / "penstock.toml"
    file.write_text(f'[server]\nadmin = "{address}"\n')
    assert (await ran("accounts", "--config", str(file))).code == 0
    assert (await ran("accounts", cwd=tmp_path, env={"PYTHONPATH": str(Path(__file__).parents[2])})).code == 0


async def test_nobody_there_is_a_fault() -> None:
    done = await ran("accounts", "--admin", "127.0.0.1:1")
    assert (done.code, done.out) == (1, "")
    assert done.err == "penstock: cannot reach the admin listener at 127.0.0.1:1: connection refused\n"
