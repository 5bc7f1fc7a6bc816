"""The hub's events as Anthropic's stream: what its SDKs and Claude Code read."""

from pathlib import Path
from typing import Any

import pytest

from proxy.dialects.anthropic_messages import CLIENT
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
from proxy.dialects.parts import (
    Reasoning,
    Signature,
    Text,
)
from proxy.dialects.signatures import seal
from tests.helpers.anthropic_turns import decode, encode, list_recordings, make_request, make_turn, read_events

OWN = Signature("a", "EqQB")
FOREIGN = Signature("g", "QUJD")
ASKED = make_turn(make_request(reasoning=Reasoning("on")))
HIDDEN = make_turn(make_request(reasoning=Reasoning("adaptive", show=False)))
FINISH = Finish(Reason.STOP)
TEXT = [BlockStart(Kind.TEXT), Delta("Hi"), BlockEnd()]
CALL = [BlockStart(Kind.TOOL, "call_1", "add"), Delta('{"a":1}'), BlockEnd()]
SIGNED_CALL = [BlockStart(Kind.TOOL, "call_1", "add", signature=FOREIGN), Delta('{"a":1}'), BlockEnd()]
THOUGHT = [BlockStart(Kind.THINKING), Delta("Hm"), BlockEnd()]
SIGNED_THOUGHT = [BlockStart(Kind.THINKING), Delta("Hm"), Sign(OWN), BlockEnd()]


def tell(*events: Event, turn: Any = None, finish: Event = FINISH) -> list[dict[str, Any]]:
    """The events that a client reads between `message_start` with its ping and `message_delta`."""
    read = read_events(encode([Start("msg_1", "m"), *events, finish], turn))
    assert [event["type"] for event in read[:2]] == ["message_start", "ping"]
    assert [event["type"] for event in read[-2:]] == ["message_delta", "message_stop"]
    return read[2:-2]


def show(events: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Events in short: the type of each block and of each delta, with its number and words."""
    shown: list[tuple[Any, ...]] = []
    for event in events:
        if event["type"] == "content_block_start":
            shown.append((event["index"], event["content_block"]["type"]))
        elif event["type"] == "content_block_delta":
            kind, words = event["delta"].values()
            shown.append((event["index"], kind, words))
        else:
            shown.append((event["index"], "stop"))
    return shown


def test_a_text_in_bytes() -> None:
    assert encode([Start("msg_1", "m", Usage(5, output=1)), *TEXT, Usage(5, output=7), FINISH]) == (
        b"event: message_start\n"
        b'data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m",'
        b'"content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":5,"output_tokens":1}}}\n\n'
        b'event: ping\ndata: {"type": "ping"}\n\n'
        b"event: content_block_start\n"
        b'data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n'
        b"event: content_block_delta\n"
        b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}\n\n'
        b'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n'
        b"event: message_delta\n"
        b'data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},'
        b'"usage":{"input_tokens":5,"output_tokens":7}}\n\n'
        b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    )


@pytest.mark.parametrize(
    ("events", "shown"),
    [
        ([], []),
        ([*CALL], [(0, "tool_use"), (0, "input_json_delta", '{"a":1}'), (0, "stop")]),
        (
            [*SIGNED_THOUGHT, *TEXT],
            [
                (0, "thinking"), (0, "thinking_delta", "Hm"), (0, "signature_delta", "EqQB"), (0, "stop"),
                (1, "text"), (1, "text_delta", "Hi"), (1, "stop"),
            ],
        ),
        (
            [*THOUGHT, *TEXT],
            [
                (0, "thinking"), (0, "thinking_delta", "Hm"), (0, "stop"),
                (1, "text"), (1, "text_delta", "Hi"), (1, "stop"),
            ],
        ),
        (
            [BlockStart(Kind.THINKING), Sign(OWN), BlockEnd()],
            [(0, "thinking"), (0, "signature_delta", "EqQB"), (0, "stop")],
        ),
        (
            [BlockStart(Kind.THINKING), Delta("Hm"), Sign(FOREIGN), BlockEnd()],
            [(0, "thinking"), (0, "thinking_delta", "Hm"), (0, "signature_delta", seal(FOREIGN)), (0, "stop")],
        ),
        ([BlockStart(Kind.REFUSAL), Delta("No"), BlockEnd()], [(0, "text"), (0, "text_delta", "No"), (0, "stop")]),
        ([BlockStart(Kind.REDACTED, signature=OWN), BlockEnd()], [(0, "redacted_thinking"), (0, "stop")]),
        (
            [BlockStart(Kind.OPAQUE, name="anthropic", data={"type": "novelty"}), BlockEnd()],
            [(0, "novelty"), (0, "stop")],
        ),
        ([BlockStart(Kind.OPAQUE, name="gemini", data={}), BlockEnd()], []),
        ([BlockStart(Kind.IMAGE, name="image/png", data="QUJD"), BlockEnd()], []),
        ([BlockStart(Kind.SIGNATURE, signature=FOREIGN), BlockEnd()], []),
        (
            [BlockStart(Kind.TEXT), Delta("Hi"), Sign(FOREIGN), BlockEnd()],
            [(0, "text"), (0, "text_delta", "Hi"), (0, "stop")],
        ),
    ],
)  # fmt: skip
def test_blocks(events: list[Event], shown: list[Any]) -> None:
    assert show(tell(*events)) == shown


def test_a_gap_in_the_kinds_leaves_none_in_the_numbers() -> None:
    events = tell(BlockStart(Kind.IMAGE, name="image/png", data="QUJD"), BlockEnd(), *TEXT, *CALL)
    assert {event["index"] for event in events} == {0, 1}


def test_a_block_as_it_opens() -> None:
    blocks = [event["content_block"] for event in tell(*THOUGHT, *TEXT, *CALL) if "content_block" in event]
    assert blocks == [
        {"type": "thinking", "thinking": "", "signature": ""},
        {"type": "text", "text": ""},
        {"type": "tool_use", "id": "call_1", "name": "add", "input": {}},
    ]


def test_a_calls_signature_goes_on_the_thought_before_it() -> None:
    assert show(tell(*THOUGHT, *SIGNED_CALL)) == [
        (0, "thinking"), (0, "thinking_delta", "Hm"), (0, "signature_delta", seal(FOREIGN)), (0, "stop"),
        (1, "tool_use"), (1, "input_json_delta", '{"a":1}'), (1, "stop"),
    ]  # fmt: skip


CARRIED = [(0, "thinking"), (0, "signature_delta", seal(FOREIGN)), (0, "stop")]


def test_a_calls_signature_has_a_block_of_its_own_for_who_asked_for_thinking() -> None:
    assert show(tell(*SIGNED_CALL, turn=ASKED))[:4] == [*CARRIED, (1, "tool_use")]
    assert show(tell(*SIGNED_CALL))[0] == (0, "tool_use")
    own = show(tell(*SIGNED_THOUGHT, *SIGNED_CALL, turn=ASKED))
    assert own[2] == (0, "signature_delta", "EqQB")
    assert own[4:7] == [(1, "thinking"), (1, "signature_delta", seal(FOREIGN)), (1, "stop")]
    # Something stands between the thought and the call.
    assert (0, "signature_delta", seal(FOREIGN)) not in show(tell(*THOUGHT, *TEXT, *SIGNED_CALL, turn=ASKED))


def test_the_text_stays_the_last_block_when_a_signature_stands_behind_it() -> None:
    events = tell(*THOUGHT, *TEXT, BlockStart(Kind.SIGNATURE, signature=FOREIGN), BlockEnd(), turn=ASKED)
    assert [event["content_block"]["type"] for event in events if "content_block" in event] == ["thinking", "text"]


def test_thoughts_that_the_client_wants_omitted() -> None:
    signed = [(0, "thinking"), (0, "signature_delta", "EqQB"), (0, "stop"), (1, "text")]
    assert show(tell(*SIGNED_THOUGHT, *TEXT, turn=HIDDEN))[:4] == signed
    assert show(tell(*THOUGHT, *TEXT, turn=HIDDEN))[0] == (0, "text")
    assert show(tell(*THOUGHT, *SIGNED_CALL, turn=HIDDEN))[:4] == [*CARRIED, (1, "tool_use")]


def test_a_thought_waits_for_what_follows_and_no_longer() -> None:
    encoder = CLIENT.open_encoder(make_turn())
    for event in (Start(), *THOUGHT[:2]):
        encoder.encode(event)
    assert encoder.encode(BlockEnd()) == b""
    assert encoder.encode(Usage(output=1)) == b""
    assert b"content_block_stop" in encoder.encode(FINISH)


@pytest.mark.parametrize(
    ("given", "kept"),
    [("msg_01", True), ("chatcmpl-1", False), ("", False), ("msg_\n", False), ("msg_" + "x" * 99, False)],
)
def test_the_messages_id(given: str, kept: bool) -> None:
    made = read_events(encode([Start(given, "m"), FINISH]))[0]["message"]["id"]
    assert made.startswith("msg_")
    assert (made == given) == kept
    assert made == read_events(encode([Start(given, "m"), FINISH]))[0]["message"]["id"]


def test_the_model_is_the_one_that_answers() -> None:
    assert read_events(encode([Start("", "answers")]))[0]["message"]["model"] == "answers"
    assert read_events(encode([Start()], make_turn(make_request(model="asked"))))[0]["message"]["model"] == "asked"


def test_an_id_that_does_not_fit_is_changed() -> None:
    events = tell(BlockStart(Kind.TOOL, "functions.add:0", "add"), Delta("{}"), BlockEnd())
    assert events[0]["content_block"]["id"].replace("_", "").isalnum()


def test_the_size_of_the_prompt_is_estimated_until_it_is_known() -> None:
    turn = make_turn(make_request(system=[Text("x" * 4000)]))
    read = read_events(encode([Start(), Usage(777, 100, None, 3, 1), FINISH], turn))
    assert read[0]["message"]["usage"] == {"input_tokens": pytest.approx(1000, abs=10), "output_tokens": 0}
    assert read[-2]["usage"] == {
        "input_tokens": 677,
        "cache_read_input_tokens": 100,
        "output_tokens": 3,
        "output_tokens_details": {"thinking_tokens": 1},
    }
    assert read_events(encode([Start(), FINISH], turn))[-2]["usage"] == {"output_tokens": 0}


@pytest.mark.parametrize(
    ("events", "finish", "delta"),
    [
        ([], Finish(Reason.LENGTH), {"stop_reason": "max_tokens", "stop_sequence": None}),
        (
            [],
            Finish(Reason.STOP_SEQUENCE, stop_sequence="END"),
            {"stop_reason": "stop_sequence", "stop_sequence": "END"},
        ),
        (CALL, Finish(Reason.TOOL_USE), {"stop_reason": "tool_use", "stop_sequence": None}),
        ([], Finish(Reason.TOOL_USE), {"stop_reason": "end_turn", "stop_sequence": None}),
        (CALL, Finish(Reason.LENGTH), {"stop_reason": "max_tokens", "stop_sequence": None}),
        (
            [BlockStart(Kind.REFUSAL), Delta("No"), BlockEnd()],
            Finish(Reason.STOP),
            {"stop_reason": "refusal", "stop_sequence": None},
        ),
        (
            [],
            Finish(Reason.REFUSAL, details={"type": "refusal", "category": "bio"}),
            {
                "stop_reason": "refusal",
                "stop_sequence": None,
                "stop_details": {"type": "refusal", "category": "bio"},
            },
        ),
        ([], Finish(Reason.STOP, details={"other": 1}), {"stop_reason": "end_turn", "stop_sequence": None}),
    ],
)
def test_the_end(events: list[Event], finish: Finish, delta: dict[str, Any]) -> None:
    assert read_events(encode([Start(), *events, finish]))[-2]["delta"] == delta


@pytest.mark.parametrize("before", [[], [Start()], [Start(), *TEXT[:2]], [Start(), *THOUGHT]])
def test_a_failure_is_last_and_nothing_is_closed(before: list[Event]) -> None:
    read = read_events(encode([*before, Failure(FailureKind.OVERLOADED, "Overloaded")]))
    assert read[-1] == {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    assert [event for event in read if event["type"] in ("message_delta", "message_stop")] == []


def test_keepalives() -> None:
    encoder = CLIENT.open_encoder(make_turn())
    assert encoder.keepalive == b": keepalive\n"
    encoder.encode(Start())
    assert encoder.keepalive == b'event: ping\ndata: {"type": "ping"}\n\n'
    encoder.encode(FINISH)
    assert encoder.keepalive == b""


@pytest.mark.parametrize("text", ["\ud800", "\u2028\u2029\u0085", "\U0001f600", '"\\\n\r\0', "</script>"])
def test_a_text_leaves_as_it_is(text: str) -> None:
    data = encode([Start(), BlockStart(Kind.TEXT), Delta(text), BlockEnd(), FINISH])
    assert read_events(data)[3]["delta"]["text"] == text
    assert "\u2028".encode() not in data
    assert data.count(b"\r") == 0


def test_nothing_is_said_for_nothing() -> None:
    encoder = CLIENT.open_encoder(make_turn())
    assert encoder.encode(Delta("x")) == b""
    encoder.encode(BlockStart(Kind.TEXT))
    assert encoder.encode(Delta("")) == b""


@pytest.mark.parametrize("path", [*list_recordings("anthropic/*.sse"), *list_recordings("glm/anthropic*.sse")])
def test_a_recording_decoded_and_encoded_says_the_same(path: Path) -> None:
    events = decode(path.read_bytes())
    again = decode(encode(events))
    assert again[1:] == events[1:]
