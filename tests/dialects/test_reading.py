"""A provider's body to events, streamed or in one piece, within its limits."""

import pytest

from proxy.dialects.events import Failure, FailureKind, Finish, Start
from proxy.dialects.reading import TOO_LARGE, Reading
from proxy.dialects.translate import build_whole
from tests.helpers.crossing import BOTH, ENDING, OPENING, ending, find_client, find_provider, make_turn, opening
from tests.helpers.feeds import one_by_one

SAME = pytest.mark.parametrize("dialect", BOTH)


def open_reading(dialect: str, *, streamed: bool = True, max_event: int = 10_000) -> Reading:
    return Reading(find_provider(dialect), make_turn(dialect, stream=streamed), streamed=streamed, max_event=max_event)


@SAME
def test_a_stream_is_read_as_it_comes(dialect: str) -> None:
    reading = open_reading(dialect)
    events = [event for piece in one_by_one(opening(dialect)) for event in reading.feed(piece)]
    assert isinstance(events[0], Start)
    assert (reading.decoder.complete, reading.tail, reading.blocks > 0) == (False, b"", True)
    events = reading.feed(ending(dialect)) + reading.end()
    assert isinstance(events[-1], Finish)
    assert reading.decoder.complete


@SAME
def test_half_an_event_is_a_tail_and_no_malformed_event(dialect: str) -> None:
    reading = open_reading(dialect)
    reading.feed(opening(dialect) + b'data: {"half')
    assert reading.tail == b'data: {"half'
    (last,) = reading.end()[-1:]
    assert isinstance(last, Failure)
    assert (last.kind, reading.decoder.malformed) == (FailureKind.DISCONNECT, 0)


@SAME
def test_a_document_is_read_at_its_end(dialect: str) -> None:
    reading = open_reading(dialect, streamed=False)
    turn = make_turn(dialect, stream=False)
    body = build_whole(find_client(dialect), turn, [*OPENING, *ENDING])[1]
    assert [reading.feed(piece) for piece in one_by_one(body)] == [[]] * len(body)
    assert (reading.tail, reading.blocks) == (b"", 0)
    assert isinstance(reading.end()[-1], Finish)


@SAME
@pytest.mark.parametrize("streamed", [True, False])
def test_what_is_too_large_is_missing(dialect: str, streamed: bool) -> None:
    reading = open_reading(dialect, streamed=streamed, max_event=50)
    assert reading.feed(b"data: " + b"x" * 60 + b"\n\n") == [TOO_LARGE]
    assert reading.failed
