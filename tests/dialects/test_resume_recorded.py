"""Recorded answers of text, broken off anywhere, with the same recording as the second answer."""

from random import Random
from typing import Any

import pytest

from proxy.dialects.answer import fold
from proxy.dialects.events import FailureKind, Finish
from proxy.dialects.parts import Text
from tests.helpers.crossing import CLIENTS, STREAMS, find_dialect, has_error, open_reading, read
from tests.helpers.recordings import load_recording
from tests.helpers.rescues import finish, open_stage, stop
from tests.helpers.strict import read_strictly

LARGEST = 60_000
TINY = 3000
"""Bytes of an answer whose only text comes with its finish: a cut takes both or none."""


def list_texts() -> list[str]:
    """Recordings that begin with a text, and have nothing else."""
    names = [each.values[0] for each in STREAMS if each.values[0]]
    return [name for name in names if is_text(name)]


def is_text(name: str) -> bool:
    body = load_recording(name).body
    events = read(find_dialect(name), [body]) if len(body) < LARGEST else []
    parts = fold(events).parts
    return len(parts) == 1 and isinstance(parts[0], Text) and isinstance(events[-1], Finish)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("name", list_texts() or [pytest.param("", marks=pytest.mark.skip(reason="no recordings"))])
def test_a_recorded_text_is_told_once(name: str, client: str) -> None:
    dialect, body = find_dialect(name), load_recording(name).body
    whole = finish(open_stage(client, dialect), [body])
    (text,) = [part.text for part in fold(read(dialect, [body])).parts if isinstance(part, Text)]
    names, resumed = find_names(client, whole), 0
    for at in Random(len(body)).sample(range(len(body)), min(len(body), 40)):
        stage = open_stage(client, dialect)
        stage.withhold = True
        out = stop(stage, body[:at], clean=at % 2 == 0)
        if stage.seen.failure is None:
            continue
        assert stage.seen.failure.kind is FailureKind.DISCONNECT
        if not stage.seen.committed:
            continue
        resumed += 1
        again = stage.resume(open_reading(dialect), continues=False)
        out += finish(again, [body])
        assert not has_error(client, out)
        assert again.seen.failure is None
        if names is not None:
            said = read_strictly(client, out)
            assert (said.text, said.starts, said.finished) == (text, 1, True)
            assert said.names <= names
        if client == dialect:
            assert [part for part in fold(read(client, [out])).parts if isinstance(part, Text)] == [Text(text)]
    assert resumed or len(body) < TINY


def find_names(client: str, whole: bytes) -> set[Any] | None:
    """By what the whole answer calls itself; None when the recording is not as strict as what we write."""
    try:
        return read_strictly(client, whole).names
    except (AssertionError, KeyError, TypeError, ValueError):
        return None
