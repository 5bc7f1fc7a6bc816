"""An answer as text and as JSON lines."""

import json
from collections.abc import Iterable

import pytest

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
from proxy.dialects.parts import Signature
from proxy.tools.chat_lines import JsonView, Tally, TextView, View, tell_failure


def block(kind: Kind, *texts: str, id: str = "", name: str = "") -> list[Event]:  # noqa: A002
    return [BlockStart(kind, id, name), *map(Delta, texts), BlockEnd()]


def show(view: View, events: Iterable[Event]) -> tuple[str, str]:
    """Standard output and standard error."""
    pieces = [piece for event in events for piece in view.show(event)]
    return tuple("".join(text for channel, text in pieces if channel == name) for name in ("out", "err"))  # type: ignore[return-value]


STOP = Finish(Reason.STOP)
ANSWER: list[Event] = [
    Start("r1", "m"),
    *block(Kind.THINKING, "hm", "m"),
    *block(Kind.TEXT, "Hel", "lo"),
    *block(Kind.TOOL, '{"a":', "1}", id="c1", name="look"),
    Usage(input=1, output=2),
    STOP,
]


def test_into_a_pipe_the_text_goes_as_it_came_and_reasoning_beside_it() -> None:
    assert show(TextView(terminal=False), ANSWER) == ('Hello\n[tool call] look {"a":1}\n', "hmm\n")


def test_on_a_terminal_reasoning_is_dimmed() -> None:
    out, err = show(TextView(terminal=True), ANSWER)
    assert out == '\x1b[2mhm\x1b[22m\x1b[2mm\x1b[22m\nHello\n[tool call] look {"a":1}\n'
    assert err == ""


def test_every_delta_is_shown_when_it_comes() -> None:
    view = TextView(terminal=False)
    assert [list(view.show(event)) for event in block(Kind.TEXT, "a", "b\n")] == [
        [],
        [("out", "a")],
        [("out", "b\n")],
        [],
    ]


def test_a_tool_call_is_shown_when_it_is_complete() -> None:
    view = TextView(terminal=False)
    shown = [list(view.show(event)) for event in block(Kind.TOOL, "{", "}", name="f")]
    assert shown == [[], [], [], [("out", "[tool call] f {}\n")]]


def test_a_line_that_is_open_ends_before_what_follows() -> None:
    cut = [BlockStart(Kind.TEXT), Delta("half")]
    assert show(TextView(terminal=False), [*cut, Failure(FailureKind.DISCONNECT, "x")]) == ("half\n", "")
    assert show(TextView(terminal=False), [*block(Kind.TEXT, "a\n"), *block(Kind.REFUSAL, "b")]) == ("a\nb\n", "")


def test_blocks_without_text_leave_no_lines() -> None:
    events = [BlockStart(Kind.REDACTED, signature=Signature("a", "x")), BlockEnd(), *block(Kind.SIGNATURE)]
    assert show(TextView(terminal=True), [*events, *block(Kind.TEXT, "")]) == ("", "")


def test_an_image_is_named() -> None:
    events = [BlockStart(Kind.IMAGE, name="image/png", data="abcd"), BlockEnd()]
    assert show(TextView(terminal=False), events) == ("[image] image/png, 4 characters of base64\n", "")


NASTY = "a\x1b[2Jb\r\x07\x9bc\u202ed\u2066\ud800\x7f"


def test_nothing_that_a_model_wrote_drives_a_terminal() -> None:
    events = [
        *block(Kind.TEXT, NASTY),
        *block(Kind.THINKING, NASTY),
        *block(Kind.TOOL, NASTY, name=NASTY),
        BlockStart(Kind.IMAGE, name=NASTY),
    ]
    out, _ = show(TextView(terminal=True), events)
    plain = out.replace("\x1b[2m", "").replace("\x1b[22m", "")
    assert plain.startswith("a\\x1b[2Jb\\r\\x07\\x9bc\\u202ed\\u2066\\ud800\\x7f\n")
    assert not set(plain) & set(NASTY) - set("abcdJ[2")


def test_scripts_that_need_joiners_and_marks_are_left_whole() -> None:
    text = "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \U0001f469\u200d\U0001f4bb \u200fx\tü\nz"
    assert show(TextView(terminal=True), block(Kind.TEXT, text))[0] == text + "\n"


def test_into_a_pipe_bytes_matter_more() -> None:
    assert show(TextView(terminal=False), block(Kind.TEXT, NASTY))[0] == NASTY + "\n"


def test_json_has_one_object_per_event() -> None:
    out, err = show(JsonView(), [*ANSWER[:4], Sign(Signature("a", "sig")), *ANSWER[4:]])
    assert err == ""
    assert [json.loads(line) for line in out.splitlines()] == [
        {"type": "start", "id": "r1", "model": "m"},
        {"type": "block_start", "kind": "thinking"},
        {"type": "delta", "kind": "thinking", "text": "hm"},
        {"type": "delta", "kind": "thinking", "text": "m"},
        {"type": "sign", "kind": "thinking", "signature": "sig"},
        {"type": "block_end", "kind": "thinking"},
        {"type": "block_start", "kind": "text"},
        {"type": "delta", "kind": "text", "text": "Hel"},
        {"type": "delta", "kind": "text", "text": "lo"},
        {"type": "block_end", "kind": "text"},
        {"type": "block_start", "kind": "tool", "id": "c1", "name": "look"},
        {"type": "delta", "kind": "tool", "text": '{"a":'},
        {"type": "delta", "kind": "tool", "text": "1}"},
        {"type": "block_end", "kind": "tool", "id": "c1", "name": "look", "arguments": '{"a":1}'},
        {"type": "usage", "input": 1, "output": 2},
        {"type": "finish", "reason": "stop", "raw": "", "stop_sequence": None},
    ]


def test_json_tells_failures() -> None:
    failure = Failure(FailureKind.RATE_LIMIT, "slow down", 429, "rate_limited", 2.5, "model")
    assert json.loads(show(JsonView(), [failure])[0]) == {
        "type": "failure",
        "kind": "rate_limit",
        "message": "slow down",
        "status": 429,
        "code": "rate_limited",
        "param": "model",
        "retry_after": 2.5,
    }


def test_json_is_plain_ascii() -> None:
    out, _ = show(JsonView(), block(Kind.TEXT, NASTY + "ü"))
    assert out.isascii()
    assert all(line.isprintable() for line in out.splitlines())
    assert json.loads(out.splitlines()[1])["text"] == NASTY + "ü"


def tally(*events: Event) -> Tally:
    result = Tally()
    for event in events:
        result.note(event)
    return result


@pytest.mark.parametrize(
    ("events", "first", "text"),
    [
        ([], None, "1.50 s in all"),
        (ANSWER, 0.25, "m: stop; tokens: 1 in, 2 out; first after 0.25 s, 1.50 s in all"),
        (
            [
                Start("", "m\x1b", Usage(input=9)),
                Usage(cache_read=4),
                Usage(output=7, reasoning=5, cost=0.0125),
                Finish(Reason.TOOL_USE, "tool_calls"),
            ],
            None,
            "m\\x1b: tool_use (tool_calls); tokens: 9 in (4 from a cache), 7 out (5 of reasoning), $0.0125; "
            "1.50 s in all",
        ),
        ([Finish(Reason.LENGTH, "length")], None, "length; 1.50 s in all"),
    ],
)
def test_the_sum(events: list[Event], first: float | None, text: str) -> None:
    assert tally(*events).sum_up(first, 1.5) == text


def test_content_begins_with_the_first_block() -> None:
    assert not tally(Start()).has_content
    assert tally(Start(), BlockStart(Kind.THINKING)).has_content


def test_a_failure_is_told_in_one_line() -> None:
    failure = Failure(FailureKind.INVALID, "no\nsuch \x1bmodel", 404, "model_not_found", 3.0, "model")
    assert tell_failure(failure, "req_1") == (
        "no\\nsuch \\x1bmodel "
        "(invalid_request, status 404, model_not_found, parameter model, again in 3 s, request req_1)"
    )
    assert tell_failure(Failure(FailureKind.DISCONNECT, ""), "") == "the answer failed (upstream_disconnect)"
