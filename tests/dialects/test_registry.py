"""Every dialect that a configuration may name has its row, and every row can be used."""

import pytest

from proxy.config import model
from proxy.dialects.base import BARE_KEEPALIVE, encode_error
from proxy.dialects.registry import CALLERS, CLIENTS, DIALECTS, PROVIDERS, RAW
from proxy.errors import Code


def test_the_configuration_and_the_registry_know_the_same_dialects() -> None:
    assert set(model.DIALECTS) == set(DIALECTS)
    assert len(model.DIALECTS) == len(set(model.DIALECTS))


def test_every_dialect_of_a_provider_but_raw_is_one_that_models_are_asked_in() -> None:
    assert set(PROVIDERS) == set(DIALECTS) - {"raw"}


def test_every_caller_has_a_row_and_what_only_pages_speak_is_no_provider_s() -> None:
    assert set(CLIENTS) <= set(CALLERS)
    assert set(CALLERS) - set(DIALECTS) == {"ui-message", "event-source"}


def test_what_is_of_no_known_dialect_is_raw() -> None:
    assert DIALECTS["raw"] is RAW


@pytest.mark.parametrize("name", CALLERS)
@pytest.mark.parametrize("code", Code)
def test_every_refusal_can_be_put_in_every_dialect(name: str, code: Code) -> None:
    body = encode_error(CALLERS[name], code, "req_1")
    assert code.message.encode() in body
    assert b"req_1" in body


@pytest.mark.parametrize(
    ("name", "credential"),
    [
        ("openai-chat", {"authorization": "Bearer k"}),
        ("anthropic", {"x-api-key": "k"}),
        ("gemini", {"x-goog-api-key": "k"}),
        ("openrouter", {"authorization": "Bearer k"}),
    ],
)
def test_a_key_goes_where_the_vendor_reads_it(name: str, credential: dict[str, str]) -> None:
    assert DIALECTS[name].build_credential("k") == credential


def test_only_the_gemini_family_reads_a_key_from_the_query_and_cannot_bear_comments() -> None:
    assert {name for name, row in DIALECTS.items() if row.key_in_query} == {"gemini", "code-assist"}
    assert {name for name, row in DIALECTS.items() if row.keepalive == BARE_KEEPALIVE} == {"gemini", "code-assist"}


def test_anthropic_names_its_request_id_in_a_way_of_its_own() -> None:
    assert DIALECTS["anthropic"].request_id_header == "request-id"
