"""GLM's codes count before the status, in error answers, under 200 and within streams."""

import json

import pytest

from proxy.dialects.events import Failure, FailureKind, Kind
from proxy.dialects.glm import CODES, PROVIDER
from proxy.wire.headers import NO_FIELDS
from tests.helpers.openai_chat import chunk, event, make_turn
from tests.helpers.order import check_order, decode_stream
from tests.helpers.recordings import list_recordings, load_recording


def error(code: str, message: str = "no") -> bytes:
    return json.dumps({"error": {"code": code, "message": message}}).encode()


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (429, "1113", FailureKind.QUOTA),
        (429, "1302", FailureKind.RATE_LIMIT),
        (429, "1305", FailureKind.OVERLOADED),
        (429, "1311", FailureKind.PERMISSION),
        (400, "1211", FailureKind.NOT_FOUND),
        (400, "1261", FailureKind.CONTEXT_LENGTH),
        (400, "1301", FailureKind.CONTENT_FILTER),
        (401, "1000", FailureKind.UPSTREAM_AUTH),
        (500, "1234", FailureKind.SERVER),
        (400, "9999", FailureKind.INVALID),
        (434, "", FailureKind.PERMISSION),
    ],
)
def test_codes_come_before_statuses(status: int, code: str, kind: FailureKind) -> None:
    failure = PROVIDER.parse_error(status, NO_FIELDS, error(code))
    assert (failure.kind, failure.message) == (kind, "no")


@pytest.mark.parametrize(("code", "kind"), CODES.items())
def test_every_code_counts_under_200(code: str, kind: FailureKind) -> None:
    for body in (error(code), error(code).replace(f'"{code}"'.encode(), code.encode())):
        (failure,) = PROVIDER.parse_answer(body, make_turn())
        assert isinstance(failure, Failure)
        assert failure.kind is kind


def test_a_code_counts_within_a_stream() -> None:
    data = chunk({"content": "x"}) + event({"error": {"code": "1312", "message": "busy"}})
    events = decode_stream(PROVIDER.open_decoder(make_turn()), data)
    check_order(events)
    assert events[-1] == Failure(FailureKind.OVERLOADED, "busy", code="1312")
    assert events[1].kind is Kind.TEXT  # type: ignore[union-attr]


@pytest.mark.parametrize("name", list_recordings("glm/err-*.json"))
def test_a_recorded_error(name: str) -> None:
    recording = load_recording(name)
    failure = PROVIDER.parse_error(recording.status, recording.headers, recording.body)
    assert (failure.kind, failure.code, failure.status) == (FailureKind.RATE_LIMIT, "1302", 429)
