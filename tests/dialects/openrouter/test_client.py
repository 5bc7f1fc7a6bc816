"""OpenRouter's callers: usage without asking, its cost, errors with a number."""

import json
from typing import Any

import pytest

from proxy.dialects.answer import fold
from proxy.dialects.chat import Asked, Turn
from proxy.dialects.events import (
    BlockEnd,
    BlockStart,
    Delta,
    Event,
    Failure,
    FailureKind,
    Finish,
    Kind,
    Reason,
    Sign,
    Start,
    Usage,
)
from proxy.dialects.openrouter import CLIENT, PROVIDER
from proxy.dialects.parts import Signature
from tests.helpers.openai_chat import make_turn, read_stream
from tests.helpers.order import decode_stream

BODY = b'{"model":"a/b","stream":true,"messages":[{"role":"user","content":"hi"}]}'
USAGE = Usage(3, output=2, cost=0.00001)
SIGNATURE = Signature("o", '{"type":"reasoning.text","format":"anthropic-claude-v1","index":0,"signature":"Ep8="}')
EVENTS: list[Event] = [
    Start("gen-1", "a/b"),
    BlockStart(Kind.THINKING), Delta("hm"), Sign(SIGNATURE), BlockEnd(),
    BlockStart(Kind.TEXT), Delta("x"), BlockEnd(),
    USAGE,
    Finish(Reason.STOP, "stop"),
]  # fmt: skip


def turn() -> Turn:
    return make_turn(CLIENT.parse_request(BODY, Asked()))


def encode(events: list[Event]) -> bytes:
    encoder = CLIENT.open_encoder(turn())
    return b"".join(encoder.encode(event) for event in events)


def test_requests_are_of_this_dialect_and_want_usage() -> None:
    request = CLIENT.parse_request(BODY, Asked())
    assert (request.dialect, request.include_usage) == ("openrouter", True)


@pytest.mark.parametrize(
    ("reasoning", "show"),
    [({"effort": "low"}, True), ({"effort": "low", "exclude": True}, False), ({"effort": "none"}, None)],
)
def test_reasoning_is_shown_unless_it_is_excluded(reasoning: Any, show: bool | None) -> None:
    body = {**json.loads(BODY), "reasoning": reasoning}
    asked = CLIENT.parse_request(json.dumps(body).encode(), Asked()).reasoning
    assert asked is not None
    assert asked.show is show


def test_usage_comes_with_its_cost() -> None:
    *_, usage, done = read_stream(encode(EVENTS))
    assert done == "[DONE]"
    assert usage["choices"] == []
    assert usage["usage"]["cost"] == 0.00001
    *_, usage, _ = read_stream(encode([*EVENTS[:-2], Usage(3), EVENTS[-1]]))
    assert "cost" not in usage["usage"]
    assert not any("usage" in chunk and chunk["usage"] for chunk in read_stream(encode(EVENTS[:-1])))


def test_thoughts_are_called_reasoning() -> None:
    chunks = read_stream(encode(EVENTS))[:-1]
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    assert [delta["reasoning"] for delta in deltas if "reasoning" in delta] == ["hm"]
    assert all("reasoning_content" not in delta for delta in deltas)
    (details,) = (delta["reasoning_details"] for delta in deltas if "reasoning_details" in delta)
    assert details == [{**json.loads(SIGNATURE.value), "text": "hm"}]


def test_a_stream_is_read_back_as_it_was() -> None:
    events = decode_stream(PROVIDER.open_decoder(turn()), encode(EVENTS))
    assert fold(events).parts == fold(EVENTS).parts
    assert fold(events).usage == USAGE


def test_whole_answer() -> None:
    value: Any = json.loads(CLIENT.build_answer(fold(EVENTS), turn()))
    assert value["usage"]["cost"] == 0.00001
    assert value["choices"][0]["message"]["reasoning"] == "hm"
    plain = fold([*EVENTS[:-2], Usage(3), EVENTS[-1]])
    assert "cost" not in json.loads(CLIENT.build_answer(plain, turn()))["usage"]


@pytest.mark.parametrize(("kind", "status"), [(FailureKind.RATE_LIMIT, 429), (FailureKind.OVERLOADED, 503)])
def test_errors_have_their_status_as_code(kind: FailureKind, status: int) -> None:
    failure = Failure(kind, "busy", retry_after=2)
    found, fields, body = CLIENT.build_error(failure, "req")
    error = json.loads(body)["error"]
    assert (found, error["code"], error["message"], fields["retry-after"]) == (status, status, "busy", "2")
    assert error["type"]
    last = read_stream(encode([*EVENTS[:3], failure]))[-1]
    assert last["error"] == error
    assert last["choices"][0]["finish_reason"] == "error"
    assert last["id"] == "gen-1"


def test_a_failure_before_anything_is_a_whole_event_too() -> None:
    encoder = CLIENT.open_encoder(turn())
    assert encoder.keepalive
    (event,) = read_stream(encoder.encode(Failure(FailureKind.SERVER, "no")))
    assert event["error"]["code"] == 500
    assert not encoder.keepalive
