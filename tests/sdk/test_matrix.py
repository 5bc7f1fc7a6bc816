"""Every client's SDK, through the proxy, at every provider: what it asked for is what it gets.

One process per SDK runs all of its cells (tests/sdk/drivers) when the first of them is looked at. A cell that cannot
be had stands in `GAPS` of tests/sdk/matrix.py and must show just that.
"""

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest
import uvloop

from proxy.demo.script import REFUSAL, THOUGHTS
from tests.helpers.command import ROOT
from tests.helpers.service import demo_upstream, running
from tests.sdk.conftest import find_interpreter
from tests.sdk.matrix import CLIENTS, FEATURES, Cell, build_config, build_plan, find_gap, list_cells

pytestmark = pytest.mark.sdk

DRIVERS: Final = ROOT / "tests" / "sdk" / "drivers"
PACKAGE: Final = "ai7"
WITHIN: Final = 120.0  # seconds for all cells of one SDK; they take three

OPENING: Final = "Hello from the Penstock demo. Water comes down the hill"
WEATHER: Final = ["weather", {"city": "Paris", "days": 2}]
TIME: Final = ["time", {"city": "Oslo", "days": 2}]
THOUGHT_TOKENS: Final = len(THOUGHTS.split(" "))


class Results:
    """What each SDK saw, by environment, then by cell. A driver that failed is not run again."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[str, Any]] = {}
        self._begun: set[str] = set()

    def find(self, cell: Cell) -> Any:
        environment = CLIENTS[cell.client].environment
        if environment not in self._seen:
            assert environment not in self._begun, "its driver failed"
            interpreter = find_interpreter(environment)
            self._begun.add(environment)
            factory = asyncio.new_event_loop if os.environ.get("PENSTOCK_TEST_LOOP") == "asyncio" else None
            with asyncio.Runner(loop_factory=factory or uvloop.new_event_loop) as runner:
                self._seen[environment] = runner.run(_drive(environment, interpreter))
        return self._seen[environment][cell.id]


async def _drive(environment: str, interpreter: str) -> dict[str, Any]:
    clients = [client.name for client in CLIENTS.values() if client.environment == environment]
    driver = next(DRIVERS.glob(f"{environment}_driver.*"))
    async with demo_upstream() as upstream, running(build_config(upstream.base_url)) as proxy:
        plan = build_plan(clients, f"http://127.0.0.1:{proxy.port}")
        plan["package"] = f"{interpreter.rpartition('/')[0]}/node_modules/{PACKAGE}"
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(interpreter, driver, stdin=pipe, stdout=pipe, stderr=pipe)
        try:
            async with asyncio.timeout(WITHIN):
                out, err = await process.communicate(json.dumps(plan).encode())
        finally:
            if process.returncode is None:
                process.kill()
    assert process.returncode == 0, err.decode()
    return {line["id"]: line["said"] for line in map(json.loads, out.splitlines())}


@pytest.fixture(scope="module")
def results() -> Results:
    return Results()


def _finished(cell: Cell, said: Any, stop: str) -> None:
    assert said["error"] is None
    assert said["stop"] == CLIENTS[cell.client].stops[stop]


def check_text(cell: Cell, said: Any) -> None:
    _finished(cell, said, "stop")
    assert said["text"].startswith(OPENING)
    assert said["text"].endswith("Your last message had 15 characters.")
    assert (said["thought"], said["refusal"], said["calls"]) == ("", "", [])
    if cell.mode == "stream":
        assert said["events"] > 20


def check_reasoning(cell: Cell, said: Any) -> None:
    _finished(cell, said, "stop")
    assert said["thought"] == THOUGHTS
    assert said["text"].startswith(OPENING)


def check_tool(cell: Cell, said: Any) -> None:
    _finished(cell, said, "tool")
    assert said["calls"] == [WEATHER]
    assert said["text"] == "Let me look that up."


def check_parallel(cell: Cell, said: Any) -> None:
    _finished(cell, said, "tool")
    assert said["calls"] == [WEATHER, TIME]


def check_result(cell: Cell, said: Any) -> None:
    _finished(cell, said, "stop")
    assert said["text"].startswith(OPENING)
    assert said["calls"] == []


def check_image(cell: Cell, said: Any) -> None:
    _finished(cell, said, "stop")
    assert said["text"].endswith(" Received: image/png of 70 bytes, 6b7fa434.")


def check_schema(cell: Cell, said: Any) -> None:
    _finished(cell, said, "stop")
    assert json.loads(said["text"]) == WEATHER[1]


def check_usage(cell: Cell, said: Any) -> None:
    _finished(cell, said, "stop")
    assert said["input"] > 0
    assert said["output"] == len(said["text"].split(" ")) + THOUGHT_TOKENS
    assert said["reasoning"] == THOUGHT_TOKENS


def check_length(cell: Cell, said: Any) -> None:
    _finished(cell, said, "length")
    assert said["text"].startswith(OPENING)
    assert said["output"] == len(said["text"].split(" ")) == FEATURES["length"].limit


def check_refusal(cell: Cell, said: Any) -> None:
    """OpenAI's models refuse in words of their own place and then stop as ever, others by how they stop."""
    apart = cell.provider.startswith("openai")
    assert REFUSAL in (said["text"], said["refusal"])
    if apart and cell.client.startswith("openai"):
        _finished(cell, said, "stop")
        assert said["refusal"] == REFUSAL
    else:
        _finished(cell, said, "refusal")


def check_before(cell: Cell, said: Any) -> None:
    assert said["error"]["class"] in ERRORS[cell.client]
    assert said["error"]["status"] in (503, 529, None)
    assert "the demo was asked to fail" in said["error"]["message"]


def check_within(cell: Cell, said: Any) -> None:
    assert said["error"]["class"] in ERRORS[cell.client]
    if cell.mode == "stream":
        assert said["text"].startswith("Hello from")
        assert said["stop"] in ("", "failed")
    else:
        assert said["error"]["status"] in (500, 502, 503, 529)


ERRORS: Final = {
    "openai-chat": ("InternalServerError", "APIError"),
    "openai-responses": ("InternalServerError", "APIError", "response.failed"),
    "anthropic": ("InternalServerError", "OverloadedError", "ServiceUnavailableError", "APIStatusError"),
    "gemini": ("ServerError",),
    "ui-message": ("AI_APICallError", "Error"),
}
"""What a program of each SDK catches when a provider fails, at once or in the middle of a stream."""


def check_counted_only(cell: Cell, said: Any) -> None:
    _finished(cell, said, "stop")
    assert said["thought"] == ""
    assert said["reasoning"] == THOUGHT_TOKENS


CHECKS: Final[Mapping[str, Callable[[Cell, Any], None]]] = {
    "text": check_text,
    "reasoning": check_reasoning,
    "tool": check_tool,
    "parallel": check_parallel,
    "result": check_result,
    "image": check_image,
    "schema": check_schema,
    "usage": check_usage,
    "length": check_length,
    "refusal": check_refusal,
    "before": check_before,
    "within": check_within,
    "counted only": check_counted_only,
}


@pytest.mark.parametrize("cell", [cell for client in CLIENTS for cell in list_cells(client)], ids=lambda cell: cell.id)
def test_cell(cell: Cell, results: Results) -> None:
    gap = find_gap(cell)
    CHECKS[cell.feature if gap is None else gap.shows](cell, results.find(cell))
