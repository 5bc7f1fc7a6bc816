"""What the client has of an answer, and what makes it more than plain text."""

import pytest

from proxy.dialects.delivered import LIMIT, Delivered
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
from tests.helpers.rescues import open_stage, speak

TEXT: list[Event] = [Start(), BlockStart(Kind.TEXT), Delta("a"), Delta("b")]
SIGNED = Signature("g", "x")


def deliver(*events: Event, shown: bool = True) -> Delivered:
    delivered = Delivered()
    for event in events:
        delivered.note(event, shown)
    return delivered


def test_nothing_is_delivered_at_first() -> None:
    delivered = Delivered()
    assert (delivered.text, delivered.size, delivered.plain) == ("", 0, True)
    assert (delivered.started, delivered.opened, delivered.closed) == (False, False, False)


def test_a_text_grows_until_its_block_ends() -> None:
    delivered = deliver(*TEXT)
    delivered.add("c")
    assert (delivered.text, delivered.size, delivered.plain) == ("abc", 3, True)
    assert (delivered.started, delivered.opened, delivered.closed) == (True, True, False)
    for event in (BlockEnd(), Usage(1), Finish(Reason.STOP)):
        delivered.note(event)
    assert (delivered.text, delivered.plain, delivered.closed) == ("abc", True, True)


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.TEXT])
@pytest.mark.parametrize("before", [TEXT[:1], TEXT, [*TEXT, BlockEnd()]])
def test_another_block_ends_it(kind: Kind, before: list[Event]) -> None:
    delivered = deliver(*before, BlockStart(kind))
    assert (delivered.plain, delivered.text) == (False, "")


def test_a_second_text_ends_it() -> None:
    for shown in (True, False):
        assert not deliver(*TEXT, BlockEnd(), BlockStart(Kind.TEXT), shown=shown).plain


def test_a_signature_ends_it() -> None:
    assert not deliver(*TEXT, Sign(SIGNED), shown=False).plain
    assert not deliver(*TEXT, BlockEnd(), Sign(SIGNED)).plain


def test_what_the_client_does_not_see_does_no_harm() -> None:
    hidden: list[Event] = [BlockStart(Kind.THINKING), Delta("hm"), Sign(SIGNED), BlockEnd()]
    delivered = deliver(*hidden, shown=False)
    for event in TEXT:
        delivered.note(event, b"")
    delivered.note(BlockEnd(), b"")
    for event in hidden:
        delivered.note(event, b"")
    assert (delivered.text, delivered.plain, delivered.closed) == ("ab", True, True)


@pytest.mark.parametrize("at", range(4))
def test_any_of_it_that_the_client_sees_ends_it(at: int) -> None:
    delivered = deliver(*TEXT, BlockEnd())
    hidden: list[Event] = [BlockStart(Kind.TOOL), Delta("{}"), Sign(SIGNED), BlockEnd()]
    for place, event in enumerate(hidden):
        delivered.note(event, place == at)
    assert not delivered.plain


def test_a_text_beyond_the_limit_is_forgotten() -> None:
    delivered = deliver(*TEXT)
    delivered.add("x" * (LIMIT - 2))
    assert delivered.plain
    delivered.add("y")
    assert (delivered.plain, delivered.text) == (False, "")
    delivered.add("z")
    assert delivered.text == ""


def test_an_error_says_what_the_client_has() -> None:
    failure = Failure(FailureKind.DISCONNECT, "it broke", 502)
    assert deliver(*TEXT).tell(failure) == Failure(
        FailureKind.DISCONNECT, "it broke (2 characters of its text had been delivered)", 502
    )
    told = deliver(*TEXT, BlockEnd(), BlockStart(Kind.TOOL, "c", "f")).tell(failure)
    assert told.message == "it broke (a part of it had been delivered)"


@pytest.mark.parametrize("withhold", [True, False])
def test_the_error_within_a_stream_says_it_too(withhold: bool) -> None:
    stage = open_stage("openai-chat", "anthropic")
    stage.withhold = withhold
    out = stage.feed(speak("anthropic", [*TEXT, Usage(1), BlockEnd()]))
    out += stage.fail(Failure(FailureKind.DISCONNECT, "it broke", 502)) + stage.settle()
    assert b"(2 characters of its text had been delivered)" in out
