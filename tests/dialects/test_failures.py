"""Any provider's error becomes one kind, and each kind has its form in every dialect."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.events import Failure, FailureKind
from proxy.dialects.failures import FORMS, SAYINGS, parse_error_value, parse_failure, retry_fields
from proxy.wire.headers import NO_FIELDS, Headers
from proxy.wire.sse import Parser
from tests.helpers.crossing import find_dialect, find_provider, read
from tests.helpers.feeds import fuzz
from tests.helpers.recordings import list_recordings, load_recording

K = FailureKind

RECORDED = {
    "anthropic/err-400-prompt-too-long.json": (K.CONTEXT_LENGTH, None),
    "anthropic/err-401.json": (K.UPSTREAM_AUTH, None),
    "anthropic/err-429-rate-limit.json": (K.RATE_LIMIT, 24),
    "anthropic/err-529-overloaded.json": (K.OVERLOADED, None),
    "antigravity/err-400-missing-signature.json": (K.INVALID, None),
    "antigravity/err-400-nested-anthropic.json": (K.INVALID, None),
    "gemini/err-400-api-key.json": (K.UPSTREAM_AUTH, None),
    "gemini/err-404-model.json": (K.NOT_FOUND, None),
    "gemini/err-429-quota-retryinfo.json": (K.RATE_LIMIT, 48),
    "gemini/err-503-overloaded.json": (K.OVERLOADED, None),
    "glm/err-429-1302.json": (K.RATE_LIMIT, None),
    "openai_chat/err-404-model-not-found.json": (K.NOT_FOUND, None),
    "openai_chat/err-429-insufficient-quota.json": (K.QUOTA, None),
    "openai_chat/err-429-rate-limit.json": (K.RATE_LIMIT, 20),
    "openai_responses/err-401-invalid-key.json": (K.UPSTREAM_AUTH, None),
    "openrouter/err-429-headers.json": (K.RATE_LIMIT, None),
}
IN_STREAMS = {
    "anthropic/err-midstream-overloaded.sse": K.OVERLOADED,
    "gemini/err-midstream-data-error.sse": K.OVERLOADED,
    "gemini/err-midstream.sse": K.CANCELLED,
    "openai_chat/err-midstream-server-error.sse": K.SERVER,
    "openai_compat/groq-err-midstream-event-error.sse": K.INVALID,
    "openai_responses/err-insufficient-quota.sse": K.QUOTA,
    "openai_responses/err-rate-limited.sse": K.RATE_LIMIT,
    "openrouter/err-midstream.sse": K.INVALID,
}


@pytest.mark.parametrize("name", list_recordings("*/*err-*.json"))
def test_a_recorded_answer_has_its_kind(name: str) -> None:
    recording = load_recording(name)
    failure = parse_failure(recording.status, recording.headers, recording.body)
    assert (failure.kind, failure.retry_after) == RECORDED[name]
    assert failure.status == recording.status
    assert failure.message not in ("", *SAYINGS.values())
    assert not failure.message.startswith("{")


@pytest.mark.parametrize("name", list_recordings("*/*err-*.sse"))
def test_a_recorded_error_in_a_stream_has_its_kind(name: str) -> None:
    parser = Parser()
    datas = [block.data for block in parser.feed(load_recording(name).body) if block.data is not None]
    values = [json.loads(data) for data in datas if data != b"[DONE]"]
    if name == "gemini/err-midstream.sse":  # bare JSON without `data:`
        values.append(json.loads(load_recording(name).body.partition(b"\n{\n")[2].join([b"{", b""])))
    (*_, value) = [value for value in values if "error" in json.dumps(value) and _has_error(value)]
    failure = parse_error_value(value)
    assert failure.kind is IN_STREAMS[name]
    assert failure.message not in ("", *SAYINGS.values())


@pytest.mark.parametrize("name", list_recordings("*/*err-*.json"))
def test_each_dialect_reads_its_recorded_errors_so(name: str) -> None:
    recording = load_recording(name)
    failure = find_provider(find_dialect(name)).parse_error(recording.status, recording.headers, recording.body)
    assert (failure.kind, failure.retry_after, failure.status) == (*RECORDED[name], recording.status)
    told = retry_fields(failure)
    assert told["x-should-retry"] == str(failure.kind in (K.RATE_LIMIT, K.OVERLOADED)).lower()
    assert told.get("retry-after") == (f"{failure.retry_after:.0f}" if failure.retry_after else None)


@pytest.mark.parametrize("name", list_recordings("*/*err-*.sse"))
def test_each_dialect_s_stream_ends_with_its_recorded_error(name: str) -> None:
    """Said by the provider, so it is its kind and not that of a stream that was cut."""
    body = load_recording(name).body
    failure = read(find_dialect(name), [body])[-1]
    assert isinstance(failure, Failure)
    assert failure.kind is IN_STREAMS[name]
    assert failure.retry_after is None
    assert failure.message in body.decode().replace("\\n", "\n")


def _has_error(value: dict[str, Any]) -> bool:
    return bool(value.get("error") or (value.get("response") or {}).get("error"))


def error(**fields: Any) -> dict[str, Any]:
    return {"error": fields}


def detail(**fields: Any) -> dict[str, Any]:
    return error(code=429, status="RESOURCE_EXHAUSTED", message="m", details=[fields])


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, K.INVALID), (401, K.UPSTREAM_AUTH), (402, K.QUOTA), (403, K.PERMISSION), (404, K.NOT_FOUND),
        (405, K.INVALID), (408, K.TIMEOUT), (409, K.CONFLICT), (413, K.TOO_LARGE), (418, K.INVALID), (422, K.INVALID),
        (429, K.RATE_LIMIT), (434, K.PERMISSION), (499, K.CANCELLED), (500, K.SERVER), (502, K.BAD_GATEWAY),
        (503, K.OVERLOADED), (504, K.TIMEOUT), (520, K.BAD_GATEWAY), (524, K.TIMEOUT), (529, K.OVERLOADED),
        (599, K.SERVER), (200, K.SERVER), (0, K.SERVER),
    ],
)  # fmt: skip
@pytest.mark.parametrize("body", [b"", b"<html>", b"\x89PNG\xff\0", b"{}", b"[]", b'{"error":{}}', b"null"])
def test_a_status_alone_gives_a_kind_and_something_to_say(status: int, kind: FailureKind, body: bytes) -> None:
    assert parse_failure(status, NO_FIELDS, body) == Failure(kind, SAYINGS[kind], status)


@pytest.mark.parametrize(
    ("status", "value", "kind"),
    [
        (429, error(code="insufficient_quota", type="insufficient_quota", message="m"), K.QUOTA),
        (
            429,
            error(type="rate_limit_error", message="m", details={"error_code": "enforced_spend_limit_reached"}),
            K.QUOTA,
        ),
        (429, detail(violations=[{"quotaId": "GenerateRequestsPerDayPerProject"}]), K.QUOTA),
        (429, detail(violations=[{"quotaId": "GenerateRequestsPerMinute"}]), K.RATE_LIMIT),
        (429, detail(reason="QUOTA_EXHAUSTED"), K.QUOTA),
        (429, detail(reason="RATE_LIMIT_EXCEEDED"), K.RATE_LIMIT),
        (429, detail(reason="MODEL_CAPACITY_EXHAUSTED"), K.OVERLOADED),
        (
            429,
            error(message="Resource has been exhausted (e.g. check quota).", status="RESOURCE_EXHAUSTED"),
            K.RATE_LIMIT,
        ),
        (402, error(code=402, message="Insufficient credits"), K.QUOTA),
        (400, error(message="Your credit balance is too low to access the Anthropic API."), K.QUOTA),
        (400, error(code="context_length_exceeded", message="m"), K.CONTEXT_LENGTH),
        (400, error(message="This model's maximum context length is 8192 tokens."), K.CONTEXT_LENGTH),
        (
            400,
            error(message="The input token count (1) exceeds the maximum number of tokens allowed (1)."),
            K.CONTEXT_LENGTH,
        ),
        (413, error(message="prompt is too long: 2 > 1"), K.CONTEXT_LENGTH),
        (500, error(message="prompt is too long"), K.CONTEXT_LENGTH),
        (429, error(message="Request too large: maximum context length"), K.RATE_LIMIT),
        (400, error(code="content_filter", message="m"), K.CONTENT_FILTER),
        (400, error(code="content_policy_violation", message="m"), K.CONTENT_FILTER),
        (403, error(code=403, message="meta/x requires moderation on OpenInference"), K.CONTENT_FILTER),
        (500, error(type="overloaded_error", message="Overloaded"), K.OVERLOADED),
        (500, error(message="The model is overloaded."), K.OVERLOADED),
        (400, error(message="API key not valid."), K.UPSTREAM_AUTH),
        (400, error(message="User location is not supported for the API use."), K.PERMISSION),
        (403, error(code="model_not_found", message="m"), K.NOT_FOUND),
        (403, detail(reason="VALIDATION_REQUIRED"), K.PERMISSION),
        (400, error(message="prompt", type="invalid_request_error"), K.INVALID),
        (400, error(type="rate_limit_error", message="a status says more than a vague word"), K.INVALID),
        (200, error(code=502, message="m"), K.BAD_GATEWAY),
        (200, error(code="429", message="m"), K.RATE_LIMIT),
        (200, error(status_code=400, code="tool_use_failed", message="m"), K.INVALID),
        (200, error(type="rate_limit_error", message="m"), K.RATE_LIMIT),
        (200, error(status="PERMISSION_DENIED", message="m"), K.PERMISSION),
        (200, error(type="something new", message="m"), K.SERVER),
        (200, {"type": "error", "code": "rate_limit_exceeded", "message": "m"}, K.RATE_LIMIT),
        (200, {"type": "response.failed", "response": {"error": {"code": "server_error", "message": "m"}}}, K.SERVER),
        (200, {"choices": [{"error": {"code": 429, "message": "m"}}]}, K.RATE_LIMIT),
        (400, [error(code=429, message="m", status="RESOURCE_EXHAUSTED")], K.INVALID),
        (200, [error(code=429, message="m")], K.RATE_LIMIT),
        (400, {"error": "maximum context length", "code": "x"}, K.CONTEXT_LENGTH),
        (403, {"error": "m", "code": "model_not_found"}, K.NOT_FOUND),
        (404, {"detail": "m"}, K.NOT_FOUND),
        (400, {"object": "error", "message": "maximum context length", "code": 400}, K.CONTEXT_LENGTH),
        (200, {"object": "error", "message": "m", "code": 404}, K.NOT_FOUND),
    ],
)
def test_the_body_says_more(status: int, value: object, kind: FailureKind) -> None:
    failure = parse_failure(status, NO_FIELDS, json.dumps(value).encode())
    assert failure.kind is kind
    assert failure.message not in ("", *SAYINGS.values())
    assert parse_error_value(value, status) == failure


@pytest.mark.parametrize("code", ["1113", 1113])
def test_the_codes_of_a_dialect_count_first(code: object) -> None:
    value = error(code=code, message="overloaded", type="rate_limit_error")
    assert parse_error_value(value, 429, {"1113": K.QUOTA}).kind is K.QUOTA
    assert parse_error_value(value, 429).kind is K.OVERLOADED
    assert parse_error_value(value, 429, {"1113": K.AUTH}).kind is K.UPSTREAM_AUTH


@pytest.mark.parametrize(
    ("value", "code", "param"),
    [
        (error(code="c", type="t", param="messages[0]", message="m"), "c", "messages[0]"),
        (error(code=None, type="t", param=None, message="m"), "t", ""),
        (error(code=404, status="NOT_FOUND", message="m"), "NOT_FOUND", ""),
        (error(code=502, message="m"), "502", ""),
        (error(code=True, param=5, message="m"), "", ""),
        ({"error": "m"}, "", ""),
    ],
)
def test_code_and_param_are_those_of_the_provider(value: object, code: str, param: str) -> None:
    failure = parse_error_value(value, 400)
    assert (failure.code, failure.param) == (code, param)


@pytest.mark.parametrize(("seconds", "kind"), [("60", K.RATE_LIMIT), ("61", K.QUOTA)])
def test_a_long_limit_is_a_quota(seconds: str, kind: FailureKind) -> None:
    failure = parse_failure(429, Headers(((b"Retry-After", seconds.encode()),)), b"{}")
    assert (failure.kind, failure.retry_after) == (kind, float(seconds))


def test_no_delay_where_waiting_does_not_help() -> None:
    assert parse_failure(400, Headers(((b"retry-after", b"5"),)), b"{}").retry_after is None


@fuzz
@given(st.integers(0, 999), st.binary(max_size=60) | st.text(max_size=40).map(str.encode))
def test_any_bytes_are_a_failure(status: int, body: bytes) -> None:
    failure = parse_failure(status, NO_FIELDS, body)
    assert failure.message
    assert failure.kind is not K.AUTH


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["error", "details", "metadata", "message", "code", "type", "status", "status_code", "param",
                         "response", "choices", "violations", "quotaId", "reason", "raw", "error_type"]),
        inner, max_size=5,
    ),
    max_leaves=16,
)  # fmt: skip


@fuzz
@given(JSON, st.integers(0, 999))
def test_any_value_is_a_failure(value: object, status: int) -> None:
    failure = parse_error_value(value, status, {"x": K.AUTH})
    assert failure.message
    assert failure.kind is not K.AUTH
    assert isinstance(failure.code, str)
    assert isinstance(failure.param, str)


def test_every_kind_has_a_form_and_a_saying() -> None:
    assert set(FORMS) == set(SAYINGS) == set(K)


@pytest.mark.parametrize(
    ("kind", "openai", "anthropic", "gemini"),
    [
        (K.CONTEXT_LENGTH, (400, "invalid_request_error", "context_length_exceeded"), (400, "invalid_request_error"),
         (400, "INVALID_ARGUMENT")),
        (K.AUTH, (401, "invalid_request_error", "invalid_api_key"), (401, "authentication_error"),
         (401, "UNAUTHENTICATED")),
        (K.UPSTREAM_AUTH, (502, "server_error", None), (500, "api_error"), (500, "INTERNAL")),
        (K.QUOTA, (429, "insufficient_quota", "insufficient_quota"), (429, "rate_limit_error"),
         (429, "RESOURCE_EXHAUSTED")),
        (K.TOO_LARGE, (413, "invalid_request_error", None), (413, "request_too_large"), (400, "INVALID_ARGUMENT")),
        (K.RATE_LIMIT, (429, "rate_limit_error", "rate_limit_exceeded"), (429, "rate_limit_error"),
         (429, "RESOURCE_EXHAUSTED")),
        (K.OVERLOADED, (503, "server_error", "overloaded"), (529, "overloaded_error"), (503, "UNAVAILABLE")),
        (K.DISCONNECT, (502, "server_error", "upstream_error"), (500, "api_error"), (503, "UNAVAILABLE")),
        (K.TIMEOUT, (504, "timeout", None), (504, "timeout_error"), (504, "DEADLINE_EXCEEDED")),
    ],
)  # fmt: skip
def test_forms(kind: FailureKind, openai: object, anthropic: object, gemini: object) -> None:
    form = FORMS[kind]
    assert (form.status, form.openai_type, form.openai_code) == openai
    assert (form.anthropic_status, form.anthropic_type) == anthropic
    assert (form.gemini_status, form.gemini_name) == gemini


@pytest.mark.parametrize(
    ("kind", "delay", "fields"),
    [
        (K.RATE_LIMIT, 1.2, {"retry-after": "2", "retry-after-ms": "1200", "x-should-retry": "true"}),
        (K.RATE_LIMIT, None, {"x-should-retry": "true"}),
        (K.QUOTA, 3600.0, {"retry-after": "3600", "retry-after-ms": "3600000", "x-should-retry": "false"}),
        (K.OVERLOADED, 0.0, {"retry-after": "0", "retry-after-ms": "0", "x-should-retry": "true"}),
        (K.UPSTREAM_AUTH, None, {"x-should-retry": "false"}),
        (K.INVALID, None, {"x-should-retry": "false"}),
        (K.RATE_LIMIT, float("inf"), {"x-should-retry": "true"}),
        (K.RATE_LIMIT, -1.0, {"x-should-retry": "true"}),
    ],
)
def test_what_clients_are_told_about_trying_again(
    kind: FailureKind, delay: float | None, fields: dict[str, str]
) -> None:
    assert retry_fields(Failure(kind, "m", retry_after=delay)) == fields
