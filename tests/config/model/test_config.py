"""The whole: frozen, complete, quiet about secrets."""

from proxy.config.model import Account, Client, Config, Console, Log, Provider
from proxy.config.secret import Secret


def test_nothing_is_configured_by_default() -> None:
    config = Config()
    tables = (config.clients, config.providers, config.models, config.capabilities, config.mounts, config.prices)
    assert not any(tables)
    assert config.log == Log(format="auto", level="info")


def test_two_configurations_share_no_dictionary() -> None:
    assert Config().clients is not Config().clients


def test_representation_shows_no_secret() -> None:
    provider = Provider(
        dialect="raw",
        base_url="http://a",
        headers={"X-Key": Secret("canary")},
        accounts={
            "main": Account(key=Secret("canary")),
            "token": Account(token_command=(Secret("sh"), Secret("canary"))),
        },
    )
    console = Console(token=Secret("canary"))
    text = repr(Config(clients={"dev": Client(key_sha256=b"canary")}, providers={"a": provider}, console=console))
    assert "canary" not in text
    assert text.count("***") == 9  # two accounts have no proxy, which is a secret too
