"""Every recording, from its provider's dialect into each client's: however it is cut, whole and streamed, complete or
not. What each one says in particular is tested in the room of its dialect.
"""

from itertools import accumulate
from random import Random
from typing import Any

import pytest

from proxy.dialects.answer import fold
from proxy.dialects.events import Event, Failure, FailureKind, Finish
from proxy.dialects.json_text import parse_arguments
from proxy.dialects.parts import Refusal, Text, Thinking, ToolCall
from proxy.dialects.translate import Stage, build_whole
from proxy.wire.sse import Parser
from tests.helpers.crossing import (
    ARRAY,
    BOTH,
    CLIENTS,
    STREAMS,
    WHOLES,
    find_client,
    find_dialect,
    find_marks,
    find_provider,
    has_error,
    list_cuts,
    make_turn,
    open_passage,
    open_translation,
    read,
    run,
)
from tests.helpers.order import check_order
from tests.helpers.recordings import load_recording

SAME = [each for each in STREAMS if not each.values[0] or find_dialect(each.values[0]) in BOTH]
CUT = Failure(FailureKind.DISCONNECT, "the provider closed the connection within its answer", 502)

ADDED = {
    "anthropic/max-tokens-partial-json.sse": b"\n\n",
    "gemini/blocked-prompt-safety.sse": b"\n",
    "openai_responses/multiple-message-items.sse": b"\n",
}
"""The blank line that the recording's last event lacks: without it the event would be none."""

UNFINISHED = {
    "gemini/malformed-content.sse",
    "openai_chat/truncated-no-done.sse",
}
"""They end without a finish: the error is said behind what they said."""

NO_EVENTS = {"gemini/err-midstream.sse"}
"""Its error is bare JSON outside of any event, and is said as an event."""


def is_complete(events: list[Event]) -> bool:
    return isinstance(events[-1], Finish)


def take(name: str) -> tuple[str, bytes, list[Event]]:
    """Dialect, body and events."""
    dialect, body = find_dialect(name), load_recording(name).body
    return dialect, body, read(dialect, [body])


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_says_the_same_however_it_is_cut(name: str) -> None:
    dialect, body, events = take(name)
    check_order(events)
    for pieces in list_cuts(body):
        assert read(dialect, pieces) == events, [len(piece) for piece in pieces]


@pytest.mark.parametrize("name", WHOLES)
def test_a_document_says_the_same_however_it_is_cut(name: str) -> None:
    dialect, body = find_dialect(name), load_recording(name).body
    events = read(dialect, [body], streamed=False)
    check_order(events)
    assert is_complete(events)
    for pieces in list_cuts(body, small=0, pairs=3):
        assert read(dialect, pieces, streamed=False) == events


@pytest.mark.long
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_crosses_however_it_is_cut(name: str, client: str) -> None:
    dialect, body, events = take(name)
    out = run(open_translation(dialect, client), [body])
    assert bool(find_marks(client, out)) is is_complete(events)
    assert has_error(client, out) is not is_complete(events)
    for pieces in list_cuts(body, small=0, pairs=2):
        assert run(open_translation(dialect, client), pieces) == out


@pytest.mark.parametrize("client", BOTH)
@pytest.mark.parametrize("name", [*STREAMS, *WHOLES])
def test_an_answer_reads_the_same_whole_and_streamed(name: str, client: str) -> None:
    """Parts of one kind may come to stand in one place; their texts, calls and the end are what they were."""
    dialect, body = find_dialect(name), load_recording(name).body
    events = read(dialect, [body], streamed=name.endswith(".sse"))
    turn = make_turn(client, stream=False)
    seen, whole = build_whole(find_client(client), turn, events)
    if not is_complete(events):
        assert (seen.failure, whole) == (events[-1], b"")
        return
    again = read(client, [whole], streamed=False, turn=turn)
    check_order(again)
    streamed = read(client, [find_stream(client, events)])
    assert texts(again) == texts(streamed)
    assert fold(again).finish.reason == fold(streamed).finish.reason
    assert fold(again).usage == fold(streamed).usage


def find_stream(client: str, events: list[Event]) -> bytes:
    encoder = find_client(client).open_encoder(make_turn(client))
    return b"".join(map(encoder.encode, events))


def texts(events: list[Event]) -> dict[str, list[Any]]:
    """What is said, by kind; ids that a dialect makes up are left out, and arguments are values."""
    said: dict[str, list[Any]] = {"calls": []}
    for part in fold(events).parts:
        if isinstance(part, ToolCall):
            arguments = parse_arguments(part.arguments) or {}  # broken ones, where an object must be, are in `_raw`
            said["calls"].append((part.name, {} if "_raw" in arguments else arguments))
        elif isinstance(part, Text | Thinking | Refusal) and part.text:
            said.setdefault(type(part).__name__, [""])[0] += part.text
    return said


@pytest.mark.parametrize("name", SAME)
def test_bytes_pass_as_they_came_however_they_are_cut(name: str) -> None:
    dialect, body, events = take(name)
    out = run(open_passage(dialect), [body])
    if name in NO_EVENTS | UNFINISHED:
        kept = body.partition(b"\n{")[0] if name in NO_EVENTS else body
        assert out.startswith(kept)
        assert has_error(dialect, out[len(kept) :])
    else:
        assert out == body + ADDED.get(name, b"")
    assert is_complete(events) is bool(find_marks(dialect, out)) or has_error(dialect, out)
    for pieces in list_cuts(body):
        assert run(open_passage(dialect), pieces) == out, [len(piece) for piece in pieces]


def list_truncations(body: bytes, *, boundaries: int, places: int) -> list[int]:
    """The ends of some events, the last one's left out, and some places anywhere."""
    random = Random(len(body))
    ends = list(accumulate(len(block.raw) for block in Parser().feed(body)))[:-1]
    chosen = random.sample(ends, min(len(ends), boundaries))
    return sorted({0, *chosen, *random.sample(range(len(body)), min(len(body), places))})


def check_truncated(stage: Stage, client: str, body: bytes, *, clean: bool) -> None:
    """An answer that was cut before its finish says so and never looks complete; with its finish it is complete."""
    out = stage.feed(body)
    out += stage.end() if clean else stage.fail(CUT)
    assert stage.ended
    if stage.seen.finish is not None:
        assert not has_error(client, out)
        assert find_marks(client, out)
        return
    assert has_error(client, out)
    assert find_marks(client, out) == []
    assert stage.end() == stage.fail(CUT) == stage.feed(body) == b""


def check_truncations(name: str, *, boundaries: int, places: int) -> None:
    dialect, body, events = take(name)
    for at in list_truncations(body, boundaries=boundaries, places=places):
        finished = is_complete(read(dialect, [body[:at]]))
        for client in CLIENTS:
            stage = open_translation(dialect, client)
            check_truncated(stage, client, body[:at], clean=at % 2 == 0)
            assert stage.seen.finish is None or finished
    assert is_complete(events) or not find_marks("openai-chat", find_stream("openai-chat", events))


QUICK = {"boundaries": 5, "places": 5}
THOROUGH = {"boundaries": 150, "places": 25}


@pytest.mark.parametrize("name", STREAMS)
def test_what_is_cut_never_looks_complete(name: str) -> None:
    check_truncations(name, **QUICK)


@pytest.mark.long
@pytest.mark.parametrize("name", STREAMS)
def test_what_is_cut_anywhere_never_looks_complete(name: str) -> None:
    check_truncations(name, **THOROUGH)


@pytest.mark.parametrize("name", SAME)
def test_what_is_cut_and_passed_on_never_looks_complete(name: str) -> None:
    dialect, body, _ = take(name)
    for at in list_truncations(body, boundaries=10_000 if len(body) < 10_000 else 20, places=50):
        for clean in (True, False):
            stage = open_passage(dialect)
            out = stage.feed(body[:at])
            if stage.complete or stage.ended:
                continue  # it has finished, or failed, by itself: all the rest is the provider's
            out += stage.end() if clean else stage.fail(CUT)
            whole = stage.seen.finish is not None  # the cut took its blank line, and no more
            assert has_error(dialect, out) is not whole
            assert bool(find_marks(dialect, out)) is whole
            assert stage.keepalive == stage.end() == stage.fail(CUT) == b""


def test_every_dialect_is_recorded() -> None:
    names = [each.values[0] for each in STREAMS]
    if names != [""]:
        assert {find_dialect(name) for name in names} >= {*BOTH, "glm", "code-assist"}
        assert ARRAY in CLIENTS
        assert all(find_provider(find_dialect(name)) for name in names)
