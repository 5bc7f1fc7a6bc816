"""Cassettes from files: whole ones, recorded bodies made into some, and back again."""

from pathlib import Path

import pytest

from proxy.tools.cassette_file import GAP, CassetteError, read_cassette, wrap_body
from proxy.wire.cassette import MAGIC, Cassette, build_cassette, parse_cassette
from tests.helpers.cassettes import build_take
from tests.helpers.recordings import RECORDINGS, list_recordings, load_recording


@pytest.mark.parametrize("name", list_recordings("*/*.sse") + list_recordings("*/*.json"))
def test_a_recording_becomes_a_cassette_and_the_same_again(name: str) -> None:
    recording = load_recording(name)
    fields = tuple((key.decode("latin-1"), value.decode("latin-1")) for key, value in recording.headers.raw)
    kind = "text/event-stream" if name.endswith(".sse") else "application/json"
    cassette = wrap_body(recording.body, kind, recording.status, fields)
    (take,) = parse_cassette(build_cassette(cassette)).takes
    assert take == cassette.takes[0]
    assert take.answer == recording.body
    assert take.head is not None
    assert take.head.status == recording.status
    kept = {pair for pair in fields if pair[0] not in ("content-type", "content-length")}
    assert kept <= set(take.head.headers)
    assert read_cassette(RECORDINGS / name).takes[0].answer == recording.body


def test_each_event_of_a_body_is_a_read() -> None:
    (take,) = wrap_body(b"data: 1\n\ndata: 2\r\n\r\ntail", "text/event-stream").takes
    assert take.data == [(GAP, b"data: 1\n\n"), (0.04, b"data: 2\r\n\r\n"), (0.06, b"tail")]
    (whole,) = wrap_body(b"{}\n\n{}", "application/json").takes
    assert whole.data == [(GAP, b"{}\n\n{}")]
    assert wrap_body(b"", "text/event-stream").takes[0].data == []


def test_a_cassette_is_read(tmp_path: Path) -> None:
    cassette = Cassette(takes=[build_take((0.1, b"a"))])
    (tmp_path / "x.cassette").write_bytes(build_cassette(cassette))
    assert read_cassette(tmp_path / "x.cassette") == cassette


@pytest.mark.parametrize(
    ("data", "message"),
    [(None, "no such file or directory"), (b"x", "no cassette"), (MAGIC, "nothing was asked of a provider in it")],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, data: bytes | None, message: str) -> None:
    path = tmp_path / "x.cassette"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(CassetteError) as caught:
        read_cassette(path)
    assert str(caught.value) == f"{path}: {message}"
