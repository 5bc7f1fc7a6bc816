"""The model: frozen, complete, quiet about secrets."""

import pytest

from proxy.config.model import Account, Client, Config, Limits, Provider, Server
from proxy.config.secret import Secret


def test_defaults_are_the_documented_ones() -> None:
    config = Config()
    assert config.server == Server(listen=("127.0.0.1:8088",), admin="127.0.0.1:8089", via="")
    assert (config.limits.max_body, config.limits.connect, config.limits.first_byte) == (32 << 20, 10.0, 60.0)
    assert (config.limits.idle, config.limits.write_stall, config.limits.drain) == (300.0, 60.0, 30.0)
    assert (config.limits.body_idle, config.limits.body_rate, config.limits.streams) == (30.0, 64, 10_000)
    assert (config.log.format, config.log.level) == ("auto", "info")
    assert config.clients == config.providers == config.mounts == {}


def test_model_is_frozen() -> None:
    with pytest.raises(AttributeError):
        Limits().idle = 1.0  # type: ignore[misc]


def test_two_configurations_share_no_dictionary() -> None:
    assert Config().clients is not Config().clients


def test_representation_shows_no_secret() -> None:
    provider = Provider(
        dialect="raw",
        base_url="http://a",
        headers={"X-Key": Secret("canary")},
        accounts={"main": Account(key=Secret("canary"))},
    )
    text = repr(Config(clients={"dev": Client(key_sha256=b"canary")}, providers={"a": provider}))
    assert "canary" not in text
    assert text.count("***") == 3
