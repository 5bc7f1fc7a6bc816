"""Whole answers, and what is none."""

import json
from typing import Any

import pytest

from proxy.dialects.answer import fold
from proxy.dialects.events import Event, Failure, FailureKind, Finish, Kind, Reason, Start, Usage
from proxy.dialects.openai_chat import PROVIDER
from proxy.dialects.parts import ToolCall
from tests.helpers.openai_chat import DONE, block, chunk, make_turn
from tests.helpers.order import check_order, merge_deltas
from tests.helpers.recordings import list_recordings, load_recording


def parse(body: Any) -> list[Event]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    events = merge_deltas(PROVIDER.parse_answer(data, make_turn()))
    check_order(events)
    return events


def answer(message: Any, finish: Any = "stop", **more: Any) -> dict[str, Any]:
    return {"id": "c", "model": "m", "choices": [{"index": 0, "message": message, "finish_reason": finish}], **more}


def test_a_text() -> None:
    whole = answer({"content": "x", "reasoning_content": "r"}, usage={"prompt_tokens": 1, "completion_tokens": 2})
    assert parse(b"\n\n  " + json.dumps(whole).encode()) == [
        Start("c", "m"),
        *block(Kind.THINKING, "r"),
        *block(Kind.TEXT, "x"),
        Usage(1, output=2),
        Finish(Reason.STOP, "stop"),
    ]


@pytest.mark.parametrize("finish", [None, ""])
def test_a_whole_answer_needs_no_finish(finish: Any) -> None:
    assert parse(answer({"content": "x"}, finish))[-1] == Finish(Reason.STOP, "")


def test_an_empty_answer() -> None:
    assert parse(answer({"content": None})) == [Start("c", "m"), Finish(Reason.STOP, "stop")]


@pytest.mark.parametrize("name", list_recordings("openai_chat/ns-*.json"))
def test_recorded_answers(name: str) -> None:
    body = load_recording(name).body
    message = json.loads(body)["choices"][0]["message"]
    found = fold(parse(body))
    calls = [part for part in found.parts if isinstance(part, ToolCall)]
    wanted = [(call["id"], call["function"]["name"], call["function"]["arguments"])
              for call in message.get("tool_calls") or ()]  # fmt: skip
    assert [(call.id, call.name, call.arguments) for call in calls] == wanted
    assert found.finish.reason is (Reason.TOOL_USE if wanted else Reason.STOP)
    assert found.usage.input is not None


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        (b"", FailureKind.BAD_GATEWAY, ""),
        (b"<html>nginx</html>", FailureKind.BAD_GATEWAY, ""),
        (b"[]", FailureKind.BAD_GATEWAY, ""),
        (b'{"a\xff":1}', FailureKind.BAD_GATEWAY, ""),
        (b'{"more":' + b"[" * 300 + b"]" * 300 + b"}", FailureKind.BAD_GATEWAY, ""),
        (b'{"detail":"oops","more":"\xff"}', FailureKind.SERVER, "oops"),
        ({}, FailureKind.BAD_GATEWAY, ""),
        ({"choices": []}, FailureKind.BAD_GATEWAY, ""),
        ({"error": {"message": "slow down", "code": 429}}, FailureKind.RATE_LIMIT, "slow down"),
        ({"error": "oops"}, FailureKind.SERVER, "oops"),
        ({"detail": "oops"}, FailureKind.SERVER, "oops"),
        ({"choices": [{"error": {"code": 502, "message": "bad"}, "message": {"content": "x"}}]},
         FailureKind.BAD_GATEWAY, "bad"),
        (answer({"content": "x"}, "error"), FailureKind.SERVER, ""),
    ],
)  # fmt: skip
def test_what_is_no_answer(body: Any, kind: FailureKind, message: str) -> None:
    last = parse(body)[-1]
    assert isinstance(last, Failure)
    assert last.kind is kind
    assert message in last.message


def test_a_stream_that_nobody_asked_for() -> None:
    data = b": ping\n\n" + chunk({"content": "x"}) + chunk(finish="stop")
    for body in (data + DONE, data, data.rstrip()):
        assert parse(body)[-2:] == [*block(Kind.TEXT, "x")[-1:], Finish(Reason.STOP, "stop")]
    assert isinstance(parse(chunk({"content": "x"}))[-1], Failure)
