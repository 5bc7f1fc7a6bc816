"""Every recording, written for each client, read by the client's own SDK: it finds what the recording says."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from proxy.dialects.answer import fold
from proxy.dialects.events import Event, Failure
from proxy.dialects.json_text import parse_arguments
from proxy.dialects.parts import Refusal, Text, Thinking, ToolCall
from proxy.dialects.translate import build_whole
from tests.helpers.command import ROOT, ran
from tests.helpers.crossing import (
    STREAMS,
    WHOLES,
    find_client,
    find_dialect,
    make_turn,
    open_translation,
    read,
    run,
)
from tests.helpers.recordings import load_recording
from tests.sdk.conftest import find_interpreter

pytestmark = pytest.mark.sdk

PREFIXES: Final = {"openai-chat": "chat-", "openai-responses": "responses-", "anthropic": "", "gemini": ""}
READERS: Final = {
    "openai": ["openai-chat", "openai-responses"],
    "anthropic": ["anthropic"],
    "genai": ["gemini"],
}
NO_REFUSALS: Final = {"anthropic", "gemini"}
"""They have no place for a refusal but the text."""

UNKNOWN: Final = {("anthropic", "anthropic/thinking-signature-only.sse")}
"""The provider's own block, passed on as it is, of a kind that the SDK has no type for yet."""


def write(folder: Path, client: str) -> dict[str, tuple[str, list[Event]]]:
    """Each recording as it comes out for `client`, streamed and whole; by the files' names, recordings and events."""
    written = {}
    for number, name in enumerate(str(each.values[0]) for each in [*STREAMS, *WHOLES]):
        dialect, body, streamed = find_dialect(name), load_recording(name).body, name.endswith(".sse")
        events = read(dialect, [body], streamed=streamed)
        if (client, name) in UNKNOWN:
            continue
        stem = f"{PREFIXES[client]}{number}"
        if streamed:
            (folder / f"{stem}.sse").write_bytes(run(open_translation(dialect, client), [body]))
            written[f"{stem}.sse"] = name, events
        whole = build_whole(find_client(client), make_turn(client, stream=False), events)[1]
        if whole:
            (folder / f"{stem}.json").write_bytes(whole)
            written[f"{stem}.json"] = name, events
    return written


def describe(client: str, events: list[Event]) -> dict[str, Any]:
    parts = fold(events).parts
    refusals = "".join(part.text for part in parts if isinstance(part, Refusal))
    spoken = Text | Refusal if client in NO_REFUSALS else Text
    return {
        "text": "".join(part.text for part in parts if isinstance(part, spoken)),
        "thought": "".join(part.text for part in parts if isinstance(part, Thinking)),
        "refusal": "" if client in NO_REFUSALS else refusals,
        "calls": [[part.name, parse_arguments(part.arguments)] for part in parts if isinstance(part, ToolCall)],
    }


def check(client: str, said: Any, events: list[Event]) -> None:
    if isinstance(events[-1], Failure):
        assert said["error"], "no error was raised"
        assert said["error"].partition(":")[0] in ("openai", "anthropic", "google")
        return
    assert said["error"] is None
    assert said["stop"]
    wanted = describe(client, events)
    found = {name: said[name] for name in wanted}
    found["calls"] = [[name, parse_arguments(arguments)] for name, arguments in found["calls"]]
    for one, other in zip(wanted["calls"], found["calls"], strict=True):
        if one[1] is None:  # cut by a limit: half an object is none
            other[1] = None
    assert found == wanted


@pytest.mark.parametrize("environment", READERS)
async def test_an_official_sdk_reads_every_recording(environment: str, tmp_path: Path) -> None:
    if STREAMS[0].marks:
        pytest.skip("no recordings (PENSTOCK_FIXTURES)")
    python = find_interpreter(environment)
    written = {client: write(tmp_path, client) for client in READERS[environment]}
    program = ROOT / "tests" / "sdk" / "programs" / f"{environment}_reader.py"
    finished = await ran(str(tmp_path), command=(python, str(program)))
    assert finished.code == 0, finished.err
    seen = json.loads(finished.out)
    assert seen.keys() == {name for files in written.values() for name in files}
    faults = []
    for client, files in written.items():
        for file, (name, events) in files.items():
            try:
                check(client, seen[file], events)
            except AssertionError as fault:
                faults.append(f"{client} {file} of {name}: {fault} {seen[file]['error']}")
    assert not faults, f"{len(faults)} of {len(seen)}\n" + "\n".join(faults[:20])
