"""The stream for a plain EventSource: it says when it is over, and a browser that comes back is sent away."""

import pytest

from proxy.dialects.chat import Asked, Invalid
from proxy.dialects.events import Event, Failure, FailureKind, Kind, Start
from proxy.dialects.ui_message import EVENT_SOURCE, is_return
from proxy.wire.sse import Block, Parser
from tests.helpers.ui_message import answer, block, build_turn, encode

WHOLE = answer(block(Kind.TEXT, "Hello"))
FAILURE = Failure(FailureKind.SERVER, "It broke.")


def read(events: list[Event]) -> list[Block]:
    encoder = EVENT_SOURCE.open_encoder(build_turn())
    return [one for one in Parser().feed(b"".join(encoder.encode(event) for event in events)) if one.data is not None]


def test_the_messages_are_the_chunks_of_the_other_stream() -> None:
    messages = [one.data for one in read(WHOLE) if one.type == "message"]
    expected = [one.data for one in Parser().feed(encode(WHOLE))]
    assert messages == expected[:-1]


@pytest.mark.parametrize(
    ("events", "data"), [(WHOLE, b"[DONE]"), ([Start(), FAILURE], b"[FAILED]"), ([FAILURE], b"[FAILED]")]
)
def test_the_last_event_is_named_end(events: list[Event], data: bytes) -> None:
    *others, last = read(events)
    assert (last.type, last.data) == ("end", data)
    assert {one.type for one in others} == {"message"}


@pytest.mark.parametrize("events", [WHOLE, [FAILURE]])
def test_every_event_leaves_an_id_that_is_known_again(events: list[Event]) -> None:
    ids = {one.last_event_id for one in read(events)}
    assert len(ids) == 1
    assert is_return({"last-event-id": ids.pop()})


def test_a_first_visit_is_none_of_a_browser_that_comes_back() -> None:
    assert not is_return({})
    assert not is_return({"last-event-id": ""})


def test_the_keepalive_is_the_other_stream_s() -> None:
    encoder = EVENT_SOURCE.open_encoder(build_turn())
    assert encoder.keepalive == b": keepalive\n"
    encoder.encode(FAILURE)
    assert encoder.keepalive == b""


def test_the_request_stands_in_the_query() -> None:
    request = EVENT_SOURCE.parse_request(b"", Asked(model="default", query={"prompt": "hi"}))
    assert request.model == "default"
    with pytest.raises(Invalid):
        EVENT_SOURCE.parse_request(b"", Asked(model="default"))
