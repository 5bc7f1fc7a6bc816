"""Official SDKs that hear nothing but keep-alives for half a minute, and then the whole answer.

Every account is refused again and again meanwhile. The SDKs give up after 20 seconds without a byte, so they would not
be there any more if a keep-alive were none to them. All of them wait at the same time.
"""

import asyncio
import json
import math
import time
from dataclasses import asdict
from typing import Any, Final

import pytest

from proxy.relay.outcome import EndReason, Record
from tests.helpers.command import ROOT
from tests.helpers.recorder import Seen
from tests.helpers.staff import Staff, answer_well, find_account, provider, refuse, staffed
from tests.sdk.conftest import find_interpreter
from tests.sdk.matrix import CLIENTS, FEATURES, KEY

pytestmark = [pytest.mark.sdk, pytest.mark.long]

QUIET: Final = 30.0  # seconds without an answer
WITHIN: Final = 90.0
LIMITS: Final = {"hold_status": "1s", "heartbeat": "1s", "attempts": 40, "attempts_per_provider": 40}
BRIEFLY: Final = refuse(429, "rate_limit_exceeded", "Retry-After: 4")
PROVIDERS: Final = {"chat": "openai-chat", "claude": "anthropic", "gemini": "gemini"}
OF_ITS_OWN: Final = {"openai-chat": "chat", "anthropic": "claude", "gemini": "gemini"}
FOREIGN: Final = {"openai-chat": "claude", "openai-responses": "gemini", "anthropic": "chat", "gemini": "chat"}
ENVIRONMENTS: Final = ("openai", "anthropic", "genai")
CELLS: Final = {
    f"{client}-{model}": (client, model)
    for client, model in sorted({*OF_ITS_OWN.items(), *FOREIGN.items()})
}  # fmt: skip


def build_plan(environment: str, port: int) -> dict[str, Any]:
    """What a driver of tests/sdk/drivers reads."""
    cells = [
        {**asdict(FEATURES["text"]), "id": name, "client": client, "model": model, "stream": True}
        for name, (client, model) in CELLS.items()
        if CLIENTS[client].environment == environment
    ]
    return {"base_url": f"http://127.0.0.1:{port}", "key": KEY, "schema": {}, "png": "", "cells": cells}


async def drive(environment: str, interpreter: str, staff: Staff) -> dict[str, Any]:
    pipe = asyncio.subprocess.PIPE
    driver = ROOT / "tests" / "sdk" / "drivers" / f"{environment}_driver.py"
    process = await asyncio.create_subprocess_exec(interpreter, driver, stdin=pipe, stdout=pipe, stderr=pipe)
    try:
        async with asyncio.timeout(WITHIN):
            out, err = await process.communicate(json.dumps(build_plan(environment, staff.proxy.port)).encode())
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, err.decode()
    return {line["id"]: line["said"] for line in map(json.loads, out.splitlines())}


async def test_sdks_survive_half_a_minute_of_keep_alives() -> None:
    interpreters = [find_interpreter(name) for name in ENVIRONMENTS]
    tables = {name: provider(f"{name}1", f"{name}2", dialect=dialect) for name, dialect in PROVIDERS.items()}
    models = {name: {"targets": [f"{name}/m1"]} for name in PROVIDERS}
    async with staffed(tables, models=models, limits=LIMITS) as staff:
        all_there = math.inf

        def answer(seen: Seen) -> bytes:
            nonlocal all_there
            now, account = time.monotonic(), find_account(seen)
            if len(staff.proxy.penstock.streams) == len(CELLS):
                all_there = min(all_there, now)
            return BRIEFLY if now < all_there + QUIET else answer_well(staff.kinds[account], seen)

        staff.upstream.answer = answer
        drives = [drive(*pair, staff) for pair in zip(ENVIRONMENTS, interpreters, strict=True)]
        said = {name: seen for driven in await asyncio.gather(*drives) for name, seen in driven.items()}
        records = staff.proxy.records
    assert said.keys() == CELLS.keys()
    for name, seen in said.items():
        assert (seen["error"], seen["text"]) == (None, "Hello"), name
        assert seen["stop"] == CLIENTS[CELLS[name][0]].stops["stop"], name
    check_records(records)


def check_records(records: list[Record]) -> None:
    """No SDK has asked twice, and each was kept alive from its first second on."""
    assert len(records) == len(CELLS)
    # Who asks when an account is tried again is not said: one of them may wait all the while.
    assert sum(len(record.attempts) for record in records) > 2 * len(records)
    for record in records:
        assert (record.end, record.status) == (EndReason.DONE, 200)
        assert record.first_byte is not None
        assert record.ttft is not None
        assert record.first_byte < 2.0
        assert record.ttft > QUIET
        assert record.heartbeats > QUIET - 3.0
