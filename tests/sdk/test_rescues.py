"""Streams that one provider began and another completed, read by the client's own SDK: one answer. Where nobody could
go on it raises its error.
"""

import json
from pathlib import Path

import pytest

from proxy.dialects.events import BlockStart, Event
from tests.helpers.command import ROOT, ran
from tests.helpers.crossing import open_reading
from tests.helpers.rescues import FIRST, SECOND, TEXT, break_off, find_other, finish, speak
from tests.sdk.conftest import find_interpreter
from tests.sdk.test_recordings import PREFIXES, READERS

pytestmark = pytest.mark.sdk


def list_beginnings() -> list[list[Event]]:
    """Up to any place after the text has begun and before the call has."""
    calls = next(place for place, event in enumerate(FIRST) if isinstance(event, BlockStart) and event.id)
    return [FIRST[:size] for size in range(3, calls + 1)]


def write(folder: Path, client: str, *, rescued: bool) -> list[str]:
    names = []
    for provider in (client, find_other(client)):
        for number, beginning in enumerate(list_beginnings()):
            stage, out = break_off(client, provider, beginning)
            other = find_other(provider)
            again = stage.resume(open_reading(other), continues=False)
            out += finish(again, [speak(other, SECOND)]) if rescued else stage.settle()
            names.append(f"{PREFIXES[client]}{provider}-{number}-{rescued}.sse")
            (folder / names[-1]).write_bytes(out)
    return names


@pytest.mark.parametrize("environment", READERS)
async def test_an_official_sdk_reads_one_answer(environment: str, tmp_path: Path) -> None:
    python = find_interpreter(environment)
    whole = [name for client in READERS[environment] for name in write(tmp_path, client, rescued=True)]
    failed = [name for client in READERS[environment] for name in write(tmp_path, client, rescued=False)]
    program = ROOT / "tests" / "sdk" / "programs" / f"{environment}_reader.py"
    finished = await ran(str(tmp_path), command=(python, str(program)))
    assert finished.code == 0, finished.err
    seen = json.loads(finished.out)
    for name in whole:
        said = seen[name]
        calls = [[call, json.loads(arguments)] for call, arguments in said["calls"]]
        assert (said["error"], said["text"], calls) == (None, TEXT, [["add", {"a": 1}]]), name
        assert said["stop"], name
    for name in failed:
        assert seen[name]["error"], name
