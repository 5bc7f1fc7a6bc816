"""Google's error form: `code` is the status, `status` the name of a gRPC code, the rest stands in `details`."""

import json
from pathlib import Path

import pytest

from proxy.dialects.events import Failure, FailureKind
from proxy.dialects.gemini.errors import build_error, build_refusal, build_status, parse_error, parse_stream_error
from proxy.errors import Code
from proxy.wire.headers import NO_FIELDS
from tests.helpers.gemini import list_recordings


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (Code.BAD_REQUEST, "INVALID_ARGUMENT"),
        (Code.UNAUTHORIZED, "UNAUTHENTICATED"),
        (Code.FORBIDDEN, "PERMISSION_DENIED"),
        (Code.NOT_FOUND, "NOT_FOUND"),
        (Code.REQUEST_TIMEOUT, "DEADLINE_EXCEEDED"),
        (Code.INTERNAL, "INTERNAL"),
        (Code.NOT_IMPLEMENTED, "UNIMPLEMENTED"),
        (Code.CUT, "UNAVAILABLE"),
        (Code.BUSY, "UNAVAILABLE"),
        (Code.FIRST_BYTE_TIMEOUT, "DEADLINE_EXCEEDED"),
    ],
)
def test_the_form_of_a_refusal(code: Code, status: str) -> None:
    error = build_refusal(code, "req_1")["error"]
    assert isinstance(error, dict)
    info, request = error.pop("details")
    assert error == {"code": code.status, "message": code.message, "status": status}
    assert info == {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": code.slug.upper(),
        "domain": "penstock",
    }
    assert request == {"@type": "type.googleapis.com/google.rpc.RequestInfo", "requestId": "req_1"}


@pytest.mark.parametrize("recording", list_recordings("gemini", ".json") + list_recordings("antigravity", ".json"))
def test_recorded_errors(recording: Path) -> None:
    expected = KINDS.get(recording.stem)
    if expected is None:
        assert not recording.stem.startswith("err-")
        return
    status, kind, delay = expected
    failure = parse_error(status, NO_FIELDS, recording.read_bytes())
    assert (failure.kind, failure.retry_after) == (kind, delay)
    assert failure.message
    assert not failure.message.startswith("{")


def test_an_error_in_an_array_is_the_same() -> None:
    body = json.dumps({"error": {"code": 503, "message": "Later.", "status": "UNAVAILABLE"}}).encode()
    assert parse_error(503, NO_FIELDS, b"[" + body + b"\n]") == parse_error(503, NO_FIELDS, body)


def test_an_error_in_a_stream_has_its_status_in_its_code() -> None:
    failure = parse_stream_error({"error": {"code": 429, "message": "Slow.", "status": "RESOURCE_EXHAUSTED"}})
    assert (failure.kind, failure.status, failure.message) == (FailureKind.RATE_LIMIT, 429, "Slow.")


@pytest.mark.parametrize("kind", FailureKind)
def test_every_kind_has_a_form(kind: FailureKind) -> None:
    status, fields, body = build_error(Failure(kind, "It failed."), "req_1")
    error = json.loads(body)["error"]
    assert error["code"] == status >= 400
    assert error["message"] == "It failed."
    assert error["status"].isupper()
    assert error["details"][0]["reason"] == kind.value.upper()
    assert error["details"][-1]["requestId"] == "req_1"
    assert fields["x-should-retry"] in ("true", "false")


def test_a_delay_stands_in_the_header_and_in_the_details() -> None:
    failure = Failure(FailureKind.RATE_LIMIT, "Slow.", retry_after=34.4)
    status, fields, body = build_error(failure, "req_1")
    assert (status, fields["retry-after"], fields["retry-after-ms"]) == (429, "35", "34400")
    details = json.loads(body)["error"]["details"]
    assert {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.4s"} in details


def test_the_field_that_is_blamed_is_named() -> None:
    details = build_status(Failure(FailureKind.INVALID, "must be a number", param="generationConfig.topP"))["details"]
    assert details[1]["fieldViolations"] == [{"field": "generationConfig.topP", "description": "must be a number"}]


KINDS = {
    "err-400-api-key": (400, FailureKind.UPSTREAM_AUTH, None),
    "err-404-model": (404, FailureKind.NOT_FOUND, None),
    "err-429-quota-retryinfo": (429, FailureKind.RATE_LIMIT, 48.0),
    "err-503-overloaded": (503, FailureKind.OVERLOADED, None),
    "err-400-missing-signature": (400, FailureKind.INVALID, None),
    "err-400-nested-anthropic": (400, FailureKind.INVALID, None),
}
