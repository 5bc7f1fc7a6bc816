"""OpenAI's error form: type and code are what its SDKs choose their exceptions and retries by."""

import json

import pytest

from proxy.dialects.events import Failure, FailureKind
from proxy.dialects.failures import FORMS
from proxy.dialects.openai_chat import CLIENT, PROVIDER
from proxy.dialects.openai_chat.errors import build_refusal, encode_error_event
from proxy.errors import Code
from tests.helpers.recordings import list_recordings, load_recording


@pytest.mark.parametrize(
    ("code", "kind", "slug"),
    [
        (Code.UNAUTHORIZED, "invalid_request_error", "invalid_api_key"),
        (Code.FORBIDDEN, "permission_error", "forbidden"),
        (Code.NOT_FOUND, "invalid_request_error", "not_found"),
        (Code.REQUEST_TIMEOUT, "timeout", "request_timeout"),
        (Code.INTERNAL, "server_error", "internal"),
        (Code.CUT, "server_error", "upstream_cut"),
        (Code.BUSY, "server_error", "overloaded"),
        (Code.FIRST_BYTE_TIMEOUT, "timeout", "first_byte_timeout"),
    ],
)
def test_the_form_of_a_refusal(code: Code, kind: str, slug: str) -> None:
    assert build_refusal(code, "req_1") == {
        "error": {"message": code.message, "type": kind, "param": None, "code": slug},
        "request_id": "req_1",
    }


@pytest.mark.parametrize("kind", FailureKind)
def test_a_failure_has_its_form(kind: FailureKind) -> None:
    form = FORMS[kind]
    status, fields, body = CLIENT.build_error(Failure(kind, "no", 418, "their_code", 2.5, "messages[0]"), "req_1")
    assert status == form.status
    assert json.loads(body) == {
        "error": {"message": "no", "type": form.openai_type, "param": "messages[0]", "code": form.openai_code},
        "request_id": "req_1",
    }
    assert (fields["retry-after"], fields["retry-after-ms"]) == ("3", "2500")


def test_a_failure_without_a_field_blames_none() -> None:
    *_, body = CLIENT.build_error(Failure(FailureKind.SERVER, "no"), "r")
    assert json.loads(body)["error"]["param"] is None


def test_an_error_event_is_what_the_sdks_raise_for() -> None:
    data = encode_error_event(Failure(FailureKind.OVERLOADED, "busy"))
    assert data.startswith(b"data: {")
    assert data.endswith(b"}\n\n")
    assert json.loads(data[6:]) == {
        "error": {"message": "busy", "type": "server_error", "param": None, "code": "overloaded"}
    }


KINDS = {
    "openai_chat/err-404-model-not-found.json": (FailureKind.NOT_FOUND, None),
    "openai_chat/err-429-rate-limit.json": (FailureKind.RATE_LIMIT, 20.0),
    "openai_chat/err-429-insufficient-quota.json": (FailureKind.QUOTA, None),
}


@pytest.mark.parametrize("name", list_recordings("openai_chat/err-4*.json"))
def test_recorded_errors_have_their_kinds(name: str) -> None:
    recording = load_recording(name)
    failure = PROVIDER.parse_error(recording.status, recording.headers, recording.body)
    assert (failure.kind, failure.retry_after) == KINDS[name]
    assert failure.message in recording.body.decode()
