"""GLM's own words for why it stopped."""

import pytest

from proxy.dialects.events import Event, Failure, FailureKind, Finish, Reason
from proxy.dialects.glm import PROVIDER
from tests.helpers.openai_chat import DONE, chunk, make_turn
from tests.helpers.order import check_order, decode_stream


def last(*pieces: bytes) -> Event:
    events = decode_stream(PROVIDER.open_decoder(make_turn()), b"".join(pieces))
    check_order(events)
    return events[-1]


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("stop", Reason.STOP),
        ("length", Reason.LENGTH),
        ("sensitive", Reason.CONTENT_FILTER),
        ("model_context_window_exceeded", Reason.CONTEXT_FULL),
        ("something new", Reason.OTHER),
    ],
)
def test_words(word: str, reason: Reason) -> None:
    assert last(chunk({"content": "x"}, word), DONE) == Finish(reason, word)


def test_network_error_is_a_failure_though_an_end_mark_follows() -> None:
    failure = last(chunk({"content": "x"}), chunk({"content": ""}, "network_error"), DONE)
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.code) == (FailureKind.SERVER, "network_error")
