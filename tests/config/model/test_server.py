"""Listeners, callers and log."""

from proxy.config.model import Client, Log, Server


def test_defaults_are_the_documented_ones() -> None:
    assert Server() == Server(listen=("127.0.0.1:8088",), admin="127.0.0.1:8089", via="", cors=())
    assert Log() == Log(format="auto", level="info")


def test_the_hash_of_a_key_is_not_shown() -> None:
    assert "canary" not in repr(Client(key_sha256=b"canary"))
