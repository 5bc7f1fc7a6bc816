"""Listeners and log."""

from proxy.config.model import Log, Server, Tls


def test_defaults_are_the_documented_ones() -> None:
    assert Server() == Server(
        listen=("127.0.0.1:8088",), admin="127.0.0.1:8089", via="", tls=Tls(), trusted_proxies=(), cors=()
    )
    assert Tls() == Tls(certificate="", key="")
    assert Log() == Log(format="auto", level="info")
