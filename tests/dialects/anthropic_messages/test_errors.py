"""Anthropic's error form, read and written."""

import json
from pathlib import Path

import pytest

from proxy.dialects.anthropic_messages import CLIENT, PROVIDER, build_refusal
from proxy.dialects.anthropic_messages.errors import encode_failure
from proxy.dialects.events import Failure, FailureKind
from proxy.errors import Code
from proxy.wire.headers import NO_FIELDS, Headers
from tests.helpers.anthropic_turns import list_recordings

KINDS = {
    "err-401": FailureKind.UPSTREAM_AUTH,
    "err-400-prompt-too-long": FailureKind.CONTEXT_LENGTH,
    "err-429-rate-limit": FailureKind.RATE_LIMIT,
    "err-529-overloaded": FailureKind.OVERLOADED,
    "err-429-1302": FailureKind.RATE_LIMIT,
}


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (Code.BAD_REQUEST, "invalid_request_error"),
        (Code.UNAUTHORIZED, "authentication_error"),
        (Code.FORBIDDEN, "permission_error"),
        (Code.NOT_FOUND, "not_found_error"),
        (Code.REQUEST_TIMEOUT, "timeout_error"),
        (Code.BODY_TOO_LARGE, "request_too_large"),
        (Code.INTERNAL, "api_error"),
        (Code.CUT, "api_error"),
        (Code.DRAINING, "overloaded_error"),
        (Code.CONNECT_TIMEOUT, "timeout_error"),
    ],
)
def test_a_refusal_of_the_proxys_own(code: Code, kind: str) -> None:
    assert build_refusal(code, "req_1") == {
        "type": "error",
        "error": {"type": kind, "message": code.message, "code": code.slug},
        "request_id": "req_1",
    }


@pytest.mark.parametrize(
    "path", [*list_recordings("anthropic/err-*[0-9a-z].json"), *list_recordings("glm/err-*2.json")]
)
def test_a_recorded_error(path: Path) -> None:
    if path.name.endswith((".meta.json", ".request.json")):
        return
    meta = json.loads(path.with_suffix(".meta.json").read_text())
    headers = Headers(tuple((name.encode(), value.encode()) for name, value in meta.get("headers", {}).items()))
    failure = PROVIDER.parse_error(meta["status"], headers, path.read_bytes())
    assert failure.kind is KINDS[path.stem]
    assert failure.retry_after == (24 if path.stem == "err-429-rate-limit" else None)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (529, b"", FailureKind.OVERLOADED),
        (200, b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}', FailureKind.OVERLOADED),
        (400, b'{"error":{"code":"1261","message":"too long"}}', FailureKind.CONTEXT_LENGTH),
        (402, b'{"error":{"type":"billing_error","message":"pay"}}', FailureKind.QUOTA),
        (404, b'{"error":{"type":"not_found_error","message":"model: x"}}', FailureKind.NOT_FOUND),
        (500, b"<html>\xff\x00", FailureKind.SERVER),
    ],
)
def test_an_error_answer(status: int, body: bytes, kind: FailureKind) -> None:
    assert PROVIDER.parse_error(status, NO_FIELDS, body).kind is kind


def test_a_spend_limit_is_not_tried_again() -> None:
    body = (
        b'{"error":{"type":"rate_limit_error","message":"m","details":{"error_code":"enforced_spend_limit_reached"}}}'
    )
    assert PROVIDER.parse_error(429, NO_FIELDS, body).kind is FailureKind.QUOTA


@pytest.mark.parametrize(
    ("kind", "status", "word"),
    [
        (FailureKind.INVALID, 400, "invalid_request_error"),
        (FailureKind.AUTH, 401, "authentication_error"),
        (FailureKind.UPSTREAM_AUTH, 500, "api_error"),
        (FailureKind.RATE_LIMIT, 429, "rate_limit_error"),
        (FailureKind.OVERLOADED, 529, "overloaded_error"),
        (FailureKind.DISCONNECT, 500, "api_error"),
    ],
)
def test_an_error_for_a_client(kind: FailureKind, status: int, word: str) -> None:
    sent, headers, body = CLIENT.build_error(Failure(kind, "why", retry_after=1.5), "req_1")
    assert sent == status
    assert json.loads(body) == {"type": "error", "error": {"type": word, "message": "why"}, "request_id": "req_1"}
    assert headers["retry-after"] == "2"


def test_the_field_that_is_blamed_opens_the_message() -> None:
    _, _, body = CLIENT.build_error(Failure(FailureKind.INVALID, "is required", param="max_tokens"), "r")
    assert json.loads(body)["error"]["message"] == "max_tokens: is required"
    _, _, body = CLIENT.build_error(Failure(FailureKind.INVALID, "max_tokens: is required", param="max_tokens"), "r")
    assert json.loads(body)["error"]["message"] == "max_tokens: is required"


def test_the_last_event_of_a_stream_that_failed() -> None:
    assert encode_failure(Failure(FailureKind.OVERLOADED, "Overloaded")) == (
        b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
    )
