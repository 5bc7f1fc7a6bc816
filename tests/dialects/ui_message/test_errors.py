"""The JSON that a page throws as the text of its error."""

import json

import pytest

from proxy.dialects.events import Failure, FailureKind
from proxy.dialects.failures import FORMS
from proxy.dialects.ui_message.errors import build_error, build_refusal
from proxy.errors import Code


@pytest.mark.parametrize("kind", FailureKind)
def test_status_and_code_are_those_of_the_kind(kind: FailureKind) -> None:
    status, _, body = build_error(Failure(kind, "It failed."), "req_1")
    assert status == FORMS[kind].status
    assert json.loads(body) == {"error": "It failed.", "code": kind.value, "request_id": "req_1"}


def test_the_blamed_field_and_the_delay_are_told() -> None:
    _, headers, body = build_error(Failure(FailureKind.RATE_LIMIT, "Slow.", retry_after=2.5, param="model"), "r")
    assert json.loads(body)["param"] == "model"
    assert headers["retry-after"] == "3"


def test_a_refusal_has_the_same_form() -> None:
    assert build_refusal(Code.UNAUTHORIZED, "req_1") == {
        "error": "A valid key is required.", "code": "unauthorized", "request_id": "req_1",
    }  # fmt: skip
