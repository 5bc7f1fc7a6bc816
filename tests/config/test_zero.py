"""Zero configuration: keys in the environment become providers with mounts."""

import pytest

from proxy.config.load import load
from proxy.config.lookup import ModelTable
from proxy.config.model import Log, Server
from proxy.config.zero import KNOWN_PROVIDERS, build_zero
from proxy.errors import ConfigError

EXPECTED = [
    ("OPENAI_API_KEY", "openai", "openai-chat", "https://api.openai.com/v1"),
    ("ANTHROPIC_API_KEY", "anthropic", "anthropic", "https://api.anthropic.com"),
    ("GEMINI_API_KEY", "gemini", "gemini", "https://generativelanguage.googleapis.com"),
    ("GOOGLE_API_KEY", "gemini", "gemini", "https://generativelanguage.googleapis.com"),
    ("OPENROUTER_API_KEY", "openrouter", "openrouter", "https://openrouter.ai/api/v1"),
    ("ZAI_API_KEY", "zai", "glm", "https://api.z.ai/api/paas/v4"),
]


@pytest.mark.parametrize(("variable", "name", "dialect", "base_url"), EXPECTED)
def test_key_in_the_environment_becomes_a_mount(variable: str, name: str, dialect: str, base_url: str) -> None:
    config = load((), {variable: "sk-$1${x}"})
    provider = config.providers[name]
    assert (provider.dialect, provider.base_url) == (dialect, base_url)
    assert provider.accounts["main"].key.reveal() == "sk-$1${x}"
    assert {path: mount.provider for path, mount in config.mounts.items()} == {f"/{name}": name}
    assert config.mounts[f"/{name}"].auth == "key"
    assert config.clients == {}
    assert (config.server, config.log) == (Server(), Log())


def test_every_known_provider_is_expected_here() -> None:
    assert {name for known in KNOWN_PROVIDERS for name in known.variables} == {row[0] for row in EXPECTED}


def test_no_key_gives_an_empty_configuration() -> None:
    assert load((), {}).providers == load((), {"OPENAI_API_KEY": ""}).providers == {}


def test_gemini_key_goes_before_google_key() -> None:
    config = load((), {"GOOGLE_API_KEY": "second", "GEMINI_API_KEY": "first"})
    assert config.providers["gemini"].accounts["main"].key.reveal() == "first"


def test_dictionary_holds_no_key() -> None:
    assert "canary" not in str(build_zero({"OPENAI_API_KEY": "canary"}))


def test_key_that_cannot_be_one_is_a_fault_without_its_text() -> None:
    with pytest.raises(ConfigError) as caught:
        load((), {"OPENAI_API_KEY": "canary\n", "ZAI_API_KEY": "canary canary"})
    assert [fault.place for fault in caught.value.faults] == [
        "providers.openai.accounts.main.key",
        "providers.zai.accounts.main.key",
    ]
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(("variable", "name"), [row[:2] for row in EXPECTED])
def test_its_models_are_asked_for_by_its_name(variable: str, name: str) -> None:
    found = ModelTable(load((), {variable: "sk-1"})).find(f"{name}/some-model")
    assert found is not None
    assert [(goal.provider, goal.model) for goal in found.goals] == [(name, "some-model")]


def test_overrides_work_without_a_file() -> None:
    assert load((), {"PENSTOCK_LISTEN": "127.0.0.1:1"}).server.listen == ("127.0.0.1:1",)
