"""Limits of one model, told from limits of the account."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.failure_scope import is_model_only
from proxy.dialects.failures import parse_error_value, parse_failure
from proxy.wire.headers import NO_FIELDS
from tests.helpers.crossing import find_dialect, find_provider
from tests.helpers.feeds import fuzz
from tests.helpers.recordings import list_recordings, load_recording

PER_MODEL = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
PER_PROJECT = "GenerateRequestsPerMinutePerProject"


def google(*details: dict[str, Any], message: str = "Quota exceeded.") -> dict[str, Any]:
    return {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": message, "details": list(details)}


def quota(*violations: Any) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": list(violations)}


def info(**metadata: Any) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "QUOTA_EXHAUSTED", "metadata": metadata}


@pytest.mark.parametrize(
    ("error", "model_only"),
    [
        (google(quota({"quotaId": PER_PROJECT, "quotaDimensions": {"model": "m", "location": "global"}})), True),
        (google(quota({"quotaId": PER_MODEL})), True),
        (google(quota({"quotaId": PER_PROJECT})), False),
        (google(quota({"quotaId": PER_PROJECT, "quotaDimensions": {"location": "global"}})), False),
        (google(quota({"quotaId": PER_MODEL}, {"quotaId": PER_PROJECT})), False),
        (google(quota({"quotaId": PER_MODEL}), quota({"quotaId": PER_PROJECT})), False),
        (google(quota({"quotaId": PER_PROJECT}), info(model="m")), False),
        (google(info(model="gemini-3.5-flash", quotaResetDelay="33s")), True),
        (google(info(quota_limit="GenerateContentRequestsPerMinutePerProjectPerModel")), True),
        (google(info(quota_limit=PER_PROJECT, consumer="projects/1")), False),
        (google(info(model="")), False),
        (google(info(model="m"), message="Individual quota reached. Please upgrade."), False),
        (google(), False),
        (google(quota(1, None, "x"), info()), False),
        ({"details": "x"}, False), ({"details": [1, {"violations": 1}, {"metadata": 1}]}, False), ("x", False),
        (None, False), ([], False),
    ],
)  # fmt: skip
def test_google_says_it_in_fields(error: Any, model_only: bool) -> None:
    assert is_model_only(error, error.get("message", "") if isinstance(error, dict) else "") is model_only


@pytest.mark.parametrize(
    ("message", "model_only"),
    [
        ("Rate limit reached for gpt-4o in organization org-a on tokens per min (TPM): Limit 30000, Used 2.", True),
        ("Rate limit reached for default-gpt-3.5-turbo in organization org-a on requests per min.", True),
        ("Rate limit reached for model `openai/gpt-oss-120b` in organization `org_a` service tier `on_demand`", True),
        ("Request too large for model `m` in organization `org_a` on tokens per minute (TPM): Limit 6000", True),
        ("This request would exceed your organization's rate limit of 30,000 input tokens per minute "
         "(org: 5456025a-920d, model: claude-sonnet-4). For details", True),
        ("Too many tokens for team e9fe-1 and model grok-4-0709. Your team's rate limit is", True),
        ("Too many requests for team e9fe-1 and model grok-4-0709.", True),
        ("You have exhausted your capacity on this model. Your quota will reset after 4h28m20s.", True),
        ("Quota exceeded for aiplatform.googleapis.com/x_per_base_model with base model: gemini-pro.", True),
        ("google/gemini-2.0:free is temporarily rate-limited upstream. Please retry shortly", True),
        ("Rate limit exceeded: limit_rpm/meta-llama/llama-3.2/0000. High demand for", True),
        ("Rate limit of 50 per 86400s exceeded for UserByModelByDay. Please wait 5 seconds before retrying.", True),
        ("Rate limit reached for requests", False),
        ("Rate limit reached for requests in organization org-a", False),
        ("Rate limit exceeded: free-models-per-day", False),
        ("This request would exceed the rate limit for your organization (0dcc) of 20,000 input tokens", False),
        ("Too many requests for team e9fe-1", False),
        ("You exceeded your current quota, please check your plan and billing details.", False),
        ("Rate limit of 15 per 60s exceeded for UserByMinute.", False),
        ("", False),
    ],
)  # fmt: skip
def test_others_say_it_in_words(message: str, model_only: bool) -> None:
    assert is_model_only({"message": message}, message) is model_only
    body = json.dumps({"error": {"message": message}}).encode()
    assert parse_failure(429, NO_FIELDS, body).model_only is model_only
    assert parse_error_value({"error": {"message": message, "code": "insufficient_quota"}}).model_only is model_only


@pytest.mark.parametrize("status", [400, 401, 404, 500, 503])
def test_what_is_no_limit_is_not_of_a_model(status: int) -> None:
    body = json.dumps({"error": google(info(model="m"), message="No.") | {"status": ""}}).replace("QUOTA_EXHAUSTED", "")
    assert not parse_failure(status, NO_FIELDS, body.encode()).model_only


MODEL_ONLY = {
    "gemini/err-429-quota-retryinfo.json", "openai_chat/err-429-rate-limit.json", "openrouter/err-429-headers.json",
}  # fmt: skip


@pytest.mark.parametrize("name", list_recordings("*/*err-*.json"))
def test_recorded_answers(name: str) -> None:
    recording = load_recording(name)
    failure = find_provider(find_dialect(name)).parse_error(recording.status, recording.headers, recording.body)
    assert failure.model_only is (name in MODEL_ONLY)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["details", "violations", "metadata", "quotaDimensions", "model", "quotaId"]), inner
        ),
    ),
    max_leaves=12,
)


@fuzz
@given(JSON, st.text())
def test_never_raises(error: Any, message: str) -> None:
    assert is_model_only(error, message) in (True, False)
    assert is_model_only({"details": error}, message) in (True, False)
