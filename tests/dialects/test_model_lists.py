"""Lists of models, as each vendor's SDK reads them."""

import json

import pytest

from proxy.dialects.model_lists import build_list, build_model

SHARED = ("openai-chat", "openai-responses", "anthropic", "openrouter")
CREATED = 1700000000


@pytest.mark.parametrize("dialect", SHARED)
def test_one_body_serves_openai_s_sdks_and_anthropic_s(dialect: str) -> None:
    assert json.loads(build_list(dialect, ["a", "b/c"], CREATED)) == {
        "object": "list",
        "data": [json.loads(build_model(dialect, name, CREATED)) for name in ("a", "b/c")],
        "has_more": False,
        "first_id": "a",
        "last_id": "b/c",
    }


@pytest.mark.parametrize("dialect", SHARED)
def test_an_entry_has_what_both_read(dialect: str) -> None:
    assert json.loads(build_model(dialect, 'we"ird', CREATED)) == {
        "id": 'we"ird',
        "object": "model",
        "created": CREATED,
        "owned_by": "penstock",
        "type": "model",
        "display_name": 'we"ird',
        "created_at": "2023-11-14T22:13:20Z",
    }


def test_no_models_are_an_empty_list() -> None:
    body = json.loads(build_list("anthropic", [], CREATED))
    assert (body["data"], body["first_id"], body["last_id"]) == ([], None, None)
    assert json.loads(build_list("gemini", [], CREATED)) == {"models": []}


def test_google_s_list_names_resources() -> None:
    (entry,) = json.loads(build_list("gemini", ["a/b"], CREATED))["models"]
    assert (entry["name"], entry["displayName"]) == ("models/a/b", "a/b")
    assert set(entry["supportedGenerationMethods"]) == {"generateContent", "streamGenerateContent", "countTokens"}
    assert json.loads(build_model("gemini", "a/b", CREATED)) == entry
