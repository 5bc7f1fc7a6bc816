"""Recorded traffic of real providers, as parameters for tests; skipped where it is absent (`PENSTOCK_FIXTURES`)."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from proxy.wire.headers import Headers

RECORDINGS = Path(os.environ.get("PENSTOCK_FIXTURES", Path(__file__).parents[2] / "../shared/fixtures"))


@dataclass(frozen=True, slots=True)
class Recording:
    """name: `folder/file`. status and headers of the answer as they were recorded, 200 and none if they were not."""

    name: str
    body: bytes
    status: int = 200
    headers: Headers = field(default_factory=lambda: Headers(()))


def load_recording(name: str) -> Recording:
    path = RECORDINGS / name
    about = path.with_suffix(".meta.json")
    meta: dict[str, Any] = json.loads(about.read_text()) if about.exists() else {}
    fields = meta.get("headers") or {}
    headers = Headers(tuple((str(key).encode(), str(value).encode()) for key, value in fields.items()))
    return Recording(name, path.read_bytes(), meta.get("status") or 200, headers)


def list_recordings(pattern: str) -> list[Any]:
    """The recordings whose `folder/file` matches the glob `pattern`, without what describes them."""
    if not RECORDINGS.exists():
        return [pytest.param("", marks=pytest.mark.skip(reason="no recordings (PENSTOCK_FIXTURES)"), id="absent")]
    names = sorted(str(path.relative_to(RECORDINGS)) for path in RECORDINGS.glob(pattern))
    return [pytest.param(name) for name in names if not name.endswith((".meta.json", ".request.json"))]
