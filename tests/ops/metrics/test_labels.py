"""Labels are few, whatever callers and providers write."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.config.load import build_config
from proxy.edge.model_routes import Ask, find_route
from proxy.ops.metrics.labels import (
    MOST_MODELS,
    OPERATIONS,
    OTHER,
    ModelNames,
    list_models,
    name_attempt_error,
    name_bucket,
    name_error,
    name_operation,
    name_outcome,
)
from proxy.relay.outcome import EndReason
from proxy.wire.headers import NO_FIELDS
from tests.helpers.finished import build_attempt, build_mounted, build_record, build_refused

PATHS = (
    ("POST", "/v1/chat/completions"), ("POST", "/api/v1/chat/completions"), ("POST", "/v1/responses"),
    ("POST", "/v1/messages"), ("POST", "/v1/messages/count_tokens"), ("POST", "/v1/embeddings"), ("POST", "/api/chat"),
    ("GET", "/api/stream"), ("POST", "/v1beta/models/m:generateContent"), ("POST", "/v1beta/models/m:countTokens"),
    ("POST", "/v1beta/models/m:streamGenerateContent"), ("GET", "/v1/models"), ("GET", "/v1/models/m"),
    ("GET", "/api/chat/1/stream"),
)  # fmt: skip


def test_names_of_models_are_those_of_the_configuration() -> None:
    config = {
        "providers": {"up": {"dialect": "openai-chat", "base_url": "http://127.0.0.1:1"}},
        "models": {
            "fast": {"targets": ["up/m-small", "up/m-large"]},
            "fast-*": {"targets": ["up/*"]},
            "m-large": {"targets": ["up/m-large"]},
        },
        "prices": {"up/m-dear": {"input": 1.0, "output": 2.0}, "up/m-*": {"input": 1.0, "output": 2.0}},
    }
    assert list_models(build_config([("test", config)], {})) == ("fast", "m-large", "m-small", "m-dear")


def test_a_model_that_is_not_configured_is_another() -> None:
    names = ModelNames(["fast", "gpt-5"])
    assert [names.name(model) for model in ("fast", "gpt-5", "gpt-5-mini", "FAST", "")] == [
        "fast", "gpt-5", OTHER, OTHER, "",
    ]  # fmt: skip
    names.apply(["slow"])
    assert [names.name(model) for model in ("fast", "slow")] == [OTHER, "slow"]


@pytest.mark.parametrize(
    ("said", "asked", "named"),
    [
        ("gpt-5", "gpt-5", "gpt-5"),
        ("gpt-5-2025-08-07", "gpt-5", "gpt-5"),
        ("claude@20250929", "claude", "claude"),
        ("gpt-5-mini", "gpt-5", "gpt-5-mini"),  # configured by itself
        ("gpt-50", "gpt-5", OTHER),
        ("gpt-5-2025-08-07", "claude", OTHER),
        ("llama-3-8b", "llama-3", OTHER),  # nobody has configured the one that was asked for
        ("anything", "", OTHER),
        ("", "gpt-5", ""),
    ],
)
def test_an_edition_of_a_model_is_the_model(said: str, asked: str, named: str) -> None:
    assert ModelNames(["gpt-5", "gpt-5-mini", "claude"]).name_answering(said, asked) == named


@given(st.lists(st.text(max_size=20)), st.lists(st.text(max_size=20)))
def test_no_name_comes_from_outside(known: list[str], said: list[str]) -> None:
    names = ModelNames(known)
    allowed = {*known, OTHER, ""}
    assert {names.name(text) for text in said} <= allowed
    assert {names.name_answering(text, asked) for text in said for asked in said} <= allowed


def test_a_long_list_of_models_has_an_end() -> None:
    names = ModelNames(f"m{number}" for number in range(5000))
    assert len({names.name(f"m{number}") for number in range(5000)}) == MOST_MODELS + 1


def test_every_route_on_which_a_model_works_is_an_operation() -> None:
    routes = [route for method, path in PATHS if (route := find_route(method, path, None, NO_FIELDS)) is not None]
    assert len(routes) == len(PATHS)
    working = {route.name for route in routes if route.ask in (Ask.CHAT, Ask.COUNT, Ask.EMBEDDINGS)}
    assert set(OPERATIONS) == working


@pytest.mark.parametrize(
    ("fields", "operation"),
    [
        ({}, "chat"),
        ({"mount": "/v1beta/models/{model}:streamGenerateContent"}, "generate_content"),
        ({"mount": "/api/stream", "method": "GET"}, "chat"),
        ({"method": "OPTIONS", "attempts": []}, ""),
        ({"method": "HEAD", "attempts": []}, ""),
        ({"mount": "/v1/models", "method": "GET", "attempts": []}, ""),
        ({"mount": "", "attempts": []}, ""),
        ({"mount": "/up", "method": "HEAD"}, "pass_through"),
        ({"mount": "/up", "method": "DELETE"}, "pass_through"),
        ({"mount": "/up", "attempts": []}, ""),
    ],
)
def test_what_is_an_operation(fields: dict[str, Any], operation: str) -> None:
    record = build_record()
    for name, value in fields.items():
        setattr(record, name, value)
    assert name_operation(record) == operation


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({}, ""),
        ({"end": EndReason.LATE_CUT}, ""),
        ({"end": EndReason.DONE, "status": 200, "error": "late"}, ""),
        ({"end": EndReason.CLIENT_GONE}, "client_gone"),
        ({"end": EndReason.UPSTREAM_CUT, "error": "upstream_disconnect"}, "upstream_disconnect"),
        ({"end": EndReason.DONE, "status": 503}, "503"),
        ({"end": EndReason.DONE, "status": 799}, OTHER),
        ({"end": None}, ""),
    ],
)
def test_why_a_request_is_none_that_went_well(fields: dict[str, Any], error: str) -> None:
    assert name_error(build_record(**fields)) == error


def test_why_a_refused_request_was() -> None:
    assert name_error(build_refused(error="unauthorized", status=401)) == "unauthorized"


@pytest.mark.parametrize(
    ("fields", "error", "outcome"),
    [
        ({}, "", "won"),
        ({"outcome": "rescued", "error": "upstream_disconnect"}, "upstream_disconnect", "rescued"),
        ({"outcome": "account", "error": "rate_limit", "status": 429}, "rate_limit", "account"),
        ({"outcome": "lost", "status": None}, "cancelled", "lost"),
        ({"outcome": "", "status": 429}, "429", "won"),
        ({"outcome": "", "status": 799}, OTHER, "won"),
        ({"outcome": "", "status": None, "error": "upstream_refused"}, "upstream_refused", "failed"),
    ],
)
def test_what_became_of_an_attempt(fields: dict[str, Any], error: str, outcome: str) -> None:
    attempt = build_attempt(**fields)
    assert (name_attempt_error(attempt), name_outcome(attempt)) == (error, outcome)


def test_a_mount_s_record_names_its_own() -> None:
    assert name_operation(build_mounted()) == "pass_through"


@pytest.mark.parametrize("bucket", ["requests", "input-tokens", "req-minute", "requests-day", "tokens_usage_based"])
def test_a_bucket_has_its_name(bucket: str) -> None:
    assert name_bucket(bucket) == bucket


@pytest.mark.parametrize("bucket", ["", "x" * 33, "a b", "é", 'a"b', "9", "A"])
def test_a_bucket_that_is_no_name_is_left_out(bucket: str) -> None:
    assert name_bucket(bucket) == ""
