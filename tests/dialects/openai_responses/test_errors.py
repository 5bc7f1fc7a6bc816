"""Errors of the Responses API, theirs to ours and ours to theirs."""

import pytest

from proxy.dialects.events import Failure, FailureKind
from proxy.dialects.json_text import decode_json
from proxy.dialects.openai_responses import CLIENT, PROVIDER
from proxy.dialects.openai_responses.errors import build_stream_error
from proxy.wire.headers import Headers
from tests.helpers.recordings import list_recordings, load_recording


@pytest.mark.parametrize("name", list_recordings("openai_responses/err-*.json"))
def test_a_recorded_error_is_ours(name: str) -> None:
    recording = load_recording(name)
    failure = PROVIDER.parse_error(recording.status, recording.headers, recording.body)
    assert (failure.kind, failure.code) == (FailureKind.UPSTREAM_AUTH, "invalid_api_key")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, b'{"error":{"code":"context_length_exceeded","message":"long"}}', FailureKind.CONTEXT_LENGTH),
        (400, b'{"error":{"code":"invalid_encrypted_content","message":"bad"}}', FailureKind.INVALID),
        (400, b'{"error":{"code":"invalid_prompt","message":"bad"}}', FailureKind.INVALID),
        (200, b'{"error":{"code":"bio_policy","message":"no"}}', FailureKind.CONTENT_FILTER),
        (503, b"<html>", FailureKind.OVERLOADED),
        (429, b"", FailureKind.RATE_LIMIT),
    ],
)
def test_errors_are_told_apart(status: int, body: bytes, kind: FailureKind) -> None:
    assert PROVIDER.parse_error(status, Headers(()), body).kind is kind


def test_an_answer_that_failed_before_it_began() -> None:
    failure = Failure(FailureKind.RATE_LIMIT, "slow", 429, "x", 2.5, "model")
    status, fields, body = CLIENT.build_error(failure, "req_1")
    assert (status, fields["retry-after"], fields["x-should-retry"]) == (429, "3", "true")
    assert decode_json(body) == {
        "error": {"message": "slow", "type": "rate_limit_error", "param": "model", "code": "rate_limit_exceeded"},
        "request_id": "req_1",
    }


@pytest.mark.parametrize(
    ("message", "delay", "expected"),
    [
        ("slow", None, "slow"),
        ("slow.", 1.5, "slow. Please try again in 1.5s."),
        ("try again in 20s", 20.0, "try again in 20s"),
    ],
)
def test_codex_finds_the_delay_in_the_message(message: str, delay: float | None, expected: str) -> None:
    _, error = build_stream_error(Failure(FailureKind.RATE_LIMIT, message, retry_after=delay))
    assert decode_json(error)["message"] == expected
