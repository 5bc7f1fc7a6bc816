"""The cases for event streams that come with the recordings, as parameters for tests; skipped where they are absent."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

_RECORDINGS = Path(os.environ.get("PENSTOCK_FIXTURES", Path(__file__).parents[2] / "../shared/fixtures"))
_FILE = _RECORDINGS / "../spec/sse_vectors.json"


def load_cases(section: str) -> list[Any]:
    """The cases under `section` ("vectors": bodies, "transport": heads), each with its id."""
    if not _FILE.exists():
        reason = "no vectors beside the recordings (PENSTOCK_FIXTURES)"
        return [pytest.param(None, marks=pytest.mark.skip(reason=reason), id="absent")]
    return [pytest.param(case, id=case["id"]) for case in json.loads(_FILE.read_text())[section]]
