"""What a take says, in its dialect."""

from typing import Any

import pytest

from proxy.dialects.registry import PROVIDERS
from proxy.tools.cassette_events import Moment, is_readable, list_moments
from proxy.tools.cassette_file import wrap_body
from proxy.wire.cassette import Head, Take
from tests.helpers.cassettes import build_take
from tests.helpers.recordings import list_recordings, load_recording

TEXT = b'data: {"id":"c1","model":"gpt-5","choices":[{"delta":{"content":"Hi"}}]}\n\n'
TOOL = (
    b'data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"t1","function":{"name":"weather",'
    b'"arguments":"{}"}}]},"finish_reason":"tool_calls"}]}\n\n'
)
JSON = (("Content-Type", "application/json"),)

FOLDERS = {
    "openai-chat": "openai_chat", "openai-responses": "openai_responses", "anthropic": "anthropic", "gemini": "gemini",
    "glm": "glm", "openrouter": "openrouter",
}  # fmt: skip


def test_events_of_a_dialect_are_named() -> None:
    take = build_take((0.1, TEXT), (0.3, TOOL[:20]), (0.4, TOOL[20:] + b"data: [DONE]\n\n"), (0.5, b": ping\n\n"))
    moments = list_moments(take, "openai-chat")
    assert [(round(moment.at, 6), round(moment.gap, 6), moment.size) for moment in moments] == [
        (0.1, 0.1, len(TEXT)), (0.3, 0.2, 20), (0.4, 0.1, len(TOOL) - 20 + 14), (0.4, 0.0, len(TOOL) - 20 + 14),
        (0.5, 0.1, 8),
    ]  # fmt: skip
    assert moments[0].means == ("start gpt-5 c1", "text 'Hi'")
    assert moments[1].means == ("part of an event",)
    assert moments[2].means == ("tool weather t1", "arguments '{}'")
    assert moments[3].means == ("finish tool_use (tool_calls)",)
    assert (moments[4].means, moments[4].data) == ((), None)


def test_without_a_room_events_are_as_they_came() -> None:
    take = build_take((0.1, b"event: tick\ndata: 1\ndata: 2\n\n"))
    assert list_moments(take, "raw") == [Moment(0.1, 0.1, 29, "tick", "1\n2", ())]


def test_what_was_not_kept_is_said() -> None:
    take = build_take((0.1, TEXT), (0.2, 999), (0.3, b"data: [DONE]\n\n"))
    assert list_moments(take, "openai-chat")[1].means == ("999 bytes are not kept",)


@pytest.mark.parametrize(
    ("status", "body", "last"),
    [
        (
            200,
            b'{"model":"gpt-5","choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}]}',
            "finish stop (stop)",
        ),
        (429, b'{"error":{"message":"slow down","type":"requests"}}', "failure rate_limit: slow down"),
        (200, b"<html>", "failure bad_gateway:"),
    ],
)
def test_a_body_means_what_the_whole_of_it_means(status: int, body: bytes, last: str) -> None:
    take = build_take((0.1, body[:10]), (0.2, body[10:]), head=Head(status, "", JSON))
    first, second = list_moments(take, "openai-chat")
    assert (first.data, first.means) == (body[:10].decode(), ())
    assert second.means[-1].startswith(last)


@pytest.mark.parametrize("dialect", FOLDERS)
def test_recordings_are_readable_as_what_they_are(dialect: str) -> None:
    names = [entry for entry in list_recordings(f"{FOLDERS[dialect]}/*.sse") if isinstance(entry.values[0], str)]
    takes: list[Take] = []
    for entry in names:
        name: Any = entry.values[0]
        if name:
            takes += wrap_body(load_recording(name).body, "text/event-stream").takes
    readable = sum(is_readable(take, dialect) for take in takes)
    assert readable >= 0.8 * len(takes)


@pytest.mark.parametrize("dialect", PROVIDERS)
def test_nothing_is_read_into_what_is_something_else(dialect: str) -> None:
    assert not is_readable(build_take((0.1, b"event: tick\ndata: {}\n\n")), dialect)


def test_an_error_is_one_in_any_dialect() -> None:
    assert is_readable(build_take((0.1, b"x"), head=Head(500)), "anthropic")
    assert is_readable(build_take(head=None), "anthropic")
