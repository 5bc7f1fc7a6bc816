"""What a client has used of its day, and of its minute, outlives the process."""

import os
import re
import signal
from pathlib import Path

from tests.helpers.command import started
from tests.helpers.models import WHOLE, build_reply
from tests.helpers.rawhttp import Reply, fetch
from tests.helpers.recorder import Recorder, recorder

LOOP = os.environ.get("PENSTOCK_TEST_LOOP", "uvloop")
QUESTION = {"model": "up/m", "messages": [{"role": "user", "content": "hello"}]}


async def ask(port: int, key: str) -> Reply:
    return await fetch(port, "/v1/chat/completions", body=QUESTION, headers=f"Authorization: Bearer {key}\r\n")


def write(folder: Path, upstream: Recorder) -> Path:
    """An answer has seven tokens, at a cent each."""
    file = folder / "penstock.toml"
    file.write_text(
        f'[server]\nlisten = ["127.0.0.1:0"]\nadmin = ""\n[state]\npath = "{folder}/state/penstock.db"\n'
        '[clients]\nann = { key = "ann", tokens_per_day = 20 }\nbob = { key = "bob", cost_per_day = 0.20 }\n'
        f'cid = {{ key = "cid", rpm = 1 }}\n[providers.up]\ndialect = "openai-chat"\nbase_url = "{upstream.base_url}"\n'
        'accounts.main.key = "secret-of-ours"\n[prices."up/*"]\ninput = 10_000\noutput = 10_000\n'
    )
    return file


async def serve_and_ask(file: Path, keys: str) -> dict[str, list[int]]:
    """The statuses of four requests for each key, in a process of their own."""
    async with started("serve", "--config", str(file), "--loop", LOOP, "--log-format", "json") as process:
        found = re.search(r"127\.0\.0\.1:(\d+)", await process.err_line("listening on"))
        assert found is not None
        port = int(found[1])
        statuses = {key: [(await ask(port, key)).status for _ in range(4)] for key in keys.split()}
        process.interrupt(signal.SIGTERM)
        assert (await process.finish()).code == 0
    return statuses


async def test_a_day_and_a_minute_go_on_after_a_restart(tmp_path: Path) -> None:
    async with recorder() as upstream:
        upstream.answer = lambda seen: build_reply(WHOLE["openai"])
        file = write(tmp_path, upstream)
        assert await serve_and_ask(file, "ann bob cid") == {
            "ann": [200, 200, 200, 429],
            "bob": [200, 200, 200, 429],
            "cid": [200, 429, 429, 429],
        }
        assert await serve_and_ask(file, "ann bob cid") == {
            "ann": [429] * 4,
            "bob": [429] * 4,
            "cid": [429] * 4,
        }
