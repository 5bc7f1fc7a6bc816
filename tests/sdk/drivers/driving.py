"""What the drivers share: a plan on standard input, one JSON line per cell on standard output, in any order.

A cell says what is wanted in neutral words (see tests/sdk/matrix.py); a driver writes it as a user of its SDK would,
and notes what the SDK made of the answer. An exception is part of what a cell saw, with what came before it.
"""

import base64
import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

PLAN: Any = json.load(sys.stdin)
SCHEMA: Any = PLAN["schema"]
PNG = base64.b64decode(PLAN["png"])
PNG_URL = f"data:image/png;base64,{PLAN['png']}"
RESULT = "It is sunny."
WORKERS = 6
EMPTY: Any = {
    "text": "", "thought": "", "refusal": "", "calls": [], "stop": "", "signed": 0, "input": None, "output": None,
    "reasoning": None, "error": None, "events": 0,
}  # fmt: skip


def drive(ask: Callable[[Any, Any], None]) -> None:
    """`ask(cell, said)` fills `said`."""

    def run(cell: Any) -> Any:
        said = json.loads(json.dumps(EMPTY))
        try:
            ask(cell, said)
        except Exception as error:
            status = getattr(error, "status_code", None) or getattr(error, "code", None)
            said["error"] = {"class": type(error).__name__, "status": status, "message": str(error)}
        return {"id": cell["id"], "said": said}

    with ThreadPoolExecutor(WORKERS) as pool:
        for line in pool.map(run, PLAN["cells"]):
            print(json.dumps(line), flush=True)
