"""A second answer's events: what is swallowed, what is new, and when the two do not fit."""

import pytest

from proxy.dialects.delivered import Delivered
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
from proxy.dialects.splice import Splice

START, TEXT, END, STOP = Start("i", "m"), BlockStart(Kind.TEXT), BlockEnd(), Finish(Reason.STOP)
CALL: list[Event] = [BlockStart(Kind.TOOL, "c", "add"), Delta("{}"), END]
THOUGHT: list[Event] = [BlockStart(Kind.THINKING), Delta("hm"), Sign(Signature("a", "x")), END]
LONE: list[Event] = [BlockStart(Kind.REDACTED), END, BlockStart(Kind.SIGNATURE), END]
CUT = Failure(FailureKind.DISCONNECT, "cut")


def deliver(*texts: str, closed: bool = False) -> Delivered:
    delivered = Delivered()
    events: list[Event] = [START, TEXT, *map(Delta, texts)]
    for event in [*events, END] if closed else events:
        delivered.note(event)
    return delivered


def splice(
    events: list[Event], had: str = "One two", *, closed: bool = False, continues: bool = False
) -> tuple[list[Event], Splice]:
    """What is new, one by one and at once."""
    made = Splice(deliver(had, closed=closed), continues=continues)
    new = [found for event in events for found in made.feed([event])]
    assert Splice(deliver(had, closed=closed), continues=continues).feed(events) == new
    return new, made


def say(*texts: str) -> list[Event]:
    return [TEXT, *map(Delta, texts), END]


@pytest.mark.parametrize(
    ("events", "new"),
    [
        ([START, *say("One two three"), STOP], [Delta(" three"), END, STOP]),
        ([START, *say("One", " two three", " four"), STOP], [Delta(" three"), Delta(" four"), END, STOP]),
        ([*say("One two"), STOP], [END, STOP]),
        ([*say("One two"), Usage(1), STOP], [END, STOP]),
        ([*say("One two"), *CALL, STOP], [END, *CALL, STOP]),
        ([*say("One two"), *say("More"), STOP], [END, *say("More"), STOP]),
        ([*say("One two"), *THOUGHT, STOP], [END, *THOUGHT, STOP]),
        ([*THOUGHT, *say("One two."), Usage(2), STOP], [Delta("."), END, Usage(2), STOP]),
        ([*LONE, *say("One two."), STOP], [Delta("."), END, STOP]),
        ([START, TEXT, Delta("One"), CUT], [CUT]),
        ([START, CUT], [CUT]),
    ],
)  # fmt: skip
def test_the_text_that_is_known_is_swallowed(events: list[Event], new: list[Event]) -> None:
    found, made = splice(events)
    assert (found, made.mismatch) == (new, False)
    assert made.joined is (CUT not in events)


@pytest.mark.parametrize(
    "events",
    [
        say("One Two three"),
        say("ne"),
        say("One", " to"),
        [*say("One"), STOP],
        [TEXT, Delta("One"), END],
        [TEXT, Delta("One"), STOP],
        [STOP],
        CALL,
        [*THOUGHT, *CALL],
        [*THOUGHT, STOP],
    ],
)
def test_what_differs_is_told_and_nothing_else(events: list[Event]) -> None:
    found, made = splice([START, *events, *say("One two three"), Usage(1), STOP])
    assert (found, made.mismatch, made.joined, made.done) == ([], True, False, False)


@pytest.mark.parametrize(
    ("had", "events", "new"),
    [
        ("One ", say("two"), [Delta("two"), END]),
        ("One ", say(" two"), [Delta("two"), END]),
        ("One \n ", say(" ", "\n  two"), [Delta(" two"), END]),
        ("One \n ", say(" two"), [Delta("two"), END]),
        ("One ", say("\n"), [Delta("\n"), END]),
        ("One", say(" two"), [Delta(" two"), END]),
        ("One", say("One"), [Delta("One"), END]),
        ("One", [*THOUGHT, *say("two")], [Delta("two"), END]),
        ("One ", [*say(" "), *CALL], [END, *CALL]),
        ("One", CALL, [END, *CALL]),
        ("One", [*THOUGHT, STOP], [END, STOP]),
        ("", say("One"), [Delta("One"), END]),
    ],
)
def test_what_continues_is_new(had: str, events: list[Event], new: list[Event]) -> None:
    found, made = splice([START, *events], had, continues=True)
    assert (found, made.mismatch, made.joined) == (new, False, True)


def test_a_text_that_had_ended_stays_so() -> None:
    for events, new in (
        ([*say("One two"), STOP], [STOP]),
        ([*say("One two"), *CALL], CALL),
        ([*say("One two"), *say("!")], say("!")),
    ):
        assert splice(events, closed=True)[0] == new
    assert splice(say("One two!"), closed=True)[1].mismatch
    assert splice([*say("!"), STOP], closed=True, continues=True)[0] == [*say("!"), STOP]
    assert splice(CALL, closed=True, continues=True)[0] == CALL


def test_done_is_what_lacks_nothing() -> None:
    made = Splice(deliver("One"), continues=False)
    steps: list[tuple[Event, bool]] = [
        (START, False),
        (TEXT, False),
        (Delta("On"), False),
        (Delta("e"), True),
        (END, True),
    ]
    for event, done in steps:
        assert made.feed([event]) == []
        assert (made.done, made.joined) == (done, False)
    assert Splice(deliver("One"), continues=True).done


def test_where_nothing_was_begun_everything_is_new() -> None:
    events = [START, *THOUGHT, *say("One"), STOP]
    assert Splice(Delivered(), continues=False).feed(events) == events


def test_where_only_the_start_was_said_the_rest_is_new() -> None:
    delivered = Delivered()
    delivered.note(START)
    assert Splice(delivered, continues=False).feed([START, *say("One"), STOP]) == [*say("One"), STOP]
