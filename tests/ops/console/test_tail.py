"""One stream for somebody who looks on: gathered within bounds, and shown only where it may be."""

import asyncio
import json
from typing import Any

import pytest

from proxy.ops.console.tail import MOST, MOST_DATA, PER_CHUNK, Gathering, Reader
from proxy.relay.outcome import EndReason


def chunk(text: str) -> bytes:
    return b'data: {"choices":[{"delta":{"content":%b}}]}\n\n' % json.dumps(text).encode()


def read(reader: Reader, *chunks: bytes) -> Any:
    frame = reader.read([(float(place), data) for place, data in enumerate(chunks)], 9.0)
    return frame and (frame[0], frame[1])


async def test_what_is_sent_is_gathered_with_its_time() -> None:
    now = [1.0]
    gathering = Gathering(lambda: now[0])
    gathering.sent(b"a")
    now[0] = 2.0
    gathering.sent(b"b")
    await gathering.wait()
    assert gathering.take() == [(1.0, b"a"), (2.0, b"b")]
    assert gathering.take() == []
    waiting = asyncio.ensure_future(gathering.wait())
    await asyncio.sleep(0)
    assert not waiting.done()
    gathering.ended(EndReason.DONE)
    await waiting
    assert gathering.over


async def test_the_oldest_is_dropped_and_counted() -> None:
    gathering = Gathering(lambda: 0.0)
    size = MOST // 4 - PER_CHUNK
    for letter in b"abcdef":
        gathering.sent(bytes([letter]) * size)
    assert [data[:1] for _, data in gathering.take()] == [b"c", b"d", b"e", b"f"]
    assert gathering.lost == 2 * size
    gathering.sent(b"x" * (MOST + 1))
    assert gathering.take() == []
    assert gathering.lost == 2 * size + MOST + 1


async def test_single_bytes_are_no_way_to_have_more_gathered() -> None:
    gathering = Gathering(lambda: 0.0)
    for _ in range(MOST // PER_CHUNK + 10):
        gathering.sent(b"x")
    assert len(gathering.take()) <= MOST // PER_CHUNK
    assert gathering.lost >= 10


async def test_who_waits_can_be_woken() -> None:
    gathering = Gathering(lambda: 0.0)
    gathering.wake()
    await gathering.wait()
    assert not gathering.over


def test_text_is_decoded() -> None:
    reader = Reader("openai-chat", "text", content=True)
    call = b'data: {"choices":[{"delta":{"tool_calls":[{"function":{"name":"f","arguments":"{"}}]}}]}\n\n'
    assert read(reader, chunk("Hel"), chunk("lo"), b": ping\n\n", call, b"data: [DONE]\n\n") == (
        "text",
        {
            "at": 9.0,
            "pieces": [
                {"at": 0.0, "kind": "text", "text": "Hel"},
                {"at": 1.0, "kind": "text", "text": "lo"},
                {"at": 3.0, "kind": "tool", "text": "{", "name": "f"},
            ],
        },
    )
    assert read(reader, b": ping\n\n") is None


def test_events_are_shown_as_they_are() -> None:
    reader = Reader("anthropic", "events", content=True)
    named, entries = read(reader, b'event: ping\nid: 7\ndata: {"type":"ping"}\n\n', b"data: \xff\n\n")
    assert named == "events"
    assert entries["events"] == [
        {"at": 0.0, "event": "ping", "id": "7", "data": '{"type":"ping"}'},
        {"at": 1.0, "event": "", "id": "7", "data": "\ufffd"},
    ]


def test_a_large_event_is_cut() -> None:
    _, entries = read(Reader("raw", "events", content=True), b"data: %b\n\n" % (b"x" * 20000))
    (entry,) = entries["events"]
    assert (len(entry["data"]), entry["cut"]) == (MOST_DATA, 20000)


@pytest.mark.parametrize("form", ["text", "events"])
@pytest.mark.parametrize("dialect", ["openai-chat", "raw"])
def test_without_leave_only_lengths_are_shown(form: str, dialect: str) -> None:
    reader = Reader(dialect, form, content=False)
    said = b"event: secret-name\nid: secret-id\n" + chunk("secret")
    frame = read(reader, said, b"secret body that is no event")
    assert frame[0] == "sizes"
    assert "secret" not in json.dumps(frame)
    first, *others = frame[1]["pieces"]
    kind, chars = ("text", 6) if dialect == "openai-chat" else ("other", len(chunk("secret")) - 8)
    assert first == {"at": 0.0, "kind": kind, "chars": chars, "bytes": len(said)}
    assert others == []


def test_events_that_say_nothing_have_a_size() -> None:
    _, told = read(Reader("anthropic", "text", content=False), b'data: {"type":"ping"}\n\n')
    assert told["pieces"] == [{"at": 0.0, "kind": "other", "chars": 0, "bytes": 23}]


def test_the_bytes_of_an_event_are_counted_once() -> None:
    data = b'data: {"choices":[{"delta":{"content":"a","reasoning":"b"}}]}\n\n'
    _, told = read(Reader("openrouter", "text", content=False), data)
    assert [piece["bytes"] for piece in told["pieces"]] == [len(data), 0]


def test_who_comes_in_the_middle_of_an_event_sees_the_next_one() -> None:
    reader = Reader("openai-chat", "text", content=True)
    whole = chunk("one") + chunk("two")
    _, told = read(reader, whole[20:])
    assert [piece["text"] for piece in told["pieces"]][-1] == "two"


def test_what_was_cut_off_is_not_joined_with_what_comes() -> None:
    reader = Reader("openai-chat", "text", content=True)
    assert read(reader, chunk("one")[:-10]) is None
    reader.restart()
    _, told = read(reader, chunk("two"))
    assert [piece["text"] for piece in told["pieces"]] == ["two"]


def test_a_body_that_is_no_event_stream_is_shown_as_it_is() -> None:
    reader = Reader("gemini", "text", content=True)
    _, told = read(reader, b'[{"candidates":', b"[]}")
    assert [(piece["kind"], piece["text"]) for piece in told["pieces"]] == [
        ("other", '[{"candidates":'),
        ("other", "[]}"),
    ]
