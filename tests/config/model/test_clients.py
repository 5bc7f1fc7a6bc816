"""Callers and what they may use."""

from proxy.config.model import Client


def test_the_hash_of_a_key_is_not_shown() -> None:
    assert "canary" not in repr(Client(key_sha256=b"canary"))


def test_nothing_is_limited_unless_told() -> None:
    client = Client(key_sha256=b"x")
    limits = (client.max_streams, client.rpm, client.tpm, client.tokens_per_day, client.cost_per_day)
    assert limits == (0, 0, 0, 0, 0.0)
    assert client.models == ()
