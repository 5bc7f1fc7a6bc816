"""What was learned of an account outlives the process, is shown, and is lifted by hand while everything runs."""

import asyncio
import json
import os
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.helpers.command import Running, ran, started
from tests.helpers.origin import Origin, origin
from tests.helpers.rawhttp import Reply, fetch

LOOP = os.environ.get("PENSTOCK_TEST_LOOP", "uvloop")
ERROR = b'{"error": {"message": "slow down", "type": "rate_limit_error", "code": "rate_limit_exceeded"}}'
REFUSAL = b"HTTP/1.1 429 X\r\nContent-Type: application/json\r\nRetry-After: 1800\r\nContent-Length: %d\r\n\r\n%b" % (
    len(ERROR),
    ERROR,
)
QUESTION = {"model": "up/m", "messages": [{"role": "user", "content": "hello"}]}
KEY = "Content-Type: application/json\r\nAuthorization: Bearer k\r\n"


@asynccontextmanager
async def served(folder: Path, upstream: Origin) -> AsyncIterator[tuple[Running, int]]:
    file = folder / "penstock.toml"
    file.write_text(
        f'[server]\nlisten = ["127.0.0.1:0"]\nadmin = "unix:{folder}/admin"\n[clients.dev]\nkey = "k"\n'
        f'[state]\npath = "{folder}/state/penstock.db"\n'
        f'[providers.up]\ndialect = "openai-chat"\nbase_url = "{upstream.base_url}"\n'
        '[providers.up.accounts.main]\nkey = "secret-of-ours"\n'
    )
    async with started("serve", "--config", str(file), "--loop", LOOP, "--log-format", "json") as running:
        found = re.search(r"127\.0\.0\.1:(\d+)", await running.err_line("listening on"))
        assert found is not None
        yield running, int(found[1])
        running.interrupt(signal.SIGTERM)
        assert (await running.finish()).code == 0


async def ask(port: int) -> Reply:
    return await fetch(port, "/v1/chat/completions", body=QUESTION, headers=KEY)


async def refuse(upstream: Origin, number: int) -> None:
    peer = await upstream.peer(number)
    await peer.until(b"hello")
    peer.send(REFUSAL)


async def show(folder: Path) -> tuple[str, float]:
    done = await ran("accounts", "--json", "--admin", f"{folder}/admin")
    (account,) = json.loads(done.out)["providers"][0]["accounts"]
    return account["state"], max([shown["seconds_left"] for shown in account.get("cooldowns", ())], default=0.0)


async def test_a_cooldown_is_kept_over_a_restart_and_lifted_live(tmp_path: Path) -> None:
    async with origin() as upstream:
        async with served(tmp_path, upstream) as (_, port):
            assert await show(tmp_path) == ("open", 0.0)
            reply, _ = await asyncio.gather(ask(port), refuse(upstream, 1))
            assert reply.status == 429
            state, seconds = await show(tmp_path)
            assert state == "cooling"
            assert 1700 < seconds <= 1800
        async with served(tmp_path, upstream) as (_, port):
            assert (await ask(port)).status == 429
            assert len(upstream.peers) == 1
            assert (await show(tmp_path))[0] == "cooling"
            done = await ran("accounts", "--clear", "up/main", "--admin", f"{tmp_path}/admin")
            assert done.out == "1 cool-down lifted\n"
            assert await show(tmp_path) == ("open", 0.0)
            await asyncio.gather(ask(port), refuse(upstream, 2))
    for file in (tmp_path / "state").iterdir():
        assert b"secret-of-ours" not in file.read_bytes()
